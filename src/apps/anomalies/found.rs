//! Scores of rows, and which of them are flagged.

use super::config::{AnomalyConfig, AnomalyScore};
use crate::apps::column_units::ColumnUnits;
use crate::apps::values;
use crate::error::Result;
use crate::matrix::{Matrix, Rows, from_little_endian};
use std::ops::Range;

/// How many standard deviations of the scores' logarithms, or of nats, above their median a row is flagged,
/// and what makes the median distance of normally distributed numbers to their median a standard
/// deviation: the modified z-score and its cut of Iglewicz and Hoaglin 1993, *How to detect and
/// handle outliers*.
const FLAGGED_DEVIATIONS: f64 = 3.5;
const DEVIATION_PER_MEDIAN_DISTANCE: f64 = 1.4826;
/// Scores below this count as it, so that a score of 0 has a logarithm.
pub(super) const LEAST_SCORE: f64 = 1e-300;

/// The scores of rows, and which of them are anomalies.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Anomalies {
    /// The score of each row: the larger, the less the row is like the others. Its unit is that of
    /// `score`. NaN for rows without any value, which cannot be compared with others.
    pub scores: Vec<f64>,
    /// Whether each row is flagged, that is, has a score above the threshold, or no value at all.
    pub flagged: Vec<bool>,
    /// The score above which rows are flagged.
    pub threshold: f64,
    /// What the rows were scored by: [`AnomalyScore::Auto`] only where both are in the score.
    pub score: AnomalyScore,
    /// How much each value contributes to its row's score, rows × columns, row-major; NaN for
    /// missing values, which do not count.
    ///
    /// For [`AnomalyScore::Density`], it is the mean squared difference from the row's nearest
    /// neighbours over the one that is usual in its column; empty where a codec is given. For
    /// [`AnomalyScore::Error`], it is the squared error over the one expected in its column.
    /// Where two networks score the rows, it is a weighted mean of theirs, weighted so that in
    /// either case the score is the root of the mean of the row's contributions. For
    /// [`AnomalyScore::Auto`], it is that of the error or that of the density, whichever is the
    /// row's score. Empty for [`AnomalyScore::Bits`].
    pub columns: Vec<f32>,
    /// Whether the columns share a unit, so that an error of 1 counts the same in each; if not, it is
    /// counted in units of the column's spread.
    pub units: ColumnUnits,
    /// Whether rows were too few for a network, so that principal components judge them.
    pub is_components: bool,
}

/// The scores of rows, whose contributions by columns are found when they are asked for, so that they are
/// never all in memory; otherwise as [`Anomalies`].
pub struct Judged<'a> {
    /// As in [`Anomalies`].
    pub scores: Vec<f64>,
    /// As in [`Anomalies`].
    pub flagged: Vec<bool>,
    /// As in [`Anomalies`].
    pub threshold: f64,
    /// As in [`Anomalies`].
    pub score: AnomalyScore,
    /// As in [`Anomalies`].
    pub units: ColumnUnits,
    /// As in [`Anomalies`].
    pub is_components: bool,
    pub(super) columns: Option<Box<dyn Rows + 'a>>,
}

impl<'a> Judged<'a> {
    /// Flags rows by their scores: a share `contamination` of them, or those far above the
    /// others.
    pub(super) fn new(
        scores: Vec<f64>,
        columns: Option<Box<dyn Rows + 'a>>,
        how: &AnomalyConfig,
    ) -> Self {
        let threshold = Self::threshold(&scores, how);
        Self::above(threshold, scores, columns, how)
    }

    /// The score above which rows are flagged.
    pub(super) fn threshold(scores: &[f64], how: &AnomalyConfig) -> f64 {
        match how.contamination {
            Some(share) => quantile(scores, 1.0 - share),
            None if matches!(how.score, AnomalyScore::Density | AnomalyScore::Auto) => {
                logarithms_far_above(scores)
            }
            None => far_above(scores),
        }
    }

    /// Flags rows by a threshold.
    pub(super) fn above(
        threshold: f64,
        scores: Vec<f64>,
        columns: Option<Box<dyn Rows + 'a>>,
        how: &AnomalyConfig,
    ) -> Self {
        let score = how.score;
        let flagged = scores.iter().map(|s| *s > threshold || s.is_nan()).collect();
        let units = ColumnUnits::Shared;
        Self { scores, flagged, threshold, score, units, is_components: false, columns }
    }

    /// How much each value contributes to its row's score: rows × columns, `f32`, as
    /// [`Anomalies::columns`]; none where these are empty.
    pub fn contributions(&self) -> Option<&(dyn Rows + 'a)> {
        self.columns.as_deref()
    }

    /// The same with all contributions in memory.
    pub(super) fn collected(self) -> Result<Anomalies> {
        let columns = self.columns.map(|columns| Matrix::of(&*columns)?.to_vec());
        let Self { scores, flagged, threshold, score, units, is_components, .. } = self;
        let columns = columns.transpose()?.unwrap_or_default();
        Ok(Anomalies { scores, flagged, threshold, score, columns, units, is_components })
    }
}

impl Anomalies {
    /// The columns that contribute most to the score of `row`, at most `most` of them and the
    /// largest contribution first, each with its share of the row's total, from 0 to 1.
    pub fn worst_columns(&self, row: usize, most: usize) -> Vec<(usize, f64)> {
        let width = self.columns.len() / self.scores.len().max(1);
        self.columns
            .get(row * width..(row + 1) * width)
            .map_or_else(Vec::new, |own| worst_columns(own, most))
    }
}

/// The columns with the largest contributions to the score of a row, at most `most` of them and the largest
/// first, each with its share of the row's total, from 0 to 1.
pub fn worst_columns(contributions: &[f32], most: usize) -> Vec<(usize, f64)> {
    let own = contributions;
    let sum: f64 = own.iter().filter(|x| !x.is_nan()).map(|x| f64::from(*x)).sum();
    let mut order: Vec<usize> = (0..own.len()).filter(|&j| own[j] > 0.0).collect();
    order.sort_by(|a, b| own[*b].total_cmp(&own[*a]));
    order.truncate(most);
    order.into_iter().map(|j| (j, f64::from(own[j]) / sum)).collect()
}

/// The scores of rows by the contributions of their columns.
pub(super) fn scores(columns: &dyn Rows) -> Result<Vec<f64>> {
    let width = columns.schema().width();
    let mut out = Vec::with_capacity(columns.len());
    for part in values::parts(columns.len(), width) {
        out.extend(read(columns, part)?.chunks_exact(width).map(row_score));
    }
    Ok(out)
}

/// Reads contributions.
pub(super) fn read(columns: &dyn Rows, rows: Range<usize>) -> Result<Vec<f32>> {
    let mut bytes = vec![0; rows.len() * columns.schema().row_bytes()];
    columns.read(rows.start, &mut bytes)?;
    let mut out = vec![0.0; bytes.len() / size_of::<f32>()];
    from_little_endian(&bytes, &mut out);
    Ok(out)
}

/// The root of the mean of a row's contributions that are there; NaN if there is none.
pub(super) fn row_score(row: &[f32]) -> f64 {
    let known = || row.iter().filter(|c| !c.is_nan());
    match known().count() {
        0 => f64::NAN,
        n => (known().map(|c| f64::from(*c)).sum::<f64>() / n as f64).sqrt(),
    }
}

/// The score that a share of `q` does not exceed, of those that are numbers; NaN if none is.
pub(super) fn quantile(scores: &[f64], q: f64) -> f64 {
    let mut sorted: Vec<f64> = scores.iter().copied().filter(|s| !s.is_nan()).collect();
    if sorted.is_empty() {
        return f64::NAN;
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let below = (q * sorted.len() as f64).round() as usize;
    sorted[below.clamp(1, sorted.len()) - 1]
}

/// The `count` rows of the lowest scores, in their order, among those that have one.
pub(super) fn lowest(scores: &[f64], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).filter(|&i| !scores[i].is_nan()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    order.truncate(count.max(1));
    order.sort_unstable();
    order
}

/// The score beyond which a row is far above the others, of scores that are not negative.
fn far_above(scores: &[f64]) -> f64 {
    let known = scores.iter().filter(|s| !s.is_nan());
    let logs: Vec<f64> = known.map(|s| s.max(LEAST_SCORE).ln()).collect();
    let median = quantile(&logs, 0.5);
    let distances: Vec<f64> = logs.iter().map(|l| (l - median).abs()).collect();
    let deviation = DEVIATION_PER_MEDIAN_DISTANCE * quantile(&distances, 0.5);
    (median + FLAGGED_DEVIATIONS * deviation).exp()
}

/// The same of scores that are logarithms already, but lie farther above their median than below it:
/// the deviation is that of the scores above, and 0 if there are none.
fn logarithms_far_above(scores: &[f64]) -> f64 {
    let (median, spread) = upper_spread(scores);
    median + FLAGGED_DEVIATIONS * DEVIATION_PER_MEDIAN_DISTANCE * spread
}

/// The median of scores and the median distance to it of those above it, which is 0 if there are none.
pub(super) fn upper_spread(scores: &[f64]) -> (f64, f64) {
    let median = quantile(scores, 0.5);
    let above: Vec<f64> = scores.iter().filter(|s| **s > median).map(|s| s - median).collect();
    (median, if above.is_empty() { 0.0 } else { quantile(&above, 0.5) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_as_they_are_told() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&hundred, 0.95), 95.0);
        assert_eq!(hundred.iter().filter(|s| **s > quantile(&hundred, 0.99)).count(), 1);
        let mut alike: Vec<f64> = (0..100).map(|i| 1.0 + 0.01 * f64::from(i % 10)).collect();
        alike[17] = 3.0;
        let limit = far_above(&alike);
        alike.push(f64::NAN);
        assert_eq!(far_above(&alike), limit);
        let columns = [1.0, 1.0, f32::NAN, 5.0, f32::NAN, f32::NAN];
        let columns = Box::new(Matrix::from_slice(&columns, &[2]).unwrap());
        let how = AnomalyConfig { contamination: Some(0.4), ..Default::default() };
        let found = Judged::new(scores(&*columns).unwrap(), Some(columns), &how);
        let found = found.collected().unwrap();
        assert!(found.scores[1] == 5_f64.sqrt() && found.scores[2].is_nan());
        assert_eq!(found.flagged, [false, true, true]);
        assert_eq!(found.worst_columns(1, 2), [(1, 1.0)]);
        assert_eq!(lowest(&found.scores, 3), [0, 1]);
        assert!(limit > 1.1 && limit < 3.0, "{limit}");
    }

    #[test]
    fn nats_are_far_above_by_those_above_their_median() {
        // The median is 0, the median distance of those above it 2, whatever lies below.
        let nats = [-900.0, -5.0, -1.0, 0.0, 1.0, 2.0, 12.0, f64::NAN];
        let threshold = 3.5 * 1.4826 * 2.0;
        assert_eq!(logarithms_far_above(&nats), threshold);
        let how = AnomalyConfig { score: AnomalyScore::Density, ..Default::default() };
        let found = Judged::new(nats.to_vec(), None, &how);
        assert_eq!(found.flagged, [false, false, false, false, false, false, true, true]);
        assert_eq!(logarithms_far_above(&[0.0; 5]), 0.0);
    }
}
