//! Bits of real numbers that will be rounded, under logistic distributions: the differentiable
//! form of what the entropy coder's tables cost.

use crate::kernels::math::{exp, ln};
use crate::kernels::wide::widest;
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
    derived: Derived,
}

/// What scales stand for in the formula, each `classes × columns`.
#[derive(Debug, Clone, Default)]
struct Derived {
    mean: Vec<f32>,
    /// `1/s`
    inverse: Vec<f32>,
    /// `exp(−1/s)`
    q: Vec<f32>,
    /// `−ln(1 − q)`
    start: Vec<f32>,
    /// `q / (s (1 − q))`
    slope: Vec<f32>,
}

/// The part of [`Derived`] for one class.
#[derive(Clone, Copy)]
struct Row<'a> {
    mean: &'a [f32],
    inverse: &'a [f32],
    q: &'a [f32],
    start: &'a [f32],
    slope: &'a [f32],
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
        let mut new = Self {
            classes: 1,
            columns: deviations.len(),
            params,
            centred,
            derived: Derived::default(),
        };
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
        let d = &mut self.derived;
        d.mean.clear();
        d.mean.extend_from_slice(means);
        for list in [&mut d.inverse, &mut d.q, &mut d.start, &mut d.slope] {
            list.clear();
        }
        for log in scales {
            let inverse = exp(-*log);
            let q = exp(-inverse);
            // 1 − q, by its series where that would cancel.
            let series = inverse * (1.0 - inverse * (0.5 - inverse / 6.0));
            let rest = if inverse < 0.02 { series } else { 1.0 - q };
            d.inverse.push(inverse);
            d.q.push(q);
            d.start.push(-ln(rest));
            d.slope.push(inverse * q / rest);
        }
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

    fn row(&self, class: usize) -> Row<'_> {
        let at = class * self.columns..(class + 1) * self.columns;
        let d = &self.derived;
        Row {
            mean: &d.mean[at.clone()],
            inverse: &d.inverse[at.clone()],
            q: &d.q[at.clone()],
            start: &d.start[at.clone()],
            slope: &d.slope[at],
        }
    }

    /// Nats of one row in `class`.
    pub(crate) fn nats(&self, t: &[f32], class: usize) -> f32 {
        let row = self.row(class);
        widest(|| {
            let mut sum = [0.0_f32; LANES];
            let mut first = 0;
            while first + LANES <= t.len() {
                let [t, mean, inverse, q, start] =
                    [t, row.mean, row.inverse, row.q, row.start].map(|s| lanes(s, first));
                for i in 0..LANES {
                    sum[i] += nats(t[i] - mean[i], inverse[i], q[i], start[i]);
                }
                first += LANES;
            }
            let rest = (first..t.len())
                .map(|i| nats(t[i] - row.mean[i], row.inverse[i], row.q[i], row.start[i]));
            sum.iter().sum::<f32>() + rest.sum::<f32>()
        })
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
                    *bits = widest(|| backward_row(t, row, scale, d, d_scale));
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

/// Numbers that are handled together.
const LANES: usize = 8;

#[inline(always)]
fn lanes(s: &[f32], first: usize) -> &[f32; LANES] {
    (&s[first..first + LANES]).try_into().expect("as many as asked for")
}

#[inline(always)]
fn lanes_mut(s: &mut [f32], first: usize) -> &mut [f32; LANES] {
    (&mut s[first..first + LANES]).try_into().expect("as many as asked for")
}

#[inline(always)]
fn nats(t: f32, inverse: f32, q: f32, start: f32) -> f32 {
    let z = (t.abs() - 0.5) * inverse;
    let u = exp(-z);
    z + start + ln((1.0 + u) * (1.0 + u * q))
}

/// Nats and their derivatives by `t` and by the logarithm of the scale.
#[inline(always)]
fn derivatives(t: f32, inverse: f32, q: f32, start: f32, slope: f32) -> (f32, f32, f32) {
    let z = (t.abs() - 0.5) * inverse;
    let u = exp(-z);
    let (a, b) = (1.0 + u, 1.0 + u * q);
    let (a1, b1) = (1.0 / a, 1.0 / b);
    let by_t = inverse * (a1 + b1 - 1.0) * 1.0_f32.copysign(t);
    let by_scale = (z + inverse) * (1.0 - b1) - z * a1 + slope;
    (z + start + ln(a * b), by_t, by_scale)
}

#[inline(always)]
fn backward_row(t: &[f32], row: Row<'_>, scale: f32, d: &mut [f32], d_scale: &mut [f32]) -> f32 {
    let mut sum = [0.0_f32; LANES];
    let mut first = 0;
    while first + LANES <= t.len() {
        let [t, mean, inverse, q, start, slope] =
            [t, row.mean, row.inverse, row.q, row.start, row.slope].map(|s| lanes(s, first));
        let (d, d_scale) = (lanes_mut(d, first), lanes_mut(d_scale, first));
        for i in 0..LANES {
            let (n, by_t, by_scale) =
                derivatives(t[i] - mean[i], inverse[i], q[i], start[i], slope[i]);
            sum[i] += n;
            d[i] = by_t * scale;
            d_scale[i] = by_scale * scale;
        }
        first += LANES;
    }
    for i in first..t.len() {
        let (n, by_t, by_scale) =
            derivatives(t[i] - row.mean[i], row.inverse[i], row.q[i], row.start[i], row.slope[i]);
        sum[i - first] += n;
        d[i] = by_t * scale;
        d_scale[i] = by_scale * scale;
    }
    sum.iter().sum::<f32>() * std::f32::consts::LOG2_E
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
            assert!(
                (slope - f64::from(g.d[i])).abs() < 2e-2 * slope.abs().max(0.02),
                "{i} {slope}"
            );
        }
        let mut grad = vec![0.0; l.params.len()];
        l.gather(&classes, &g, &mut grad);
        for (i, g) in grad.iter().enumerate() {
            let moved = |by: f32| {
                let mut l = l.clone();
                l.params[i] += by;
                l.changed();
                bits(&l, &t)
            };
            let slope = (moved(0.01) - moved(-0.01)) / 0.02;
            assert!((slope - f64::from(*g)).abs() < 1e-2 * slope.abs().max(0.1), "{i} {slope}");
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
