//! ONNX (<https://github.com/onnx/onnx>): networks that onnxruntime and others run.

use super::graph::{Attribute, DOUBLE, FLOAT, Graph, INT64, Port};
use super::protobuf::Message;
use super::transformer;
use crate::apps::encoding::Encoding;
use crate::apps::model::Model;
use crate::apps::predict::Predictor;
use crate::compress::Codec;
use crate::container::task::Targets;
use crate::encode::codec_encoder::CodecEncoder;
use crate::error::{Error, Result};

/// The version of ONNX's operators that exported graphs use.
pub const ONNX_OPSET: i64 = 13;
/// The version of the file format that goes with it.
const IR: i64 = 7;
/// Protobuf's limit of a message, in bytes.
const MOST_BYTES: usize = 1 << 31;

/// A network to export, with the names, types and shapes of its inputs and outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnnxPart {
    /// Maps `rows`, rows × width in the type that the codec is for, to `latents`, `f32`, rows ×
    /// latents, in the units of [`Model::embed`]. Of a masked transformer as well.
    Encoder,
    /// Maps `latents`, `f32`, rows × latents in the units of [`Model::embed`], to `rows`, `f32`,
    /// rows × width.
    Decoder,
    /// Maps `rows`, as for the encoder, to what [`predict`](crate::apps::predict) gives: `label`
    /// (`i64`, one a row) and `probabilities` (`f32`, rows × labels), or for a regression `values`
    /// (`f64`, rows × numbers). Of rows of which nothing is known, it gives what belongs to the middle of those learned
    /// from.
    Predictor,
    /// Of a masked transformer: maps `rows`, as for the encoder, to `restored`, `f64`, rows × width: what is NaN
    /// is restored from the patches that have all their values, as [`impute`](crate::apps::impute()) does,
    /// and all else stays as it is.
    Restorer,
}

/// Writes a network of `codec` as an ONNX file of [`ONNX_OPSET`], with all that is around it: the
/// graph centres and scales values in `f64`, clips them, and takes missing ones for 0, as this
/// library does.
///
/// # Errors
/// `Argument` if the codec does not have that network, or the file would be larger than 2 GiB.
///
/// ```
/// use aezip::apps::{OnnxPart, onnx};
/// use aezip::{Codec, Config, Matrix};
/// let values: Vec<f32> = (0..4000).map(|i| (i as f32 * 0.02).sin()).collect();
/// let codec = Codec::fit(&Matrix::from_slice(&values, &[40])?, &Config::default())?;
/// let file = onnx(&codec, OnnxPart::Encoder)?;
/// std::fs::write(std::env::temp_dir().join("waves.onnx"), file).unwrap();
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn onnx(codec: &Codec, part: OnnxPart) -> Result<Vec<u8>> {
    let graph = match part {
        OnnxPart::Encoder => {
            let model = Model::new(codec)?;
            if model.is_transformer() { transformer::encoder(&model)? } else { encoder(&model)? }
        }
        OnnxPart::Restorer => transformer::restorer(&Model::new(codec)?)?,
        OnnxPart::Decoder => decoder(&Model::new(codec)?)?,
        OnnxPart::Predictor => predictor(&Model::new(codec)?, &Predictor::new(codec)?),
    };
    let opset = Message::default().text(1, "").int(2, ONNX_OPSET);
    let file = Message::default()
        .int(1, IR)
        .text(2, "aezip")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, &graph)
        .message(8, &opset);
    if file.0.len() >= MOST_BYTES {
        return Err(Error::argument("the network is larger than the 2 GiB that ONNX allows"));
    }
    Ok(file.0)
}

fn encoder(model: &Model) -> Result<Message> {
    let networks = model.latent_networks()?;
    let own = networks.encoder()?;
    let mut g = Graph::default();
    let x = inputs(&mut g, own);
    let h = g.network(&own.floats.network, &x);
    let unit = networks.output_unit(own);
    let unit = g.floats(&[unit.len()], &unit);
    g.node_to("Mul", &[&h, &unit], &[], "latents");
    let latents = Port { name: "latents", element: FLOAT, width: Some(model.latents()) };
    Ok(g.finish("encoder", &[Port::rows(model)], &[latents]))
}

/// Turns rows into what the encoder's network is given.
fn inputs(g: &mut Graph, encoder: &CodecEncoder) -> String {
    let r = &encoder.record;
    let x = g.cast("rows", DOUBLE);
    let centre = g.doubles(&r.centre);
    // Columns that are left out are 0 whatever they hold.
    let inverse: Vec<f64> = r.scale.iter().map(|s| if *s > 0.0 { 1.0 } else { 0.0 }).collect();
    let scale: Vec<f64> = r.scale.iter().map(|s| if *s > 0.0 { *s } else { 1.0 }).collect();
    let (scale, used) = (g.doubles(&scale), g.doubles(&inverse));
    let missing = g.not_finite(&x);
    let moved = g.node("Sub", &[&x, &centre], &[]);
    let z = g.node("Div", &[&moved, &scale], &[]);
    let zero = g.doubles(&[0.0]);
    let z = g.node("Where", &[&missing, &zero, &z], &[]);
    let z = g.node("Mul", &[&z, &used], &[]);
    let z = g.cast(&z, FLOAT);
    let clip = g.floats(&[r.clip.len()], &r.clip);
    let low = g.node("Neg", &[&clip], &[]);
    let z = g.node("Min", &[&z, &clip], &[]);
    let z = g.node("Max", &[&z, &low], &[]);
    if encoder.floats.network.shape.inputs == r.scale.len() {
        return z;
    }
    let hidden = g.cast(&missing, FLOAT);
    g.node("Concat", &[&z, &hidden], &[Attribute::Int("axis", 1)])
}

fn decoder(model: &Model) -> Result<Message> {
    let networks = model.latent_networks()?;
    let mut g = Graph::default();
    let unit = networks.input_unit();
    let unit = g.floats(&[unit.len()], &unit);
    let y = g.node("Mul", &["latents", &unit], &[]);
    let out = g.network(&networks.decoder.network, &y);
    let out = g.cast(&out, DOUBLE);
    let (unit, origin) = (g.doubles(&networks.decoder.unit), g.doubles(&networks.decoder.origin));
    let out = g.node("Mul", &[&out, &unit], &[]);
    let out = g.node("Add", &[&out, &origin], &[]);
    g.node_to("Cast", &[&out], &[Attribute::Int("to", FLOAT)], "rows");
    let latents = Port { name: "latents", element: FLOAT, width: Some(model.latents()) };
    let rows = Port { element: FLOAT, ..Port::rows(model) };
    Ok(g.finish("decoder", &[latents], &[rows]))
}

fn predictor(model: &Model, own: &Predictor) -> Message {
    let (mut g, h) = match &own.encoding {
        Encoding::Encoder(encoder) => {
            let mut g = Graph::default();
            let x = inputs(&mut g, encoder);
            let h = g.network(&encoder.floats.network, &x);
            (g, h)
        }
        Encoding::Transformer(transformer) => {
            transformer::embedding(transformer, &own.stack.centre)
        }
    };
    let centre = g.floats(&[own.stack.centre.len()], &own.stack.centre);
    let scale = g.floats(&[own.stack.scale.len()], &own.stack.scale);
    let h = g.node("Sub", &[&h, &centre], &[]);
    let h = g.node("Div", &[&h, &scale], &[]);
    let out = g.network(&own.stack.head, &h);
    let given = [Port::rows(model)];
    match &own.targets {
        Targets::Classes(labels) => {
            g.node_to("Softmax", &[&out], &[Attribute::Int("axis", 1)], "probabilities");
            let axis = [Attribute::Int("axis", 1), Attribute::Int("keepdims", 0)];
            let place = g.node("ArgMax", &[&out], &axis);
            let all = g.integers(labels);
            g.node_to("Gather", &[&all, &place], &[Attribute::Int("axis", 0)], "label");
            let label = Port { name: "label", element: INT64, width: None };
            let width = Some(labels.len());
            let probabilities = Port { name: "probabilities", element: FLOAT, width };
            g.finish("predictor", &given, &[label, probabilities])
        }
        Targets::Values { centre, scale } => {
            let out = g.cast(&out, DOUBLE);
            let (scale, centre) = (g.doubles(scale), g.doubles(centre));
            let out = g.node("Mul", &[&out, &scale], &[]);
            g.node_to("Add", &[&out, &centre], &[], "values");
            let width = Some(own.targets.outputs());
            g.finish("predictor", &given, &[Port { name: "values", element: DOUBLE, width }])
        }
    }
}
