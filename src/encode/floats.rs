//! A codec's two networks in floats: that of its encoder's record, and the integer program read
//! as numbers.

use crate::container::encoder::EncoderRecord;
use crate::container::model::ModelRecord;
use crate::kernels::activation::Activation;
use crate::nn::autoencoder::{EncoderFlags, FloatEncoder};
use crate::nn::network::{Network, Shape};

/// The functions of `format-spec/encoder.md`.
pub(crate) fn function(code: u8) -> Activation {
    match code {
        0 => Activation::Identity,
        1 => Activation::LeakyRelu(0.125),
        2 => Activation::Relu,
        3 => Activation::Tanh,
        _ => Activation::Gelu,
    }
}

/// The number of a function there.
pub(crate) fn code(f: Activation) -> u8 {
    match f {
        Activation::Identity => 0,
        Activation::LeakyRelu(_) => 1,
        Activation::Relu => 2,
        Activation::Tanh => 3,
        Activation::Gelu => 4,
    }
}

/// The encoder of `record`: rows come in in the data's units.
pub(crate) fn encoder(record: &EncoderRecord) -> FloatEncoder {
    let inputs = record.scale.len() * if record.masked { 2 } else { 1 };
    let layers = record.layers.iter().map(|&(width, code)| (width, function(code)));
    let shape = Shape { inputs, layers: layers.collect(), skip: record.skip };
    FloatEncoder {
        network: Network { shape, params: record.params.clone() },
        column: record.scale.iter().map(|s| *s as f32).collect(),
        latent: record.latent.clone(),
        flags: EncoderFlags { masked: record.masked, variational: record.variational },
    }
}

/// What its network is given for rows in the data's units. What is not finite, and what `hidden`
/// says so of by its place, counts as the column's centre, and a masked encoder is told.
#[cfg(any(feature = "apps", test))]
pub(crate) fn encoder_inputs(
    record: &EncoderRecord,
    values: &[f64],
    hidden: &dyn Fn(usize) -> bool,
) -> Vec<f32> {
    let r = record;
    let width = r.scale.len();
    let wide = width * if r.masked { 2 } else { 1 };
    let mut out = vec![0.0; values.len() / width * wide];
    let rows = out.chunks_exact_mut(wide).zip(values.chunks_exact(width));
    for (i, (out, row)) in rows.enumerate() {
        for (j, x) in row.iter().enumerate() {
            let z = ((x - r.centre[j]) / r.scale[j]) as f32;
            if !x.is_finite() || hidden(i * width + j) {
                if r.masked {
                    out[width + j] = 1.0;
                }
            } else if r.scale[j] > 0.0 && z.is_finite() {
                out[j] = z.clamp(-r.clip[j], r.clip[j]);
            }
        }
    }
    out
}

/// The integer program of `m`: `inputs` are what 1 of each input counts in a latent's integers,
/// `outputs` what 1 of each column's predictions counts in an output.
///
/// Rounding and clamps are left out: they are finer and wider than what latents of real rows
/// notice.
pub(crate) fn decoder(m: &ModelRecord, inputs: &[f64], outputs: &[f64]) -> Network {
    let (latents, width) = (m.latents(), m.width());
    let mut layers = Vec::new();
    let mut params = Vec::new();
    let gain = (-f64::from(m.gain)).exp2();
    if let Some(h) = &m.hidden {
        // What each input of a layer counts in the integers that the layer takes.
        let shifts = h.input_shift.iter().map(|s| (-(*s as f64)).exp2());
        let mut scale: Vec<f64> = inputs.iter().zip(shifts).map(|(i, s)| i * s).collect();
        for layer in &h.layers {
            let units = layer.bias.len();
            let ratio = layer.multiplier as f64 * (-f64::from(layer.shift)).exp2();
            for (i, s) in scale.iter().enumerate() {
                let own = (0..units).map(|u| layer.weights[u * scale.len() + i] as f64);
                params.extend(own.map(|w| (w * s * ratio) as f32));
            }
            params.extend(layer.bias.iter().map(|b| (*b as f64 * ratio) as f32));
            layers.push((units, Activation::LeakyRelu((-(layer.leak as f32)).exp2())));
            scale = vec![1.0; units];
        }
        let gain = gain * h.multiplier as f64;
        for i in 0..scale.len() {
            let own = outputs.iter().enumerate();
            let weight = |j: usize| h.weights[j * scale.len() + i] as f64 * gain;
            params.extend(own.map(|(j, o)| (weight(j) * o) as f32));
        }
    } else {
        params.resize(latents * width, 0.0);
    }
    layers.push((width, Activation::Identity));
    let bias = |j: usize| m.bias.get(j).map_or(0.0, |b| *b as f64);
    params.extend(outputs.iter().enumerate().map(|(j, o)| (bias(j) * gain * o) as f32));
    for (row, i) in m.skip.chunks_exact(width).zip(inputs) {
        params.extend(row.iter().zip(outputs).map(|(w, o)| (*w as f64 * gain * o * i) as f32));
    }
    Network { shape: Shape { inputs: latents, layers, skip: true }, params }
}
