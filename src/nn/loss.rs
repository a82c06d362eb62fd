//! What is made small, with its gradient beside it.

use super::sum;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;
    use crate::nn::tests::{assert_gradient, doubles, normal};

    #[test]
    fn the_squared_error_and_its_gradient() {
        let mut rng = Rng::new(1);
        let n = 3 * 17;
        let (out, target) = (normal(n, &mut rng), normal(n, &mut rng));
        // It is overwritten.
        let mut d = vec![7.0; n];
        let found = mean_squared(&out, &target, &mut d);
        let target = doubles(&target);
        let f = |out: &[f64]| {
            out.iter().zip(&target).map(|(o, t)| (o - t) * (o - t)).sum::<f64>() / n as f64
        };
        let exact = f(&doubles(&out));
        assert!((found - exact).abs() < 1e-6 * exact);
        assert_gradient(&d, &out, f, "squared error");
    }
}
