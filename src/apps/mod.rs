//! What a codec is good for besides small files.
//!
//! | to do | with |
//! |---|---|
//! | learn a codec to use, not to compress | [`config_for_uses`] |
//! | turn rows into latents and back | [`Model`] |
//! | learn a few numbers that stand for each row | [`embed`] |
//! | tell columns of one unit from a table's | [`ColumnUnits`] |
//! | find rows that are not like the others | [`find_anomalies`] |
//! | take noise out of rows | [`remove_noise`], [`denoise`] |
//! | fill in missing values, once or several times | [`missing_values`], [`impute`], [`impute_draws`] |
//! | see what a masked transformer restores | [`hide_patches`] |
//! | draw new rows | [`sample`] |
//! | predict labels or numbers from few examples | [`finetune`], [`predict`] |
//! | use the networks in other programs | [`onnx`], [`safetensors`] |
//! | draw pictures (feature `plot`) | [`plot`] |
//! | give many small files one model | [`SharedModel`] |
//! | see what levels and promises cost | [`compare`] |
//! | change the type of rows | [`cast`], [`cast_exactly`], [`to_doubles`] |
//!
//! All of it computes with the codec's networks in floating-point numbers; none of it is needed to
//! read or write files.

// `model` is a codec as an encoder and a decoder of real numbers (`codec_encoder`,
// `codec_decoder`); every use is one file or folder on top of it.
mod anomalies;
mod column_scale;
mod column_units;
mod comparable;
mod compare;
mod cut;
mod denoise;
mod embed;
mod encoding;
mod export;
mod finetune;
mod hidden_patches;
mod impute;
mod label_propagation;
mod learn;
mod made;
mod mixture;
mod model;
#[cfg(feature = "plot")]
pub mod plot;
mod predict;
mod principal;
mod sample;
mod shared_model;
mod values;
mod wild_rows;

pub use anomalies::{
    Anomalies, AnomalyConfig, AnomalyScore, Judged, find_anomalies, find_anomalies_against,
    judge_against, judge_rows, worst_columns,
};
pub use column_units::ColumnUnits;
pub use compare::{CompareConfig, Comparison, Method, Trial, compare};
pub use denoise::{Denoised, NoiseFree, denoise, denoised, learn_noise, remove_noise};
pub use embed::{Embedded, Embedding, embed, learn_embedding};
pub use export::{ONNX_OPSET, OnnxPart, onnx, safetensors};
pub use finetune::{Examples, FinetuneConfig, FinetuneReport, Task, finetune};
pub use hidden_patches::{HiddenPatches, hide_patches};
pub use impute::{Filling, Imputed, Missing, impute, impute_draws, missing_values};
pub use learn::config_for_uses;
pub use model::Model;
pub use predict::{Prediction, predict};
pub use sample::{SampleSource, Sampled, sample};
pub use shared_model::SharedModel;
pub use values::{cast, cast_exactly, count_empty_rows, to_doubles};
