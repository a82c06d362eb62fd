//! A masked transformer as a graph of ONNX.
//!
//! The library lets the encoder see the patches alone that have all their values. A graph has tensors of one
//! size, so all patches go through it: those that are not seen get no weight in any attention, which
//! comes to the same.

use super::graph::{Attribute, DOUBLE, FLOAT, Graph, Port};
use super::protobuf::Message;
use crate::apps::model::Model;
use crate::encode::masked::MaskedTransformer;
use crate::encode::patch_grid::CLIP;
use crate::error::Result;
use crate::kernels::activation::Activation;
use crate::nn::transformer::{Block, Dense, EPSILON, LayerNorm};

/// Added to the products of queries with keys that are not seen: their exponentials are 0.
const NOT_SEEN: f32 = -1e30;

/// From rows to the mean of the tokens of the patches that are seen.
pub(super) fn encoder(model: &Model) -> Result<Message> {
    let own = model.transformer()?;
    let mut w = Writer::new(own);
    let (sums, counts) = w.sums();
    w.g.node_to("Div", &[&sums, &counts], &[], "latents");
    let latents = Port { name: "latents", element: FLOAT, width: Some(own.dim()) };
    Ok(w.g.finish("encoder", &[Port::rows(model)], &[latents]))
}

/// A graph that embeds rows, and the name of the embeddings: `unseen` where no patch is seen.
pub(super) fn embedding(own: &MaskedTransformer, unseen: &[f32]) -> (Graph, String) {
    let mut w = Writer::new(own);
    let (sums, counts) = w.sums();
    let means = w.g.node("Div", &[&sums, &counts], &[]);
    let is_unseen = w.g.node("IsNaN", &[&means], &[]);
    let unseen = w.g.floats(&[unseen.len()], unseen);
    let embedded = w.g.node("Where", &[&is_unseen, &unseen, &means], &[]);
    (w.g, embedded)
}

/// From rows with gaps to rows without.
pub(super) fn restorer(model: &Model) -> Result<Message> {
    let own = model.transformer()?;
    let mut w = Writer::new(own);
    let (x, seen) = (w.rows.clone(), w.seen.clone());
    let given = w.restored();
    let record = &own.record;
    let (scale, centre) = (w.g.doubles(&[record.scale]), w.g.doubles(&record.centre));
    let given = w.g.cast(&given, DOUBLE);
    let given = w.g.node("Mul", &[&given, &scale], &[]);
    let given = w.g.node("Add", &[&given, &centre], &[]);
    // Of rows of which nothing is seen there is nothing but the centres to say.
    let axis = [Attribute::Ints("axes", vec![1]), Attribute::Int("keepdims", 1)];
    let most = w.g.node("ReduceMax", &[&seen], &axis);
    let none = w.g.floats(&[1], &[0.0]);
    let is_any = w.g.node("Greater", &[&most, &none], &[]);
    let given = w.g.node("Where", &[&is_any, &given, &centre], &[]);
    let missing = w.g.node("IsNaN", &[&x], &[]);
    w.g.node_to("Where", &[&missing, &given, &x], &[], "restored");
    let restored = Port { name: "restored", element: DOUBLE, ..Port::rows(model) };
    Ok(w.g.finish("restorer", &[Port::rows(model)], &[restored]))
}

/// Writes the layers of a transformer; tensors are rows × patches × numbers where nothing else is said.
struct Writer<'a> {
    g: Graph,
    own: &'a MaskedTransformer,
    /// The rows as they are given, rows × width, `f64`.
    rows: String,
    /// 1 for patches that are seen and 0 for others, rows × patches.
    seen: String,
    /// Added to products with keys, rows × 1 × 1 × patches.
    bias: String,
    /// The values of patches.
    patches: String,
}

impl<'a> Writer<'a> {
    fn new(own: &'a MaskedTransformer) -> Self {
        let (mut g, record, grid) = (Graph::default(), &own.record, &own.grid);
        let x = g.cast("rows", DOUBLE);
        let unknown = g.not_finite(&x);
        let known = g.node("Not", &[&unknown], &[]);
        let known = g.cast(&known, FLOAT);
        let (centre, scale) = (g.doubles(&record.centre), g.doubles(&[record.scale]));
        let moved = g.node("Sub", &[&x, &centre], &[]);
        let z = g.node("Div", &[&moved, &scale], &[]);
        let z = g.cast(&z, FLOAT);
        let wild = g.not_finite(&z);
        let zero = g.floats(&[1], &[0.0]);
        let z = g.node("Where", &[&wild, &zero, &z], &[]);
        let (low, high) = (g.floats(&[1], &[-CLIP]), g.floats(&[1], &[CLIP]));
        let z = g.node("Min", &[&z, &high], &[]);
        let z = g.node("Max", &[&z, &low], &[]);
        // Behind the columns of a row stands what lies beyond its edges.
        let mut columns = vec![grid.width as i64; grid.patches * grid.patch];
        for patch in 0..grid.patches {
            let own = grid.columns_of(patch);
            own.for_each(|(at, column)| columns[patch * grid.patch + at] = column as i64);
        }
        let columns = g.indices(&[grid.patches, grid.patch], &columns);
        let ends = [Attribute::Ints("axes", vec![1]), Attribute::Int("keepdims", 1)];
        let first = g.node("ReduceMin", &[&z], &ends);
        let cut = |g: &mut Graph, values: &str, beyond: f32| {
            // A column of one number, as many rows as there are.
            let (none, number) = (g.floats(&[1], &[0.0]), g.floats(&[1], &[beyond]));
            let column = g.node("Mul", &[&first, &none], &[]);
            let column = g.node("Add", &[&column, &number], &[]);
            let padded = g.node("Concat", &[values, &column], &[Attribute::Int("axis", 1)]);
            g.node("Gather", &[&padded, &columns], &[Attribute::Int("axis", 1)])
        };
        let patches = cut(&mut g, &z, 0.0);
        let known = cut(&mut g, &known, 1.0);
        let flat = [Attribute::Ints("axes", vec![2]), Attribute::Int("keepdims", 0)];
        let seen = g.node("ReduceMin", &[&known], &flat);
        let mut out = Self { g, own, rows: x, seen, bias: String::new(), patches };
        let (one, weight) = (out.g.floats(&[1], &[1.0]), out.g.floats(&[1], &[NOT_SEEN]));
        let hidden = out.g.node("Sub", &[&one, &out.seen], &[]);
        let hidden = out.g.node("Mul", &[&hidden, &weight], &[]);
        let hidden = out.unsqueezed(&hidden, 1);
        out.bias = out.unsqueezed(&hidden, 1);
        out
    }

    /// The sums of the tokens of the patches that are seen, and how many there are.
    fn sums(&mut self) -> (String, String) {
        let seen = self.seen.clone();
        let tokens = self.tokens();
        let weight = self.unsqueezed(&seen, 2);
        let weighed = self.g.node("Mul", &[&tokens, &weight], &[]);
        let axis = self.g.integers(&[1]);
        let flat = [Attribute::Int("keepdims", 0)];
        let sums = self.g.node("ReduceSum", &[&weighed, &axis], &flat);
        let counts = self.g.node("ReduceSum", &[&seen, &axis], &[Attribute::Int("keepdims", 1)]);
        (sums, counts)
    }

    fn unsqueezed(&mut self, x: &str, axis: i64) -> String {
        let axis = self.g.integers(&[axis]);
        self.g.node("Unsqueeze", &[x, &axis], &[])
    }

    /// A constant of parameters, lines × `dim`.
    fn table(&mut self, place: std::ops::Range<usize>, dim: usize) -> String {
        self.g.floats(&[place.len() / dim, dim], &self.own.net.params[place])
    }

    /// The encoder's tokens of all patches; those of patches that are not seen mean nothing.
    fn tokens(&mut self) -> String {
        let layers = &self.own.net.layers;
        let x = self.patches.clone();
        let x = self.dense(&layers.embed, &x);
        let position = self.table(layers.position.clone(), layers.embed.outputs);
        let mut x = self.g.node("Add", &[&x, &position], &[]);
        for block in &layers.encoder {
            x = self.block(block, &x, None);
        }
        self.norm(&layers.encoder_norm, &x)
    }

    /// What the decoder makes of all patches, put back into rows × width.
    fn restored(&mut self) -> String {
        let (layers, grid) = (&self.own.net.layers, &self.own.grid);
        let tokens = self.tokens();
        let context = self.dense(&layers.bridge, &tokens);
        let dim = layers.bridge.outputs;
        let position = self.table(layers.decoder_position.clone(), dim);
        let context = self.g.node("Add", &[&context, &position], &[]);
        // The same for all rows.
        let mask = self.table(layers.mask.clone(), dim);
        let asked = self.g.node("Add", &[&mask, &position], &[]);
        let mut x = self.unsqueezed(&asked, 0);
        for block in &layers.decoder {
            x = self.block(block, &x, Some(&context));
        }
        let x = self.norm(&layers.decoder_norm, &x);
        let x = self.dense(&layers.values, &x);
        let x = self.reshaped(&x, &[-1, (grid.patches * grid.patch) as i64]);
        let mut places = vec![0; grid.width];
        for patch in 0..grid.patches {
            for (at, column) in grid.columns_of(patch) {
                places[column] = (patch * grid.patch + at) as i64;
            }
        }
        let places = self.g.integers(&places);
        self.g.node("Gather", &[&x, &places], &[Attribute::Int("axis", 1)])
    }

    fn reshaped(&mut self, x: &str, shape: &[i64]) -> String {
        let shape = self.g.integers(shape);
        self.g.node("Reshape", &[x, &shape], &[])
    }

    fn dense(&mut self, layer: &Dense, x: &str) -> String {
        let params = &self.own.net.params;
        let weights = self.g.floats(&[layer.inputs, layer.outputs], &params[layer.weights()]);
        let bias = self.g.floats(&[layer.outputs], &params[layer.bias()]);
        let product = self.g.node("MatMul", &[x, &weights], &[]);
        self.g.node("Add", &[&product, &bias], &[])
    }

    /// ONNX's own layer norm came with opset 17.
    fn norm(&mut self, norm: &LayerNorm, x: &str) -> String {
        let params = &self.own.net.params;
        let gain = self.g.floats(&[norm.dim], &params[norm.gain()]);
        let bias = self.g.floats(&[norm.dim], &params[norm.bias()]);
        let epsilon = self.g.floats(&[1], &[EPSILON]);
        let axis = || [Attribute::Ints("axes", vec![-1]), Attribute::Int("keepdims", 1)];
        let mean = self.g.node("ReduceMean", &[x], &axis());
        let centred = self.g.node("Sub", &[x, &mean], &[]);
        let squares = self.g.node("Mul", &[&centred, &centred], &[]);
        let variance = self.g.node("ReduceMean", &[&squares], &axis());
        let variance = self.g.node("Add", &[&variance, &epsilon], &[]);
        let deviation = self.g.node("Sqrt", &[&variance], &[]);
        let unit = self.g.node("Div", &[&centred, &deviation], &[]);
        let scaled = self.g.node("Mul", &[&unit, &gain], &[]);
        self.g.node("Add", &[&scaled, &bias], &[])
    }

    fn block(&mut self, block: &Block, x: &str, context: Option<&str>) -> String {
        let normed = self.norm(&block.norm, x);
        let source = context.unwrap_or(&normed);
        let (queries, keys, values) = (&block.query, &block.key, &block.value);
        let (dim, patches) = (block.norm.dim as i64, self.own.grid.patches as i64);
        let heads = block.heads as i64;
        let width = dim / heads;
        let split = [0, patches, heads, width];
        let q = self.heads(queries, &normed, &split, vec![0, 2, 1, 3]);
        let k = self.heads(keys, source, &split, vec![0, 2, 3, 1]);
        let v = self.heads(values, source, &split, vec![0, 2, 1, 3]);
        let products = self.g.node("MatMul", &[&q, &k], &[]);
        let scale = self.g.floats(&[1], &[1.0 / (width as f32).sqrt()]);
        let products = self.g.node("Mul", &[&products, &scale], &[]);
        let products = self.g.node("Add", &[&products, &self.bias], &[]);
        let weights = self.g.node("Softmax", &[&products], &[Attribute::Int("axis", -1)]);
        let attended = self.g.node("MatMul", &[&weights, &v], &[]);
        let attended =
            self.g.node("Transpose", &[&attended], &[Attribute::Ints("perm", vec![0, 2, 1, 3])]);
        let attended = self.reshaped(&attended, &[0, patches, dim]);
        let attended = self.dense(&block.attended, &attended);
        let x = self.g.node("Add", &[x, &attended], &[]);
        let h = self.norm(&block.hidden_norm, &x);
        let h = self.dense(&block.up, &h);
        let h = self.g.activation(Activation::Gelu, h);
        let h = self.dense(&block.down, &h);
        self.g.node("Add", &[&x, &h], &[])
    }

    /// A dense layer whose numbers are split among heads, with axes in the order `order`.
    fn heads(&mut self, layer: &Dense, x: &str, split: &[i64], order: Vec<i64>) -> String {
        let x = self.dense(layer, x);
        let x = self.reshaped(&x, split);
        self.g.node("Transpose", &[&x], &[Attribute::Ints("perm", order)])
    }
}
