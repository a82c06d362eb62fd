//! What is made small, with its gradient.

use super::sum;
use crate::kernels::math::exp;
use rayon::prelude::*;

/// Mean squared error `(1/n) Σ (out − target)²` over all `n` numbers; `d = (2/n)(out − target)`
/// is written in the same pass.
pub(crate) fn mean_squared(out: &[f32], target: &[f32], d: &mut [f32]) -> f64 {
    assert!(out.len() == target.len() && out.len() == d.len());
    let scale = 2.0 / out.len().max(1) as f32;
    let parts: Vec<f64> = d
        .par_chunks_mut(sum::PART)
        .zip(out.par_chunks(sum::PART).zip(target.par_chunks(sum::PART)))
        .map(|(d, (out, target))| {
            d.iter_mut().zip(out.iter().zip(target)).for_each(|(d, (o, t))| *d = o - t);
            let error = sum::squares_in_lanes(d);
            d.iter_mut().for_each(|d| *d *= scale);
            error
        })
        .collect();
    parts.iter().sum::<f64>() / out.len().max(1) as f64
}

/// `weight · (1/rows) Σ |z|`, which makes embeddings sparse; its gradient `weight/rows · sign z`
/// is added to `d`.
pub(crate) fn l1(z: &[f32], rows: usize, weight: f32, d: &mut [f32]) -> f64 {
    assert_eq!(z.len(), d.len());
    let scale = weight / rows.max(1) as f32;
    for (d, z) in d.iter_mut().zip(z) {
        let sign = f32::from(*z > 0.0) - f32::from(*z < 0.0);
        *d += scale * sign;
    }
    let sum = sum::over_parts(z.len(), |part| z[part].iter().map(|z| f64::from(z.abs())).sum());
    f64::from(scale) * sum
}

/// `weight · (1/rows) Σ ½(μ² + σ² − 1 − ln σ²)`: the divergence of the Gaussians `N(μ, σ²)` from
/// `N(0, 1)` (Kingma and Welling 2014, appendix B), with `log_variance = ln σ²`. The gradients
/// `weight/rows · μ` and `weight/rows · ½(σ² − 1)` are added.
pub(crate) fn kl_to_normal(
    mean: &[f32],
    log_variance: &[f32],
    rows: usize,
    weight: f32,
    d_mean: &mut [f32],
    d_log_variance: &mut [f32],
) -> f64 {
    assert!(mean.len() == log_variance.len() && mean.len() == d_mean.len());
    assert_eq!(mean.len(), d_log_variance.len());
    let scale = weight / rows.max(1) as f32;
    let variance: Vec<f32> = log_variance.iter().map(|l| exp(*l)).collect();
    for (d, m) in d_mean.iter_mut().zip(mean) {
        *d += scale * m;
    }
    for (d, v) in d_log_variance.iter_mut().zip(&variance) {
        *d += scale * 0.5 * (v - 1.0);
    }
    let sum = sum::over_parts(mean.len(), |part| {
        let terms = mean[part.clone()].iter().zip(&log_variance[part.clone()]).zip(&variance[part]);
        terms
            .map(|((m, l), v)| {
                let (m, l, v) = (f64::from(*m), f64::from(*l), f64::from(*v));
                0.5 * (m * m + v - 1.0 - l)
            })
            .sum()
    });
    f64::from(scale) * sum
}
