//! The float decoder to the integer program of the format.

use crate::container::model::ModelRecord;
use crate::fit::assemble::Prepared;
use crate::fit::data::columns::ColumnPlan;
use crate::fit::entropy::bits::slope;
use crate::fit::linear::normaliser;
use crate::fit::quantise::linear;
use crate::nn::autoencoder::{Autoencoder, divided};
use crate::nn::pass::Tape;
use std::sync::Arc;

/// Largest magnitudes of activations that are tried: the fewer bits, the more weights can be
/// summed.
const CLAMPS: [i64; 4] = [8191, 2047, 511, 127];
/// Rows that activations are measured on.
const ROWS: usize = 8192;
/// Deviations of the first layer's inputs stay below this.
pub(super) const INPUT_DEVIATION: f32 = 64.0;

/// How finely to round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Precision {
    /// Units of a latent's integer per step it was trained with.
    pub(crate) units: f32,
    /// States of dependent quantisation: 0, 4 or 8.
    pub(crate) trellis: usize,
    /// Error of a weight of the output, times what its input deviates from what those behind it
    /// say of it, in residual steps.
    pub(crate) output: f64,
    /// The same of the other weights, relative to the root mean square of their layer.
    pub(crate) hidden: f64,
    /// Bits per squared step of error; without it, what the residual costs decides.
    pub(crate) error_weight: Option<f64>,
}

/// Bakes the decoder, and brings both to what the search can complete.
pub(crate) fn prepare(
    net: &Autoencoder,
    columns: &[ColumnPlan],
    normalised: &[f32],
    precision: &Precision,
) -> Prepared {
    let mut projection = normaliser(columns);
    projection.latents = net.encoder.latent.len();
    projection.network = Some(Arc::new(net.encoder.in_units(precision.units)));
    let real = projection.project(normalised);
    let mut baker = NetworkQuantiser::new(net, columns, &real, precision);
    let mut record = baker.record(&real);
    for clamp in CLAMPS.into_iter().skip(1) {
        // Whoever reads the file asks for the same proof.
        if crate::codec::network::IntegerNetwork::new(&record).is_ok() {
            break;
        }
        baker.clamp = clamp;
        baker.measure();
        record = baker.record(&real);
    }
    let slopes = baker.slopes(normalised);
    let weight = baker.error_weights(&slopes);
    let slopes = Some(slopes.iter().map(|s| *s as f32).collect());
    Prepared { projection, record, real, weight, slopes }
}

/// A decoder on some rows.
pub(super) struct NetworkQuantiser<'a> {
    pub(super) net: &'a Autoencoder,
    pub(super) columns: &'a [ColumnPlan],
    pub(super) precision: &'a Precision,
    /// Deviation of each latent in its integer's units.
    pub(super) deviation: Vec<f32>,
    /// Some rows' latents, rounded.
    pub(super) latents: Vec<f32>,
    /// Largest magnitude of an activation.
    pub(super) clamp: i64,
    /// Scale of each layer's activations: real per integer.
    pub(super) scales: Vec<f64>,
}

impl<'a> NetworkQuantiser<'a> {
    fn new(
        net: &'a Autoencoder,
        columns: &'a [ColumnPlan],
        real: &[f32],
        precision: &'a Precision,
    ) -> Self {
        let count = net.encoder.latent.len();
        let every = (real.len() / count).div_ceil(ROWS).max(1);
        let latents: Vec<f32> = real
            .chunks_exact(count)
            .step_by(every)
            .flatten()
            .map(|y| y.round_ties_even())
            .collect();
        let mut new = Self {
            net,
            columns,
            precision,
            deviation: linear::deviations(real, count),
            latents,
            clamp: CLAMPS[0],
            scales: Vec::new(),
        };
        new.measure();
        new
    }

    /// Latents as the network sees them.
    fn inputs(&self, latents: &[f32]) -> Vec<f32> {
        let scale: Vec<f32> =
            self.net.encoder.latent.iter().map(|s| s * self.precision.units).collect();
        divided(latents, &scale)
    }

    /// Ranges of the activations.
    fn measure(&mut self) {
        let decoder = &self.net.decoder;
        let rows = self.latents.len() / self.net.encoder.latent.len();
        let mut tape = Tape::default();
        decoder.forward(&self.inputs(&self.latents), rows, &mut tape);
        self.scales.clear();
        for layer in 0..decoder.shape.layers.len() - 1 {
            let largest = tape.after(layer).iter().fold(1e-3_f32, |m, v| m.max(v.abs()));
            // Half as much again for rows that were not looked at.
            self.scales.push(1.5 * f64::from(largest) / self.clamp as f64);
        }
    }

    fn record(&self, real: &[f32]) -> ModelRecord {
        let mut record = linear::frame(self.columns);
        record.trellis = self.precision.trellis;
        let x = self.inputs(&self.latents);
        let (path, decoder) = self.hidden(&x);
        self.output(&mut record, path, &decoder, &x);
        linear::clamps(&mut record, real, &self.deviation);
        record
    }

    /// Bits per squared unit of each latent's error: `Σⱼ bitsⱼ · (∂xⱼ/∂yₖ)²`, the mean over some
    /// rows, by differences.
    fn error_weights(&self, slopes: &[f64]) -> Vec<f32> {
        let (latents, width) = (self.net.encoder.latent.len(), self.columns.len());
        let every = (self.latents.len() / latents).div_ceil(256).max(1);
        let rows: Vec<f32> =
            self.latents.chunks_exact(latents).step_by(every).flatten().copied().collect();
        let n = rows.len() / latents;
        let base = self.net.decoder.infer(&self.inputs(&rows), n);
        let weights: Vec<f32> = self
            .net
            .encoder
            .column
            .iter()
            .zip(slopes)
            .map(|(s, slope)| (f64::from(*s).powi(2) * slope) as f32)
            .collect();
        (0..latents)
            .map(|k| {
                let mut moved = rows.clone();
                moved.iter_mut().skip(k).step_by(latents).for_each(|y| *y += 1.0);
                let out = self.net.decoder.infer(&self.inputs(&moved), n);
                let mut sum = 0.0_f64;
                for (a, b) in out.chunks_exact(width).zip(base.chunks_exact(width)) {
                    let columns = a.iter().zip(b).zip(&weights);
                    sum += f64::from(columns.map(|((a, b), w)| (a - b) * (a - b) * w).sum::<f32>());
                }
                ((sum / n as f64) as f32).max(1e-3)
            })
            .collect()
    }

    /// Bits per squared step of error in each column.
    fn slopes(&self, normalised: &[f32]) -> Vec<f64> {
        let width = self.columns.len();
        if let Some(weight) = self.precision.error_weight {
            return vec![weight; width];
        }
        let latents = self.net.encoder.latent.len();
        let n = self.latents.len() / latents;
        let every = (normalised.len() / width).div_ceil(ROWS).max(1);
        let out = self.net.decoder.infer(&self.inputs(&self.latents), n);
        let mut squares = vec![0.0_f64; width];
        let rows = normalised.chunks_exact(width).step_by(every).zip(out.chunks_exact(width));
        for (x, p) in rows {
            let columns = squares.iter_mut().zip(x.iter().zip(p)).zip(&self.net.encoder.column);
            columns.for_each(|((q, (x, p)), s)| *q += f64::from(x - p * s).powi(2));
        }
        squares.iter().map(|q| slope(q / n as f64)).collect()
    }
}
