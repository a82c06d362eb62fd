//! ONNX (<https://github.com/onnx/onnx>): networks that onnxruntime and others run.

use super::super::encoder::Encoder;
use super::super::model::Model;
use super::super::predict::Predictor;
use super::embedding_unit;
use super::graph::{Attribute, DOUBLE, FLOAT, Graph, INT64, element};
use super::protobuf::Message;
use crate::compress::Codec;
use crate::container::task::Targets;
use crate::error::{Error, Result};

/// Version of ONNX's operators that exported graphs use.
pub const ONNX_OPSET: i64 = 13;
/// Version of the file format that goes with it.
const IR: i64 = 7;

/// Which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnnxPart {
    /// `rows` in the type that the codec is for, rows × width, to `latents`, `f32`, as
    /// [`Model::embed`] gives them.
    Encoder,
    /// `latents` to `rows`, `f32`, as [`Model::decode`] gives them.
    Decoder,
    /// `rows` to `label` (`i64`, rows) and `probabilities` (`f32`, rows × labels), or to `values` (`f64`,
    /// rows × numbers), as [`predict`](crate::predict) gives them.
    Predictor,
}

/// A network of `codec` as an ONNX file of [`ONNX_OPSET`], with all that is around it: values are
/// centred and scaled in `f64`, clipped, and missing ones are 0 there, as in this library.
///
/// # Errors
/// `Argument` if the codec does not have that network.
///
/// ```
/// use aezip::{Codec, Config, Matrix, OnnxPart, onnx};
/// let values: Vec<f32> = (0..4000).map(|i| (i as f32 * 0.02).sin()).collect();
/// let codec = Codec::fit(&Matrix::from_slice(&values, &[40])?, &Config::default())?;
/// let file = onnx(&codec, OnnxPart::Encoder)?;
/// std::fs::write(std::env::temp_dir().join("waves.onnx"), file).unwrap();
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn onnx(codec: &Codec, part: OnnxPart) -> Result<Vec<u8>> {
    let graph = match part {
        OnnxPart::Encoder => encoder(&Model::new(codec)?)?,
        OnnxPart::Decoder => decoder(&Model::new(codec)?),
        OnnxPart::Predictor => predictor(&Model::new(codec)?, &Predictor::new(codec)?),
    };
    let opset = Message::default().text(1, "").int(2, ONNX_OPSET);
    let file = Message::default()
        .int(1, IR)
        .text(2, "aezip")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, &graph)
        .message(8, &opset);
    if file.0.len() >= 1 << 31 {
        return Err(Error::argument("the network is larger than the 2 GiB that ONNX allows"));
    }
    Ok(file.0)
}

fn encoder(model: &Model) -> Result<Message> {
    let own = model.encoder()?;
    let mut g = Graph::default();
    let x = inputs(&mut g, own);
    let h = g.network(&own.network, &x);
    let unit = embedding_unit(model, &own.record.latent);
    let unit = g.floats(&[unit.len()], &unit);
    g.node_to("Mul", &[&h, &unit], &[], "latents");
    let width = model.schema.width();
    let given = ("rows", element(model.schema.dtype), Some(width));
    Ok(g.finish("encoder", &[given], &[("latents", FLOAT, Some(model.latents()))]))
}

/// From values to what the network is given.
fn inputs(g: &mut Graph, encoder: &Encoder) -> String {
    let r = &encoder.record;
    let x = g.cast("rows", DOUBLE);
    let centre = g.doubles(&r.centre);
    // Columns that are left out are 0 whatever they hold.
    let inverse: Vec<f64> = r.scale.iter().map(|s| if *s > 0.0 { 1.0 } else { 0.0 }).collect();
    let scale: Vec<f64> = r.scale.iter().map(|s| if *s > 0.0 { *s } else { 1.0 }).collect();
    let (scale, used) = (g.doubles(&scale), g.doubles(&inverse));
    let missing = g.node("IsNaN", &[&x], &[]);
    let infinite = g.node("IsInf", &[&x], &[]);
    let missing = g.node("Or", &[&missing, &infinite], &[]);
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
    if encoder.network.shape.inputs == r.scale.len() {
        return z;
    }
    let hidden = g.cast(&missing, FLOAT);
    g.node("Concat", &[&z, &hidden], &[Attribute::Int("axis", 1)])
}

fn decoder(model: &Model) -> Message {
    let mut g = Graph::default();
    let inverse: Vec<f32> = model.unit.iter().map(|u| (1.0 / u) as f32).collect();
    let inverse = g.floats(&[inverse.len()], &inverse);
    let y = g.node("Mul", &["latents", &inverse], &[]);
    let out = g.network(&model.decoder.network, &y);
    let out = g.cast(&out, DOUBLE);
    let (unit, origin) = (g.doubles(&model.decoder.unit), g.doubles(&model.decoder.origin));
    let out = g.node("Mul", &[&out, &unit], &[]);
    let out = g.node("Add", &[&out, &origin], &[]);
    g.node_to("Cast", &[&out], &[Attribute::Int("to", FLOAT)], "rows");
    let given = ("latents", FLOAT, Some(model.latents()));
    g.finish("decoder", &[given], &[("rows", FLOAT, Some(model.schema.width()))])
}

fn predictor(model: &Model, own: &Predictor) -> Message {
    let mut g = Graph::default();
    let x = inputs(&mut g, &own.encoder);
    let h = g.network(&own.stack.encoder, &x);
    let centre = g.floats(&[own.stack.centre.len()], &own.stack.centre);
    let scale = g.floats(&[own.stack.scale.len()], &own.stack.scale);
    let h = g.node("Sub", &[&h, &centre], &[]);
    let h = g.node("Div", &[&h, &scale], &[]);
    let out = g.network(&own.stack.head, &h);
    let given = [("rows", element(model.schema.dtype), Some(model.schema.width()))];
    match &own.targets {
        Targets::Classes(labels) => {
            g.node_to("Softmax", &[&out], &[Attribute::Int("axis", 1)], "probabilities");
            let axis = [Attribute::Int("axis", 1), Attribute::Int("keepdims", 0)];
            let place = g.node("ArgMax", &[&out], &axis);
            let all = g.integers(labels);
            g.node_to("Gather", &[&all, &place], &[Attribute::Int("axis", 0)], "label");
            let p = ("probabilities", FLOAT, Some(labels.len()));
            g.finish("predictor", &given, &[("label", INT64, None), p])
        }
        Targets::Values { centre, scale } => {
            let out = g.cast(&out, DOUBLE);
            let (scale, centre) = (g.doubles(scale), g.doubles(centre));
            let out = g.node("Mul", &[&out, &scale], &[]);
            g.node_to("Add", &[&out, &centre], &[], "values");
            g.finish("predictor", &given, &[("values", DOUBLE, Some(own.targets.outputs()))])
        }
    }
}
