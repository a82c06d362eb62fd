//! The safetensors format (<https://github.com/huggingface/safetensors>): a length, a header in
//! JSON, the numbers.

use super::super::model::Model;
use super::super::predict::Predictor;
use super::embedding_unit;
use crate::compress::Codec;
use crate::container::task::Targets;
use crate::error::Result;
use crate::nn::network::Network;
use std::fmt::Write;

/// The weights of `codec` as a safetensors file.
///
/// Layer `i` of the encoder is `encoder.i.weight`, outputs × inputs as PyTorch has it, and
/// `encoder.i.bias`; a linear path past the layers is `encoder.skip.weight`. What is around the
/// layers has names too: inputs are `clamp((x − encoder.centre) / encoder.scale, ±encoder.clip)`,
/// and 0 where the scale is 0; outputs times `encoder.unit` are the embedding. The decoder takes an
/// embedding times `decoder.input_unit`, and its outputs times `decoder.unit` plus `decoder.centre` are values. A
/// head that was trained to predict is `head.*`, on `(h − head.centre) / head.scale` of the outputs
/// `h` of the encoder `head.encoder.*`. Functions of layers are in the metadata.
///
/// # Errors
/// As [`Model::new`].
///
/// ```
/// use aezip::{Codec, Config, Matrix, safetensors};
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
    if let Some(encoder) = &model.encoder {
        let r = &encoder.record;
        file.metadata("masked", if model.is_masked() { "true" } else { "false" });
        file.metadata("variational", if model.is_variational() { "true" } else { "false" });
        file.doubles("encoder.centre", &r.centre);
        file.doubles("encoder.scale", &r.scale);
        file.floats("encoder.clip", &[r.clip.len()], &r.clip);
        let unit = embedding_unit(&model, &r.latent);
        file.floats("encoder.unit", &[unit.len()], &unit);
        file.network("encoder", &encoder.network);
    }
    let inverse: Vec<f32> = model.unit.iter().map(|u| (1.0 / u) as f32).collect();
    file.floats("decoder.input_unit", &[inverse.len()], &inverse);
    file.doubles("decoder.centre", &model.decoder.origin);
    file.doubles("decoder.unit", &model.decoder.unit);
    file.network("decoder", &model.decoder.network);
    if codec.task().is_some() {
        let p = Predictor::new(codec)?;
        file.network("head.encoder", &p.stack.encoder);
        file.floats("head.centre", &[p.stack.centre.len()], &p.stack.centre);
        file.floats("head.scale", &[p.stack.scale.len()], &p.stack.scale);
        file.network("head", &p.stack.head);
        match &p.targets {
            Targets::Classes(labels) => {
                let bytes = labels.iter().flat_map(|l| l.to_le_bytes()).collect();
                file.tensor("head.labels", "I64", &[labels.len()], bytes);
            }
            Targets::Values { centre, scale } => {
                file.doubles("head.output_centre", centre);
                file.doubles("head.output_scale", scale);
            }
        }
    }
    Ok(file.finish())
}

#[derive(Default)]
struct File {
    metadata: String,
    tensors: String,
    data: Vec<u8>,
}

impl File {
    /// Nothing in `name` or `value` needs escapes.
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
        self.tensor(name, "F32", shape, values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    fn doubles(&mut self, name: &str, values: &[f64]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(name, "F64", &[values.len()], bytes);
    }

    fn network(&mut self, name: &str, net: &Network) {
        let mut functions = Vec::new();
        for (i, &(width, f)) in net.shape.layers.iter().enumerate() {
            let weights = transposed(&net.params[net.weights(i)], width);
            let inputs = net.shape.inputs_of(i);
            self.floats(&format!("{name}.{i}.weight"), &[width, inputs], &weights);
            self.floats(&format!("{name}.{i}.bias"), &[width], &net.params[net.bias(i)]);
            functions.push(super::name(f));
        }
        if net.shape.skip {
            let (inputs, outputs) = (net.shape.inputs, net.outputs());
            let weights = transposed(&net.params[net.skip()], outputs);
            self.floats(&format!("{name}.skip.weight"), &[outputs, inputs], &weights);
        }
        self.metadata(&format!("{name}.functions"), &functions.join(" "));
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

/// Outputs × inputs from inputs × outputs.
fn transposed(weights: &[f32], outputs: usize) -> Vec<f32> {
    (0..outputs).flat_map(|o| weights.iter().skip(o).step_by(outputs).copied()).collect()
}
