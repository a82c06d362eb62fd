//! The output to integers: the matrix of the last hidden layer's units and that of the latents, whose
//! sum it is.

use crate::container::model::ModelRecord;
use crate::fit::quantise::hidden::QuantisedHidden;
use crate::fit::quantise::linear::{fraction, gain, weight_steps};
use crate::fit::quantise::network::ObservedDecoder;
use crate::fit::quantise::rounding::LayerInputs;
use crate::fit::quantise::steps::{WeightSteps, integers, narrow, power_below, transposed, wide};
use crate::nn::autoencoder::divided;
use crate::nn::network::Network;
use crate::nn::pass::Tape;

/// Largest shift of the output's sums that the format has.
const LARGEST_GAIN: f64 = 62.0;

/// The output's weights and inputs: units of the last hidden layer, then latents.
struct OutputLayer {
    /// Number of hidden units.
    hidden: usize,
    /// Number of latents, or 0 if there is no linear path: then latents have no weights that could
    /// make up for others' rounding.
    linear: usize,
    /// Residual steps per integer of the input, `inputs × columns`.
    weights: Vec<f64>,
    /// Inputs of some rows in their integers, `rows × inputs`.
    inputs: Vec<f32>,
}

impl OutputLayer {
    /// Gathers them from the decoder, whose hidden layers are rounded already; `x` is some rows as
    /// the network takes them.
    fn new(observed: &ObservedDecoder<'_>, decoder: &Network, x: &[f32]) -> Self {
        let net = observed.net;
        let (latents, width) = (net.encoder.latent.len(), observed.columns.len());
        let last = decoder.shape.layers.len() - 1;
        let hidden = if last > 0 { decoder.shape.inputs_of(last) } else { 0 };
        let linear = if net.has_no_linear_path() { 0 } else { latents };
        // Floats per integer of each input.
        let mut scale = vec![0.0; hidden];
        let own = net.encoder.latent[..linear].iter();
        scale.extend(own.map(|l| 1.0 / (f64::from(*l) * f64::from(observed.precision.units))));
        let mut weights = Vec::new();
        let mut inputs = x.to_vec();
        if last > 0 {
            scale[..hidden].fill(observed.scales[last - 1]);
            weights = wide(&decoder.params[decoder.weights(last)]);
            let mut tape = Tape::default();
            decoder.forward(x, observed.rows(), &mut tape);
            let units = tape.after(last - 1).chunks_exact(hidden);
            let rows = units.zip(x.chunks_exact(latents));
            inputs = rows.flat_map(|(u, x)| [u, &x[..linear]].concat()).collect();
        }
        weights.extend(wide(&decoder.params[decoder.skip()][..linear * width]));
        for (at, w) in weights.iter_mut().enumerate() {
            let (i, j) = (at / width, at % width);
            let used = observed.columns[j].scale != 0.0;
            *w *= if used { f64::from(net.encoder.column[j]) * scale[i] } else { 0.0 };
        }
        let inputs = divided(&inputs, &narrow(&scale));
        Self { hidden, linear, weights, inputs }
    }
}

/// What the output's integers count.
struct OutputUnits {
    /// Steps of hidden units' weights, in residual steps of the columns of the fewest fraction bits.
    hidden: WeightSteps,
    /// Step of each latent's weights, in residual steps.
    latents: Vec<f64>,
    /// Bits of the sum below a fine unit.
    gain: u32,
    /// Least fraction bits of a column.
    least_fraction: f64,
    /// How many times finer hidden units' weights are in each column, by its fraction bits.
    finer: Vec<f64>,
    /// Integers of the sum per residual step, for each column.
    one: Vec<f64>,
}

impl OutputUnits {
    fn choose(observed: &ObservedDecoder<'_>, layer: &OutputLayer, seen: &LayerInputs) -> Self {
        let (columns, error) = (observed.columns, observed.precision.output);
        let own = narrow(&seen.deviation[layer.hidden..]);
        let own = if layer.linear > 0 { &own } else { &observed.deviation };
        let latents = weight_steps(own, error);
        let mut gain = gain(columns, &latents);
        let least_fraction = columns.iter().map(fraction).fold(f64::INFINITY, f64::min);
        let finer: Vec<f64> =
            columns.iter().map(|c| (fraction(c) - least_fraction).exp2()).collect();
        let counted = times(&layer.weights[..layer.hidden * columns.len()], &finer);
        let mut hidden = WeightSteps::choose(&counted, &seen.deviation[..layer.hidden], error);
        if layer.hidden > 0 {
            // Coarser, and the multiplier would be more than the proof of the network allows.
            hidden.limit((-least_fraction - 1.0).exp2());
            let finest = -hidden.finest.log2() - least_fraction;
            gain = gain.max(finest.clamp(0.0, LARGEST_GAIN) as u32);
        }
        let one = columns.iter().map(|c| (fraction(c) + f64::from(gain)).exp2()).collect();
        Self { hidden, latents, gain, least_fraction, finer, one }
    }

    /// Returns integers of the sum per integer of the hidden units' sum.
    fn multiplier(&self) -> i64 {
        (self.hidden.finest * (self.least_fraction + f64::from(self.gain)).exp2()) as i64
    }
}

/// Rounds the output and puts both paths into `record`; `x` is some rows as the network takes them.
pub(super) fn quantise_output(
    observed: &ObservedDecoder<'_>,
    record: &mut ModelRecord,
    quantised: QuantisedHidden,
    x: &[f32],
) {
    let QuantisedHidden { mut path, decoder } = quantised;
    let width = observed.columns.len();
    let used: Vec<bool> = observed.columns.iter().map(|c| c.scale != 0.0).collect();
    let mut layer = OutputLayer::new(observed, &decoder, x);
    let hidden = layer.hidden;
    let seen = LayerInputs::new(&layer.inputs, hidden + layer.linear);
    let units = OutputUnits::choose(observed, &layer, &seen);
    let moved = seen.round(&mut layer.weights, width, |i, j, w| {
        if !used[j] {
            0.0
        } else if i < hidden {
            units.hidden.round(i, w * units.finer[j]) / units.finer[j]
        } else {
            let step = units.latents[i - hidden].max(1.0 / units.one[j]);
            (w / step).round_ties_even() * step
        }
    });
    let bias = &decoder.params[decoder.bias(decoder.shape.layers.len() - 1)];
    for (j, (b, moved)) in bias.iter().zip(moved).enumerate() {
        let step = power_below(observed.precision.output * units.one[j]);
        let b = (f64::from(b * observed.net.encoder.column[j]) - moved) * units.one[j] / step;
        record.bias.push(if used[j] { (b.round_ties_even() * step) as i64 } else { 0 });
    }
    record.gain = units.gain;
    let (of_hidden, of_latents) = layer.weights.split_at(hidden * width);
    record.skip = integers(&times(of_latents, &units.one), 1.0);
    record.skip.resize(observed.net.encoder.latent.len() * width, 0);
    if hidden > 0 {
        path.multiplier = units.multiplier();
        let finest = units.hidden.finest;
        path.weights = transposed(&integers(&times(of_hidden, &units.finer), finest), width);
        record.hidden = Some(path);
    }
}

/// Multiplies each column of `weights` by its factor.
fn times(weights: &[f64], factors: &[f64]) -> Vec<f64> {
    weights.iter().enumerate().map(|(at, w)| w * factors[at % factors.len()]).collect()
}
