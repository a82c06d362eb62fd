//! What a codec is good for besides small files: its networks, in floats.
//!
//! [`model`] is a codec as an encoder and a decoder of real numbers; every use is one file on
//! top of it. None of this is needed to read or write files.

mod anomalies;
mod cells;
mod decoder;
mod denoise;
mod encoder;
mod export;
mod finetune;
mod impute;
mod learn;
mod model;
#[cfg(feature = "plot")]
pub mod plot;
mod predict;
mod propagate;
mod sample;
mod spread;

pub use anomalies::{Anomalies, AnomalyConfig, AnomalyScore, find_anomalies};
pub use cells::{cast, to_doubles};
pub use denoise::denoise;
pub use export::{ONNX_OPSET, OnnxPart, onnx, safetensors};
pub use finetune::{FinetuneConfig, FinetuneReport, Task, finetune};
pub use impute::{impute, missing_values};
pub use learn::learn;
pub use model::Model;
pub use predict::{Prediction, predict};
pub use sample::{SampleSource, Sampled, sample};
