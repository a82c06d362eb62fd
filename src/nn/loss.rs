//! What is made small, with its gradient beside it.

use crate::kernels::math::{exp, ln};
use crate::nn::sum;
use rayon::prelude::*;

/// Mean squared error `(1/n) Σ (out − target)²` over all `n` numbers; `d = (2/n)(out − target)`
/// is written in the same pass.
pub(crate) fn mean_squared(out: &[f32], target: &[f32], d: &mut [f32]) -> f64 {
    assert!(out.len() == target.len() && out.len() == d.len());
    let scale = 2.0 / out.len().max(1) as f32;
    let parts: Vec<f64> = d
        .par_chunks_mut(sum::PART)
        .zip(out.par_chunks(sum::PART).zip(target.par_chunks(sum::PART)))
        .with_min_len(sum::apiece(sum::PART))
        .map(|(d, (out, target))| {
            d.iter_mut().zip(out.iter().zip(target)).for_each(|(d, (o, t))| *d = o - t);
            let error = sum::squares_in_lanes(d);
            d.iter_mut().for_each(|d| *d *= scale);
            error
        })
        .collect();
    parts.iter().sum::<f64>() / out.len().max(1) as f64
}

/// Mean cross-entropy `−(1/rows) Σ ln p[class]` of the classes that `out`, rows × classes, gives
/// logits of: `p = exp(out) / Σ exp(out)`. `d = (p − 1[class]) / rows` is written in the same pass
/// (Bridle 1990).
pub(crate) fn cross_entropy(out: &[f32], classes: &[usize], d: &mut [f32]) -> f64 {
    assert_eq!(out.len(), d.len());
    let rows = classes.len().max(1);
    let (outputs, scale) = (out.len() / rows, 1.0 / rows as f32);
    let mut sum = 0.0;
    for ((out, d), class) in out.chunks_exact(outputs).zip(d.chunks_exact_mut(outputs)).zip(classes)
    {
        softmax(out, d);
        sum -= f64::from(ln(d[*class].max(f32::MIN_POSITIVE)));
        d[*class] -= 1.0;
        d.iter_mut().for_each(|d| *d *= scale);
    }
    sum / rows as f64
}

/// Probabilities of a row of logits.
pub(crate) fn softmax(out: &[f32], p: &mut [f32]) {
    let largest = out.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    p.iter_mut().zip(out).for_each(|(p, o)| *p = exp(o - largest));
    let sum: f32 = p.iter().sum();
    p.iter_mut().for_each(|p| *p /= sum);
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

    #[test]
    fn the_cross_entropy_and_its_gradient() {
        let mut rng = Rng::new(2);
        let (rows, classes) = (7, 4);
        let out: Vec<f32> = normal(rows * classes, &mut rng).iter().map(|x| 3.0 * x).collect();
        let own: Vec<usize> = (0..rows).map(|i| i * 3 % classes).collect();
        let mut d = vec![7.0; out.len()];
        let found = cross_entropy(&out, &own, &mut d);
        let f = |out: &[f64]| {
            let row = |(out, class): (&[f64], &usize)| {
                out.iter().map(|o| o.exp()).sum::<f64>().ln() - out[*class]
            };
            out.chunks(classes).zip(&own).map(row).sum::<f64>() / rows as f64
        };
        let exact = f(&doubles(&out));
        assert!((found - exact).abs() < 1e-5 * exact);
        assert_gradient(&d, &out, f, "cross-entropy");
    }
}
