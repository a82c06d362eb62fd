//! What values count for where predictors of rows are fitted.

use crate::encode::predictor_choice::{Lags, Leavings, least};

/// How much less it says of the residuals around a value how large its own is, in bits, for values to count
/// by that.
const DIFFERS: f64 = 0.25;
/// Squared scale of residuals, at least: that of rounding, about.
const LEAST_SQUARE: f64 = 0.25;
/// Values before one by which what is left of it is judged.
const AROUND: usize = 4;

/// What values count for: less where what is left around them, or of themselves, is large.
pub(super) struct RowWeighing {
    lags: Lags,
    predictors: Vec<Vec<f64>>,
    leavings: Leavings,
}

impl RowWeighing {
    /// By what the best of `predictors` leaves of each row.
    pub(super) fn new(lags: Lags, predictors: Vec<Vec<f64>>) -> Self {
        let leavings = Leavings::new(lags, &predictors);
        Self { lags, predictors, leavings }
    }

    /// Returns what is left of a row's values.
    fn left(&self, row: &[f64]) -> Vec<f64> {
        let mut products = vec![0.0; self.lags.products()];
        self.lags.sums(row, &mut products);
        let mut squares = Vec::new();
        self.leavings.of(&products, &mut squares);
        let mut left = vec![0.0; row.len()];
        self.lags.left(row, &self.predictors[least(&squares)], &mut left);
        left
    }

    /// Returns what the values of a row count for.
    pub(super) fn weights(&self, row: &[f64]) -> Vec<f64> {
        let left = self.left(row);
        let weight = |j: usize| 1.0 / (around(&left, j) + left[j] * left[j]);
        (0..row.len()).map(weight).collect()
    }

    /// Says whether values before tell more of a residual's size than its row does.
    pub(super) fn differs(&self, rows: &[f64], width: usize) -> bool {
        let first = self.lags.order * self.lags.distance;
        let (mut gained, mut count) = (0.0, 0.0);
        for row in rows.chunks_exact(width) {
            let left = self.left(row);
            for line in left.chunks(self.lags.line).filter(|line| line.len() > first + AROUND) {
                let known = &line[first..];
                let values = known.len() as f64;
                let mean = known.iter().map(|x| x * x).sum::<f64>() / values;
                let each = (AROUND..known.len()).map(|j| around(known, j).log2()).sum::<f64>();
                let values = (known.len() - AROUND) as f64;
                gained += 0.5 * ((LEAST_SQUARE + mean).log2() * values - each);
                count += values;
            }
        }
        gained > DIFFERS * count
    }
}

/// Returns the mean square of what is left of the values before column `j`.
fn around(left: &[f64], j: usize) -> f64 {
    let before = &left[j.saturating_sub(AROUND)..j];
    LEAST_SQUARE + before.iter().map(|x| x * x).sum::<f64>() / before.len().max(1) as f64
}
