//! A network that is to be trained, and how.

use crate::kernels::activation::Activation;
use crate::nn::deadline::Deadline;
use crate::nn::objectives::bits::Distortion;

/// A network, and how it is to be trained.
#[derive(Debug, Clone)]
pub(crate) struct NetworkPlan {
    pub(crate) distortion: Distortion,
    pub(crate) latents: usize,
    /// A latent's step in residual steps.
    pub(crate) step: f32,
    /// Units of the hidden layers, from input to output.
    pub(crate) encoder: Vec<usize>,
    pub(crate) decoder: Vec<usize>,
    pub(crate) activation: Activation,
    pub(crate) decoder_activation: Activation,
    /// Passes over the rows.
    pub(crate) passes: usize,
    /// Rows of a batch.
    pub(crate) batch: usize,
    /// Peak of the learning rate.
    pub(crate) rate: f32,
    /// Row classes while training.
    pub(crate) classes: usize,
    /// Rows of the file, among which the weights' cost is shared.
    pub(crate) file_rows: f64,
    pub(crate) seed: u64,
    /// Share of the rows by which the best pass is told, where the codec is for more than these.
    pub(crate) held_out: f64,
    pub(crate) deadline: Option<Deadline>,
    /// Columns before each that may foretell its residual; empty where residuals are not looked at.
    pub(crate) neighbours: Vec<Vec<usize>>,
}

/// Multiply-adds that the other work on a number takes, about: on each column and latent for its
/// distribution, and on each hidden unit for its activation.
const WORK_OF_BITS: usize = 60;
const WORK_OF_UNIT: usize = 8;

impl NetworkPlan {
    /// Multiply-adds of a pass over `rows` rows of `width` numbers, other work counted as such:
    /// forward, backward by inputs and backward by weights.
    pub(crate) fn work(&self, width: usize, rows: usize) -> f64 {
        let path = |hidden: &[usize]| {
            let sizes: Vec<usize> = [&[self.latents][..], hidden, &[width]].concat();
            sizes.windows(2).map(|w| w[0] * w[1]).sum::<usize>() + self.latents * width
        };
        let products = 3 * (path(&self.encoder) + path(&self.decoder));
        let hidden: usize = self.encoder.iter().chain(&self.decoder).sum();
        let others = WORK_OF_BITS * (width + self.latents) + WORK_OF_UNIT * hidden;
        (products + others) as f64 * rows as f64
    }
}
