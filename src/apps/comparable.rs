//! Rows made ready to learn from: in units in which columns can be compared, and without those that
//! nothing is to be learned from.

use super::column_scale::training_rows;
use super::column_units::ColumnUnits;
use super::values;
use super::wild_rows::{distance_scales, wild_rows};
use crate::error::Result;
use crate::matrix::{Matrix, Rows};

/// Rows in units in which columns can be compared.
pub(super) struct Comparable {
    /// The rows; if columns have units of their own, each divided by its spread.
    pub(super) rows: Matrix,
    pub(super) units: ColumnUnits,
    /// The places of rows that can be learned from: all that are neither wild nor empty.
    pub(super) ordinary: Vec<usize>,
    /// Rows so far from all others that all but them would look alike.
    pub(super) wild: usize,
    /// Rows without a value.
    pub(super) empty: usize,
}

impl Comparable {
    /// Brings rows to such units, which are judged from the rows if they are not given.
    pub(super) fn new(rows: &dyn Rows, units: Option<ColumnUnits>) -> Result<Self> {
        let (schema, values) = (rows.schema(), values::to_doubles(rows)?);
        let units = units.unwrap_or_else(|| ColumnUnits::judge(schema, &values));
        let wild = wild_rows(&values, &distance_scales(&values, schema.width(), units));
        let empty: Vec<bool> = values::empty_rows(&values, schema.width()).collect();
        let rows = training_rows(schema, values, units == ColumnUnits::Own)?;
        Ok(Self {
            rows,
            units,
            ordinary: (0..wild.len()).filter(|&i| !wild[i] && !empty[i]).collect(),
            wild: wild.iter().filter(|w| **w).count(),
            empty: empty.iter().filter(|e| **e).count(),
        })
    }

    /// The rows that can be learned from.
    pub(super) fn learned_from(&self) -> Result<Matrix> {
        values::select(&self.rows, &self.ordinary)
    }
}
