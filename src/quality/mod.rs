//! How good decoded rows are, and whether a promise was kept.

mod check;
mod tally;
#[cfg(test)]
mod tests;

#[cfg(feature = "compress")]
pub(crate) use check::{FileStats, bounds};
pub use check::{PromiseCheck, check_promise};
pub(crate) use tally::Tally;
use tally::{Chunk, chunks};

use crate::error::{Error, Result};
use crate::matrix::Rows;

/// Figures about decoded rows. Only finite values of the original count; where such a value decodes
/// to what is no number, its error counts as infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Quality {
    /// Number of rows.
    pub rows: u64,
    /// Number of finite values of the original.
    pub values: u64,
    /// Number of the original's values that are NaN or infinite.
    pub specials: u64,
    /// Number of those whose bits changed.
    pub specials_changed: u64,
    /// Largest `|x − x̂|`, in units of the data.
    pub max_error: f64,
    /// Mean squared error, in squared units of the data.
    pub mse: f64,
    /// Normalised mean squared error: `Σ (x − x̂)² / Σ (x − column mean)²`.
    pub nmse: f64,
    /// Peak signal-to-noise ratio: `10 log₁₀ (range² / mse)` in dB; infinite without error.
    pub psnr: f64,
    /// Mean over rows of the cosine between row and decoded row.
    pub cosine: f64,
    /// Smallest of these cosines.
    pub worst_row_cosine: f64,
}

impl Quality {
    /// Compares decoded rows with their originals.
    ///
    /// # Errors
    /// `Argument` if shapes or types differ; the error of reading either if that fails.
    pub fn measure(original: &dyn Rows, decoded: &dyn Rows) -> Result<Self> {
        same_shape(original, decoded)?;
        let mut total = Tally::default();
        let work = |x: &Chunk<'_>, y: &Chunk<'_>, tally: &mut Tally| tally.pair(x, y);
        chunks(original, Some(decoded), work, |tally| total.add(&tally))?;
        Ok(total.quality())
    }
}

pub(crate) fn same_shape(a: &dyn Rows, b: &dyn Rows) -> Result<()> {
    let (s, t) = (a.schema(), b.schema());
    if (a.len(), s.dtype, &s.row_shape) == (b.len(), t.dtype, &t.row_shape) {
        return Ok(());
    }
    Err(Error::argument(format!(
        "the original has {} rows of shape {:?} and type {}, the file {} of shape {:?} and type {}",
        a.len(),
        s.row_shape,
        s.dtype,
        b.len(),
        t.row_shape,
        t.dtype
    )))
}
