//! How finely each input's weights are rounded, and weights as integers.

/// Largest integer that a weight may be.
const LARGEST: f64 = 32_767.0;
/// Multiples of the finest step that the largest weight should not be beyond, so that rounding and
/// what it moves other weights by still fit: half of [`LARGEST`]. Half or double: the
/// same files.
const RANGE: f64 = 16_000.0;
/// Least deviation of an input that counts: weights of quieter ones need no coarser steps. A tenth:
/// the same files.
const LEAST_DEVIATION: f64 = 1e-3;
/// Step beyond which all weights of an input are 0, in magnitudes of the largest weight. Half or
/// double: within 0.2 %.
const COARSEST: f64 = 2.0;
/// A weight that is none.
const NO_WEIGHT: f64 = 1e-30;
/// Errors and weights beyond these, which no network that is of use has, count as these: steps then
/// are numbers above 0 whatever they are computed from.
const ERRORS: (f64, f64) = (1e-200, 1e200);
const LARGEST_WEIGHT: f64 = 1e200;

/// The step of each input's weights, a power of two.
#[derive(Debug)]
pub(super) struct WeightSteps {
    /// One for each input.
    pub(super) each: Vec<f64>,
    /// The least of them, of which all others are multiples.
    pub(super) finest: f64,
}

impl WeightSteps {
    /// Chooses steps near `error / deviation` for weights of `inputs × outputs`, so that all weights
    /// are integers of 16 bits in units of the finest.
    pub(super) fn choose(weights: &[f64], deviation: &[f64], error: f64) -> Self {
        let error = error.max(ERRORS.0).min(ERRORS.1);
        let largest = weights.iter().fold(0.0_f64, |m, w| m.max(w.abs())).min(LARGEST_WEIGHT);
        let least = (largest / RANGE).max(NO_WEIGHT).log2().ceil().exp2();
        let wanted = |d: &f64| (error / d.max(LEAST_DEVIATION)).log2().floor().exp2();
        // Steps of inputs that say next to nothing may be beyond all weights; but where all inputs
        // are such, their steps need not be finer than others'.
        let most = (COARSEST * largest.max(NO_WEIGHT)).log2().ceil().exp2();
        let most = most.max(deviation.iter().map(wanted).fold(f64::INFINITY, f64::min));
        let each: Vec<f64> = deviation.iter().map(|d| wanted(d).max(least).min(most)).collect();
        let finest = each.iter().copied().fold(f64::INFINITY, f64::min);
        Self { each, finest }
    }

    /// Lowers all steps to `most`.
    pub(super) fn limit(&mut self, most: f64) {
        self.each.iter_mut().for_each(|step| *step = step.min(most));
        self.finest = self.finest.min(most);
    }

    /// Rounds a weight of input `i` to a multiple of its step that is an integer of 16 bits.
    pub(super) fn round(&self, i: usize, weight: f64) -> f64 {
        let step = self.each[i];
        let most = (LARGEST * self.finest / step).floor();
        (weight / step).round_ties_even().clamp(-most, most) * step
    }
}

/// Returns the power of two at or below `x`, 1 at least.
pub(super) fn power_below(x: f64) -> f64 {
    x.max(1.0).log2().floor().exp2()
}

/// Returns weights in units of `unit`.
pub(super) fn integers(weights: &[f64], unit: f64) -> Vec<i64> {
    weights.iter().map(|w| (w / unit).round_ties_even() as i64).collect()
}

/// Turns `inputs × outputs` to `outputs × inputs`.
pub(super) fn transposed(weights: &[i64], outputs: usize) -> Vec<i64> {
    let inputs = weights.len() / outputs;
    (0..weights.len()).map(|at| weights[at % inputs * outputs + at / inputs]).collect()
}

pub(super) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

pub(super) fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|v| *v as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_deviations_and_weights_fit_16_bits() {
        let weights = [3.0, -1.0, 0.5, 2.0, 0.001, 0.002];
        let steps = WeightSteps::choose(&weights, &[1.0, 4.0, 1e-9], 0.1);
        assert_eq!(steps.each, [0.0625, 1.0 / 64.0, 8.0]);
        assert_eq!((steps.finest, steps.round(2, 0.002)), (1.0 / 64.0, 0.0));
        // Where 16 bits do not allow what is wanted, steps are as fine as they do.
        let steps = WeightSteps::choose(&weights, &[1.0, 4.0, 1.0], 1e-9);
        assert!(steps.finest > 3.0 / LARGEST && steps.finest < 8.0 / LARGEST);
        let rounded = weights.map(|w| steps.round(0, w));
        assert!(integers(&rounded, steps.finest).iter().all(|w| w.abs() <= 32_767));
        assert!((rounded[0] - 3.0).abs() < steps.finest);
        assert_eq!(steps.round(0, 1e9), LARGEST * steps.finest);
        // Inputs that are all quiet.
        let steps = WeightSteps::choose(&[0.0; 4], &[1e-9, 0.0], 0.1);
        assert!(steps.each.iter().all(|s| s.is_finite() && *s > 0.0), "{:?}", steps.each);
    }

    #[test]
    fn steps_are_numbers_whatever_they_come_from() {
        let odd = [0.0, 1.0, 1e-300, 1e300, f64::INFINITY, f64::NAN];
        for weight in odd {
            for deviation in odd {
                for error in odd {
                    let steps = WeightSteps::choose(&[weight, 1.0], &[deviation, 1.0], error);
                    assert!(steps.each.iter().all(|s| s.is_finite() && *s > 0.0), "{steps:?}");
                    assert!(steps.finest.is_finite() && steps.finest > 0.0, "{steps:?}");
                    steps.round(0, weight);
                }
            }
        }
    }

    #[test]
    fn transposing_puts_inputs_beside_each_other() {
        assert_eq!(transposed(&[1, 2, 3, 4, 5, 6], 3), [1, 4, 2, 5, 3, 6]);
    }
}
