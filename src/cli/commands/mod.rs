//! The commands, one file each.

pub(crate) mod anomalies;
pub(crate) mod append;
pub(crate) mod compare;
pub(crate) mod compress;
pub(crate) mod dataset;
pub(crate) mod decompress;
pub(crate) mod denoise;
pub(crate) mod embed;
pub(crate) mod export;
pub(crate) mod finetune;
pub(crate) mod impute;
pub(crate) mod info;
pub(crate) mod plot;
pub(crate) mod predict;
pub(crate) mod sample;
pub(crate) mod train;
pub(crate) mod verify;
