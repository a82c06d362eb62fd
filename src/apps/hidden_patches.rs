//! What a masked transformer makes of rows of which it sees a part.

use super::model::Model;
use super::values;
use crate::error::Result;
use crate::matrix::rng::Rng;
use crate::matrix::{Matrix, Rows};

/// Rows with patches hidden, and what became of them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HiddenPatches {
    /// The rows as they were seen: what was hidden is NaN. `f64` if they are `f64` or whole numbers of 32 bits or more,
    /// else `f32`.
    pub seen: Matrix,
    /// The same rows with what was hidden restored.
    pub restored: Matrix,
}

/// Hides as many patches of the first `count` of `rows`, other ones in each row, as were hidden when the masked
/// transformer `model` was trained, and restores them. The patches depend on `seed` alone.
///
/// # Errors
/// `Argument` if the model is no masked transformer or for other rows; otherwise whatever reading the rows fails with.
pub fn hide_patches(
    model: &Model,
    rows: &dyn Rows,
    count: usize,
    seed: u64,
) -> Result<HiddenPatches> {
    model.expect(rows.schema())?;
    let count = count.min(rows.len());
    let hidden = model.transformer()?.hide(count, &mut Rng::new(seed));
    let values = values::read(rows, 0..count)?;
    let shown: Vec<f64> =
        values.iter().zip(&hidden).map(|(x, hidden)| if *hidden { f64::NAN } else { *x }).collect();
    let restored = model.reconstructed(&values, &|at| hidden[at])?;
    let dtype = values::float(rows.schema().dtype);
    let matrix = |values: &[f64]| values::matrix(rows.schema(), dtype, values);
    Ok(HiddenPatches { seen: matrix(&shown)?, restored: matrix(&restored)? })
}
