//! The encoder of every codec in the same form, a network in floats: of a network's codec the one
//! that is stored with it, of a linear codec one made from its decoder.

use crate::codec::units::units;
use crate::container::encoder::EncoderRecord;
use crate::container::model::{ModelRecord, Value};
use crate::encode::floats;
use crate::error::{Error, Result};
use crate::linalg::pseudo_inverse;
use crate::nn::autoencoder::FloatEncoder;

/// The share by which squared lengths of a linear codec's directions are taken to be larger, so that
/// one that is a sum of others gets small latents: far above the rounding of `f64`, far below what
/// latents of real rows notice.
const RIDGE: f64 = 1e-9;

/// Maps values to latents, in the integer program's units.
#[derive(Debug, Clone)]
pub(crate) struct CodecEncoder {
    pub(crate) record: EncoderRecord,
    /// What the record says, ready to run.
    pub(crate) floats: FloatEncoder,
}

impl CodecEncoder {
    /// The encoder of a record.
    pub(crate) fn new(record: EncoderRecord) -> Self {
        Self { floats: floats::encoder(&record), record }
    }

    /// The encoder of a linear codec: it finds the latents whose prediction is nearest to a row,
    /// in steps of each column. That is `y = (V·Vᵀ)⁻¹·V·x` for the rows `V` of the decoder's
    /// matrix. `origin` is the value of each column where the prediction is 0.
    pub(crate) fn linear(m: &ModelRecord, origin: &[f64]) -> Result<Self> {
        let (latents, width) = (m.latents(), m.width());
        let units = units(m);
        let scale: Vec<f64> = (0..width).map(|j| step(m, j, units[j])).collect();
        // What 1 of an output sum counts in the data's units.
        let gain = (-f64::from(m.gain)).exp2();
        let value: Vec<f64> = units.iter().map(|u| gain * u).collect();
        let in_steps = |(at, &w): (usize, &i64)| {
            let j = at % width;
            if scale[j] > 0.0 { w as f64 * (value[j] / scale[j]) } else { 0.0 }
        };
        let directions: Vec<f64> = m.skip.iter().enumerate().map(in_steps).collect();
        let inverse = pseudo_inverse(&directions, latents, width, RIDGE).ok_or_else(|| {
            Error::argument("the codec's directions cannot be told from each other")
        })?;
        let mut params = vec![0.0; width * latents];
        for (k, row) in inverse.chunks_exact(width).enumerate() {
            row.iter().enumerate().for_each(|(j, w)| params[j * latents + k] = *w as f32);
        }
        params.resize(params.len() + latents, 0.0);
        let bias =
            value.iter().enumerate().map(|(j, v)| m.bias.get(j).map_or(0.0, |b| *b as f64 * v));
        Ok(Self::new(EncoderRecord {
            centre: origin.iter().zip(bias).map(|(o, b)| o + b).collect(),
            clip: vec![f32::MAX; width],
            latent: vec![1.0; latents],
            layers: vec![(latents, 0)],
            params,
            scale,
            ..EncoderRecord::default()
        }))
    }

    /// What the network is given for rows of values, of which those at the places that `hidden`
    /// names are not known; see [`floats::encoder_inputs`].
    #[cfg(feature = "apps")]
    pub(crate) fn inputs(&self, values: &[f64], hidden: &dyn Fn(usize) -> bool) -> Vec<f32> {
        floats::encoder_inputs(&self.record, values, hidden)
    }

    /// Latents of such inputs, in the integer program's units: rows × latents.
    #[cfg(feature = "apps")]
    pub(crate) fn latents(&self, inputs: &[f32]) -> Vec<f32> {
        self.floats.latents(inputs)
    }
}

/// The step in which errors of column `j` are counted, in the data's units; `unit` is what a
/// prediction of 1 counts there.
pub(crate) fn step(m: &ModelRecord, j: usize, unit: f64) -> f64 {
    /// Real fractions have fewer bits; the cap keeps the step finite whatever a file claims.
    const MOST_FRACTION: u32 = 62;
    let grid = &m.grids[m.grid_of[j]];
    match grid.value {
        Value::Ordered { unit, .. } => unit,
        _ => unit * f64::from(grid.fraction.min(MOST_FRACTION)).exp2(),
    }
}
