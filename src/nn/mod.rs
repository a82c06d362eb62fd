//! Networks of dense layers: forward beside backward, by hand.
//!
//! Everything is `f32` and batch-major: a batch of `rows` rows of `n` numbers is one slice, row
//! after row. `d` in a name is the gradient of the loss with respect to what follows: `d_out` has
//! the shape of the output. Nothing here depends on the number of threads: products sum over
//! `k` in order, and every other sum is over parts of fixed size, added in order.

pub(crate) mod adam;
pub(crate) mod autoencoder;
pub(crate) mod batch;
pub(crate) mod contractive;
pub(crate) mod corruption;
pub(crate) mod deadline;
mod early_stopping;
#[cfg(any(test, feature = "apps"))]
pub(crate) mod loss;
mod muon;
pub(crate) mod network;
pub(crate) mod objectives;
pub(crate) mod parameters;
pub(crate) mod pass;
pub(crate) mod price;
pub(crate) mod regulariser;
pub(crate) mod schedule;
mod sum;
#[cfg(test)]
mod tests;
pub(crate) mod trainer;
pub(crate) mod transformer;
