//! Bits of real numbers that will be rounded, under logistic distributions: the differentiable
//! form of what the entropy coder's tables cost.

use crate::kernels::math::{exp, ln};
use rayon::prelude::*;

/// Scales are kept between these, in steps.
const LOG_SCALE: std::ops::Range<f32> = -3.2..12.0;
/// Rows that one task handles.
const ROWS: usize = 16;

/// A logistic distribution for each class and column.
///
/// A number `t` that is rounded to the nearest integer costs
/// `−log₂ [F((|t| + ½)/s) − F((|t| − ½)/s)]` bits, `F` the logistic function (the discretised
/// logistic of Salimans et al. 2017, *PixelCNN++*, §2.1, at any real `t`). With
/// `u = exp(−(|t| − ½)/s)` and `q = exp(−1/s)` the difference is `u(1 − q)/((1 + u)(1 + uq))`:
/// one exponential for the value and all derivatives.
#[derive(Debug, Clone)]
pub(crate) struct Likelihood {
    pub(crate) classes: usize,
    pub(crate) columns: usize,
    /// Means, then logarithms of scales: each `classes × columns`.
    pub(crate) params: Vec<f32>,
    /// Whether the means are learned; else they stay 0.
    centred: bool,
    derived: Vec<Derived>,
}

/// What a scale stands for in the formula.
#[derive(Debug, Clone, Copy, Default)]
struct Derived {
    mean: f32,
    /// `1/s`
    inverse: f32,
    /// `exp(−1/s)`
    q: f32,
    /// `−ln(1 − q)`
    start: f32,
    /// `q / (s (1 − q))`
    slope: f32,
}

/// What [`Likelihood::backward`] writes for each number, each `rows × columns`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gradients {
    /// Of the number itself.
    pub(crate) d: Vec<f32>,
    /// Of the logarithm of its scale.
    d_scale: Vec<f32>,
    /// Bits of each row.
    pub(crate) bits: Vec<f32>,
}

impl Likelihood {
    /// One class, with the given deviation of each column.
    pub(crate) fn new(deviations: &[f32], centred: bool) -> Self {
        let mut params = vec![0.0; deviations.len()];
        // A logistic distribution's deviation is π/√3 of its scale.
        params.extend(deviations.iter().map(|d| ln((d * 0.55).max(0.05))));
        let mut new =
            Self { classes: 1, columns: deviations.len(), params, centred, derived: Vec::new() };
        new.changed();
        new
    }

    /// To be called when `params` have changed.
    pub(crate) fn changed(&mut self) {
        let half = self.params.len() / 2;
        let (means, scales) = self.params.split_at_mut(half);
        if self.centred {
            means.fill(0.0);
        }
        scales.iter_mut().for_each(|s| *s = s.clamp(LOG_SCALE.start, LOG_SCALE.end));
        self.derived.clear();
        self.derived.extend(means.iter().zip(scales).map(|(&mean, &mut log)| {
            let inverse = exp(-log);
            let q = exp(-inverse);
            // 1 − q, by its series where that would cancel.
            let series = inverse * (1.0 - inverse * (0.5 - inverse / 6.0));
            let rest = if inverse < 0.02 { series } else { 1.0 - q };
            Derived { mean, inverse, q, start: -ln(rest), slope: inverse * q / rest }
        }));
    }

    /// Twice as many classes: each becomes one a little narrower and one a little wider.
    pub(crate) fn split(&mut self) {
        let half = self.params.len() / 2;
        let (means, scales) = self.params.split_at(half);
        let shifted = |by: f32| scales.iter().map(move |s| s + by);
        let scales: Vec<f32> = shifted(-0.25).chain(shifted(0.25)).collect();
        self.params = [means, means, &scales].concat();
        self.classes *= 2;
        self.changed();
    }

    fn row(&self, class: usize) -> &[Derived] {
        &self.derived[class * self.columns..(class + 1) * self.columns]
    }

    /// Nats of one row in `class`.
    pub(crate) fn nats(&self, t: &[f32], class: usize) -> f32 {
        let mut nats = [0.0_f32; 8];
        for (t, p) in t.chunks(8).zip(self.row(class).chunks(8)) {
            for ((n, t), p) in nats.iter_mut().zip(t).zip(p) {
                let z = ((t - p.mean).abs() - 0.5) * p.inverse;
                let u = exp(-z);
                *n += z + p.start + ln((1.0 + u) * (1.0 + u * p.q));
            }
        }
        nats.iter().sum()
    }

    /// Bits and their gradients for rows `t`, each in its class; `scale` times the gradients.
    pub(crate) fn backward(&self, t: &[f32], classes: &[u8], scale: f32, out: &mut Gradients) {
        out.d.resize(t.len(), 0.0);
        out.d_scale.resize(t.len(), 0.0);
        out.bits.resize(classes.len(), 0.0);
        let per_task = ROWS * self.columns;
        let scale = scale * std::f32::consts::LOG2_E;
        t.par_chunks(per_task)
            .zip(classes.par_chunks(ROWS))
            .zip(out.d.par_chunks_mut(per_task).zip(out.d_scale.par_chunks_mut(per_task)))
            .zip(out.bits.par_chunks_mut(ROWS))
            .for_each(|(((t, classes), (d, d_scale)), bits)| {
                let rows = t.chunks_exact(self.columns).zip(classes);
                let outs =
                    d.chunks_exact_mut(self.columns).zip(d_scale.chunks_exact_mut(self.columns));
                for (((t, &class), (d, d_scale)), bits) in rows.zip(outs).zip(bits) {
                    let row = self.row(usize::from(class));
                    *bits = backward_row(t, row, scale, d, d_scale);
                }
            });
    }

    /// Adds the gradient of `params` that [`Self::backward`] left, in the order of rows.
    pub(crate) fn gather(&self, classes: &[u8], from: &Gradients, grad: &mut [f32]) {
        let (means, scales) = grad.split_at_mut(self.params.len() / 2);
        let rows = from.d.chunks_exact(self.columns).zip(from.d_scale.chunks_exact(self.columns));
        for ((d, d_scale), &class) in rows.zip(classes) {
            let at = usize::from(class) * self.columns..(usize::from(class) + 1) * self.columns;
            means[at.clone()].iter_mut().zip(d).for_each(|(m, d)| *m -= d);
            scales[at].iter_mut().zip(d_scale).for_each(|(s, d)| *s += d);
        }
    }
}

fn backward_row(
    t: &[f32],
    row: &[Derived],
    scale: f32,
    d: &mut [f32],
    d_scale: &mut [f32],
) -> f32 {
    const LANES: usize = 8;
    let mut nats = [0.0_f32; LANES];
    let inputs = t.chunks(LANES).zip(row.chunks(LANES));
    let outputs = d.chunks_mut(LANES).zip(d_scale.chunks_mut(LANES));
    for ((t, row), (d, d_scale)) in inputs.zip(outputs) {
        let lanes = t.iter().zip(row).zip(d.iter_mut().zip(d_scale)).zip(&mut nats);
        for (((t, p), (d, d_scale)), nats) in lanes {
            let t = t - p.mean;
            let z = (t.abs() - 0.5) * p.inverse;
            let u = exp(-z);
            let (a, b) = (1.0 + u, 1.0 + u * p.q);
            let (a1, b1) = (1.0 / a, 1.0 / b);
            *nats += z + p.start + ln(a * b);
            // Not below 0, by how far `t` is from the mean.
            *d = p.inverse * (a1 + b1 - 1.0) * scale * 1.0_f32.copysign(t);
            *d_scale = ((z + p.inverse) * (1.0 - b1) - z * a1 + p.slope) * scale;
        }
    }
    nats.iter().sum::<f32>() * std::f32::consts::LOG2_E
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_central_differences() {
        let deviations = [0.1, 0.5, 2.0, 40.0];
        let mut l = Likelihood::new(&deviations, false);
        l.split();
        l.params.iter_mut().enumerate().for_each(|(i, p)| *p += (i % 3) as f32 * 0.07);
        l.changed();
        let t = [0.01, -0.4, 1.9, 30.0, -0.3, 0.8, -3.0, -90.0_f32];
        let classes = [1, 0];
        let bits = |l: &Likelihood, t: &[f32]| -> f64 {
            let rows = t.chunks(4).zip([1, 0]);
            rows.map(|(t, c)| f64::from(l.nats(t, c)) / std::f64::consts::LN_2).sum()
        };
        let mut g = Gradients::default();
        l.backward(&t, &classes, 1.0, &mut g);
        assert!((f64::from(g.bits.iter().sum::<f32>()) - bits(&l, &t)).abs() < 1e-4);
        for i in 0..t.len() {
            let h = 2e-2 * t[i].abs().max(0.05);
            let (mut up, mut down) = (t, t);
            up[i] += h;
            down[i] -= h;
            let slope = (bits(&l, &up) - bits(&l, &down)) / f64::from(up[i] - down[i]);
            assert!((slope - f64::from(g.d[i])).abs() < 2e-2 * slope.abs().max(0.02), "{i} {slope}");
        }
        let mut grad = vec![0.0; l.params.len()];
        l.gather(&classes, &g, &mut grad);
        for i in 0..l.params.len() {
            let moved = |by: f32| {
                let mut l = l.clone();
                l.params[i] += by;
                l.changed();
                bits(&l, &t)
            };
            let slope = (moved(0.01) - moved(-0.01)) / 0.02;
            assert!((slope - f64::from(grad[i])).abs() < 1e-2 * slope.abs().max(0.1), "{i} {slope}");
        }
    }

    #[test]
    fn probabilities_of_all_integers_add_up_to_one() {
        for deviation in [0.1, 1.0, 20.0] {
            let l = Likelihood::new(&[deviation], true);
            let sum: f64 = (-400..=400).map(|k| f64::from(-l.nats(&[k as f32], 0)).exp()).sum();
            assert!((sum - 1.0).abs() < 1e-3, "{deviation}: {sum}");
        }
    }
}
