//! Scores of rows, and which of them are flagged.

use crate::apps::column_units::ColumnUnits;

/// How many standard deviations of the scores' logarithms above their median a row is flagged,
/// and what makes the median distance of normally distributed numbers to their median a standard
/// deviation: the modified z-score and its cut of Iglewicz and Hoaglin 1993, *How to detect and
/// handle outliers*.
const FLAGGED_DEVIATIONS: f64 = 3.5;
const DEVIATION_PER_MEDIAN_DISTANCE: f64 = 1.4826;
/// Scores below this count as it, so that a score of 0 has a logarithm.
const LEAST_SCORE: f64 = 1e-300;

/// The scores of rows, and which of them are anomalies.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Anomalies {
    /// The score of each row, not negative: the larger, the less the row is like the others. Its
    /// unit is that of the [`AnomalyScore`](super::AnomalyScore) asked for. NaN for rows without any
    /// value, which cannot be compared with others.
    pub scores: Vec<f64>,
    /// Whether each row is flagged, that is, has a score above the threshold, or no value at all.
    pub flagged: Vec<bool>,
    /// The score above which rows are flagged.
    pub threshold: f64,
    /// How much each value contributes to its row's score, rows × columns, row-major: the squared
    /// error over the one expected in its column. Where two networks score the rows, it is a
    /// weighted mean of theirs, weighted so that in either case the score is the root of the mean
    /// of the row's contributions. NaN for missing values, which do not count; empty for
    /// [`AnomalyScore::Bits`](super::AnomalyScore::Bits).
    pub columns: Vec<f32>,
    /// Whether the columns share a unit, so that an error of 1 counts the same in each; if not, it is
    /// counted in units of the column's spread.
    pub units: ColumnUnits,
    /// Whether rows were too few for a network, so that principal components judge them.
    pub is_components: bool,
}

impl Anomalies {
    /// Flags rows by their scores: a share `contamination` of them, or those far above the
    /// others.
    pub(super) fn new(scores: Vec<f64>, columns: Vec<f32>, contamination: Option<f64>) -> Self {
        let threshold = match contamination {
            Some(share) => quantile(&scores, 1.0 - share),
            None => far_above(&scores),
        };
        let flagged = scores.iter().map(|s| *s > threshold || s.is_nan()).collect();
        let units = ColumnUnits::Shared;
        Self { scores, flagged, threshold, columns, units, is_components: false }
    }

    /// The same, with scores made of the columns' contributions.
    pub(super) fn of_columns(columns: Vec<f32>, width: usize, contamination: Option<f64>) -> Self {
        let scores = columns.chunks_exact(width).map(row_score).collect();
        Self::new(scores, columns, contamination)
    }

    /// The columns that contribute most to the score of `row`, at most `most` of them and the
    /// largest contribution first, each with its share of the row's total, from 0 to 1.
    pub fn worst_columns(&self, row: usize, most: usize) -> Vec<(usize, f64)> {
        let width = self.columns.len() / self.scores.len().max(1);
        let Some(own) = self.columns.get(row * width..(row + 1) * width) else {
            return Vec::new();
        };
        let sum: f64 = own.iter().filter(|x| !x.is_nan()).map(|x| f64::from(*x)).sum();
        let mut order: Vec<usize> = (0..width).filter(|&j| own[j] > 0.0).collect();
        order.sort_by(|a, b| own[*b].total_cmp(&own[*a]));
        order.truncate(most);
        order.into_iter().map(|j| (j, f64::from(own[j]) / sum)).collect()
    }
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

/// The score beyond which a row is far above the others.
fn far_above(scores: &[f64]) -> f64 {
    let known = scores.iter().filter(|s| !s.is_nan());
    let logs: Vec<f64> = known.map(|s| s.max(LEAST_SCORE).ln()).collect();
    let median = quantile(&logs, 0.5);
    let distances: Vec<f64> = logs.iter().map(|l| (l - median).abs()).collect();
    let deviation = DEVIATION_PER_MEDIAN_DISTANCE * quantile(&distances, 0.5);
    (median + FLAGGED_DEVIATIONS * deviation).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_as_they_are_told() {
        let scores: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&scores, 0.95), 95.0);
        assert_eq!(scores.iter().filter(|s| **s > quantile(&scores, 0.99)).count(), 1);
        let mut alike: Vec<f64> = (0..100).map(|i| 1.0 + 0.01 * f64::from(i % 10)).collect();
        alike[17] = 3.0;
        let limit = far_above(&alike);
        alike.push(f64::NAN);
        assert_eq!(far_above(&alike), limit);
        let found =
            Anomalies::of_columns(vec![1.0, 1.0, f32::NAN, 5.0, f32::NAN, f32::NAN], 2, Some(0.4));
        assert!(found.scores[1] == 5_f64.sqrt() && found.scores[2].is_nan());
        assert_eq!(found.flagged, [false, true, true]);
        assert_eq!(found.worst_columns(1, 2), [(1, 1.0)]);
        assert_eq!(lowest(&found.scores, 3), [0, 1]);
        assert!(limit > 1.1 && limit < 3.0, "{limit}");
    }
}
