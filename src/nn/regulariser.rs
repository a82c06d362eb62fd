//! What embeddings are asked to be beside faithful, with the gradient beside it.
//!
//! Each is a mean over the batch's rows, so that its weight does not depend on the batch.

use crate::kernels::math::exp;
use crate::nn::sum;

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

/// The Gaussians `N(μ, σ²)` of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gaussians<'a> {
    /// `μ`, rows × latents.
    pub(crate) mean: &'a [f32],
    /// `ln σ²`, rows × latents.
    pub(crate) log_variance: &'a [f32],
    pub(crate) rows: usize,
}

impl Gaussians<'_> {
    /// `(1/rows) Σ ½(μ² + σ² − 1 − ln σ²)`, in nats: the divergence from `N(0, 1)` (Kingma and Welling
    /// 2014, appendix B).
    pub(crate) fn kl_to_normal(&self) -> f64 {
        let Self { mean, log_variance, rows } = *self;
        let scale = 1.0 / rows.max(1) as f32;
        let sum = sum::over_parts(mean.len(), |part| {
            let terms = mean[part.clone()].iter().zip(&log_variance[part]);
            let term = |(m, l): (&f32, &f32)| {
                let (m, l, v) = (f64::from(*m), f64::from(*l), f64::from(exp(*l)));
                0.5 * (m * m + v - 1.0 - l)
            };
            terms.map(term).sum()
        });
        f64::from(scale) * sum
    }

    /// Adds the gradients of `weight` times the divergence: `weight/rows · μ` by the means and
    /// `weight/rows · ½(σ² − 1)` by the logarithms of the variances.
    pub(crate) fn add_gradient(&self, weight: f32, d_mean: &mut [f32], d_log_variance: &mut [f32]) {
        assert!(d_mean.len() == self.mean.len() && d_log_variance.len() == self.mean.len());
        let scale = weight / self.rows.max(1) as f32;
        d_mean.iter_mut().zip(self.mean).for_each(|(d, m)| *d += scale * m);
        for (d, l) in d_log_variance.iter_mut().zip(self.log_variance) {
            *d += scale * 0.5 * (exp(*l) - 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;
    use crate::nn::tests::{assert_gradient, doubles, normal};

    #[test]
    fn the_absolute_sum_and_its_gradient() {
        let mut rng = Rng::new(2);
        let (rows, n) = (4, 4 * 9);
        let z = normal(n, &mut rng);
        let before = normal(n, &mut rng);
        let mut d = before.clone();
        let found = l1(&z, rows, 0.3, &mut d);
        d.iter_mut().zip(&before).for_each(|(d, b)| *d -= b);
        let f = |z: &[f64]| f64::from(0.3_f32) / 4.0 * z.iter().map(|z| z.abs()).sum::<f64>();
        assert!((found - f(&doubles(&z))).abs() < 1e-6);
        assert_gradient(&d, &z, f, "absolute sum");
        let mut d = [0.0];
        assert_eq!(l1(&[0.0], 1, 1.0, &mut d), 0.0);
        assert_eq!(d, [0.0]);
    }

    #[test]
    fn the_divergence_from_normal_and_its_gradients() {
        let mut rng = Rng::new(3);
        let (rows, n) = (4, 4 * 5);
        let (mean, log_variance) = (normal(n, &mut rng), normal(n, &mut rng));
        let (mut d_mean, mut d_log) = (vec![0.0; n], vec![0.0; n]);
        let g = Gaussians { mean: &mean, log_variance: &log_variance, rows };
        let found = 0.5 * g.kl_to_normal();
        g.add_gradient(0.5, &mut d_mean, &mut d_log);
        let f = |mean: &[f64], log: &[f64]| {
            let term = |(m, l): (&f64, &f64)| 0.5 * (m * m + l.exp() - 1.0 - l);
            0.5 / 4.0 * mean.iter().zip(log).map(term).sum::<f64>()
        };
        assert!((found - f(&doubles(&mean), &doubles(&log_variance))).abs() < 1e-5);
        assert_gradient(&d_mean, &mean, |m| f(m, &doubles(&log_variance)), "by the mean");
        assert_gradient(&d_log, &log_variance, |l| f(&doubles(&mean), l), "by the variance");
        // The normal distribution itself costs nothing.
        let normal = Gaussians { mean: &[0.0], log_variance: &[0.0], rows: 1 };
        assert_eq!(normal.kl_to_normal(), 0.0);
    }
}
