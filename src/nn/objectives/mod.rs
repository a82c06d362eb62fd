//! What networks learn, each an [`Objective`](super::trainer::Objective) in a file of its own.
//!
//! | objective | makes small |
//! |---|---|
//! | [`bits`] | the expected size of the file |
//! | [`refit`] | the errors of both networks on latents that were chosen |
//! | [`textbook`] | the squared error and what the textbooks' kinds add to it |
//! | [`masked_patches`] | the squared error of patches that a transformer does not see |
//! | [`supervised`] | the loss of labels or numbers that a head predicts |
//! | [`squared_error`] | the squared error of one network, the simplest there is |

pub(crate) mod bits;
pub(crate) mod masked_patches;
pub(crate) mod refit;
#[cfg(any(test, feature = "internals"))]
pub(crate) mod squared_error;
#[cfg(feature = "apps")]
pub(crate) mod supervised;
pub(crate) mod textbook;
