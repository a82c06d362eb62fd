//! Rows without their noise.

use super::model::Model;
use crate::error::Result;
use crate::matrix::{Matrix, Rows};

/// Replaces each row by what the codec makes of it: a matrix of the rows' own type and shape.
/// What rows do not have in common, noise above all, does not pass through the few latents.
///
/// A codec that was trained to remove noise
/// ([`TrainConfig::denoise`](crate::TrainConfig::denoise)) does this best; any other with few
/// latents does it to some extent.
///
/// # Errors
/// `Argument` if the rows are not as wide as the codec's or there is no encoder; otherwise
/// whatever reading the rows fails with.
pub fn denoise(model: &Model, rows: &dyn Rows) -> Result<Matrix> {
    model.reconstruct_as(rows, rows.schema().dtype)
}
