//! A codec's networks as files for other programs.
//!
//! Both formats are written by hand: what is needed of them are a few dozen lines, and the bytes
//! depend on nothing but the codec.

mod graph;
mod onnx;
mod protobuf;
mod safetensors;
mod transformer;

pub use onnx::{ONNX_OPSET, OnnxPart, onnx};
pub use safetensors::safetensors;
