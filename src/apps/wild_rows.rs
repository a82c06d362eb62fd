//! Rows so far from all others that nothing is to be learned from them.

use super::column_scale::{ColumnScale, column_scales};
use super::column_units::ColumnUnits;
use super::values;
use crate::error::Result;
use crate::matrix::Rows;

/// A row is wild where its mean squared distance from the columns' centres is so many times that of
/// [`USUAL`] rows, a hundred times as far: what is within it no longer counts in sums with it.
const WILD: f64 = 1e4;
/// The share of rows that are no farther out than the one that wild rows are compared with.
const USUAL: f64 = 0.9;

/// What distances from the columns' centres are counted in: their own spread or, if they share a
/// unit, one spread for all.
pub(super) fn distance_scales(
    values: &[f64],
    width: usize,
    units: ColumnUnits,
) -> Vec<ColumnScale> {
    if units == ColumnUnits::Own {
        return column_scales(values, width, 1.0);
    }
    let mut scales = column_scales(values, width, 0.0);
    // In units of the largest, so that squares neither overflow nor vanish.
    let largest = scales.iter().fold(f64::MIN_POSITIVE, |m, s| m.max(s.scale));
    let squares: f64 = scales.iter().map(|s| (s.scale / largest).powi(2)).sum();
    let common = largest * (squares / width.max(1) as f64).sqrt();
    let common = if common > 0.0 && common.is_finite() { common } else { 1.0 };
    // One centre too: that columns have different ones is something rows have in common.
    let mut centres: Vec<f64> = scales.iter().map(|s| s.centre).collect();
    centres.sort_unstable_by(f64::total_cmp);
    let centre = centres.get(width / 2).copied().unwrap_or(0.0);
    scales.fill(ColumnScale { centre, scale: common });
    scales
}

/// How far rows may be from the columns' centres before they are wild.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// What distances are counted in.
    pub(super) scales: Vec<ColumnScale>,
    /// The largest mean square of them.
    most: f64,
}

impl Reach {
    /// Measures how far most rows are, by some or all of their `values`.
    pub(super) fn of(values: &[f64], scales: Vec<ColumnScale>) -> Self {
        let rows = values.chunks_exact(scales.len().max(1));
        let mut distances: Vec<f64> = rows.map(|row| distance(row, &scales)).collect();
        distances.retain(|d| d.is_finite());
        distances.sort_unstable_by(f64::total_cmp);
        let at = (USUAL * distances.len().saturating_sub(1) as f64) as usize;
        let usual = distances.get(at).copied().unwrap_or(0.0);
        // Where most rows are alike, all others would be far from them.
        let most = if usual > 0.0 { WILD * usual } else { f64::MAX };
        Self { scales, most }
    }

    /// Says whether a row is wild, or has an infinite value. Missing values (NaN) do not count.
    pub(super) fn is_wild(&self, row: &[f64]) -> bool {
        let distance = distance(row, &self.scales);
        !distance.is_finite() || distance > self.most
    }
}

/// The rows that something can be learned from, of many.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    pub(super) reach: Reach,
    /// The places of all that are neither wild nor without a value.
    pub(super) ordinary: Vec<usize>,
    /// Rows so far from all others that all but them would look alike.
    pub(super) wild: usize,
    /// Rows without a value.
    pub(super) empty: usize,
}

impl Survey {
    /// Looks at all `rows`, whose distances are counted in the `scales` of the columns; how far most of
    /// them are is measured on the values of a `sample`.
    pub(super) fn new(rows: &dyn Rows, sample: &[f64], scales: Vec<ColumnScale>) -> Result<Self> {
        let width = rows.schema().width();
        let mut own =
            Self { reach: Reach::of(sample, scales), ordinary: Vec::new(), wild: 0, empty: 0 };
        for part in values::parts(rows.len(), width) {
            let values = values::read(rows, part.clone())?;
            let empty = values::empty_rows(&values, width);
            for ((i, row), is_empty) in part.zip(values.chunks_exact(width)).zip(empty) {
                match own.reach.is_wild(row) {
                    true => own.wild += 1,
                    false if is_empty => own.empty += 1,
                    false => own.ordinary.push(i),
                }
            }
        }
        Ok(own)
    }
}

/// The mean over columns of the squared distance from the centre.
fn distance(row: &[f64], scales: &[ColumnScale]) -> f64 {
    let (mut sum, mut known) = (0.0, 0.0);
    for (x, scale) in row.iter().zip(scales).filter(|(x, _)| !x.is_nan()) {
        sum += ((x - scale.centre) / scale.scale).powi(2);
        known += 1.0;
    }
    if known > 0.0 { sum / known } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::column_scale::column_scales;

    #[test]
    fn rows_far_from_all_others_are_wild() {
        let mut values: Vec<f64> = (0..400).map(|i| f64::from(i * 7 % 11)).collect();
        values[8..12].fill(1e20);
        values[17] = f64::NEG_INFINITY;
        values[22] = -3e6;
        values[33] = f64::NAN;
        values[41] = 60.0;
        assert_eq!(wild_rows(&values), [2, 4, 5]);
        // Among rows that are alike, those that are not are no fault.
        let mut alike = vec![1.0; 400];
        alike[40..44].fill(5.0);
        assert!(wild_rows(&alike).is_empty());
        assert!(wild_rows(&[]).is_empty());
    }

    fn wild_rows(values: &[f64]) -> Vec<usize> {
        let reach = Reach::of(values, column_scales(values, 4, 1.0));
        let rows = values.chunks_exact(4).enumerate();
        rows.filter(|(_, row)| reach.is_wild(row)).map(|(i, _)| i).collect()
    }
}
