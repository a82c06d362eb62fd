//! Bits of real numbers that will be rounded, under logistic distributions: the differentiable
//! form of what the entropy coder's tables cost.

use crate::kernels::math::{exp, ln};
use crate::kernels::wide::run_wide;
use crate::nn::objectives::bits::logistic::{Backward, Nats, NatsOfEach, Row, SlopePlaces};
use rayon::prelude::*;

/// Scales are kept between these, in steps.
const LOG_SCALE: std::ops::Range<f32> = -3.2..12.0;
/// Rows that one task handles.
const ROWS: usize = 16;

/// A mixture of logistic distributions for each class and column, or one alone.
///
/// A number `t` that is rounded to the nearest integer costs
/// `−log₂ [F((|t| + ½)/s) − F((|t| − ½)/s)]` bits under one, `F` the logistic function (the
/// discretised logistic of Salimans et al. 2017, *PixelCNN++*, §2.1, at any real `t`). With
/// `u = exp(−(|t| − ½)/s)` and `q = exp(−1/s)` the difference is `u(1 − q)/((1 + u)(1 + uq))`:
/// one exponential for the value and all derivatives. Those of a mixture have one mean; their
/// derivatives are the parts' by the parts' shares in the probability.
///
/// Rows of all classes together are a mixture too, whose part is told for a row as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Likelihood {
    pub(crate) classes: usize,
    pub(crate) columns: usize,
    /// Distributions that are mixed: 1, or 2.
    parts: usize,
    /// Means, each `classes × columns`; as many logarithms of scales for each part; and of two
    /// parts, the logarithm of the first one's weight over the second's.
    pub(crate) params: Vec<f32>,
    /// Whether the means are learned; else they stay 0.
    centred: bool,
    mean: Vec<f32>,
    /// For each part.
    derived: Vec<Derived>,
    /// Weights of the first part.
    weight: Vec<f32>,
}

/// What a part's parameters stand for in the formula, each `classes × columns`.
#[derive(Debug, Clone, Default)]
struct Derived {
    /// `1/s`
    inverse: Vec<f32>,
    /// `exp(−1/s)`
    q: Vec<f32>,
    /// `−ln(1 − q)`, less the logarithm of the part's weight.
    start: Vec<f32>,
    /// `q / (s (1 − q))`
    slope: Vec<f32>,
}

/// What [`Likelihood::backward`] writes for each number, each `rows × columns`.
#[derive(Debug, Clone, Default)]
pub(crate) struct LikelihoodGradients {
    /// Of the number itself.
    pub(crate) d: Vec<f32>,
    /// Of the logarithms of the scales, one part after the other; then of the weights.
    d_params: [Vec<f32>; 3],
    /// Bits of each row.
    pub(crate) bits: Vec<f32>,
}

/// Scales of two parts at first, relative to that of one alone.
const INITIAL_SCALES: [f32; 2] = [0.6, 1.4];
/// Logarithms of weights are kept within this.
const MOST_LOG_ODDS: f32 = 6.0;

impl Likelihood {
    /// One class, with the given deviation of each column; `parts` is 1 or 2.
    pub(crate) fn new(deviations: &[f32], centred: bool, parts: usize) -> Self {
        let mut params = vec![0.0; deviations.len()];
        let apart = if parts == 1 { &[1.0][..] } else { &INITIAL_SCALES };
        for by in apart {
            // A logistic distribution's deviation is π/√3 of its scale.
            params.extend(deviations.iter().map(|d| ln((d * 0.55 * by).max(0.05))));
        }
        params.extend(std::iter::repeat_n(0.0, deviations.len() * (parts - 1)));
        let mut new = Self {
            classes: 1,
            columns: deviations.len(),
            parts,
            params,
            centred,
            mean: Vec::new(),
            derived: vec![Derived::default(); parts],
            weight: Vec::new(),
        };
        new.changed();
        new
    }

    /// To be called when `params` have changed.
    pub(crate) fn changed(&mut self) {
        let size = self.classes * self.columns;
        let (means, rest) = self.params.split_at_mut(size);
        let (scales, weights) = rest.split_at_mut(size * self.parts);
        if self.centred {
            means.fill(0.0);
        }
        scales.iter_mut().for_each(|s| *s = s.clamp(LOG_SCALE.start, LOG_SCALE.end));
        weights.iter_mut().for_each(|w| *w = w.clamp(-MOST_LOG_ODDS, MOST_LOG_ODDS));
        self.mean.clear();
        self.mean.extend_from_slice(means);
        self.weight.clear();
        self.weight.extend(weights.iter().map(|w| 1.0 / (1.0 + exp(-*w))));
        for (part, (d, scales)) in self.derived.iter_mut().zip(scales.chunks(size)).enumerate() {
            for list in [&mut d.inverse, &mut d.q, &mut d.start, &mut d.slope] {
                list.clear();
            }
            for (at, log) in scales.iter().enumerate() {
                let inverse = exp(-*log);
                let q = exp(-inverse);
                // 1 − q, by its series where that would cancel.
                let series = inverse * (1.0 - inverse * (0.5 - inverse / 6.0));
                let rest = if inverse < 0.02 { series } else { 1.0 - q };
                let share = self.weight.get(at).map_or(1.0, |w| [*w, 1.0 - w][part]);
                d.inverse.push(inverse);
                d.q.push(q);
                d.start.push(-ln(rest * share));
                d.slope.push(inverse * q / rest);
            }
        }
    }

    /// Twice as many classes: each becomes one a little narrower and one a little wider.
    pub(crate) fn split(&mut self) {
        let size = self.classes * self.columns;
        let mut params = Vec::with_capacity(2 * self.params.len());
        for (i, list) in self.params.chunks(size).enumerate() {
            let by = if (1..=self.parts).contains(&i) { 0.25 } else { 0.0 };
            params.extend(list.iter().map(|p| p - by));
            params.extend(list.iter().map(|p| p + by));
        }
        self.params = params;
        self.classes *= 2;
        self.changed();
    }

    fn row<const M: usize>(&self, class: usize) -> Row<'_, M> {
        let at = class * self.columns..(class + 1) * self.columns;
        let parts = std::array::from_fn(|m| {
            let d = &self.derived[m];
            [&d.inverse[at.clone()], &d.q[at.clone()], &d.start[at.clone()], &d.slope[at.clone()]]
        });
        let weight = if M == 1 { &[][..] } else { &self.weight[at.clone()] };
        Row { mean: &self.mean[at], parts, weight }
    }

    /// Nats of one row in `class`.
    pub(crate) fn nats(&self, t: &[f32], class: usize) -> f32 {
        match self.parts {
            1 => run_wide(Nats { row: self.row::<1>(class), t }),
            _ => run_wide(Nats { row: self.row::<2>(class), t }),
        }
    }

    /// Nats of each number of one row in `class`.
    pub(crate) fn nats_of_each(&self, t: &[f32], class: usize, out: &mut [f32]) {
        match self.parts {
            1 => run_wide(NatsOfEach { row: self.row::<1>(class), t, out }),
            _ => run_wide(NatsOfEach { row: self.row::<2>(class), t, out }),
        }
    }

    /// Bits and their gradients for rows `t`, each in its class; `scale` times the gradients.
    pub(crate) fn backward(
        &self,
        t: &[f32],
        classes: &[u8],
        scale: f32,
        out: &mut LikelihoodGradients,
    ) {
        out.d.resize(t.len(), 0.0);
        out.d_params.iter_mut().for_each(|d| d.resize(t.len(), 0.0));
        out.bits.resize(classes.len(), 0.0);
        let per_task = ROWS * self.columns;
        let scale = scale * std::f32::consts::LOG2_E;
        let [first, second, weight] = &mut out.d_params;
        let tasks = t.par_chunks(per_task).zip(classes.par_chunks(ROWS));
        let places = (out.d.par_chunks_mut(per_task), out.bits.par_chunks_mut(ROWS));
        let scales = first.par_chunks_mut(per_task).zip(second.par_chunks_mut(per_task));
        let more = scales.zip(weight.par_chunks_mut(per_task));
        tasks.zip(places.0.zip(places.1)).zip(more).for_each(
            |(((t, classes), (d, bits)), ((first, second), weight))| {
                for (i, (&class, bits)) in classes.iter().zip(bits).enumerate() {
                    let own = i * self.columns..(i + 1) * self.columns;
                    let t = &t[own.clone()];
                    let d = &mut d[own.clone()];
                    let (first, second) = (&mut first[own.clone()], &mut second[own.clone()]);
                    let class = usize::from(class);
                    *bits = match self.parts {
                        1 => {
                            let d = SlopePlaces { t: d, scales: [first], weight: &mut [] };
                            run_wide(Backward { row: self.row(class), t, scale, d })
                        }
                        _ => {
                            let (scales, weight) = ([first, second], &mut weight[own]);
                            let d = SlopePlaces { t: d, scales, weight };
                            run_wide(Backward { row: self.row(class), t, scale, d })
                        }
                    };
                }
            },
        );
    }

    /// Adds the gradient of `params` that [`Self::backward`] left, in the order of rows.
    pub(crate) fn gather(&self, classes: &[u8], from: &LikelihoodGradients, grad: &mut [f32]) {
        let size = self.classes * self.columns;
        let (means, rest) = grad.split_at_mut(size);
        let add = |list: &mut [f32], from: &[f32], sign: f32| {
            for (d, &class) in from.chunks_exact(self.columns).zip(classes) {
                let at = usize::from(class) * self.columns;
                list[at..].iter_mut().zip(d).for_each(|(g, d)| *g += sign * d);
            }
        };
        add(means, &from.d, -1.0);
        let (scales, weights) = rest.split_at_mut(size * self.parts);
        for (list, from) in scales.chunks_mut(size).zip(&from.d_params) {
            add(list, from, 1.0);
        }
        if self.parts > 1 {
            add(weights, &from.d_params[2], 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_central_differences() {
        let deviations = [0.1, 0.5, 2.0, 40.0];
        for parts in [1, 2] {
            slopes_are_differences(Likelihood::new(&deviations, false, parts));
        }
    }

    fn slopes_are_differences(mut l: Likelihood) {
        l.split();
        l.params.iter_mut().enumerate().for_each(|(i, p)| *p += (i % 3) as f32 * 0.07);
        l.changed();
        let t = [0.01, -0.4, 1.9, 30.0, -0.3, 0.8, -3.0, -90.0_f32];
        let classes = [1, 0];
        let bits = |l: &Likelihood, t: &[f32]| -> f64 {
            let rows = t.chunks(4).zip([1, 0]);
            rows.map(|(t, c)| f64::from(l.nats(t, c)) / std::f64::consts::LN_2).sum()
        };
        let mut g = LikelihoodGradients::default();
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
        for (deviation, parts) in [(0.1, 1), (1.0, 1), (20.0, 1), (0.1, 2), (1.0, 2), (20.0, 2)] {
            let l = Likelihood::new(&[deviation], true, parts);
            let sum: f64 = (-400..=400).map(|k| f64::from(-l.nats(&[k as f32], 0)).exp()).sum();
            assert!((sum - 1.0).abs() < 1e-3, "{deviation}: {sum}");
        }
    }
}
