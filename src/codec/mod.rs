//! From stored integers to values and back: the integer program of the format.
//!
//! [`network`] predicts, [`value`] turns integers into numbers of the data's type, [`program`]
//! is a checked model ready to run, [`decode`] and `encode` run it over a block.
//! `floats` is what learns and looks ahead, and does not decode.

pub(crate) mod bound;
pub(crate) mod decode;
pub(crate) mod network;
pub(crate) mod program;
pub(crate) mod value;

#[cfg(feature = "compress")]
pub(crate) mod encode;
#[cfg(feature = "compress")]
pub(crate) mod floats;
