//! Which network is trained, and for how long?

pub(crate) mod bounded;
pub(crate) mod choose;
pub(crate) mod codec_network;
pub(crate) mod context;
pub(crate) mod masked;
pub(crate) mod plan;
pub(crate) mod refit;
mod start;
#[cfg(test)]
mod tests;
mod textbook;
pub(crate) mod train;
