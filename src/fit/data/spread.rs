//! Where a column's values lie, whatever a few outliers do.

use crate::codec::value::{Cell, with_cell};
use crate::encode::project::cells;
use crate::fit::data::sample::Sample;
use crate::matrix::{FillValues, Schema};

/// Quantiles between which a column's usual values lie. Fewer outliers than 2 % are then ignored; 1 %: within 0.1 %; 4 %: 0.1 %
/// larger on digits and air.
const LOW: f64 = 0.02;
const HIGH: f64 = 0.98;
/// Half width of the interval that nearly all values lie in, in distances of the quantiles. What is
/// beyond is clipped before a network or matrix sees it. 3: ECG is 1.4 % larger;
/// 12: within 0.1 %.
const REACH: f64 = 6.0;
/// Rows that variance and range of all columns are estimated from; they only say where searches
/// begin.
const SCALE_ROWS: usize = 512;

/// A column's usual values, in the data's units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    /// Mean of the values, outliers clipped.
    pub(super) centre: f64,
    /// Half width of an interval that holds nearly all.
    pub(super) reach: f64,
    /// Largest magnitude of any.
    pub(super) largest: f64,
}

impl Spread {
    /// Measures the finite ones of `values`.
    pub(super) fn new<T: Cell>(values: &[T]) -> Self {
        let mut x: Vec<f64> =
            values.iter().filter(|v| v.is_ordinary()).map(|v| v.to_f64()).collect();
        if x.is_empty() {
            return Self { centre: 0.0, reach: 0.0, largest: 0.0 };
        }
        x.sort_unstable_by(f64::total_cmp);
        let at = |q: f64| x[(q * (x.len() - 1) as f64) as usize];
        let (low, high) = (at(LOW), at(HIGH));
        let mut reach = REACH * (high / 2.0 - low / 2.0);
        if reach == 0.0 {
            // A column that is nearly constant: its few deviations count.
            reach = x[x.len() - 1] / 2.0 - x[0] / 2.0;
        }
        let middle = low / 2.0 + high / 2.0;
        let inside = x.iter().map(|v| v.clamp(middle - reach, middle + reach));
        // Rounding must not carry the mean of the largest numbers beyond them.
        let mean: f64 = inside.map(|v| v / x.len() as f64).sum();
        let centre = mean.clamp(x[0], x[x.len() - 1]);
        let largest = x[0].abs().max(x[x.len() - 1].abs());
        Self { centre, reach: reach.max(0.0), largest }
    }

    /// Cuts a value to the interval that holds nearly all.
    fn clip(&self, x: f64) -> f64 {
        x.clamp(self.centre - self.reach, self.centre + self.reach)
    }
}

/// Returns values of column `j` at equal distances, at most `rows` of them, but not `fills`.
pub(super) fn some_of_column<T: Cell>(
    cells: &[T],
    fills: &FillValues,
    width: usize,
    j: usize,
    rows: usize,
) -> Vec<T> {
    let every = (cells.len() / width).div_ceil(rows).max(1);
    cells.iter().skip(j).step_by(every * width).copied().filter(|x| !fills.contains(*x)).collect()
}

/// Returns values of column `j` at equal distances, at most `rows` of them, each with that in the
/// row after it.
pub(super) fn some_neighbours<T: Cell>(
    cells: &[T],
    width: usize,
    j: usize,
    rows: usize,
) -> Vec<(T, T)> {
    let every = (cells.len() / width).div_ceil(rows).max(1);
    let next = cells.iter().skip(j + width).step_by(every * width);
    cells.iter().skip(j).step_by(every * width).zip(next).map(|(a, b)| (*a, *b)).collect()
}

/// How far a sample's values vary, outliers clipped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SampleScale {
    /// Root of the mean over the columns of the variance of each, in units of the data. It is finite
    /// and no 0 by underflow, however large or small the values are.
    pub(crate) deviation: f64,
    /// Largest value less smallest, of all columns; at most the largest number.
    pub(crate) range: f64,
}

/// Measures how far a sample's values vary.
pub(crate) fn sample_scale(sample: &Sample) -> SampleScale {
    with_cell!(sample.schema.dtype, T => {
        let schema = &sample.schema;
        scale_of_cells::<T>(&cells(&sample.bytes), &schema.fill_values, schema.width())
    })
}

/// Rows that the centre of each column is measured on.
const CENTRE_ROWS: usize = 4096;

/// Measures the mean of each column of a sample, outliers clipped, in units of the data.
pub(crate) fn centres(sample: &Sample) -> Vec<f64> {
    let Schema { dtype, fill_values: fills, .. } = &sample.schema;
    let width = sample.schema.width();
    with_cell!(*dtype, T => {
        let cells = cells::<T>(&sample.bytes);
        let own = |j| Spread::new(&some_of_column(&cells, fills, width, j, CENTRE_ROWS)).centre;
        (0..width).map(own).collect()
    })
}

fn scale_of_cells<T: Cell>(cells: &[T], fills: &FillValues, width: usize) -> SampleScale {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut deviations = Vec::with_capacity(width);
    for j in 0..width {
        let values = some_of_column(cells, fills, width, j, SCALE_ROWS);
        let spread = Spread::new(&values);
        let ordinary = values.iter().filter(|v| v.is_ordinary());
        let clipped: Vec<f64> = ordinary.map(|v| spread.clip(v.to_f64())).collect();
        low = clipped.iter().copied().fold(low, f64::min);
        high = clipped.iter().copied().fold(high, f64::max);
        // Halves, because the distance of two numbers may be none.
        let halves: Vec<f64> = clipped.iter().map(|x| x / 2.0 - spread.centre / 2.0).collect();
        deviations.push(2.0 * root_mean_square(&halves));
    }
    let range = (high - low).clamp(0.0, f64::MAX);
    SampleScale { deviation: root_mean_square(&deviations).min(f64::MAX), range }
}

/// Returns the root of the mean square without squares that overflow or vanish.
fn root_mean_square(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0.0_f64, |m, x| m.max(x.abs())).min(f64::MAX);
    if largest == 0.0 {
        return 0.0;
    }
    let squares: f64 = values.iter().map(|x| (x / largest).powi(2)).sum();
    largest * (squares / values.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_outliers_change_nothing() {
        let mut values: Vec<f32> = (0..1000).map(|i| 50.0 + (i % 11) as f32).collect();
        let clean = Spread::new(&values);
        assert!((clean.centre - 55.0).abs() < 0.1 && clean.reach == 30.0, "{clean:?}");
        let scale = scale_of_cells(&values, &FillValues::default(), 1);
        assert!((scale.deviation.powi(2) - 10.0).abs() < 0.2 && scale.range == 10.0, "{scale:?}");
        for (at, wild) in [1e30, -1e30, f32::NAN, f32::INFINITY].into_iter().enumerate() {
            values[at * 200] = wild;
        }
        let spread = Spread::new(&values);
        assert!((spread.centre - 55.0).abs() < 0.2 && spread.reach == 30.0, "{spread:?}");
        assert_eq!(spread.largest, f64::from(1e30_f32));
        let scale = scale_of_cells(&values, &FillValues::default(), 1);
        assert!(scale.deviation.powi(2) < 15.0 && scale.range <= 61.0, "{scale:?}");
    }

    #[test]
    fn a_column_that_hardly_varies_reaches_as_far_as_it_does() {
        let mut values = vec![3.0_f64; 1000];
        values[7] = 5.0;
        let spread = Spread::new(&values);
        assert!(spread.reach == 1.0 && (3.0..3.01).contains(&spread.centre), "{spread:?}");
        let none = Spread::new(&[f32::NAN]);
        assert_eq!((none.centre, none.reach, none.largest), (0.0, 0.0, 0.0));
    }

    #[test]
    fn scales_are_numbers_for_the_largest_and_the_smallest_values() {
        for scale in [1e-310, 1e-200, 1e200, 1e307, f64::MAX] {
            let values: Vec<f64> = (0..600).map(|i| scale * (f64::from(i % 3) - 1.0)).collect();
            let found = scale_of_cells(&values, &FillValues::default(), 1);
            let deviation = found.deviation / scale;
            assert!((deviation - (2.0_f64 / 3.0).sqrt()).abs() < 0.01, "{scale}: {found:?}");
            assert!(found.range / scale > 0.99 && found.range.is_finite(), "{found:?}");
        }
    }
}
