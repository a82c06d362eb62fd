//! Networks in floats to the decoder's integers.

mod hidden;
pub(crate) mod linear;
pub(crate) mod network;
mod output;
pub(crate) mod prepare;
mod rounding;
mod sensitivity;
mod steps;
