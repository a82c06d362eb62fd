//! The autoencoders of the textbooks in one objective: denoising, masked, sparse, contractive,
//! variational, and all that can be combined of them.
//!
//! For each row `x` of `W` values, with what the encoder sees of it `x̃`, latents `z` and output
//! `y`, this is made small:
//!
//! `½ Σⱼ (yⱼ − xⱼ)² + L Σₖ |zₖ| + C ‖∂z/∂x̃‖² + B · KL(N(μ, σ²) ‖ N(0, 1))`
//!
//! its mean over rows, times `2/W`, so that the first term is the mean squared error of a value.
//! Where values are hidden, the first sum is over them alone.

mod kind;
mod terms;
#[cfg(test)]
mod tests;

pub(crate) use kind::{Kind, Pair};
pub(crate) use terms::Terms;
use terms::{NoisyBatch, Work};

use crate::matrix::rng::Rng;
use crate::nn::batch::gather;
use crate::nn::parameters::Parameters;
use crate::nn::trainer::{Gradients, Objective, Position};

/// A kind in training on some rows.
#[derive(Debug)]
pub(crate) struct Textbook<'a> {
    kind: &'a Kind,
    pub(crate) pair: Pair,
    /// Rows × width.
    rows: &'a [f32],
    width: usize,
    /// The kind with what divergence costs in this pass.
    priced: Kind,
    /// Sets the noise on rows held out apart from any batch's.
    noise: u64,
    batch: Vec<f32>,
    work: Work,
}

/// The share of the passes in which the divergence comes in: slowly, or latents give up before they
/// say anything.
const DIVERGENCE_COMES_IN: f64 = 0.1;

impl<'a> Textbook<'a> {
    /// Random networks for `rows` of `width` values; `seed` is that of the noise on rows held out.
    pub(crate) fn new(
        kind: &'a Kind,
        rows: &'a [f32],
        width: usize,
        seed: u64,
        rng: &mut Rng,
    ) -> Self {
        let (pair, work) = (kind.start(width, rng), Work::default());
        let noise = seed ^ HELD_OUT;
        Self { kind, pair, rows, width, priced: kind.clone(), noise, batch: Vec::new(), work }
    }
}

/// Told from the seeds of batches, which are drawn.
const HELD_OUT: u64 = 0x0068_656c_645f_6f75;

impl Objective for Textbook<'_> {
    type Measure = Terms;

    fn rows(&self) -> usize {
        self.rows.len() / self.width.max(1)
    }

    fn networks(&mut self) -> Vec<Parameters<'_>> {
        vec![self.pair.encoder.parameters(), self.pair.decoder.parameters()]
    }

    fn begin_pass(&mut self, at: Position) {
        let passes = (DIVERGENCE_COMES_IN * at.passes as f64).max(1.0);
        let share = (at.pass as f64 / passes).max(at.time / DIVERGENCE_COMES_IN);
        self.priced = self.kind.with_divergence(share.min(1.0) as f32);
    }

    fn gradient(&mut self, batch: &[usize], rng: &mut Rng, gradients: &mut Gradients) -> Terms {
        gather(self.rows, self.width, batch, &mut self.batch);
        let batch = NoisyBatch { x: &self.batch, rows: batch.len(), seed: rng.next_u64() };
        self.work.gradient(&self.priced, &self.pair, batch, &mut gradients.networks)
    }

    fn after_step(&mut self, _: &Terms, _: f32) {
        self.kind.normalise_decoder(&mut self.pair.decoder);
    }

    fn measure(&mut self, rows: &[usize]) -> Terms {
        gather(self.rows, self.width, rows, &mut self.batch);
        let batch = NoisyBatch { x: &self.batch, rows: rows.len(), seed: self.noise };
        self.work.measure(self.kind, &self.pair, batch)
    }

    fn score(&self, terms: &Terms) -> f64 {
        terms.total()
    }
}
