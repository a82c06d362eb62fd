//! A codec's networks for other programs.
//!
//! Both formats are written by hand: what is needed of them are a few dozen lines, and the bytes
//! depend on nothing but the codec.

mod graph;
mod onnx;
mod protobuf;
mod safetensors;

pub use onnx::{ONNX_OPSET, OnnxPart, onnx};
pub use safetensors::safetensors;

use super::model::Model;
use crate::kernels::activation::Activation;

/// The function's name, in lower case.
fn name(f: Activation) -> String {
    match f {
        Activation::Identity => "identity".to_string(),
        Activation::LeakyRelu(slope) => format!("leaky_relu({slope})"),
        Activation::Relu => "relu".to_string(),
        Activation::Tanh => "tanh".to_string(),
        Activation::Gelu => "gelu_tanh".to_string(),
    }
}

/// What the encoder's outputs are multiplied by to be an embedding.
fn embedding_unit(model: &Model, latent: &[f32]) -> Vec<f32> {
    latent.iter().zip(&model.unit).map(|(l, u)| (f64::from(*l) * u) as f32).collect()
}
