//! What a network learns: each objective with its gradient.

pub(crate) mod bits;
pub(crate) mod refit;
#[cfg(feature = "apps")]
pub(crate) mod supervised;
pub(crate) mod textbook;
