//! The terms of a batch, and their gradient.

use super::kind::{Kind, Pair, add_half};
use crate::kernels::math::exp;
use crate::matrix::rng::Rng;
use crate::nn::contractive::contractive;
use crate::nn::pass::Tape;
use crate::nn::regulariser::{Gaussians, l1};
use crate::nn::sum;
use crate::nn::trainer::Measure;
use rayon::prelude::*;

/// Logarithms of variances stay within these.
const LOG_VARIANCE: (f32, f32) = (-12.0, 6.0);
/// Rows that are measured at once.
const ROWS: usize = 1024;

/// Means over rows; all but `error` with their weight, times `2/W`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Terms {
    /// Mean squared error of a value, or of a hidden one.
    pub(crate) error: f64,
    pub(crate) sparse: f64,
    pub(crate) contractive: f64,
    pub(crate) variational: f64,
    /// The divergence itself, in nats per row.
    pub(crate) kl: f64,
    /// Share of latents that are exactly 0.
    pub(crate) zeros: f64,
}

impl Terms {
    /// What is made small.
    pub(crate) fn total(&self) -> f64 {
        self.error + self.sparse + self.contractive + self.variational
    }

    /// The bound on `ln p(x)` per row of `width` values, with a decoder that gives the means of
    /// normal distributions of variance 1 in the network's units (Kingma and Welling 2014,
    /// equation 3).
    pub(crate) fn elbo(&self, width: usize) -> f64 {
        let width = width as f64;
        -0.5 * width * (self.error + (2.0 * std::f64::consts::PI).ln()) - self.kl
    }
}

impl Measure for Terms {
    fn add(&mut self, other: &Self, share: f64) {
        let pairs = [
            (&mut self.error, other.error),
            (&mut self.sparse, other.sparse),
            (&mut self.contractive, other.contractive),
            (&mut self.variational, other.variational),
            (&mut self.kl, other.kl),
            (&mut self.zeros, other.zeros),
        ];
        pairs.into_iter().for_each(|(sum, x)| *sum += share * x);
    }
}

/// Rows and the seed of the noise on them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoisyBatch<'a> {
    /// Rows × width.
    pub(crate) x: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) seed: u64,
}

/// Everything a batch needs, kept between batches.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// What the encoder sees.
    pub(super) seen: Vec<f32>,
    /// Drawn from `N(0, 1)`, one for each latent.
    pub(super) draw: Vec<f32>,
    mean: Vec<f32>,
    log_variance: Vec<f32>,
    latent: Vec<f32>,
    d_out: Vec<f32>,
    d_latent: Vec<f32>,
    d_encoder: Vec<f32>,
    encode: Tape,
    decode: Tape,
}

impl Work {
    /// The terms, and their gradients in place of what is in `grads`, for `x` with the noise of
    /// `seed`.
    pub(crate) fn gradient(
        &mut self,
        kind: &Kind,
        pair: &Pair,
        batch: NoisyBatch<'_>,
        grads: &mut [Vec<f32>],
    ) -> Terms {
        let mut terms = self.forward(kind, pair, batch);
        let NoisyBatch { x, rows, .. } = batch;
        let [encoder_grad, decoder_grad] = grads else { unreachable!("two networks") };
        let scale = 2.0 / (x.len() / rows) as f32;
        self.d_latent.resize(rows * kind.latents, 0.0);
        pair.decoder.backward(
            &self.latent,
            &mut self.decode,
            &self.d_out,
            decoder_grad,
            Some(&mut self.d_latent),
        );
        if let Some(weight) = kind.sparse {
            l1(&self.latent, rows, weight * scale, &mut self.d_latent);
        }
        let d_encoder = match kind.variational {
            None => &self.d_latent,
            Some(weight) => {
                self.through_draw(kind.latents, rows, weight * scale);
                &self.d_encoder
            }
        };
        pair.encoder.backward(&self.seen, &mut self.encode, d_encoder, encoder_grad, None);
        if let Some(weight) = kind.contractive {
            let weight = weight * scale;
            terms.contractive = match kind.variational {
                None => contractive(&pair.encoder, &self.seen, rows, weight, encoder_grad),
                // How the means follow the values.
                Some(_) => {
                    let means = kind.means(&pair.encoder);
                    let mut grad = vec![0.0; means.params.len()];
                    let penalty = contractive(&means, &self.seen, rows, weight, &mut grad);
                    add_half(&means, &grad, encoder_grad);
                    penalty
                }
            };
        }
        terms
    }

    /// The terms alone.
    pub(crate) fn measure(
        &mut self,
        kind: &Kind,
        pair: &Pair,
        NoisyBatch { x, rows, seed }: NoisyBatch<'_>,
    ) -> Terms {
        let width = x.len() / rows.max(1);
        let means = kind.contractive.map(|_| kind.means(&pair.encoder));
        let mut sums = Terms::default();
        for (part, x) in x.chunks(ROWS * width.max(1)).enumerate() {
            let n = x.len() / width;
            let seed = seed.wrapping_add((part * ROWS) as u64);
            let mut terms = self.forward(kind, pair, NoisyBatch { x, rows: n, seed });
            if let (Some(weight), Some(means)) = (kind.contractive, &means) {
                let mut unused = vec![0.0; means.params.len()];
                let weight = weight * 2.0 / width as f32;
                terms.contractive = contractive(means, &self.seen, n, weight, &mut unused);
            }
            sums.add(&terms, n as f64 / rows as f64);
        }
        sums
    }

    /// Output and terms, all but the contractive one; leaves the error's gradient in `d_out`.
    fn forward(
        &mut self,
        kind: &Kind,
        pair: &Pair,
        NoisyBatch { x, rows, seed }: NoisyBatch<'_>,
    ) -> Terms {
        let mut terms = Terms::default();
        let width = x.len() / rows.max(1);
        let scale = 2.0 / width as f64;
        kind.corruption.apply(x, rows, seed, &mut self.seen);
        let coded = pair.encoder.forward(&self.seen, rows, &mut self.encode);
        self.latent.clear();
        if let Some(weight) = kind.variational {
            split(coded, kind.latents, &mut self.mean, &mut self.log_variance);
            drawn(rows, kind.latents, !seed, &mut self.draw);
            let pairs = self.mean.iter().zip(&self.log_variance).zip(&self.draw);
            self.latent.extend(pairs.map(|((m, l), e)| m + exp(0.5 * l) * e));
            terms.kl = self.gaussians(rows).kl_to_normal();
            terms.variational = f64::from(weight) * scale * terms.kl;
        } else {
            self.latent.extend_from_slice(coded);
        }
        if let Some(weight) = kind.sparse {
            let size: f64 = self.latent.iter().map(|z| f64::from(z.abs())).sum();
            terms.sparse = f64::from(weight) * scale * size / rows as f64;
        }
        let zeros = self.latent.iter().filter(|z| **z == 0.0).count();
        terms.zeros = zeros as f64 / self.latent.len().max(1) as f64;
        let out = pair.decoder.forward(&self.latent, rows, &mut self.decode);
        let hidden = kind.corruption.masks.is_some().then_some(&self.seen[..]);
        terms.error = squared(out, x, hidden, width, &mut self.d_out);
        terms
    }

    fn gaussians(&self, rows: usize) -> Gaussians<'_> {
        Gaussians { mean: &self.mean, log_variance: &self.log_variance, rows }
    }

    /// From `d_latent` to the encoder's outputs, past the draw (Kingma and Welling 2014,
    /// section 2.4), with the divergence.
    fn through_draw(&mut self, latents: usize, rows: usize, weight: f32) {
        let mut d_mean = self.d_latent.clone();
        let mut d_log: Vec<f32> = (0..d_mean.len())
            .map(|i| d_mean[i] * 0.5 * exp(0.5 * self.log_variance[i]) * self.draw[i])
            .collect();
        self.gaussians(rows).add_gradient(weight, &mut d_mean, &mut d_log);
        // At its ends the variance no longer follows.
        for (d, l) in d_log.iter_mut().zip(&self.log_variance) {
            let stuck = (*l <= LOG_VARIANCE.0 && *d > 0.0) || (*l >= LOG_VARIANCE.1 && *d < 0.0);
            if stuck {
                *d = 0.0;
            }
        }
        self.d_encoder.clear();
        for (mean, log) in d_mean.chunks_exact(latents).zip(d_log.chunks_exact(latents)) {
            self.d_encoder.extend_from_slice(mean);
            self.d_encoder.extend_from_slice(log);
        }
    }
}

/// Mean squared error of values, of those hidden if there are such; its gradient to `d`.
fn squared(out: &[f32], x: &[f32], seen: Option<&[f32]>, width: usize, d: &mut Vec<f32>) -> f64 {
    const LINES: usize = 64;
    d.resize(out.len(), 0.0);
    let flags = |i: usize| seen.map(|s| &s[(2 * i + 1) * width..(2 * i + 2) * width]);
    d.par_chunks_mut(LINES * width).enumerate().for_each(|(part, d)| {
        for (i, d) in d.chunks_exact_mut(width).enumerate() {
            let i = part * LINES + i;
            let own = i * width..(i + 1) * width;
            let pairs = out[own.clone()].iter().zip(&x[own]);
            d.iter_mut().zip(pairs).for_each(|(d, (o, x))| *d = o - x);
            if let Some(flags) = flags(i) {
                d.iter_mut().zip(flags).for_each(|(d, hidden)| *d *= hidden);
            }
        }
    });
    let count = match seen {
        Some(_) => {
            let rows = out.len() / width.max(1);
            (0..rows).filter_map(flags).flatten().filter(|f| **f > 0.0).count().max(1)
        }
        None => out.len(),
    };
    let square = sum::squares(d);
    let scale = 2.0 / count as f32;
    d.par_chunks_mut(sum::PART).for_each(|d| d.iter_mut().for_each(|d| *d *= scale));
    square / count as f64
}

/// Numbers of `N(0, 1)`, each row's from its own place in `seed`'s.
fn drawn(rows: usize, latents: usize, seed: u64, out: &mut Vec<f32>) {
    out.resize(rows * latents, 0.0);
    out.par_chunks_mut(latents.max(1)).enumerate().for_each(|(i, out)| {
        let mut rng = Rng::new(seed.wrapping_sub(i as u64));
        out.iter_mut().for_each(|e| *e = rng.normal());
    });
}

/// Means and logarithms of variances.
fn split(coded: &[f32], latents: usize, mean: &mut Vec<f32>, log_variance: &mut Vec<f32>) {
    mean.clear();
    log_variance.clear();
    for row in coded.chunks_exact(2 * latents) {
        mean.extend_from_slice(&row[..latents]);
        let kept = row[latents..].iter().map(|l| l.clamp(LOG_VARIANCE.0, LOG_VARIANCE.1));
        log_variance.extend(kept);
    }
}
