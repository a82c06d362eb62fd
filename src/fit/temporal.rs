//! Whether a row's latents and residuals are predicted from the row before, and how strongly.

use crate::container::model::TEMPORAL_ONE;
use crate::encode::symbols::Symbols;
use crate::fit::context::FitContext;
use crate::fit::data::sample::Sample;
use rayon::prelude::*;

/// Bits that prediction must save in the whole file for a coefficient to be stored: what a
/// coefficient and the harm it does elsewhere may cost, several times over. Half or
/// double: within 0.1 % on spectra, ECG, embeddings, air and digits.
const LEAST_SAVED_BITS: f64 = 30.0;
/// Least magnitude of a coefficient: a smaller one explains under 1 % of the variance and may come
/// from the sample alone. Half or double: the same files.
const LEAST_COEFFICIENT: f64 = 0.08;
/// Coefficients are multiples of this, in 1/[`TEMPORAL_ONE`]: coarse ones take fewer bits, and the
/// variance hardly depends on the last digits. Half or double: within 0.01 %.
const MULTIPLE: i64 = 8;
/// Variance of rounding, added to a latent's: decoded latents are predicted from, which differ from
/// the real ones by up to half a unit. None or three times as much: within 0.1 %.
const LATENT_NOISE: f64 = 1.0 / 12.0;
/// The same for residuals, which have been rounded before.
const RESIDUAL_NOISE: f64 = 1.0 / 6.0;
/// Share of its bits that a column may take as differences from the row before for these to be
/// coded. It trades size for independence of errors: differences of noise are larger than itself.
///
/// 0.8 or 1.0: −0.2 % and +0.1 % on air, else the same files.
const DELTA_BITS: f64 = 0.9;
/// The same for floats counted one by one around 0, where a change of sign is a huge difference
/// that logarithms understate.
/// 0.4 or 0.8: the same files.
const DELTA_BITS_AROUND_ZERO: f64 = 0.6;
/// Coefficient from which on differences are taken in its place. 0.9 or 0.99: the same files.
const DELTA_COEFFICIENT: f64 = 0.97;

/// Sums of a regression through the origin.
#[derive(Clone, Copy, Default)]
struct Regression {
    /// Sum of products with the row before.
    products: f64,
    /// Sum of squares of the row before.
    squares: f64,
}

impl Regression {
    fn add(&mut self, before: f64, value: f64, noise: f64) {
        self.products += before * value;
        self.squares += before * before + noise;
    }

    /// Returns the coefficient, in 1/[`TEMPORAL_ONE`], for a file of `rows` rows; 0 unless it saves
    /// more than it costs.
    fn coefficient(self, rows: f64) -> i64 {
        let a = (self.products / self.squares.max(1e-30)).clamp(-1.0, 1.0);
        let saved = -0.5 * (1.0 - a * a).max(1e-9).log2() * rows;
        if saved < LEAST_SAVED_BITS || a.abs() < LEAST_COEFFICIENT {
            return 0;
        }
        (a * (TEMPORAL_ONE / MULTIPLE) as f64).round() as i64 * MULTIPLE
    }
}

/// Fits each latent's coefficient, in 1/[`TEMPORAL_ONE`]; `real` is `rows × latents`.
pub(crate) fn latent_coefficients(sample: &Sample, real: &[f32], latents: usize) -> Vec<i64> {
    if latents == 0 {
        return Vec::new();
    }
    let mut sums = vec![Regression::default(); latents];
    let mut rest = real;
    for &rows in &sample.runs {
        let (run, tail) = rest.split_at(rows * latents);
        rest = tail;
        for pair in run.windows(2 * latents).step_by(latents) {
            for (k, sum) in sums.iter_mut().enumerate() {
                sum.add(f64::from(pair[k]), f64::from(pair[k + latents]), LATENT_NOISE);
            }
        }
    }
    sums.iter().map(|sum| sum.coefficient(sample.total as f64)).collect()
}

/// Fits each column's coefficient, in 1/[`TEMPORAL_ONE`], to residuals that were made without.
pub(crate) fn residual_coefficients(
    context: &FitContext<'_>,
    symbols: &[Symbols],
    has_latents: bool,
) -> Vec<i64> {
    let width = context.columns.len();
    let column = |j: usize| {
        let plan = &context.columns[j];
        let ordered = plan.grid.value_is_ordered();
        let mut sum = Regression::default();
        let (mut bits, mut delta_bits) = (0.0_f64, 0.0_f64);
        for s in symbols {
            let own = s.residuals.iter().skip(j).step_by(width).map(|&r| r as f64);
            for (before, r) in own.clone().zip(own.skip(1)) {
                sum.add(before, r, RESIDUAL_NOISE);
                bits += (1.0 + r.abs()).log2();
                delta_bits += (1.0 + f64::abs(r - before)).log2();
            }
        }
        let around_zero = ordered && plan.scale == 0.0;
        let most = if around_zero { DELTA_BITS_AROUND_ZERO } else { DELTA_BITS };
        let alike = sum.products > DELTA_COEFFICIENT * sum.squares;
        if delta_bits < bits * most && (ordered || alike || !has_latents) {
            return TEMPORAL_ONE;
        }
        // Counts of representable numbers have no linear prediction.
        if ordered { 0 } else { sum.coefficient(context.sample.total as f64) }
    };
    (0..width).into_par_iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    /// The sums of a series of which each value is `a` times the last and noise.
    fn series(a: f64, rows: usize) -> Regression {
        let mut rng = Rng::new(7);
        let (mut sum, mut last) = (Regression::default(), 0.0);
        for _ in 0..rows {
            let next = a * last + 40.0 * (f64::from(rng.unit()) - 0.5);
            sum.add(last, next, LATENT_NOISE);
            last = next;
        }
        sum
    }

    #[test]
    fn coefficients_are_those_of_the_series_where_they_pay() {
        for a in [0.9, 0.5, -0.7] {
            let found = series(a, 4000).coefficient(4000.0);
            assert!((found as f64 / 256.0 - a).abs() < 0.04, "{a}: {found}");
            assert_eq!(found % MULTIPLE, 0);
        }
        assert_eq!(series(0.0, 4000).coefficient(4000.0), 0);
        // Too few rows to pay for it.
        assert_eq!(series(0.5, 4000).coefficient(40.0), 0);
        assert_eq!(Regression::default().coefficient(1e6), 0);
    }
}
