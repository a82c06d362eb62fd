//! A network that comes with a codec: its floats from the codec's encoder and integers.

use super::Autoencoder;
use super::fit::{Cost, Trained};
use super::kind::mean_move;
use crate::codec::encode::project::{EncoderFlags, Projection};
use crate::container::encoder::EncoderRecord;
use crate::container::model::ModelRecord;
use crate::kernels::activation::Activation;
use crate::nn::network::{Network, Shape};
use crate::train::bake::units;
use crate::train::columns::ColumnPlan;

/// Integers of an activation that count as 1.
const ONE: f64 = 1024.0;

/// Encoder and decoder of a codec.
#[derive(Debug, Clone)]
pub(crate) struct Learned {
    encoder: EncoderRecord,
    record: ModelRecord,
}

/// The encoder of a file's codec, to be kept; none for linear ones, which the model says.
pub(crate) fn encoder_record(projection: &Projection) -> Option<EncoderRecord> {
    let net = projection.network.as_ref()?;
    let columns = projection.inverse_scale.iter().zip(&net.column);
    let layers = net.network.shape.layers.iter().map(|&(width, f)| (width, code(f)));
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
    })
}

fn code(f: Activation) -> u8 {
    match f {
        Activation::Identity => 0,
        Activation::LeakyRelu(_) => 1,
        Activation::Relu => 2,
        Activation::Tanh => 3,
        Activation::Gelu => 4,
    }
}

fn function(code: u8) -> Activation {
    match code {
        0 => Activation::Identity,
        1 => Activation::LeakyRelu(0.125),
        2 => Activation::Relu,
        3 => Activation::Tanh,
        _ => Activation::Gelu,
    }
}

impl Learned {
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

    /// What the network itself gives for rows in the data's units: rows × latents, as large as
    /// they were trained to be. Values that are not finite count as the centre or, if the
    /// encoder is masked, as hidden; `hidden` says of each value whether it is, and may be empty
    /// for none. What is hidden from an encoder that is not masked counts as the centre.
    #[allow(dead_code)]
    pub(crate) fn latents(&self, values: &[f64], hidden: &[bool]) -> Vec<f32> {
        let e = &self.encoder;
        let width = e.scale.len();
        let wide = width * if e.masked { 2 } else { 1 };
        let mut inputs = vec![0.0; values.len() / width * wide];
        let rows = inputs.chunks_exact_mut(wide).zip(values.chunks_exact(width));
        for (i, (input, row)) in rows.enumerate() {
            for (j, x) in row.iter().enumerate() {
                let z = ((x - e.centre[j]) / e.scale[j]) as f32;
                if hidden.get(i * width + j).copied().unwrap_or(false) || !x.is_finite() {
                    if e.masked {
                        input[width + j] = 1.0;
                    }
                } else if e.scale[j] > 0.0 && z.is_finite() {
                    input[j] = z.clamp(-e.clip[j], e.clip[j]);
                }
            }
        }
        self.network().infer(&inputs, values.len() / width)
    }

    /// Rows in the data's units from latents as [`Self::latents`] gives them, through the
    /// decoder's integers read as numbers.
    #[allow(dead_code)]
    pub(crate) fn values(&self, latents: &[f32]) -> Vec<f64> {
        let e = &self.encoder;
        let out = self.decoder().infer(latents, latents.len() / e.latent.len());
        let rows = out.chunks_exact(e.scale.len());
        let columns = |row: &[f32]| -> Vec<f64> {
            let all = row.iter().zip(&e.scale).zip(&e.centre);
            all.map(|((x, scale), centre)| f64::from(*x) * scale + centre).collect()
        };
        rows.flat_map(columns).collect()
    }

    /// The network as if it had been trained on rows with these columns, some of which are
    /// `normalised`.
    pub(crate) fn trained(&self, columns: &[ColumnPlan], normalised: &[f32]) -> Trained {
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
        let mut encoder = self.network();
        move_inputs(&mut encoder, &shift);
        let flags = self.flags();
        let autoencoder = Autoencoder { encoder, decoder, column, latent, flags };
        let step = match self.has_no_linear_path() {
            true => mean_move(&autoencoder.moves(normalised)).unwrap_or(1.0),
            false => self.step(columns),
        };
        let lambda = 6.0 / (std::f64::consts::LN_2 * step * step);
        Trained { autoencoder, cost: Cost::default(), lambda, step }
    }

    fn network(&self) -> Network {
        let layers = self.encoder.layers.iter().map(|&(width, f)| (width, function(f))).collect();
        let inputs = self.encoder.scale.len() * if self.encoder.masked { 2 } else { 1 };
        let shape = Shape { inputs, layers, skip: self.encoder.skip };
        Network { shape, params: self.encoder.params.clone() }
    }

    /// The integer program in floats.
    fn decoder(&self) -> Network {
        let (m, e) = (&self.record, &self.encoder);
        let (latents, width) = (m.latents(), m.width());
        let hidden = m.hidden.as_ref();
        let mut layers: Vec<(usize, Activation)> = hidden
            .iter()
            .flat_map(|h| &h.layers)
            .map(|l| (l.bias.len(), Activation::LeakyRelu((-(l.leak as f32)).exp2())))
            .collect();
        layers.push((width, Activation::Identity));
        let mut params = Vec::new();
        // Real input per integer of the layer's input, for each of them.
        let mut scale: Vec<f64> = match hidden {
            Some(h) => {
                let shifts = h.input_shift.iter().map(|s| (-(*s as f64)).exp2());
                e.latent.iter().zip(shifts).map(|(l, s)| f64::from(*l) * s).collect()
            }
            None => vec![1.0; latents],
        };
        for layer in hidden.iter().flat_map(|h| &h.layers) {
            let units = layer.bias.len();
            let ratio = layer.multiplier as f64 * (-f64::from(layer.shift)).exp2() / ONE;
            for (i, s) in scale.iter().enumerate() {
                let own = (0..units).map(|u| layer.weights[u * scale.len() + i] as f64);
                params.extend(own.map(|w| (w * s * ratio) as f32));
            }
            params.extend(layer.bias.iter().map(|b| (*b as f64 * ratio) as f32));
            scale = vec![ONE; units];
        }
        let gain = (-f64::from(m.gain)).exp2();
        // From the output's units to the network's.
        let out: Vec<f64> = units(m)
            .iter()
            .zip(&e.scale)
            .map(|(u, s)| if *s > 0.0 { u * gain / s } else { 0.0 })
            .collect();
        for (i, s) in scale.iter().enumerate() {
            params.extend((0..width).map(|j| match hidden {
                Some(h) => {
                    let w = h.weights[j * scale.len() + i] as f64 * h.multiplier as f64;
                    (w * s * out[j]) as f32
                }
                None => 0.0,
            }));
        }
        params
            .extend((0..width).map(|j| m.bias.get(j).map_or(0.0, |b| (*b as f64 * out[j]) as f32)));
        for k in 0..latents {
            let own = (0..width).map(|j| m.skip[k * width + j] as f64 * out[j]);
            params.extend(own.map(|w| (w * f64::from(e.latent[k])) as f32));
        }
        Network { shape: Shape { inputs: latents, layers, skip: true }, params }
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
