//! What came of filling gaps.

use crate::apps::column_units::ColumnUnits;
use crate::apps::values;
use crate::error::Result;
use crate::matrix::{Matrix, Rows};

/// Rows whose missing values are filled in, and what is to be known of it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Imputed {
    /// The rows, of the same type and shape.
    pub rows: Matrix,
    /// How many values were filled in.
    pub filled: usize,
    /// Columns, counted from 0, that have no finite value at all. Nothing says what belongs there:
    /// they stay as they are.
    pub empty_columns: Vec<usize>,
    /// Rows, counted from 0, of which no value is known. They are filled with the columns' means, or
    /// from the rows before and after, where these are alike.
    pub empty_rows: Vec<usize>,
    /// Whether the columns were taken to share a unit; `None` where a codec was given, which decides
    /// it, or nothing is missing.
    pub units: Option<ColumnUnits>,
}

impl Imputed {
    /// The rows as they are, and what of them is to be filled. What is not finite in `known` is
    /// not known.
    pub(super) fn unchanged(rows: Matrix, missing: &[bool], known: &[f64]) -> Self {
        let width = rows.schema().width().max(1);
        let mut is_known = vec![false; width];
        let mut empty_rows = Vec::new();
        for (i, row) in known.chunks_exact(width).enumerate() {
            is_known.iter_mut().zip(row).for_each(|(is_known, x)| *is_known |= x.is_finite());
            let has_gap = missing[i * width..(i + 1) * width].contains(&true);
            if has_gap && !row.iter().any(|x| x.is_finite()) {
                empty_rows.push(i);
            }
        }
        let filled = (0..missing.len()).filter(|at| missing[*at] && is_known[at % width]).count();
        let has_gap = |j: &usize| missing.iter().skip(*j).step_by(width).any(|m| *m);
        let empty_columns = (0..width).filter(|&j| !is_known[j]).filter(has_gap).collect();
        Self { rows, filled, empty_columns, empty_rows, units: None }
    }

    /// The places of values to fill in, sorted by column.
    pub(super) fn gaps(&self, missing: &[bool]) -> Vec<usize> {
        let width = self.rows.schema().width();
        let of_column = |j: usize| (j..missing.len()).step_by(width).filter(|at| missing[*at]);
        let is_filled = |j: &usize| self.empty_columns.binary_search(j).is_err();
        (0..width).filter(is_filled).flat_map(of_column).collect()
    }

    /// Puts `values` where they are missing. Only those are new: another value may have lost bits on
    /// its way through `f64`.
    pub(super) fn put(&mut self, values: &[f64], missing: &[bool]) -> Result<()> {
        let schema = self.rows.schema().clone();
        let (size, width) = (schema.dtype.size(), schema.width());
        let mut bytes = self.rows.bytes().to_vec();
        let new = values::bytes(schema.dtype, values);
        let cells = bytes.chunks_exact_mut(size).zip(new.chunks_exact(size));
        for (at, (cell, new)) in cells.enumerate() {
            if missing[at] && self.empty_columns.binary_search(&(at % width)).is_err() {
                cell.copy_from_slice(new);
            }
        }
        self.rows = Matrix::new(schema, bytes)?;
        Ok(())
    }
}
