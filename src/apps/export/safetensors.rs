//! The safetensors format (<https://github.com/huggingface/safetensors>): a length, a header in
//! JSON, the numbers.

use crate::apps::model::Model;
use crate::apps::predict::Predictor;
use crate::compress::Codec;
use crate::container::task::Targets;
use crate::encode::masked::MaskedTransformer;
use crate::error::Result;
use crate::kernels::activation::Activation;
use crate::matrix::to_little_endian;
use crate::nn::network::Network;
use crate::nn::transformer::{Block, Dense, LayerNorm};
use std::fmt::Write;

/// Writes the weights of `codec` as a safetensors file.
///
/// Layer `i` of the encoder is `encoder.i.weight`, outputs × inputs as in PyTorch, and
/// `encoder.i.bias`. Where the inputs are also added to the last layer's outputs through a matrix,
/// that is `encoder.skip.weight`. What is around the layers has names too:
///
/// - The encoder takes `clamp((x − encoder.centre) / encoder.scale, ±encoder.clip)`, and 0 where
///   the scale is 0; its outputs times `encoder.unit` are the embedding.
/// - The decoder takes an embedding times `decoder.input_unit`; its outputs times `decoder.unit`
///   plus `decoder.centre` are values.
/// - A head that was trained to predict is `head.*`. It takes `(h − head.centre) / head.scale`,
///   where `h` are the outputs of its own encoder `head.encoder.*`, or of a masked transformer the mean
///   of the encoder's tokens, behind its norm, over the patches that are seen. Its outputs are logits of
///   `head.labels`, or times `head.output_scale` plus `head.output_centre` numbers.
///
/// The metadata name the functions of each network's layers.
///
/// Of a masked transformer, the metadata are `lines` (of a row), `patch` (lines × values),
/// `encoder.heads` and `decoder.heads`. Values are `(x − centre) / scale`, cut into patches. Dense
/// layers are `NAME.weight`, outputs × inputs, and `NAME.bias`: `embed` makes tokens of patches,
/// to which `position` is added; `bridge` makes the tokens that the decoder looks at of those of
/// the encoder; `values` makes patches of the decoder's tokens, which begin as `mask` plus their
/// line of `decoder.position`. Block `i` of `encoder` and `decoder` has the layers `i.query`,
/// `i.key`, `i.value`, `i.attended`, `i.up` and `i.down` and the norms `i.norm` and `i.hidden_norm`,
/// each with `weight` and `bias`; behind the blocks stand `encoder.norm` and `decoder.norm`.
///
/// # Errors
/// `Argument` as [`Model::new`].
///
/// ```
/// use aezip::apps::safetensors;
/// use aezip::{Codec, Config, Matrix};
/// let values: Vec<f32> = (0..4000).map(|i| (i as f32 * 0.02).sin()).collect();
/// let codec = Codec::fit(&Matrix::from_slice(&values, &[40])?, &Config::default())?;
/// let file = safetensors(&codec)?;
/// assert_eq!(file[8], b'{');
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn safetensors(codec: &Codec) -> Result<Vec<u8>> {
    let model = Model::new(codec)?;
    let mut file = File::default();
    file.metadata("format", "aezip");
    file.metadata("dtype", model.schema.dtype.name());
    let shape: Vec<String> = model.schema.row_shape.iter().map(usize::to_string).collect();
    file.metadata("row_shape", &shape.join(","));
    if let Ok(transformer) = model.transformer() {
        file.transformer(transformer);
        if codec.task().is_some() {
            file.predictor(&Predictor::new(codec)?);
        }
        return Ok(file.finish());
    }
    let networks = model.latent_networks()?;
    if let Some(encoder) = &networks.encoder {
        let r = &encoder.record;
        file.metadata("masked", if model.is_masked() { "true" } else { "false" });
        file.metadata("variational", if model.is_variational() { "true" } else { "false" });
        file.doubles("encoder.centre", &r.centre);
        file.doubles("encoder.scale", &r.scale);
        file.floats("encoder.clip", &[r.clip.len()], &r.clip);
        let unit = networks.output_unit(encoder);
        file.floats("encoder.unit", &[unit.len()], &unit);
        file.network("encoder", &encoder.floats.network);
    }
    let unit = networks.input_unit();
    file.floats("decoder.input_unit", &[unit.len()], &unit);
    file.doubles("decoder.centre", &networks.decoder.origin);
    file.doubles("decoder.unit", &networks.decoder.unit);
    file.network("decoder", &networks.decoder.network);
    if codec.task().is_some() {
        file.predictor(&Predictor::new(codec)?);
    }
    Ok(file.finish())
}

/// A file under construction.
#[derive(Default)]
struct File {
    metadata: String,
    tensors: String,
    data: Vec<u8>,
}

impl File {
    /// Adds an entry; nothing in `name` or `value` needs escapes.
    fn metadata(&mut self, name: &str, value: &str) {
        let comma = if self.metadata.is_empty() { "" } else { "," };
        let _ = write!(self.metadata, "{comma}\"{name}\":\"{value}\"");
    }

    fn tensor(&mut self, name: &str, dtype: &str, shape: &[usize], bytes: Vec<u8>) {
        // 8-byte numbers lie at multiples of 8, as some readers want it.
        let start = self.data.len();
        self.data.extend(bytes);
        let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
        let _ = write!(
            self.tensors,
            ",\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":[{}],\"data_offsets\":[{start},{}]}}",
            shape.join(","),
            self.data.len()
        );
    }

    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        self.tensor(name, "F32", shape, to_little_endian(values));
    }

    fn doubles(&mut self, name: &str, values: &[f64]) {
        self.tensor(name, "F64", &[values.len()], to_little_endian(values));
    }

    fn network(&mut self, name: &str, net: &Network) {
        let mut functions = Vec::new();
        for (i, &(width, f)) in net.shape.layers.iter().enumerate() {
            let weights = transposed(&net.params[net.weights(i)], width);
            let inputs = net.shape.inputs_of(i);
            self.floats(&format!("{name}.{i}.weight"), &[width, inputs], &weights);
            self.floats(&format!("{name}.{i}.bias"), &[width], &net.params[net.bias(i)]);
            functions.push(function_name(f));
        }
        if net.shape.skip {
            let (inputs, outputs) = (net.shape.inputs, net.outputs());
            let weights = transposed(&net.params[net.skip()], outputs);
            self.floats(&format!("{name}.skip.weight"), &[outputs, inputs], &weights);
        }
        self.metadata(&format!("{name}.functions"), &functions.join(" "));
    }

    fn predictor(&mut self, own: &Predictor) {
        if let Some(encoder) = &own.stack.encoder {
            self.network("head.encoder", encoder);
        }
        self.floats("head.centre", &[own.stack.centre.len()], &own.stack.centre);
        self.floats("head.scale", &[own.stack.scale.len()], &own.stack.scale);
        self.network("head", &own.stack.head);
        match &own.targets {
            Targets::Classes(labels) => {
                self.tensor("head.labels", "I64", &[labels.len()], to_little_endian(labels));
            }
            Targets::Values { centre, scale } => {
                self.doubles("head.output_centre", centre);
                self.doubles("head.output_scale", scale);
            }
        }
    }

    fn transformer(&mut self, own: &MaskedTransformer) {
        let (record, net) = (&own.record, &own.net);
        let (layers, params) = (&net.layers, &net.params);
        let [height, width] = record.patch;
        self.metadata("lines", &record.lines.to_string());
        self.metadata("patch", &format!("{height}x{width}"));
        self.doubles("centre", &record.centre);
        self.doubles("scale", &[record.scale]);
        self.dense("embed", &layers.embed, params);
        self.table("position", &params[layers.position.clone()], layers.embed.outputs);
        self.stack("encoder", &layers.encoder, &layers.encoder_norm, params);
        self.dense("bridge", &layers.bridge, params);
        self.table("mask", &params[layers.mask.clone()], layers.bridge.outputs);
        let position = &params[layers.decoder_position.clone()];
        self.table("decoder.position", position, layers.bridge.outputs);
        self.stack("decoder", &layers.decoder, &layers.decoder_norm, params);
        self.dense("values", &layers.values, params);
    }

    /// Blocks, and the norm behind them.
    fn stack(&mut self, name: &str, blocks: &[Block], norm: &LayerNorm, params: &[f32]) {
        let heads = blocks.first().map_or(1, |block| block.heads);
        self.metadata(&format!("{name}.heads"), &heads.to_string());
        for (i, block) in blocks.iter().enumerate() {
            let names = ["query", "key", "value", "attended", "up", "down"];
            for (layer, own) in names.into_iter().zip(block.layers()) {
                self.dense(&format!("{name}.{i}.{layer}"), own, params);
            }
            self.norm(&format!("{name}.{i}.norm"), &block.norm, params);
            self.norm(&format!("{name}.{i}.hidden_norm"), &block.hidden_norm, params);
        }
        self.norm(&format!("{name}.norm"), norm, params);
    }

    fn dense(&mut self, name: &str, layer: &Dense, params: &[f32]) {
        let weights = transposed(&params[layer.weights()], layer.outputs);
        self.floats(&format!("{name}.weight"), &[layer.outputs, layer.inputs], &weights);
        self.floats(&format!("{name}.bias"), &[layer.outputs], &params[layer.bias()]);
    }

    fn norm(&mut self, name: &str, norm: &LayerNorm, params: &[f32]) {
        self.floats(&format!("{name}.weight"), &[norm.dim], &params[norm.gain()]);
        self.floats(&format!("{name}.bias"), &[norm.dim], &params[norm.bias()]);
    }

    /// Lines of `dim` numbers.
    fn table(&mut self, name: &str, values: &[f32], dim: usize) {
        self.floats(name, &[values.len() / dim, dim], values);
    }

    fn finish(self) -> Vec<u8> {
        let mut header = format!("{{\"__metadata__\":{{{}}}{}}}", self.metadata, self.tensors);
        // The numbers begin at a multiple of 8.
        while !header.len().is_multiple_of(8) {
            header.push(' ');
        }
        let mut out = (header.len() as u64).to_le_bytes().to_vec();
        out.extend(header.bytes());
        out.extend(self.data);
        out
    }
}

/// The name of a layer's function, in lower case.
fn function_name(f: Activation) -> String {
    match f {
        Activation::Identity => "identity".to_string(),
        Activation::LeakyRelu(slope) => format!("leaky_relu({slope})"),
        Activation::Relu => "relu".to_string(),
        Activation::Tanh => "tanh".to_string(),
        Activation::Gelu => "gelu_tanh".to_string(),
    }
}

/// Turns weights of inputs × outputs into outputs × inputs.
fn transposed(weights: &[f32], outputs: usize) -> Vec<f32> {
    (0..outputs).flat_map(|o| weights.iter().skip(o).step_by(outputs).copied()).collect()
}
