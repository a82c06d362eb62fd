//! Layer by layer to integers.

use crate::container::model::{Hidden, HiddenPath, ModelRecord};
use crate::fit::quantise::linear;
use crate::fit::quantise::network::{INPUT_DEVIATION, NetworkQuantiser};
use crate::fit::quantise::rounding::Inputs;
use crate::kernels::activation::Activation;
use crate::nn::autoencoder::divided;
use crate::nn::network::Network;
use crate::nn::pass::Tape;

impl NetworkQuantiser<'_> {
    /// The hidden path but for its last matrix, and a decoder of floats that does the same; `x` is
    /// rows as the network sees them.
    pub(super) fn hidden(&self, x: &[f32]) -> (HiddenPath, Network) {
        let mut decoder = self.net.decoder.clone();
        // The first layer's inputs: large latents lose low bits that make no difference.
        let shift = |d: &f32| (d / INPUT_DEVIATION).log2().ceil().clamp(0.0, 31.0) as i64;
        let mut path = HiddenPath {
            input_shift: self.deviation.iter().map(shift).collect(),
            ..HiddenPath::default()
        };
        let units = self.precision.units;
        let own = self.net.encoder.latent.iter().zip(&path.input_shift);
        // Real input per integer.
        let mut scale: Vec<f64> =
            own.map(|(l, s)| (*s as f64).exp2() / f64::from(l * units)).collect();
        let mut tape = Tape::default();
        for layer in 0..decoder.shape.layers.len() - 1 {
            let (outputs, activation) = decoder.shape.layers[layer];
            let mut below = x;
            if layer > 0 {
                decoder.forward(x, x.len() / self.net.encoder.latent.len(), &mut tape);
                below = tape.after(layer - 1);
            }
            let seen = Inputs::new(&divided(below, &narrow(&scale)), scale.len());
            let (weights, bias) = (decoder.weights(layer), decoder.bias(layer));
            let mut real = wide(&decoder.params[weights.clone()]);
            real.iter_mut().enumerate().for_each(|(at, w)| *w *= scale[at / outputs]);
            let typical = root_mean_square(
                real.iter().enumerate().map(|(at, w)| w * seen.deviation[at / outputs]),
            );
            let error = typical * self.precision.hidden;
            let Grains { each, finest } = grains(&real, &seen.deviation, error);
            let moved = seen.round(&mut real, outputs, |i, _, w| limited(w, each[i], finest));
            let coarse = (error / finest).max(1.0).log2().floor().exp2() * finest;
            let rounded: Vec<f64> = decoder.params[bias.clone()]
                .iter()
                .zip(moved)
                .map(|(b, moved)| ((f64::from(*b) - moved) / coarse).round_ties_even() * coarse)
                .collect();
            decoder.params[bias].copy_from_slice(&narrow(&rounded));
            for (at, w) in real.iter().enumerate() {
                decoder.params[weights.start + at] = (w / scale[at / outputs]) as f32;
            }
            let next = self.scales[layer];
            let ratio = finest / next;
            let shift = (14.0 - ratio.log2().floor()).clamp(0.0, 62.0);
            path.layers.push(Hidden {
                weights: transposed(&integers(&real, finest), outputs),
                bias: integers(&rounded, finest),
                multiplier: (ratio * shift.exp2()).round() as i64,
                shift: shift as u32,
                leak: leak(activation),
                clamp: self.clamp,
            });
            scale = vec![next; outputs];
        }
        (path, decoder)
    }

    /// The matrices whose sum the output is, its bias, and the units they count in.
    pub(super) fn output(
        &self,
        record: &mut ModelRecord,
        mut path: HiddenPath,
        decoder: &Network,
        x: &[f32],
    ) {
        let (latents, width) = (self.net.encoder.latent.len(), self.columns.len());
        let last = decoder.shape.layers.len() - 1;
        let hidden = if last > 0 { decoder.shape.inputs_of(last) } else { 0 };
        // Where there is no linear path, latents have no weights that could make up for anything.
        let linear = if self.net.has_no_linear_path() { 0 } else { latents };
        // Hidden units, then latents: real input per integer, weights and rows.
        let mut scale = vec![0.0; hidden];
        let own = self.net.encoder.latent[..linear].iter();
        scale.extend(own.map(|l| 1.0 / f64::from(l * self.precision.units)));
        let mut real = Vec::new();
        let mut rows = x.to_vec();
        if last > 0 {
            scale[..hidden].fill(self.scales[last - 1]);
            real = wide(&decoder.params[decoder.weights(last)]);
            let mut tape = Tape::default();
            decoder.forward(x, x.len() / latents, &mut tape);
            let units = tape.after(last - 1).chunks_exact(hidden);
            rows = units
                .zip(x.chunks_exact(latents))
                .flat_map(|(u, x)| [u, &x[..linear]].concat())
                .collect();
        }
        real.extend(wide(&decoder.params[decoder.skip()][..linear * width]));
        let used: Vec<bool> = self.columns.iter().map(|c| c.scale != 0.0).collect();
        for (at, w) in real.iter_mut().enumerate() {
            let (i, j) = (at / width, at % width);
            *w *= if used[j] { f64::from(self.net.encoder.column[j]) * scale[i] } else { 0.0 };
        }
        let seen = Inputs::new(&divided(&rows, &narrow(&scale)), hidden + linear);
        let own = narrow(&seen.deviation[hidden..]);
        let own = if linear > 0 { &own } else { &self.deviation };
        let mut each = linear::grains(own, self.precision.output);
        record.gain = linear::gain(self.columns, &each);
        // Finer columns have finer weights from hidden units.
        let least = self.columns.iter().map(linear::fraction).fold(f64::INFINITY, f64::min);
        let finer: Vec<f64> =
            self.columns.iter().map(|c| (linear::fraction(c) - least).exp2()).collect();
        let times = |weights: &[f64], by: &[f64]| -> Vec<f64> {
            weights.iter().enumerate().map(|(at, w)| w * by[at % width]).collect()
        };
        let mut finest = 1.0;
        if last > 0 {
            let counted = times(&real[..hidden * width], &finer);
            let mut own = grains(&counted, &seen.deviation[..hidden], self.precision.output);
            // Coarser, and the multiplier would be more than the proof of the network allows.
            let most = (-least - 1.0).exp2();
            own.each.iter_mut().for_each(|g| *g = g.min(most));
            own.finest = own.finest.min(most);
            finest = own.finest;
            each.splice(0..0, own.each);
            // One unit of the sum is `finest` steps, `finest · 2^(fraction + gain)` of the output's.
            record.gain = record.gain.max((-finest.log2() - least).max(0.0) as u32);
            path.multiplier = (finest * (least + f64::from(record.gain)).exp2()) as i64;
        }
        let gain = f64::from(record.gain);
        let one: Vec<f64> =
            self.columns.iter().map(|c| (linear::fraction(c) + gain).exp2()).collect();
        let moved = seen.round(&mut real, width, |i, j, w| {
            if !used[j] {
                0.0
            } else if i < hidden {
                limited(w * finer[j], each[i], finest) / finer[j]
            } else {
                let grain = each[i].max(1.0 / one[j]);
                (w / grain).round_ties_even() * grain
            }
        });
        let bias = &decoder.params[decoder.bias(last)];
        for (j, (b, moved)) in bias.iter().zip(moved).enumerate() {
            let grain = (self.precision.output * one[j]).max(1.0).log2().floor().exp2();
            let b = (f64::from(b * self.net.encoder.column[j]) - moved) * one[j] / grain;
            record.bias.push(if used[j] { (b.round_ties_even() * grain) as i64 } else { 0 });
        }
        let (of_hidden, of_latents) = real.split_at(hidden * width);
        record.skip = integers(&times(of_latents, &one), 1.0);
        record.skip.resize(latents * width, 0);
        if last > 0 {
            path.weights = transposed(&integers(&times(of_hidden, &finer), finest), width);
            record.hidden = Some(path);
        }
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|v| *v as f32).collect()
}

/// Binary logarithm of a negative activation's divisor. A ReLU's makes them the unit −1, of some
/// thousands, and not 0.
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

/// The grain of each input's weights, a power of two, and the finest.
struct Grains {
    each: Vec<f64>,
    finest: f64,
}

/// Grains near `error / deviation` for weights of `inputs × outputs`, so that all are integers of
/// 16 bits of the finest.
fn grains(weights: &[f64], deviation: &[f64], error: f64) -> Grains {
    let largest = weights.iter().fold(0.0_f64, |m, w| m.max(w.abs()));
    let least = (largest / 16_000.0).max(1e-30).log2().ceil().exp2();
    let wanted = |d: &f64| (error / d.max(1e-3)).log2().floor().exp2();
    // An input that says next to nothing may have a grain beyond all weights; but where all of them
    // are next to nothing, they need no finer grain than others.
    let most = (2.0 * largest.max(1e-30)).log2().ceil().exp2();
    let most = most.max(deviation.iter().map(wanted).fold(f64::INFINITY, f64::min));
    let each: Vec<f64> = deviation.iter().map(|d| wanted(d).max(least).min(most)).collect();
    let finest = each.iter().copied().fold(f64::INFINITY, f64::min);
    Grains { each, finest }
}

/// To the next multiple of `grain` that is an integer of 16 bits of `finest`.
fn limited(weight: f64, grain: f64, finest: f64) -> f64 {
    let most = (32_767.0 * finest / grain).floor();
    (weight / grain).round_ties_even().clamp(-most, most) * grain
}

fn integers(weights: &[f64], finest: f64) -> Vec<i64> {
    weights.iter().map(|w| (w / finest).round_ties_even() as i64).collect()
}

/// `inputs × outputs` to `outputs × inputs`.
fn transposed(weights: &[i64], outputs: usize) -> Vec<i64> {
    let inputs = weights.len() / outputs;
    (0..weights.len()).map(|at| weights[at % inputs * outputs + at / inputs]).collect()
}
