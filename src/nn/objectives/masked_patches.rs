//! Patches that are hidden, from those that are seen (He et al. 2022, *Masked autoencoders are scalable vision
//! learners*): the mean squared error of their values.

use crate::matrix::rng::Rng;
use crate::nn::batch::gather;
use crate::nn::parameters::Parameters;
use crate::nn::trainer::{Gradients, Objective};
use crate::nn::transformer::{Parts, Patches, Transformer};

/// A masked transformer in training on some rows.
#[derive(Debug)]
pub(crate) struct MaskedPatches<'a> {
    pub(crate) net: Transformer,
    /// Rows × patches × values of a patch.
    rows: &'a [f32],
    /// 1 for each value of a patch that rows have, 0 for those beyond their edges: patches × values of a patch.
    inside: &'a [f32],
    /// How many patches of a row are seen.
    seen: usize,
    /// Sets what is hidden of rows held out apart from any batch's.
    noise: u64,
    batch: Vec<f32>,
    shown: Vec<usize>,
    hidden: Vec<usize>,
    parts: Parts,
}

/// Told from the seeds of batches, which are drawn.
const HELD_OUT: u64 = 0x0068_656c_645f_6f75;

impl<'a> MaskedPatches<'a> {
    /// Trains `net` with `seen` patches of each row shown to it, others each time.
    pub(crate) fn new(
        net: Transformer,
        rows: &'a [f32],
        inside: &'a [f32],
        seen: usize,
        seed: u64,
    ) -> Self {
        let noise = seed ^ HELD_OUT;
        let (batch, shown, hidden) = (Vec::new(), Vec::new(), Vec::new());
        Self { net, rows, inside, seen, noise, batch, shown, hidden, parts: Parts::default() }
    }

    fn width(&self) -> usize {
        self.net.shape.patches * self.net.shape.patch
    }

    /// Takes some rows, and draws what is seen of each.
    fn take(&mut self, rows: &[usize], rng: &mut Rng) {
        gather(self.rows, self.width(), rows, &mut self.batch);
        self.shown.clear();
        self.hidden.clear();
        let mut order: Vec<usize> = (0..self.net.shape.patches).collect();
        for _ in rows {
            rng.shuffle(&mut order);
            self.shown.extend(&order[..self.seen]);
            self.hidden.extend(&order[self.seen..]);
        }
    }
}

impl Objective for MaskedPatches<'_> {
    /// The mean squared error of a hidden value.
    type Measure = f64;

    fn rows(&self) -> usize {
        self.rows.len() / self.width()
    }

    fn networks(&mut self) -> Vec<Parameters<'_>> {
        vec![self.net.parameters()]
    }

    fn gradient(&mut self, batch: &[usize], rng: &mut Rng, gradients: &mut Gradients) -> f64 {
        self.take(batch, rng);
        let Self { net, batch: values, shown: seen, hidden: asked, inside, parts, .. } = self;
        let patches = Patches { rows: batch.len(), values, seen, asked };
        parts.gradient(net, patches, inside, &mut gradients.networks[0])
    }

    fn measure(&mut self, rows: &[usize]) -> f64 {
        self.take(rows, &mut Rng::new(self.noise));
        let patches = Patches {
            rows: rows.len(),
            values: &self.batch,
            seen: &self.shown,
            asked: &self.hidden,
        };
        self.net.error(patches, self.inside)
    }

    fn score(&self, error: &f64) -> f64 {
        *error
    }
}
