//! The known values of a table, in deviations from their columns' means.

use std::borrow::Cow;

/// A value further from its column's median than so many times half the distance between the
/// [`QUANTILES`] is wild: a fill value or a fault of an instrument, from which nothing is learned.
/// Heavy tails stay: no value of a normal column lies beyond 8.
const WILD: f64 = 100.0;
/// How far beyond all known values a guess may lie, as a share of their range: a gap may well be the
/// column's largest value, but not by much.
const BEYOND: f64 = 0.5;
/// The least that a deviation of a column counts, of what that of another does.
const LEAST_UNIT: f64 = 1e-6;
/// Two deviations apart in a normal distribution, and not moved by a few wild values.
const QUANTILES: (f64, f64) = (0.16, 0.84);

/// Rows of numbers of which some are not known; rows × width.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) width: usize,
    /// In deviations from the mean; NaN where not known.
    pub(super) values: Vec<f64>,
    /// The mean of each column and its deviation, which is 1 where nothing varies.
    scales: Vec<(f64, f64)>,
    /// Between what guesses of each column must lie.
    limits: Vec<(f64, f64)>,
}

impl Table {
    /// Takes over `values`. Those that are not finite, or wild, are not known.
    pub(super) fn new(mut values: Vec<f64>, width: usize) -> Self {
        let (mut scales, mut limits) = (Vec::with_capacity(width), Vec::with_capacity(width));
        for j in 0..width {
            let mut known: Vec<f64> = column(&values, j, width).filter(|x| x.is_finite()).collect();
            let (low, high) = bounds(&mut known);
            for x in values.iter_mut().skip(j).step_by(width) {
                if !(*x >= low && *x <= high) {
                    *x = f64::NAN;
                }
            }
            let (mean, deviation) = moments(column(&values, j, width));
            for x in values.iter_mut().skip(j).step_by(width) {
                *x = (*x - mean) / deviation;
            }
            scales.push((mean, deviation));
            limits.push(limits_of(column(&values, j, width), -mean / deviation));
        }
        Self { width, values, scales, limits }
    }

    pub(super) fn rows(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// A guess for column `j`, unless it is beyond all that the column may have.
    pub(super) fn limited(&self, j: usize, x: f64) -> f64 {
        let (low, high) = self.limits[j];
        x.clamp(low, high)
    }

    /// What a deviation of each column counts: all the same, or where columns share a unit as many of it as it has, in
    /// those of the largest.
    pub(super) fn units(&self, is_shared: bool) -> Vec<f64> {
        let largest = self.largest_deviation().max(f64::MIN_POSITIVE);
        let shares = self.scales.iter().map(|(_, d)| (d / largest).clamp(LEAST_UNIT, 1.0));
        match is_shared && largest.is_finite() {
            true => shares.collect(),
            false => vec![1.0; self.width],
        }
    }

    /// The largest deviation of a column that varies, 0 where none does; what does not has a deviation of 1 all the same.
    fn largest_deviation(&self) -> f64 {
        let varies =
            |j: &usize| column(&self.values, *j, self.width).any(|x| !x.is_nan() && x != 0.0);
        (0..self.width).filter(varies).map(|j| self.scales[j].1).fold(0.0, f64::max)
    }

    /// The mean and the deviation of each column in one unit that all share: the largest deviation, from the mean of
    /// means; none where no column varies or numbers are too large.
    pub(super) fn common_scales(&self) -> Option<Vec<(f64, f64)>> {
        let largest = self.largest_deviation();
        let offset = |mean: f64| mean / largest;
        let centre =
            self.scales.iter().map(|scale| offset(scale.0)).sum::<f64>() / self.width as f64;
        let own = self.scales.iter().map(|(mean, deviation)| {
            (offset(*mean) - centre, (deviation / largest).clamp(LEAST_UNIT, 1.0))
        });
        let own: Vec<(f64, f64)> = own.collect();
        (largest > 0.0 && own.iter().all(|(a, b)| a.is_finite() && b.is_finite())).then_some(own)
    }

    /// A value of column `j` in the data's units.
    pub(super) fn in_units(&self, j: usize, x: f64) -> f64 {
        let (mean, deviation) = self.scales[j];
        mean + x * deviation
    }

    /// A value of column `j` in deviations from its mean.
    pub(super) fn in_deviations(&self, j: usize, x: f64) -> f64 {
        let (mean, deviation) = self.scales[j];
        (x - mean) / deviation
    }

    /// The same table with other values unknown.
    pub(super) fn without(&self, cells: &[usize]) -> Self {
        let mut other = self.clone();
        cells.iter().for_each(|&at| other.values[at] = f64::NAN);
        other
    }
}

/// A table whose rows may be seen together with the rows before and after them.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) table: &'a Table,
    /// Whether a row is followed by the row before it and the row after it.
    pub(super) beside: bool,
}

impl<'a> View<'a> {
    pub(super) fn width(&self) -> usize {
        self.table.width * if self.beside { 3 } else { 1 }
    }

    /// Row `i`; what lies beyond the first and the last row is not known.
    pub(super) fn row(&self, i: usize) -> Cow<'a, [f64]> {
        let width = self.table.width;
        let own = |i: usize| self.table.values.get(i * width..(i + 1) * width);
        let row = own(i).unwrap_or_default();
        if !self.beside {
            return Cow::Borrowed(row);
        }
        let mut three = row.to_vec();
        for other in [i.checked_sub(1).and_then(own), own(i + 1)] {
            match other {
                Some(row) => three.extend_from_slice(row),
                None => three.resize(three.len() + width, f64::NAN),
            }
        }
        Cow::Owned(three)
    }
}

/// The values of column `j`.
pub(super) fn column(values: &[f64], j: usize, width: usize) -> impl Iterator<Item = f64> + Clone {
    values.iter().skip(j).step_by(width).copied()
}

/// Between what values a column's are not wild.
fn bounds(known: &mut [f64]) -> (f64, f64) {
    if known.is_empty() {
        return (0.0, 0.0);
    }
    known.sort_unstable_by(f64::total_cmp);
    let at = |q: f64| known[(q * (known.len() - 1) as f64).round() as usize];
    let centre = at(0.5);
    let mut spread = at(QUANTILES.1) / 2.0 - at(QUANTILES.0) / 2.0;
    if spread <= 0.0 {
        // Nearly all values are alike: the others say how far values may lie.
        let largest = known.iter().fold(0.0_f64, |m, x| m.max((x / 2.0 - centre / 2.0).abs()));
        let share = |x: &f64| if largest > 0.0 { (x / 2.0 - centre / 2.0) / largest } else { 0.0 };
        let squares: f64 = known.iter().map(|x| share(x).powi(2)).sum();
        spread = 2.0 * largest * (squares / known.len() as f64).sqrt();
    }
    let most = (f64::MAX / 4.0).min(WILD * spread);
    (centre - most, centre + most)
}

/// The known values' ends, each further out by a share of the distance between them; but what is
/// never below zero, as an amount is, stays so.
fn limits_of(column: impl Iterator<Item = f64>, zero: f64) -> (f64, f64) {
    let (low, high) = column
        .filter(|x| !x.is_nan())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if low > high {
        return (0.0, 0.0);
    }
    let more = BEYOND * (high - low);
    (if low >= zero { (low - more).max(zero) } else { low - more }, high + more)
}

/// The mean and the deviation of what is known; 0 and 1 where nothing is, or nothing varies.
fn moments(column: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let known = column.filter(|x| !x.is_nan());
    let largest = known.clone().fold(0.0_f64, |m, x| m.max(x.abs()));
    let n = known.clone().count() as f64;
    if largest <= 0.0 {
        return (0.0, 1.0);
    }
    // In units of the largest, so that no sum or square is beyond what floats can say.
    let mean = known.clone().map(|x| x / largest).sum::<f64>() / n;
    let squares: f64 = known.map(|x| (x / largest - mean).powi(2)).sum();
    let deviation = (squares / n).sqrt();
    let varies = deviation > mean.abs() * f64::EPSILON && deviation * largest > 0.0;
    (mean * largest, if varies { deviation * largest } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wild_values_are_not_known_and_heavy_tails_are() {
        let n = 200;
        let mut values: Vec<f64> =
            (0..n).flat_map(|i| [f64::from(i), 5.0, f64::from(i).exp2()]).collect();
        (values[0], values[3], values[6]) = (1e30, f64::INFINITY, f64::NAN);
        let table = Table::new(values, 3);
        assert!((0..3).all(|i| table.values[3 * i].is_nan()));
        assert!((3..n as usize).all(|i| !table.values[3 * i].is_nan()));
        // A column that does not vary is its mean.
        assert!(column(&table.values, 1, 3).all(|x| x == 0.0));
        assert_eq!(table.in_units(1, 0.0), 5.0);
        let back = table.in_units(0, table.values[30]);
        assert!(
            (back - 10.0).abs() < 1e-9
                && (table.in_deviations(0, back) - table.values[30]).abs() < 1e-9
        );
        // Guesses stay near what is there, and an amount is not below zero.
        let amount = Table::new(vec![0.0, 1.0, 4.0], 1);
        assert_eq!(amount.in_units(0, amount.limited(0, -9.0)), 0.0);
        assert!((amount.in_units(0, amount.limited(0, 9.0)) - 6.0).abs() < 1e-9);
        assert_eq!(Table::new(vec![f64::NAN; 4], 2).limited(1, 7.0), 0.0);
    }

    #[test]
    fn rows_are_seen_with_those_beside_them() {
        let table = Table::new(vec![-1.0, 0.0, 1.0], 1);
        let view = View { table: &table, beside: true };
        assert_eq!(view.width(), 3);
        let row = view.row(1);
        assert!(row[0] == 0.0 && row[1] < 0.0 && row[2] > 0.0);
        assert!(view.row(0)[1].is_nan() && view.row(2)[2].is_nan());
    }
}
