//! Rounding the weights of a layer so that each makes up for the errors of those before it.
//!
//! What rounding does to a layer's sums is `Σᵢ δᵢ xᵢ`, and inputs are correlated: units of a hidden
//! layer are nearly linear in the latents, for example. With the inputs' covariance `C = U D Uᵀ`,
//! `U` upper triangular with ones on its diagonal, the mean square of that error is
//! `Σⱼ Dⱼ (Σᵢ≤ⱼ Uᵢⱼ δᵢ)²`. So weights are rounded in order, each after it was moved by
//! `−Σᵢ<ⱼ Uᵢⱼ δᵢ`: the nearest plane of Babai (1986), known for networks as GPTQ (Frantar et al.
//! 2022). An input then counts as much as what those behind it do not say of it, its *own deviation*
//! `√Dⱼ`, and its weights need no finer step than that asks for.

use crate::fit::quantise::linear::deviations;
use crate::linalg::{cholesky, gram};
use rayon::prelude::*;
use std::ops::Range;

/// Share of each input's variance that counts as its own whatever the covariance says. With less,
/// weights move far to make up for little, and rows outside the sample pay. A tenth or
/// ten times: spectra are 0.4 % and 1.1 % larger, ECG 0.1 % and 0.4 %.
const OWN: f64 = 1e-3;
/// The same, times inputs per row: few rows make inputs look correlated that are not. A third or three
/// times: spectra are 0.6 % larger, ECG within 0.2 %.
const OWN_OF_FEW: f64 = 0.1;
/// Share of each input's squared mean that counts as variance: what is constant in the sample need
/// not be so elsewhere. A tenth or ten times: within 0.1 % on ECG; spectra the same and 0.7 % larger.
const OWN_OF_MEAN: f64 = 1e-4;
/// Least own deviation, in the input's integers: inputs that never change have one too.
const LEAST_DEVIATION: f64 = 3e-5;
/// Inputs beyond which each is rounded for itself: a decomposition takes time by their third power.
const MOST_INPUTS: usize = 2048;
/// Outputs that are rounded together, so that links are read once for all of them.
const OUTPUTS: usize = 16;

/// Inputs of a layer as they were seen.
pub(super) struct LayerInputs {
    /// Mean of each.
    mean: Vec<f64>,
    /// Own deviation of each, in the input's integers.
    pub(super) deviation: Vec<f64>,
    /// `Uᵢⱼ` for `i < j` at `j·n + i`; empty if inputs are taken one by one.
    links: Vec<f64>,
}

impl LayerInputs {
    /// Measures `rows × count` inputs.
    pub(super) fn new(rows: &[f32], count: usize) -> Self {
        let n = (rows.len() / count).max(1) as f64;
        let mut mean = vec![0.0_f64; count];
        for row in rows.chunks_exact(count) {
            mean.iter_mut().zip(row).for_each(|(m, x)| *m += f64::from(*x) / n);
        }
        let mut centred = rows.to_vec();
        for row in centred.chunks_exact_mut(count) {
            row.iter_mut().zip(&mean).for_each(|(x, m)| *x -= *m as f32);
        }
        let one_by_one = |mean: Vec<f64>, centred: &[f32]| {
            let own = deviations(centred, count).into_iter();
            let deviation = own.map(|d| f64::from(d).max(LEAST_DEVIATION)).collect();
            Self { mean, deviation, links: Vec::new() }
        };
        if count > MOST_INPUTS {
            return one_by_one(mean, &centred);
        }
        let products = gram(&centred, count);
        // Reversed, as the decomposition gives a lower triangle.
        let back = |i: usize| count - 1 - i;
        let own = 1.0 + OWN + OWN_OF_FEW * count as f64 / n;
        let covariance = |at: usize| {
            let (i, j) = (back(at / count), back(at % count));
            let c = products[i * count + j] / n;
            if i != j {
                return c;
            }
            own * c + OWN_OF_MEAN * mean[i].powi(2) + LEAST_DEVIATION * LEAST_DEVIATION
        };
        let covariance: Vec<f64> = (0..count * count).map(covariance).collect();
        let Some(lower) = cholesky(&covariance, count) else {
            return one_by_one(mean, &centred);
        };
        let at = |i: usize, j: usize| lower[back(i) * count + back(j)];
        let deviation: Vec<f64> = (0..count).map(|j| at(j, j)).collect();
        let mut links = vec![0.0; count * count];
        for j in 0..count {
            for i in 0..j {
                links[j * count + i] = at(i, j) / deviation[j];
            }
        }
        Self { mean, deviation, links }
    }

    /// Rounds weights, `inputs × outputs`, each by `round` of its input, its output and what it was
    /// moved to. Returns what each output is larger by on average.
    pub(super) fn round(
        &self,
        weights: &mut [f64],
        outputs: usize,
        round: impl Fn(usize, usize, f64) -> f64 + Sync,
    ) -> Vec<f64> {
        let places: Vec<usize> = (0..outputs).step_by(OUTPUTS).collect();
        let parts: Vec<Vec<f64>> = places
            .par_iter()
            .map(|&from| self.errors(weights, from..outputs.min(from + OUTPUTS), outputs, &round))
            .collect();
        let mut moved = vec![0.0; outputs];
        for (from, part) in places.into_iter().zip(parts) {
            let some = OUTPUTS.min(outputs - from);
            for (j, (errors, mean)) in part.chunks_exact(OUTPUTS).zip(&self.mean).enumerate() {
                for (o, error) in errors[..some].iter().enumerate() {
                    weights[j * outputs + from + o] += error;
                    moved[from + o] += error * mean;
                }
            }
        }
        moved
    }

    /// Returns what rounding adds to the weights of `some` outputs of all: `inputs ×` [`OUTPUTS`].
    fn errors(
        &self,
        weights: &[f64],
        some: Range<usize>,
        outputs: usize,
        round: &impl Fn(usize, usize, f64) -> f64,
    ) -> Vec<f64> {
        let count = self.mean.len();
        let mut errors = vec![0.0_f64; count * OUTPUTS];
        for j in 0..count {
            let mut moved = [0.0_f64; OUTPUTS];
            let links = self.links.get(j * count..j * count + j).unwrap_or(&[]);
            for (link, error) in links.iter().zip(errors.chunks_exact(OUTPUTS)) {
                for (m, e) in moved.iter_mut().zip(error) {
                    *m += link * e;
                }
            }
            for (o, output) in some.clone().enumerate() {
                let weight = weights[j * outputs + output];
                errors[j * OUTPUTS + o] = round(j, output, weight - moved[o]) - weight;
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    /// Three inputs of which the first two are nearly sums of the third, and one of its own.
    fn inputs(rows: usize) -> Vec<f32> {
        let mut rng = Rng::new(1);
        (0..rows)
            .flat_map(|_| {
                let mut r = || 2.0 * rng.unit() - 1.0;
                let (a, b) = (r(), r());
                [a + 0.1 * r() + 3.0, a - b + 0.1 * r(), b, a]
            })
            .collect()
    }

    /// Mean square of what is wrong with the sums, but for their mean.
    fn wrong(rows: &[f32], errors: &[f64]) -> f64 {
        let sums: Vec<f64> = rows
            .chunks_exact(errors.len())
            .map(|row| row.iter().zip(errors).map(|(x, e)| f64::from(*x) * e).sum())
            .collect();
        let mean = sums.iter().sum::<f64>() / sums.len() as f64;
        sums.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / sums.len() as f64
    }

    #[test]
    fn later_weights_make_up_for_earlier_ones() {
        let rows = inputs(2000);
        let inputs = LayerInputs::new(&rows, 4);
        assert!(inputs.deviation[0] < 0.1 && inputs.deviation[3] > 0.4, "{:?}", inputs.deviation);
        let mut rng = Rng::new(2);
        let outputs = 2 * OUTPUTS + 3;
        let real: Vec<f64> = (0..4 * outputs).map(|_| f64::from(rng.unit()) * 4.0).collect();
        // The first two are rounded to integers, the others finely.
        let round = |i: usize, _: usize, w: f64| {
            let step = if i < 2 { 1.0 } else { 1.0 / 64.0 };
            (w / step).round_ties_even() * step
        };
        let mut rounded = real.clone();
        inputs.round(&mut rounded, outputs, round);
        let (mut with, mut without) = (0.0, 0.0);
        for o in 0..outputs {
            let of = |w: &dyn Fn(usize) -> f64| -> Vec<f64> {
                (0..4).map(|i| w(i) - real[i * outputs + o]).collect()
            };
            with += wrong(&rows, &of(&|i| rounded[i * outputs + o]));
            without += wrong(&rows, &of(&|i| round(i, o, real[i * outputs + o])));
            assert!((0..2).all(|i| rounded[i * outputs + o].fract() == 0.0));
        }
        assert!(with < 0.05 * without, "{with} {without}");
    }

    #[test]
    fn inputs_that_say_nothing_do_no_harm() {
        for rows in [vec![0.0; 12], vec![f32::NAN; 12], vec![1.0, 1.0, 1.0], Vec::new()] {
            let inputs = LayerInputs::new(&rows, 3);
            let mut weights = vec![0.4, 1.6, -2.2];
            inputs.round(&mut weights, 1, |_, _, w| w.round());
            assert!(weights.iter().all(|w| w.fract() == 0.0), "{weights:?}");
        }
        // So many are rounded one by one.
        let inputs = LayerInputs::new(&vec![0.5; 2 * MOST_INPUTS + 2], MOST_INPUTS + 1);
        let mut weights = vec![0.4; MOST_INPUTS + 1];
        let moved = inputs.round(&mut weights, 1, |_, _, w| w.round());
        assert!(weights.iter().all(|w| *w == 0.0));
        assert!((moved[0] / (-0.2 * (MOST_INPUTS as f64 + 1.0)) - 1.0).abs() < 1e-6);
    }
}
