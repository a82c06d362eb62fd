//! Scores of rows, and which of them are flagged.

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
    /// unit is that of the [`AnomalyScore`](super::AnomalyScore) asked for.
    pub scores: Vec<f64>,
    /// Whether each row is flagged, that is, has a score above the threshold.
    pub flagged: Vec<bool>,
    /// The score above which rows are flagged.
    pub threshold: f64,
    /// How much each value contributes to its row's score, rows × columns, row-major: the squared
    /// error over the one expected in its column. Where two networks score the rows, it is a
    /// weighted mean of theirs, weighted so that in either case the score is the root of the mean
    /// of the row's contributions. Empty for [`AnomalyScore::Bits`](super::AnomalyScore::Bits).
    pub columns: Vec<f32>,
}

impl Anomalies {
    /// Flags rows by their scores: a share `contamination` of them, or those far above the
    /// others.
    pub(super) fn new(scores: Vec<f64>, columns: Vec<f32>, contamination: Option<f64>) -> Self {
        let threshold = match contamination {
            Some(share) => quantile(&scores, 1.0 - share),
            None => far_above(&scores),
        };
        let flagged = scores.iter().map(|s| *s > threshold).collect();
        Self { scores, flagged, threshold, columns }
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
        let sum: f64 = own.iter().map(|x| f64::from(*x)).sum();
        let mut order: Vec<usize> = (0..width).filter(|&j| own[j] > 0.0).collect();
        order.sort_by(|a, b| own[*b].total_cmp(&own[*a]));
        order.truncate(most);
        order.into_iter().map(|j| (j, f64::from(own[j]) / sum)).collect()
    }
}

/// The root of the mean of a row's contributions.
pub(super) fn row_score(row: &[f32]) -> f64 {
    (row.iter().map(|c| f64::from(*c)).sum::<f64>() / row.len() as f64).sqrt()
}

/// The score that a share of `q` does not exceed.
pub(super) fn quantile(scores: &[f64], q: f64) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let below = (q * sorted.len() as f64).round() as usize;
    sorted[below.clamp(1, sorted.len()) - 1]
}

/// The `count` rows of the lowest scores, in their order.
pub(super) fn lowest(scores: &[f64], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    order.truncate(count.max(1));
    order.sort_unstable();
    order
}

/// The score beyond which a row is far above the others.
fn far_above(scores: &[f64]) -> f64 {
    let logs: Vec<f64> = scores.iter().map(|s| s.max(LEAST_SCORE).ln()).collect();
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
        assert!(limit > 1.1 && limit < 3.0, "{limit}");
    }
}
