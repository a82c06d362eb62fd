//! Rows that stand for all of them.

use crate::error::Result;
use crate::matrix::{Matrix, Rows};

/// Stretches of rows that are taken, from all parts of the file: neighbours stay neighbours, since
/// codecs make use of them.
const STRETCHES: usize = 8;
/// Rows of a stretch at least.
const LEAST_STRETCH: usize = 2;
/// Rows at least, however wide they are: from fewer there is nothing to learn.
const LEAST_ROWS: usize = 16;

/// Takes as many rows as have `most` values; `None` where that is all of them.
pub(super) fn of(rows: &dyn Rows, most: usize) -> Result<Option<Matrix>> {
    let (schema, count) = (rows.schema(), rows.len());
    let wanted = (most / schema.width().max(1)).max(LEAST_ROWS);
    if wanted >= count {
        return Ok(None);
    }
    let stretches = (wanted / LEAST_STRETCH).clamp(1, STRETCHES);
    let row_bytes = schema.row_bytes();
    let mut bytes = vec![0; wanted * row_bytes];
    let mut rest = bytes.as_mut_slice();
    for k in 0..stretches {
        // Those in front share what the division leaves.
        let length = wanted / stretches + usize::from(k < wanted % stretches);
        let (stretch, after) = rest.split_at_mut(length * row_bytes);
        // The first begins where the rows do, the last ends where they end.
        rows.read((count - length) * k / (stretches - 1).max(1), stretch)?;
        rest = after;
    }
    let mut schema = schema.clone();
    if schema.kept_text().is_some() {
        // It is of all rows.
        schema.origin = None;
    }
    Matrix::new(schema, bytes).map(Some)
}
