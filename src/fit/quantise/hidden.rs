//! The hidden layers to integers, one after another: each is rounded for what the rounded ones before
//! it give.

use crate::container::model::{Hidden, HiddenPath};
use crate::fit::quantise::network::ObservedDecoder;
use crate::fit::quantise::rounding::LayerInputs;
use crate::fit::quantise::steps::{WeightSteps, integers, narrow, power_below, transposed, wide};
use crate::kernels::activation::Activation;
use crate::nn::autoencoder::divided;
use crate::nn::network::Network;
use crate::nn::pass::Tape;

/// Root mean square of the first layer's inputs, at most: large latents lose low bits that make no
/// difference to an activation. Half or double: the same files.
const INPUT_DEVIATION: f32 = 64.0;
/// Bits of the multiplier that brings a layer's sums to the next one's units; its error then is below
/// 1/16,384, less than an activation's last digit. 10 or 20: spectra are
/// 0.3 % and 0.4 % larger.
const MULTIPLIER_BITS: f64 = 14.0;
/// Shift that stands for an activation without negative values: it makes them −1 at most, of some
/// thousands.
const NO_LEAK: u32 = 62;

/// Hidden layers in integers.
pub(super) struct QuantisedHidden {
    /// The layers; the weights of the output are still missing.
    pub(super) path: HiddenPath,
    /// The float decoder with these layers as they are rounded.
    pub(super) decoder: Network,
}

/// Rounds all hidden layers; `x` is some rows as the network takes them.
pub(super) fn quantise_hidden(observed: &ObservedDecoder<'_>, x: &[f32]) -> QuantisedHidden {
    let mut decoder = observed.net.decoder.clone();
    let shift = |d: &f32| (d / INPUT_DEVIATION).log2().ceil().clamp(0.0, 31.0) as i64;
    let mut path = HiddenPath {
        input_shift: observed.deviation.iter().map(shift).collect(),
        ..HiddenPath::default()
    };
    let units = observed.precision.units;
    let latents = observed.net.encoder.latent.iter().zip(&path.input_shift);
    // Floats per integer of the layer's inputs.
    let mut scale: Vec<f64> =
        latents.map(|(l, s)| (*s as f64).exp2() / (f64::from(*l) * f64::from(units))).collect();
    let mut tape = Tape::default();
    for layer in 0..decoder.shape.layers.len() - 1 {
        let mut inputs = x;
        if layer > 0 {
            decoder.forward(x, observed.rows(), &mut tape);
            inputs = tape.after(layer - 1);
        }
        path.layers.push(quantise_layer(observed, &mut decoder, layer, inputs, &scale));
        scale = vec![observed.scales[layer]; decoder.shape.layers[layer].0];
    }
    QuantisedHidden { path, decoder }
}

/// Rounds one layer, in the decoder too. `inputs` is what it is given, `rows × inputs`, and `scale`
/// floats per integer of each input.
fn quantise_layer(
    observed: &ObservedDecoder<'_>,
    decoder: &mut Network,
    layer: usize,
    inputs: &[f32],
    scale: &[f64],
) -> Hidden {
    let (outputs, activation) = decoder.shape.layers[layer];
    let seen = LayerInputs::new(&divided(inputs, &narrow(scale)), scale.len());
    let (weights, bias) = (decoder.weights(layer), decoder.bias(layer));
    // Floats of the output per integer of the input.
    let mut real = wide(&decoder.params[weights.clone()]);
    real.iter_mut().enumerate().for_each(|(at, w)| *w *= scale[at / outputs]);
    let shares = real.iter().enumerate().map(|(at, w)| w * seen.deviation[at / outputs]);
    let error = root_mean_square(shares) * observed.precision.hidden;
    let steps = WeightSteps::choose(&real, &seen.deviation, error);
    let moved = seen.round(&mut real, outputs, |i, _, w| steps.round(i, w));
    // As coarse as the weights: half or double makes spectra 0.3 % and 0.7 % larger.
    let bias_step = power_below(error / steps.finest) * steps.finest;
    let rounded: Vec<f64> = decoder.params[bias.clone()]
        .iter()
        .zip(moved)
        .map(|(b, moved)| ((f64::from(*b) - moved) / bias_step).round_ties_even() * bias_step)
        .collect();
    decoder.params[bias].copy_from_slice(&narrow(&rounded));
    for (at, w) in real.iter().enumerate() {
        decoder.params[weights.start + at] = (w / scale[at / outputs]) as f32;
    }
    let ratio = steps.finest / observed.scales[layer];
    let shift = (MULTIPLIER_BITS - ratio.log2().floor()).clamp(0.0, 62.0);
    Hidden {
        weights: transposed(&integers(&real, steps.finest), outputs),
        bias: integers(&rounded, steps.finest),
        multiplier: (ratio * shift.exp2()).round() as i64,
        shift: shift as u32,
        leak: leak(activation),
        clamp: observed.clamp,
    }
}

/// Returns the binary logarithm of what an activation divides negative sums by.
fn leak(activation: Activation) -> u32 {
    match activation {
        Activation::LeakyRelu(slope) => (-f64::from(slope).log2()).round().clamp(0.0, 62.0) as u32,
        _ => NO_LEAK,
    }
}

fn root_mean_square(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len().max(1) as f64;
    (values.map(|v| v * v).sum::<f64>() / n).sqrt().max(1e-12)
}
