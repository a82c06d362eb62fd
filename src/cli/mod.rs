//! The commands, one file each with its `Args` and its `run`, and what they share.
//!
//! Every command goes the same way: arguments as typed → checked arguments → work.

pub(crate) mod anomalies;
pub(crate) mod compress;
pub(crate) mod console;
pub(crate) mod decompress;
pub(crate) mod denoise;
pub(crate) mod embed;
pub(crate) mod export;
pub(crate) mod finetune;
pub(crate) mod impute;
pub(crate) mod info;
pub(crate) mod place;
pub(crate) mod plot;
pub(crate) mod predict;
pub(crate) mod sample;
pub(crate) mod temporary;
pub(crate) mod train;
pub(crate) mod usage;
pub(crate) mod verify;

mod archive;
mod failure;
mod fidelity;
mod hint;
mod history;
mod learn;
mod network;
mod numbers;
mod output;
mod progress;
mod range;
mod source;
mod table;
mod target;
mod tuning;
