//! A float decoder and what is known of its activations, from which integers are made.

use crate::fit::data::columns::ColumnPlan;
use crate::fit::quantise::linear::deviations;
use crate::nn::autoencoder::{Autoencoder, divided};
use crate::nn::pass::Tape;

/// Largest magnitudes of activations that are tried in turn: the fewer bits they have, the more
/// weights can be summed in 32 bits. The first has as many as is useful. Without it,
/// spectra are 0.4 % larger, ECG 0.1 %; without the second too, 0.6 % and 0.4 %.
pub(super) const CLAMPS: [i64; 4] = [8191, 2047, 511, 127];
/// Rows that activations are measured on; [`HEADROOM`] covers those of all others.
pub(super) const ROWS: usize = 8192;
/// Range of a layer's activations, in largest magnitudes seen: rows that were not looked at may have
/// larger ones, and each factor of 2 costs a bit of their precision. 0.75:
/// spectra are 1 % larger; 3: 0.4 %.
const HEADROOM: f64 = 1.5;
/// Least range of a layer's activations, in the network's floats.
const LEAST_RANGE: f32 = 1e-3;

/// How finely a network is rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Precision {
    /// Latent units per step that the latent was trained with.
    pub(crate) units: f32,
    /// States of dependent quantisation: 0 (off), 4 or 8.
    pub(crate) trellis: usize,
    /// Error of each weight of the output, times its input's own deviation, in residual steps. The
    /// own deviation is what inputs behind it do not say of an input; see `rounding`.
    pub(crate) output: f64,
    /// Error of each other weight, times its input's own deviation, relative to the root mean square
    /// of weight times deviation in its layer.
    pub(crate) hidden: f64,
    /// Bits that one squared residual step of error costs; `None` if residuals are coded, whose
    /// bits then say so.
    pub(crate) error_weight: Option<f64>,
}

/// A float decoder with its activations on some rows.
pub(super) struct ObservedDecoder<'a> {
    pub(super) net: &'a Autoencoder,
    pub(super) columns: &'a [ColumnPlan],
    pub(super) precision: &'a Precision,
    /// Root mean square of each latent, in latent units.
    pub(super) deviation: Vec<f32>,
    /// Some rows' latents, `rows × latents`, rounded, in latent units.
    pub(super) latents: Vec<f32>,
    /// Largest magnitude of an activation in integers.
    pub(super) clamp: i64,
    /// Floats per integer of each hidden layer's activations.
    pub(super) scales: Vec<f64>,
}

impl<'a> ObservedDecoder<'a> {
    /// Measures activations on some of the rows whose latents are `real`, `rows × latents`.
    pub(super) fn new(
        net: &'a Autoencoder,
        columns: &'a [ColumnPlan],
        real: &[f32],
        precision: &'a Precision,
    ) -> Self {
        let count = net.encoder.latent.len();
        let every = (real.len() / count).div_ceil(ROWS).max(1);
        let rows = real.chunks_exact(count).step_by(every);
        let mut new = Self {
            net,
            columns,
            precision,
            deviation: deviations(real, count),
            latents: rows.flatten().map(|y| y.round_ties_even()).collect(),
            clamp: 0,
            scales: Vec::new(),
        };
        new.set_clamp(CLAMPS[0]);
        new
    }

    /// Returns how many rows are looked at.
    pub(super) fn rows(&self) -> usize {
        self.latents.len() / self.net.encoder.latent.len()
    }

    /// Turns latents in latent units into what the network takes.
    pub(super) fn inputs(&self, latents: &[f32]) -> Vec<f32> {
        let scale: Vec<f32> =
            self.net.encoder.latent.iter().map(|s| s * self.precision.units).collect();
        divided(latents, &scale)
    }

    /// Sets the largest integer of activations, and by it their scales.
    pub(super) fn set_clamp(&mut self, clamp: i64) {
        let decoder = &self.net.decoder;
        let mut tape = Tape::default();
        decoder.forward(&self.inputs(&self.latents), self.rows(), &mut tape);
        let scale = |layer: usize| {
            let largest = tape.after(layer).iter().fold(LEAST_RANGE, |m, v| m.max(v.abs()));
            HEADROOM * f64::from(largest) / clamp as f64
        };
        self.scales = (0..decoder.shape.layers.len() - 1).map(scale).collect();
        self.clamp = clamp;
    }
}
