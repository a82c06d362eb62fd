//! Linear codecs under bounds, ranked by an estimate of their files' bits from variances alone.

use crate::fit::candidate::LinearChoice;
use crate::fit::data::columns::ColumnPlan;
use crate::fit::data::components::{Basis, Components, ROUNDING};
use crate::fit::entropy::bits::rounded_entropy;

/// Steps of the latents that are ranked, relative to where quantisation hurts latents and
/// residuals alike.
const RELATIVE_STEPS: [f64; 5] = [0.5, 0.7, 1.0, 1.4, 2.0];

/// Factor between numbers of latents that are ranked: the walk from the best one goes finer.
const LATENTS_RATIO: f64 = 1.25;

/// Mean variance that columns are taken to have left, in squared steps. Below the first, residuals
/// are nearly all 0 and cheap whatever the latents say (half of it makes an ECG at level 3 1.3 %
/// smaller, twice of it 0.2 % larger; spectra, embeddings and digits stay as they are); the last
/// keeps squares finite.
const LEFT: (f64, f64) = (0.05, 1e6);

/// Coarsest resolution of weights, in residual steps of error that a weight adds where its latent
/// is as large as it deviates. With few rows weights would be cheaper still, but directions of a
/// weight or two no longer are those that were found. (With some thousand rows it is not reached.)
const MOST_WEIGHT_STEP: f64 = 0.5;

/// Bits of a rounded normal variable beyond the logarithm of its deviation: `½ log₂(2πe)`.
const NORMAL_BITS: f64 = 2.05;

/// Least deviation of a weight in its steps that bits are estimated for: below it they are taken to
/// be 0.3 bits, as most weights are then 0. (Half and twice of it choose the same codecs of an ECG,
/// spectra, embeddings and digits.)
const LEAST_WEIGHT: f64 = 0.3;

/// A linear codec, as far as the search distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) latents: usize,
    /// Step of the latents, relative to where quantisation hurts latents and residuals alike.
    pub(crate) relative_step: f64,
    /// Resolution of weights, relative to the usual one.
    pub(crate) weights: f64,
}

/// Components of normalised rows, within a given basis if there is one.
pub(crate) fn components(
    rows: &[f32],
    columns: &[ColumnPlan],
    basis: Option<&Basis>,
) -> Components {
    match basis {
        Some(basis) => {
            let scale: Vec<f64> = columns.iter().map(|c| c.scale).collect();
            basis.components(rows, &scale)
        }
        None => Components::fit(rows, columns.len()),
    }
}

/// Places, most promising first, for a file of `rows` rows.
pub(crate) fn rank(c: &Components, rows: f64) -> Vec<Place> {
    let width = c.columns.len() as f64;
    let mut ranked = Vec::new();
    let mut left = c.columns.clone();
    // Of each column: the squares of its weights, by which it has the latents' rounding.
    let mut squares = vec![0.0_f64; c.columns.len()];
    let mut done = 0;
    for latents in latent_counts(c.count()) {
        for k in done..latents {
            for ((l, s), v) in left.iter_mut().zip(&mut squares).zip(c.vector(k)) {
                let v2 = f64::from(*v).powi(2);
                *l = (*l - c.variance[k] * v2).max(0.0);
                *s += v2;
            }
        }
        done = latents;
        let variances = &c.variance[..latents];
        for relative_step in RELATIVE_STEPS {
            let place = Place { latents, relative_step, weights: 1.0 };
            let choice = linear_choice(c, place, rows);
            let of_latents = choice.step.powi(2) / 12.0;
            let of_weights = choice.weight_step.powi(2) / 12.0 * latents as f64;
            let columns = left.iter().zip(&squares);
            let residual: f64 =
                columns.map(|(l, s)| rounded_entropy(l + of_latents * s + of_weights)).sum();
            let latent: f64 =
                variances.iter().map(|v| rounded_entropy(v / choice.step.powi(2))).sum();
            let weight = |v: &f64| {
                let steps = (v / width).sqrt() / choice.weight_step;
                steps.max(LEAST_WEIGHT).log2() + NORMAL_BITS
            };
            let weights: f64 = variances.iter().map(weight).sum();
            ranked.push((rows * (residual + latent) + weights * width, place));
        }
    }
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    ranked.into_iter().map(|r| r.1).collect()
}

/// Numbers of latents up to `most` that are ranked.
fn latent_counts(most: usize) -> Vec<usize> {
    let mut counts = Vec::new();
    let mut k = 1.0_f64;
    while (k as usize) < most {
        counts.push(k as usize);
        k = (k * LATENTS_RATIO).max(k + 1.0);
    }
    counts.push(most);
    counts
}

/// The codec of a place: with `rows` rows of the file, what its latents' step and the resolution of
/// its weights are.
pub(crate) fn linear_choice(c: &Components, place: Place, rows: f64) -> LinearChoice {
    let left = c.left_by(place.latents.min(c.count()));
    // The variance at which a squared step costs what it does on average: quiet columns count
    // little, loud ones hardly notice.
    let mean = left.iter().sum::<f64>() / left.len() as f64;
    let effective = mean.clamp(LEFT.0, LEFT.1) + ROUNDING;
    LinearChoice {
        latents: place.latents,
        step: (12.0 * effective).sqrt() * place.relative_step,
        trellis: 0,
        weight_step: (12.0 * effective / rows).sqrt().min(MOST_WEIGHT_STEP) * place.weights,
        temporal: true,
        residual: true,
        error_weight: 0.0,
        patient: true,
    }
}
