//! Adam (Kingma and Ba 2015, *Adam: a method for stochastic optimization*, algorithm 1).

use crate::kernels::wide::widest;
use crate::nn::sum;
use rayon::prelude::*;
use std::ops::Range;

/// Which gradients are shortened (Pascanu, Mikolov and Bengio 2013). Those that are to be and are not
/// finite are passed over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Clip {
    /// None, whatever they are.
    None,
    /// Those of a larger norm than this.
    Norm(f32),
    /// Those [`UNUSUAL`] times as long as usual, where nothing is known of how long they ought to be.
    Unusual,
}

/// How many times as long as usual a gradient may be under [`Clip::Unusual`]. (Twice as long was
/// tried for bits: files of spectra became larger.)
const UNUSUAL: f64 = 10.0;
/// The share that one gradient has in what is usual: some fifty are remembered.
const SHARE_IN_USUAL: f64 = 0.02;

/// Moments of each parameter's gradient.
///
/// `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`,
/// `θ ← θ − lr · [ (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε) + decay · θ ]`.
#[derive(Debug, Clone)]
pub(crate) struct Adam {
    pub(crate) m: Vec<f32>,
    pub(crate) v: Vec<f32>,
    /// Steps made.
    pub(crate) t: u64,
    pub(crate) beta1: f32,
    pub(crate) beta2: f32,
    pub(crate) eps: f32,
    /// Decoupled weight decay (Loshchilov and Hutter 2019), 0 for none.
    pub(crate) decay: f32,
    pub(crate) clip: Clip,
    /// The usual norm of a gradient, 0 before the first.
    usual: f64,
    /// `β₁ᵗ` and `β₂ᵗ`.
    powers: (f64, f64),
}

impl Adam {
    /// For `params` parameters, with the paper's constants.
    pub(crate) fn new(params: usize) -> Self {
        Self {
            m: vec![0.0; params],
            v: vec![0.0; params],
            t: 0,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            decay: 0.0,
            clip: Clip::None,
            usual: 0.0,
            powers: (1.0, 1.0),
        }
    }

    /// One step of size `lr`; none for a gradient that is to be clipped and is not finite. Memory
    /// is passed over once, and once more to clip.
    pub(crate) fn step(&mut self, params: &mut [f32], grads: &[f32], lr: f32) {
        if let Some(step) = self.begin(grads, lr) {
            self.update(&step, params, grads, 0..grads.len());
        }
    }

    /// Begins a step of size `lr`, of which parameters are [updated](Self::update) afterwards; none for a
    /// gradient that is to be clipped and is not finite.
    pub(super) fn begin(&mut self, grads: &[f32], lr: f32) -> Option<Constants> {
        assert!(grads.len() == self.m.len());
        let shorten = self.shorten(grads)?;
        self.t += 1;
        self.powers.0 *= f64::from(self.beta1);
        self.powers.1 *= f64::from(self.beta2);
        Some(Constants {
            beta: (self.beta1, self.beta2),
            new: (1.0 - self.beta1, 1.0 - self.beta2),
            rate: (f64::from(lr) / (1.0 - self.powers.0)) as f32,
            root: (1.0 / (1.0 - self.powers.1).sqrt()) as f32,
            eps: self.eps,
            keep: 1.0 - lr * self.decay,
            shorten,
        })
    }

    /// Makes a step of the parameters in a range.
    pub(super) fn update(
        &mut self,
        step: &Constants,
        params: &mut [f32],
        grads: &[f32],
        range: Range<usize>,
    ) {
        params[range.clone()]
            .par_chunks_mut(sum::PART)
            .zip(grads[range.clone()].par_chunks(sum::PART))
            .zip(
                self.m[range.clone()]
                    .par_chunks_mut(sum::PART)
                    .zip(self.v[range].par_chunks_mut(sum::PART)),
            )
            .with_min_len(sum::apiece(sum::PART))
            .for_each(|((params, grads), (m, v))| {
                widest(|| {
                    for (((p, g), m), v) in params.iter_mut().zip(grads).zip(m).zip(v) {
                        step.update(p, *g, m, v);
                    }
                });
            });
    }

    /// What gradients are multiplied with; none if nothing makes them finite.
    fn shorten(&mut self, grads: &[f32]) -> Option<f32> {
        if self.clip == Clip::None {
            return Some(1.0);
        }
        let norm = sum::squares(grads).sqrt();
        if !norm.is_finite() {
            return None;
        }
        let most = match self.clip {
            Clip::None => f64::INFINITY,
            Clip::Norm(most) => f64::from(most),
            Clip::Unusual => self.most_usual(norm),
        };
        Some(if norm <= most { 1.0 } else { (most / norm) as f32 })
    }

    /// The largest norm that is not unusual; `norm` has its share in what is usual from now on.
    fn most_usual(&mut self, norm: f64) -> f64 {
        if self.usual == 0.0 {
            self.usual = norm;
        }
        let most = UNUSUAL * self.usual;
        self.usual += SHARE_IN_USUAL * (norm.min(most) - self.usual);
        if most > 0.0 { f64::from(most as f32) } else { f64::INFINITY }
    }
}

/// What is the same for all parameters of a step.
#[derive(Clone, Copy)]
pub(super) struct Constants {
    beta: (f32, f32),
    new: (f32, f32),
    rate: f32,
    root: f32,
    eps: f32,
    keep: f32,
    /// What gradients are multiplied with.
    pub(super) shorten: f32,
}

impl Constants {
    #[inline(always)]
    fn update(&self, p: &mut f32, g: f32, m: &mut f32, v: &mut f32) {
        let g = g * self.shorten;
        *m = self.beta.0 * *m + self.new.0 * g;
        *v = self.beta.1 * *v + self.new.1 * (g * g);
        *p = *p * self.keep - self.rate * *m / (v.sqrt() * self.root + self.eps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_those_of_the_paper() {
        let n = 3 * sum::PART + 5;
        let start = |i: usize| ((i * 37 % 101) as f32 - 50.0) / 25.0;
        let gradient = |i: usize, t: usize| ((i * 13 + t * 7) % 29) as f32 / 10.0 - 1.4;
        let mut params: Vec<f32> = (0..n).map(start).collect();
        let mut adam = Adam::new(n);
        adam.decay = 0.1;
        adam.clip = Clip::Norm(20.0);
        let mut exact: Vec<[f64; 3]> = (0..n).map(|i| [f64::from(start(i)), 0.0, 0.0]).collect();
        for t in 1..=20 {
            let grads: Vec<f32> = (0..n).map(|i| gradient(i, t)).collect();
            let norm = grads.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
            assert!(norm > 20.0);
            let lr = 0.01 / t as f32;
            adam.step(&mut params, &grads, lr);
            for ([p, m, v], g) in exact.iter_mut().zip(&grads) {
                let g = f64::from(*g) * 20.0 / norm;
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                let step = (*m / (1.0 - 0.9_f64.powi(t as i32)))
                    / ((*v / (1.0 - 0.999_f64.powi(t as i32))).sqrt() + 1e-8);
                *p -= f64::from(lr) * (step + 0.1 * *p);
            }
        }
        for (p, [e, ..]) in params.iter().zip(&exact) {
            assert!((f64::from(*p) - e).abs() < 2e-6, "{p} {e}");
        }
    }

    #[test]
    fn what_is_far_longer_than_usual_is_clipped() {
        let mut adam = Adam::new(1);
        adam.clip = Clip::Unusual;
        for _ in 0..50 {
            assert_eq!(adam.shorten(&[2.0]), Some(1.0));
        }
        assert!((adam.shorten(&[1e6]).unwrap() - 2e-5).abs() < 1e-8);
        // One wild gradient does not make others usual.
        assert!(adam.shorten(&[1e6]).unwrap() < 3e-5);
    }

    #[test]
    fn gradients_that_are_not_finite_are_passed_over() {
        for clip in [Clip::Unusual, Clip::Norm(f32::MAX)] {
            let (mut adam, mut params) = (Adam::new(2), [1.0, 2.0]);
            adam.clip = clip;
            for bad in [f32::NAN, f32::INFINITY, -f32::INFINITY] {
                adam.step(&mut params, &[bad, 1.0], 0.1);
                assert_eq!((params, adam.t), ([1.0, 2.0], 0));
            }
            adam.step(&mut params, &[1.0, 1.0], 0.1);
            assert!((params[0] - 0.9).abs() < 1e-5 && (params[1] - 1.9).abs() < 1e-5);
        }
    }

    #[test]
    fn the_first_step_has_the_size_of_the_rate() {
        let mut params = [1.0, 1.0, 1.0];
        Adam::new(3).step(&mut params, &[1e-3, -50.0, 0.0], 0.1);
        assert!((params[0] - 0.9).abs() < 1e-5 && (params[1] - 1.1).abs() < 1e-5);
        assert_eq!(params[2], 1.0);
    }
}
