//! Promises about sums over the file, and how much of what they allow is used up.

use crate::fidelity::Fidelity;
use crate::fit::data::sample::Sample;
use crate::fit::data::spread::{SampleScale, sample_scale};
use crate::quality::Tally;

/// Squared error, as a share of the variance, that the search for a size begins with: errors of
/// files of a tenth of their rows' size are often of this order, and the search corrects it.
const FIRST_ERROR_OF_SIZE: f64 = 0.05;

/// Slopes `d ln used / d ln step` that searches begin with; after two trials they are measured. A
/// squared error grows with the square of the step. Sizes fall by 1.44 % of a bit for each latent
/// where the step grows by 1 %: this is the slope where latents take 3.6 bits. Where they take
/// less, the first stride goes too far and makes a bracket.
const ERROR_SLOPE: f64 = 2.0;
const SIZE_SLOPE: f64 = -0.4;

/// What a sum may be at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// Normalised mean squared error, at most.
    Nmse(f64),
    /// Peak signal-to-noise ratio in dB, at least.
    Psnr(f64),
    /// Mean cosine of the rows with what they are decoded to, at least.
    Cosine(f64),
    /// Bytes of the whole file, at most.
    Bytes(f64),
}

impl Goal {
    /// The goal of a promise about `rows` rows of `row_bytes` bytes each; none where it is not
    /// about a sum.
    pub(crate) fn new(promise: &Fidelity, rows: usize, row_bytes: usize) -> Option<Self> {
        let bytes_in = (rows as u64 * row_bytes as u64) as f64;
        Some(match promise {
            Fidelity::Nmse(d) => Goal::Nmse(d.floor()),
            Fidelity::Psnr(d) => Goal::Psnr(d.ceil()),
            Fidelity::Cosine(d) => Goal::Cosine(d.ceil()),
            Fidelity::Ratio(d) => Goal::Bytes((bytes_in / d.ceil()).floor()),
            Fidelity::BytesPerRow(d) => Goal::Bytes((rows as f64 * d.floor()).floor()),
            _ => return None,
        })
    }

    /// The share of what is allowed that is used up: the goal is met up to 1.
    pub(crate) fn used(self, tally: &Tally, bytes: f64) -> f64 {
        match self {
            Goal::Nmse(most) => tally.nmse() / most,
            Goal::Psnr(least) => 10_f64.powf((least - tally.psnr()) / 10.0),
            Goal::Cosine(least) => (1.0 - tally.mean_cosine()) / (1.0 - least),
            Goal::Bytes(most) => bytes / most,
        }
    }

    /// The goal with `factor` times the error; a size stays as it is.
    pub(crate) fn times(self, factor: f64) -> Self {
        match self {
            Goal::Nmse(most) => Goal::Nmse(most * factor),
            Goal::Psnr(least) => Goal::Psnr(least - 10.0 * factor.log10()),
            Goal::Cosine(least) => Goal::Cosine(1.0 - (1.0 - least) * factor),
            Goal::Bytes(most) => Goal::Bytes(most),
        }
    }

    /// How the logarithm of the used share changes with that of the step, about.
    pub(crate) fn slope(self) -> f64 {
        if self.is_size() { SIZE_SLOPE } else { ERROR_SLOPE }
    }

    /// Whether the file's size is what is limited.
    pub(crate) fn is_size(self) -> bool {
        matches!(self, Goal::Bytes(_))
    }

    /// What is to be small: bytes, or where these are limited the error.
    pub(crate) fn cost(self, tally: &Tally, bytes: f64) -> f64 {
        if self.is_size() { tally.nmse() } else { bytes }
    }

    /// A step, in the data's units, whose rounding error is about what the goal allows.
    pub(crate) fn starting_step(self, sample: &Sample) -> f64 {
        let SampleScale { deviation, range } = sample_scale(sample);
        // Roots, as squares of the largest and the smallest values are no numbers.
        let error = match self {
            Goal::Nmse(x) => deviation * x.sqrt(),
            Goal::Psnr(db) => range * 10_f64.powf(-db / 20.0),
            // Vectors of length 1 at a small angle: half the squared distance is what the cosine
            // lacks.
            Goal::Cosine(c) => deviation * (2.0 * (1.0 - c)).sqrt(),
            Goal::Bytes(_) => deviation * FIRST_ERROR_OF_SIZE.sqrt(),
        };
        // Errors of rounding are spread evenly over the step: their square is step² / 12.
        (12_f64.sqrt() * error).clamp(f64::MIN_POSITIVE, 1e300)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;
    use crate::matrix::rng::Rng;

    #[test]
    fn rounding_to_the_starting_step_errs_as_allowed() {
        let mut rng = Rng::new(1);
        let values: Vec<f32> = (0..8000).map(|_| 3.0 * rng.normal() + 7.0).collect();
        let rows = Matrix::from_slice(&values, &[8]).unwrap();
        let sample = Sample::draw(&rows, 1 << 20).unwrap();
        let squared = |step: f64| {
            let round = |x: f64| (x / step).round() * step;
            let errors = values.iter().map(|v| f64::from(*v)).map(|x| (x - round(x)).powi(2));
            errors.sum::<f64>() / values.len() as f64
        };
        let range = f64::from(
            values.iter().copied().fold(f32::MIN, f32::max)
                - values.iter().copied().fold(f32::MAX, f32::min),
        );
        let near = |goal: Goal, allowed: f64| {
            let error = squared(goal.starting_step(&sample));
            assert!((error / allowed).ln().abs() < 0.2, "{goal:?}: {error}, allowed {allowed}");
        };
        near(Goal::Nmse(0.01), 0.09);
        near(Goal::Psnr(30.0), range * range * 1e-3);
        near(Goal::Cosine(0.995), 0.09);
    }
}
