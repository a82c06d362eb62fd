//! Rows made ready to learn from: in units in which columns can be compared, and without those that
//! nothing is to be learned from.

use super::column_scale::{column_scales, training_rows};
use super::column_units::ColumnUnits;
use super::made::Selected;
use super::values;
use super::wild_rows::{Survey, distance_scales};
use crate::compress::Config;
use crate::error::{Error, Result};
use crate::matrix::Rows;
use std::sync::Arc;

/// Rows in units in which columns can be compared.
pub(super) struct Comparable<'a> {
    /// The rows; if columns have units of their own, each divided by its spread.
    pub(super) rows: Arc<dyn Rows + 'a>,
    pub(super) units: ColumnUnits,
    /// The places of rows that can be learned from: all that are neither wild nor empty.
    pub(super) ordinary: Vec<usize>,
    /// Rows so far from all others that all but them would look alike.
    pub(super) wild: usize,
    /// Rows without a value.
    pub(super) empty: usize,
}

impl<'a> Comparable<'a> {
    /// Brings rows to such units, which are judged from the rows if they are not given.
    pub(super) fn new(
        rows: &'a dyn Rows,
        units: Option<ColumnUnits>,
        config: &Config,
    ) -> Result<Self> {
        let units = units.map_or_else(|| ColumnUnits::judge_rows(rows), Ok)?;
        let (width, sample) = (rows.schema().width(), values::sample(rows, config.memory)?);
        let scales = distance_scales(&sample, width, units);
        let Survey { ordinary, wild, empty, .. } = Survey::new(rows, &sample, scales)?;
        let own_units = units == ColumnUnits::Own;
        let scales = own_units.then(|| column_scales(&sample, width, 1.0));
        let rows = training_rows(rows, scales);
        Ok(Self { rows, units, ordinary, wild, empty })
    }

    /// Fails if there is no row that can be learned from.
    ///
    /// # Errors
    /// `Argument`.
    pub(super) fn expect_ordinary(&self) -> Result<()> {
        if !self.ordinary.is_empty() {
            return Ok(());
        }
        Err(Error::argument(
            "all rows are without values or have infinite ones, so there is nothing to compare with",
        ))
    }

    /// The rows that can be learned from.
    pub(super) fn learned_from(&self) -> Selected<'_> {
        Selected { rows: &*self.rows, places: &self.ordinary }
    }
}
