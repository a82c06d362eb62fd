//! Fitting: from a sample of rows to the codec that makes the smallest file.

pub(crate) mod assemble;
pub(crate) mod candidate;
pub(crate) mod column_bits;
pub(crate) mod config;
pub(crate) mod context;
pub(crate) mod corruption;
pub(crate) mod data;
pub(crate) mod entropy;
pub(crate) mod flat;
pub(crate) mod history;
mod latent_lines;
pub(crate) mod latent_mixture;
pub(crate) mod linear;
pub(crate) mod milestones;
pub(crate) mod neighbours;
pub(crate) mod network;
pub(crate) mod quantise;
pub(crate) mod search;
pub(crate) mod temporal;
