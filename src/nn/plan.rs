//! How a network is to be trained, and what comes of it.

use crate::kernels::activation::Activation;
use crate::nn::autoencoder::Autoencoder;
use std::time::Instant;

/// What errors cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Objective {
    /// What is left over is coded, with a bin of one step.
    Residual,
    /// Mean squared error of a row, summed over columns in squared steps, is driven to this.
    Error(f64),
}

/// How to train.
#[derive(Debug, Clone)]
pub(crate) struct BitsConfig {
    pub(crate) objective: Objective,
    pub(crate) latents: usize,
    /// A latent's step in residual steps.
    pub(crate) step: f32,
    pub(crate) encoder: Vec<usize>,
    pub(crate) decoder: Vec<usize>,
    pub(crate) activation: Activation,
    /// The decoder's.
    pub(crate) decoder_activation: Activation,
    pub(crate) epochs: usize,
    pub(crate) batch: usize,
    pub(crate) rate: f32,
    pub(crate) classes: usize,
    /// Rows of the file for which the weights are paid.
    pub(crate) rows: f64,
    pub(crate) seed: u64,
    /// Share of the rows by which the best pass is told, where the codec is for more than these.
    pub(crate) held_out: f64,
    /// What ends training, however far it is; until then rates fall as if it were the last step.
    pub(crate) time: Option<Time>,
}

/// Time that is given to something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    begun: Instant,
    seconds: f64,
}

impl Time {
    /// From now on.
    pub(crate) fn new(seconds: f64) -> Self {
        Self { begun: Instant::now(), seconds }
    }

    /// The share that is gone, more than 1 once all of it is.
    pub(crate) fn gone(self) -> f64 {
        if self.seconds <= 0.0 {
            return 1.0;
        }
        self.begun.elapsed().as_secs_f64() / self.seconds
    }

    /// From now on until `share` of it is gone.
    pub(crate) fn until(self, share: f64) -> Self {
        Self::new((self.seconds * share - self.begun.elapsed().as_secs_f64()).max(0.0))
    }
}

impl BitsConfig {
    /// Multiply-adds of an epoch over `rows` rows, other work counted as such.
    pub(crate) fn work(&self, width: usize, rows: usize) -> f64 {
        let path = |hidden: &[usize]| {
            let sizes: Vec<usize> = [&[self.latents][..], hidden, &[width]].concat();
            sizes.windows(2).map(|w| w[0] * w[1]).sum::<usize>() + self.latents * width
        };
        let products = 3 * (path(&self.encoder) + path(&self.decoder));
        let hidden: usize = self.encoder.iter().chain(&self.decoder).sum();
        (products + 60 * (width + self.latents) + 8 * hidden) as f64 * rows as f64
    }
}

/// What an epoch came to, in bytes per row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) latent: f64,
    pub(crate) residual: f64,
    pub(crate) weights: f64,
    /// Squared error of a row, in squared steps.
    pub(crate) error: f64,
}

impl Cost {
    /// Adds `share` of what `other` came to, but for weights.
    pub(super) fn add(&mut self, other: &Cost, share: f64) {
        self.latent += share * other.latent;
        self.residual += share * other.residual;
        self.error += share * other.error;
    }

    /// Bytes that the error is worth at `lambda` bits per squared step, where it is limited.
    pub(super) fn priced(&self, lambda: f64) -> f64 {
        if self.residual > 0.0 { 0.0 } else { lambda * self.error / 8.0 }
    }
}

/// A trained autoencoder with what it was trained under.
#[derive(Debug, Clone)]
pub(crate) struct TrainedNetwork {
    pub(crate) autoencoder: Autoencoder,
    pub(crate) cost: Cost,
    /// Bits per squared step of error at the end.
    pub(crate) lambda: f64,
    /// The latents' step in residual steps.
    pub(crate) step: f64,
}
