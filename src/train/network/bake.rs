//! The float decoder to the integer program of the format.

use super::Autoencoder;
use crate::codec::encode::project::EncoderNetwork;
use crate::container::model::{Hidden, HiddenPath, ModelRecord};
use crate::kernels::activation::Activation;
use crate::nn::network::Tape;
use crate::train::assemble::Prepared;
use crate::train::bake;
use crate::train::bits::slope;
use crate::train::columns::ColumnPlan;
use crate::train::linear::normaliser;
use std::sync::Arc;

/// Largest magnitudes of activations that are tried: the fewer bits, the more weights can be
/// summed.
const CLAMPS: [i64; 4] = [8191, 2047, 511, 127];
/// Rows that activations are measured on.
const ROWS: usize = 2048;
/// Deviations of the first layer's inputs stay below this.
const INPUT_DEVIATION: f32 = 64.0;

/// How finely to round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Precision {
    /// Units of a latent's integer per step it was trained with.
    pub(crate) units: f32,
    /// States of dependent quantisation: 0, 4 or 8.
    pub(crate) trellis: usize,
    /// Error of a weight of the output, times its input's deviation, in residual steps.
    pub(crate) output: f64,
    /// Resolution of the other weights, relative to their layer's root mean square.
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
    projection.latents = net.latent.len();
    projection.network = Some(Arc::new(EncoderNetwork {
        network: net.encoder.clone(),
        column: net.column.clone(),
        latent: net.latent.iter().map(|s| s * precision.units).collect(),
        flags: net.flags,
    }));
    let real = projection.project(normalised);
    let mut baker = Baker::new(net, columns, &real, precision);
    let mut record = baker.record(&real);
    for clamp in CLAMPS.into_iter().skip(1) {
        // Whoever reads the file asks for the same proof.
        if crate::codec::network::Network::new(&record).is_ok() {
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
struct Baker<'a> {
    net: &'a Autoencoder,
    columns: &'a [ColumnPlan],
    precision: &'a Precision,
    /// Deviation of each latent in its integer's units.
    deviation: Vec<f32>,
    /// Some rows' latents, rounded.
    latents: Vec<f32>,
    /// Largest magnitude of an activation.
    clamp: i64,
    /// Scale of each layer's activations: real per integer.
    scales: Vec<f64>,
    /// Root mean square of each unit's activation, in its integer's units.
    spread: Vec<Vec<f32>>,
}

impl<'a> Baker<'a> {
    fn new(
        net: &'a Autoencoder,
        columns: &'a [ColumnPlan],
        real: &[f32],
        precision: &'a Precision,
    ) -> Self {
        let count = net.latent.len();
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
            deviation: bake::deviations(real, count),
            latents,
            clamp: CLAMPS[0],
            scales: Vec::new(),
            spread: Vec::new(),
        };
        new.measure();
        new
    }

    /// Latents as the network sees them.
    fn inputs(&self, latents: &[f32]) -> Vec<f32> {
        let mut out = latents.to_vec();
        for row in out.chunks_exact_mut(self.net.latent.len()) {
            let scale = self.net.latent.iter().map(|s| s * self.precision.units);
            row.iter_mut().zip(scale).for_each(|(y, s)| *y /= s);
        }
        out
    }

    /// Ranges of the activations.
    fn measure(&mut self) {
        let decoder = &self.net.decoder;
        let rows = self.latents.len() / self.net.latent.len();
        let mut tape = Tape::default();
        decoder.forward(&self.inputs(&self.latents), rows, &mut tape);
        self.spread.clear();
        self.scales.clear();
        for layer in 0..decoder.shape.layers.len() - 1 {
            let (values, width) = (tape.after(layer), decoder.shape.layers[layer].0);
            let largest = values.iter().fold(1e-3_f32, |m, v| m.max(v.abs()));
            // Half as much again for rows that were not looked at.
            let scale = 1.5 * f64::from(largest) / self.clamp as f64;
            let mut squares = vec![0.0_f64; width];
            for row in values.chunks_exact(width) {
                squares.iter_mut().zip(row).for_each(|(s, v)| *s += f64::from(*v).powi(2));
            }
            let spread = squares.iter().map(|s| ((s / rows as f64).sqrt() / scale) as f32);
            self.spread.push(spread.collect());
            self.scales.push(scale);
        }
    }

    fn record(&self, real: &[f32]) -> ModelRecord {
        let net = self.net;
        let (latents, width) = (net.latent.len(), self.columns.len());
        let mut record = bake::frame(self.columns);
        record.trellis = self.precision.trellis;
        let grains = bake::grains(&self.deviation, self.precision.output);
        record.gain = bake::gain(self.columns, &grains);
        let hidden = self.hidden(&mut record);
        let skip = &net.decoder.params[net.decoder.skip()];
        let matrix: Vec<f32> = (0..latents * width)
            .map(|at| {
                let (k, j) = (at / width, at % width);
                skip[at] * net.column[j] / (net.latent[k] * self.precision.units)
            })
            .collect();
        bake::skip(&mut record, self.columns, &matrix, &grains);
        bake::clamps(&mut record, real, &self.deviation);
        record.hidden = hidden;
        self.bias(&mut record);
        record
    }

    fn bias(&self, record: &mut ModelRecord) {
        let decoder = &self.net.decoder;
        let bias = &decoder.params[decoder.bias(decoder.shape.layers.len() - 1)];
        for ((b, s), column) in bias.iter().zip(&self.net.column).zip(self.columns) {
            let one = (bake::fraction(column) + f64::from(record.gain)).exp2();
            let grain = (self.precision.output * one).max(1.0).log2().floor().exp2();
            let b = f64::from(b * s) * one / grain;
            let b = if column.scale == 0.0 { 0.0 } else { b.round_ties_even() * grain };
            record.bias.push(b as i64);
        }
    }

    /// The hidden path, unless there is none; may raise `record.gain`.
    fn hidden(&self, record: &mut ModelRecord) -> Option<HiddenPath> {
        let decoder = &self.net.decoder;
        let last = decoder.shape.layers.len() - 1;
        if last == 0 {
            return None;
        }
        let units = self.precision.units;
        // The first layer's inputs: large latents lose low bits that make no difference.
        let shift = |d: &f32| (d / INPUT_DEVIATION).log2().ceil().clamp(0.0, 31.0) as i64;
        let mut path = HiddenPath {
            input_shift: self.deviation.iter().map(shift).collect(),
            ..HiddenPath::default()
        };
        let shrunk = self.deviation.iter().zip(&path.input_shift);
        let mut spread: Vec<f32> = shrunk.map(|(d, s)| d / (*s as f32).exp2()).collect();
        // Real input per integer.
        let mut scale: Vec<f64> = self
            .net
            .latent
            .iter()
            .zip(&path.input_shift)
            .map(|(l, s)| (*s as f64).exp2() / f64::from(l * units))
            .collect();
        for layer in 0..last {
            let (outputs, activation) = decoder.shape.layers[layer];
            let weights = &decoder.params[decoder.weights(layer)];
            let real: Vec<f64> =
                (0..weights.len()).map(|at| f64::from(weights[at]) * scale[at / outputs]).collect();
            let typical = root_mean_square(
                real.iter().enumerate().map(|(at, w)| w * f64::from(spread[at / outputs])),
            );
            let (integers, grain) =
                rounded(&real, &spread, outputs, typical * self.precision.hidden);
            let next = self.scales[layer];
            let ratio = grain / next;
            let shift = (14.0 - ratio.log2().floor()).clamp(0.0, 62.0);
            let bias = &decoder.params[decoder.bias(layer)];
            let coarse = (typical * self.precision.hidden / grain).max(1.0).log2().floor().exp2();
            let rounded_bias = bias
                .iter()
                .map(|b| ((f64::from(*b) / grain / coarse).round_ties_even() * coarse) as i64);
            path.layers.push(Hidden {
                weights: transposed(&integers, outputs),
                bias: rounded_bias.collect(),
                multiplier: (ratio * shift.exp2()).round() as i64,
                shift: shift as u32,
                leak: leak(activation),
                clamp: self.clamp,
            });
            spread.clone_from(&self.spread[layer]);
            scale = vec![next; outputs];
        }
        self.output(record, &mut path, &spread, &scale);
        Some(path)
    }

    /// The hidden path's last matrix, in residual steps per integer of its input.
    fn output(
        &self,
        record: &mut ModelRecord,
        path: &mut HiddenPath,
        spread: &[f32],
        scale: &[f64],
    ) {
        let decoder = &self.net.decoder;
        let width = self.columns.len();
        let weights = &decoder.params[decoder.weights(decoder.shape.layers.len() - 1)];
        let least = self.columns.iter().map(bake::fraction).fold(f64::INFINITY, f64::min);
        let finer = |j: usize| bake::fraction(&self.columns[j]) - least;
        let used = |j: usize| f64::from(u8::from(self.columns[j].scale != 0.0));
        let real: Vec<f64> = (0..weights.len())
            .map(|at| {
                let (u, j) = (at / width, at % width);
                f64::from(weights[at] * self.net.column[j]) * scale[u] * finer(j).exp2() * used(j)
            })
            .collect();
        let (integers, grain) = rounded(&real, spread, width, self.precision.output);
        path.weights = transposed(&integers, width);
        // One unit of the sum is `grain` steps, `grain · 2^(fraction + gain)` of the output's.
        record.gain = record.gain.max((-grain.log2() - least).max(0.0) as u32);
        path.multiplier = (grain * (least + f64::from(record.gain)).exp2()) as i64;
    }

    /// Bits per squared unit of each latent's error: `Σⱼ bitsⱼ · (∂xⱼ/∂yₖ)²`, the mean over some
    /// rows, by differences.
    fn error_weights(&self, slopes: &[f64]) -> Vec<f32> {
        let (latents, width) = (self.net.latent.len(), self.columns.len());
        let every = (self.latents.len() / latents).div_ceil(256).max(1);
        let rows: Vec<f32> =
            self.latents.chunks_exact(latents).step_by(every).flatten().copied().collect();
        let n = rows.len() / latents;
        let base = self.net.decoder.infer(&self.inputs(&rows), n);
        let weights: Vec<f32> = self
            .net
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
        let latents = self.net.latent.len();
        let n = self.latents.len() / latents;
        let every = (normalised.len() / width).div_ceil(ROWS).max(1);
        let out = self.net.decoder.infer(&self.inputs(&self.latents), n);
        let mut squares = vec![0.0_f64; width];
        let rows = normalised.chunks_exact(width).step_by(every).zip(out.chunks_exact(width));
        for (x, p) in rows {
            let columns = squares.iter_mut().zip(x.iter().zip(p)).zip(&self.net.column);
            columns.for_each(|((q, (x, p)), s)| *q += f64::from(x - p * s).powi(2));
        }
        squares.iter().map(|q| slope(q / n as f64)).collect()
    }
}

/// Binary logarithm of a negative activation's divisor.
fn leak(activation: Activation) -> u32 {
    match activation {
        Activation::LeakyRelu(slope) => (-f64::from(slope).log2()).round().clamp(0.0, 62.0) as u32,
        _ => 62,
    }
}

fn root_mean_square(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len().max(1) as f64;
    (values.map(|v| v * v).sum::<f64>() / n).sqrt().max(1e-12)
}

/// Weights of `inputs × outputs` to multiples of a grain for each input, a power of two near
/// `error / spread`, all as integers of the finest grain, which is given back.
fn rounded(weights: &[f64], spread: &[f32], outputs: usize, error: f64) -> (Vec<i64>, f64) {
    let mut grains: Vec<f64> =
        spread.iter().map(|s| (error / f64::from(*s).max(1e-3)).log2().floor().exp2()).collect();
    let largest = weights.iter().fold(0.0_f64, |m, w| m.max(w.abs()));
    // Integers are of 16 bits.
    let least = (largest / 32_000.0).max(1e-30).log2().ceil().exp2();
    grains.iter_mut().for_each(|g| *g = g.max(least));
    // An input that says next to nothing may have a grain beyond all weights.
    let most = (2.0 * largest.max(1e-30)).log2().ceil().exp2();
    grains.iter_mut().for_each(|g| *g = g.min(most));
    let finest = grains.iter().copied().fold(f64::INFINITY, f64::min);
    let integers = weights
        .iter()
        .enumerate()
        .map(|(at, w)| {
            let grain = grains[at / outputs];
            ((w / grain).round_ties_even() * (grain / finest)) as i64
        })
        .collect();
    (integers, finest)
}

/// `inputs × outputs` to `outputs × inputs`.
fn transposed(weights: &[i64], outputs: usize) -> Vec<i64> {
    let inputs = weights.len() / outputs;
    (0..weights.len()).map(|at| weights[at % inputs * outputs + at / inputs]).collect()
}
