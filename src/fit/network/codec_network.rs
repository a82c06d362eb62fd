//! A network that comes with a codec: its floats from the codec's encoder and integers.

use super::train::TrainedNetwork;
use crate::codec::units::units;
use crate::container::encoder::EncoderRecord;
use crate::container::model::ModelRecord;
use crate::encode::floats;
use crate::encode::project::Projection;
use crate::fit::data::columns::ColumnPlan;
use crate::nn::autoencoder::{Autoencoder, EncoderFlags, FloatEncoder};
use crate::nn::network::Network;
use crate::nn::objectives::bits::Cost;
use crate::nn::price::error_price;

/// Encoder and decoder of a codec.
#[derive(Debug, Clone)]
pub(crate) struct CodecNetwork {
    pub(crate) encoder: EncoderRecord,
    pub(crate) record: ModelRecord,
}

/// The encoder of a file's codec, to be kept; none for linear ones, which the model says.
pub(crate) fn encoder_record(projection: &Projection) -> Option<EncoderRecord> {
    let net = projection.network.as_ref()?;
    let columns = projection.inverse_scale.iter().zip(&net.column);
    let layers = net.network.shape.layers.iter().map(|&(width, f)| (width, floats::code(f)));
    Some(EncoderRecord {
        centre: projection.centre.clone(),
        scale: columns.map(|(i, c)| if *i > 0.0 { f64::from(*c) / i } else { 0.0 }).collect(),
        clip: projection.clip.iter().zip(&net.column).map(|(clip, c)| clip / c).collect(),
        latent: net.latent.clone(),
        layers: layers.collect(),
        skip: net.network.shape.skip,
        masked: net.flags.masked,
        variational: net.flags.variational,
        params: net.network.params.clone(),
        mixture: None,
    })
}

impl CodecNetwork {
    /// None where there is no network, or the two do not belong together.
    pub(crate) fn new(encoder: Option<&EncoderRecord>, record: &ModelRecord) -> Option<Self> {
        let encoder = encoder?;
        let fits =
            encoder.latent.len() == record.latents() && encoder.scale.len() == record.width();
        (fits && record.latents() > 0)
            .then(|| Self { encoder: encoder.clone(), record: record.clone() })
    }

    /// Latents per step of their quantiser.
    fn per_step(&self) -> f64 {
        if self.record.trellis > 0 { 2.0 } else { 1.0 }
    }

    /// Whether values can be hidden from the encoder, and whether its latents are normally
    /// distributed.
    pub(crate) fn flags(&self) -> EncoderFlags {
        EncoderFlags { masked: self.encoder.masked, variational: self.encoder.variational }
    }

    /// Whether latents reach the output through hidden layers alone.
    pub(crate) fn has_no_linear_path(&self) -> bool {
        self.record.hidden.is_some() && self.record.skip.iter().all(|w| *w == 0)
    }

    /// The network as if it had been trained on rows with these columns, some of which are
    /// `normalised`.
    pub(crate) fn trained(&self, columns: &[ColumnPlan], normalised: &[f32]) -> TrainedNetwork {
        let (e, width) = (&self.encoder, columns.len());
        // Columns that either side leaves out have no scale.
        let used = |j: usize| e.scale[j] > 0.0 && columns[j].scale > 0.0;
        let column: Vec<f32> = (0..width)
            .map(|j| if used(j) { (e.scale[j] / columns[j].scale) as f32 } else { 1.0 })
            .collect();
        // How far the columns' centre is from the codec's, in the network's units.
        let shift: Vec<f64> = (0..width)
            .map(|j| if used(j) { (columns[j].centre - e.centre[j]) / e.scale[j] } else { 0.0 })
            .collect();
        let latent = e.latent.iter().map(|l| (f64::from(*l) / self.per_step()) as f32).collect();
        let mut decoder = self.decoder();
        let last = decoder.bias(decoder.shape.layers.len() - 1);
        decoder.params[last].iter_mut().zip(&shift).for_each(|(b, s)| *b -= *s as f32);
        let mut encoder = floats::encoder(&self.encoder).network;
        move_inputs(&mut encoder, &shift);
        let flags = self.flags();
        let encoder = FloatEncoder { network: encoder, column, latent, flags };
        let autoencoder = Autoencoder { encoder, decoder };
        let step = match self.has_no_linear_path() {
            true => mean_sensitivity(&autoencoder.sensitivity(normalised)).unwrap_or(1.0),
            false => self.step(columns),
        };
        let (cost, error_price) = (Cost::default(), error_price(step));
        TrainedNetwork { autoencoder, cost, error_price, step }
    }

    /// The integer program, from the encoder network's outputs to its inputs' units.
    pub(crate) fn decoder(&self) -> Network {
        let (m, e) = (&self.record, &self.encoder);
        let latents: Vec<f64> = e.latent.iter().map(|l| f64::from(*l)).collect();
        let columns = units(m).into_iter().zip(&e.scale);
        let outputs: Vec<f64> = columns.map(|(u, s)| if *s > 0.0 { u / s } else { 0.0 }).collect();
        floats::decoder(m, &latents, &outputs)
    }

    /// The latents' step in the columns' steps: the geometric mean of what one moves.
    fn step(&self, columns: &[ColumnPlan]) -> f64 {
        let (m, width) = (&self.record, columns.len());
        let gain = (-f64::from(m.gain)).exp2() * self.per_step();
        let units = units(m);
        let mut sum = 0.0;
        for row in m.skip.chunks_exact(width) {
            let moved = (0..width).filter(|&j| columns[j].scale > 0.0);
            let squares: f64 =
                moved.map(|j| (row[j] as f64 * gain * units[j] / columns[j].scale).powi(2)).sum();
            sum += squares.max(1e-30).ln();
        }
        (sum / (2.0 * m.latents() as f64)).exp()
    }
}

/// Biases so that the network gives for `x` what it gave for `x + shift`.
fn move_inputs(net: &mut Network, shift: &[f64]) {
    let moved = |net: &Network, place: std::ops::Range<usize>, outputs: usize| -> Vec<f64> {
        let rows = net.params[place].chunks_exact(outputs).zip(shift);
        let mut sums = vec![0.0; outputs];
        for (row, s) in rows {
            sums.iter_mut().zip(row).for_each(|(sum, w)| *sum += f64::from(*w) * s);
        }
        sums
    };
    let add = |net: &mut Network, place: std::ops::Range<usize>, by: Vec<f64>| {
        net.params[place].iter_mut().zip(by).for_each(|(b, m)| *b += m as f32);
    };
    let (first, skip) = (net.weights(0), net.skip());
    let by = moved(net, first, net.shape.layers[0].0);
    add(net, net.bias(0), by);
    if skip.is_empty() {
        return;
    }
    let last = net.shape.layers.len() - 1;
    let by = moved(net, skip, net.shape.layers[last].0);
    add(net, net.bias(last), by);
}

/// The geometric mean of what latents move; none where none moves anything.
fn mean_sensitivity(moves: &[f64]) -> Option<f64> {
    let logs: Vec<f64> = moves.iter().filter(|m| **m > 0.0).map(|m| m.ln()).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}
