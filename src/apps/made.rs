//! Rows that are made of others when they are asked for, so that they are never all in memory.

use super::values;
use crate::error::Result;
use crate::matrix::{Rows, Schema, check_range, to_little_endian};
use std::ops::Range;

/// Rows of which each is made of one of `rows`.
pub(super) struct Made<'a, F> {
    pub(super) rows: &'a dyn Rows,
    /// What they are.
    pub(super) schema: Schema,
    /// Makes their bytes of those of as many of `rows`.
    pub(super) make: F,
}

impl<F> Rows for Made<'_, F>
where
    F: Fn(Vec<u8>) -> Result<Vec<u8>> + Send + Sync,
{
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let (own, given) = (self.schema.row_bytes(), self.rows.schema().row_bytes());
        let width = self.schema.width().max(self.rows.schema().width());
        for part in values::parts(out.len() / own, width) {
            let mut bytes = vec![0; part.len() * given];
            self.rows.read(first + part.start, &mut bytes)?;
            out[part.start * own..part.end * own].copy_from_slice(&(self.make)(bytes)?);
        }
        Ok(())
    }
}

/// Reads rows of `f32` of which `of` finds some by their places: `out` becomes those of `rows` from `first` on.
pub(super) fn read_found(
    rows: &dyn Rows,
    first: usize,
    out: &mut [u8],
    of: impl Fn(Range<usize>) -> Result<Vec<f32>>,
) -> Result<()> {
    check_range(rows, first, out.len())?;
    let row = rows.schema().row_bytes();
    for part in values::parts(out.len() / row, rows.schema().width()) {
        let found = of(first + part.start..first + part.end)?;
        out[part.start * row..part.end * row].copy_from_slice(&to_little_endian(&found));
    }
    Ok(())
}

/// The rows at some places, in the order of these.
pub(super) struct Selected<'a> {
    pub(super) rows: &'a dyn Rows,
    pub(super) places: &'a [usize],
}

impl Rows for Selected<'_> {
    fn schema(&self) -> &Schema {
        self.rows.schema()
    }

    fn len(&self) -> usize {
        self.places.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let row = self.schema().row_bytes();
        let wanted = &self.places[first..first + out.len() / row];
        let mut at = 0;
        for run in wanted.chunk_by(|a, b| a + 1 == *b) {
            let end = at + run.len() * row;
            self.rows.read(run[0], &mut out[at..end])?;
            at = end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    #[test]
    fn made_and_selected_rows_are_read_from_anywhere() {
        let rows = Matrix::from_slice(&(0..40_u8).collect::<Vec<_>>(), &[4]).unwrap();
        let schema = Schema { row_shape: vec![2], ..rows.schema().clone() };
        let halves = |bytes: Vec<u8>| Ok(bytes.chunks(2).map(|pair| pair[0] / 2).collect());
        let made = Made { rows: &rows, schema, make: halves };
        let places = [1, 2, 3, 7, 9];
        let selected = Selected { rows: &made, places: &places };
        let mut out = [0; 6];
        selected.read(2, &mut out).unwrap();
        assert_eq!(out, [6, 7, 14, 15, 18, 19]);
        assert_eq!(Matrix::of(&selected).unwrap().bytes()[..4], [2, 3, 4, 5]);
        assert!(selected.read(3, &mut out).is_err() && made.read(0, &mut out[..5]).is_err());
    }
}
