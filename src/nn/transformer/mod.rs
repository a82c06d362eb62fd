//! A masked transformer, forward beside backward, by hand.
//!
//! A row is cut into patches of values. The encoder sees some of them as tokens and lets these look at each other
//! (He et al. 2022, *Masked autoencoders are scalable vision learners*). The decoder has a token for each patch that
//! is asked for, the same for all but for its position, which looks at the encoder's tokens alone (Fu et al. 2024,
//! *Rethinking patch dependence for masked autoencoders*): a patch is the same whatever else is asked for, and
//! decoding costs nothing for what is not.
//!
//! Rows go through in parts of fixed size, each on one thread with gradients of its own, which are summed in
//! order: the weights do not depend on the number of threads.

mod attention;
mod block;
mod dense;
mod layer_norm;
mod network;
mod parts;
mod pass;
mod shape;
#[cfg(test)]
mod tests;

#[cfg(feature = "apps")]
pub(crate) use block::Block;
#[cfg(feature = "apps")]
pub(crate) use dense::Dense;
#[cfg(feature = "apps")]
pub(crate) use layer_norm::{EPSILON, LayerNorm};
pub(crate) use network::Transformer;
pub(crate) use parts::Parts;
pub(crate) use pass::Patches;
pub(crate) use shape::{Shape, Stack};
