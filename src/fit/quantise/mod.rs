//! How do float networks become the integers of a decoder?

pub(crate) mod layers;
pub(crate) mod linear;
pub(crate) mod network;
pub(crate) mod rounding;
