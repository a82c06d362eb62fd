//! The decoder's integer program as a network in floats.

use crate::codec::value::{Cell, with_cell};
use crate::container::model::ModelRecord;
use crate::kernels::activation::Activation;
use crate::matrix::DType;
use crate::nn::network::{Network, Shape};
use crate::train::bake::units;

/// Integers of a hidden unit that count as 1; it keeps floats of a moderate size, no more.
const ONE: f64 = 1024.0;

/// From latents, in the integer program's units, to values.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    /// From latents to predictions, in units of [`Self::unit`].
    pub(super) network: Network,
    /// The value of each column where the prediction is 0.
    pub(super) origin: Vec<f64>,
    /// What a prediction of 1 adds to it.
    pub(super) unit: Vec<f64>,
}

impl Decoder {
    /// The float form of `m`, whose values have type `dtype`.
    ///
    /// Rounding and clamps are left out: they are finer and wider than what latents of real rows
    /// notice.
    pub(super) fn new(m: &ModelRecord, dtype: DType) -> Self {
        let (latents, width) = (m.latents(), m.width());
        let mut layers = Vec::new();
        let mut params = Vec::new();
        if let Some(h) = &m.hidden {
            // Real input for each integer of the layer's input.
            let mut scale: Vec<f64> = h.input_shift.iter().map(|s| (-(*s as f64)).exp2()).collect();
            for layer in &h.layers {
                let units = layer.bias.len();
                let ratio = layer.multiplier as f64 * (-f64::from(layer.shift)).exp2() / ONE;
                for (i, s) in scale.iter().enumerate() {
                    let own = (0..units).map(|u| layer.weights[u * scale.len() + i] as f64);
                    params.extend(own.map(|w| (w * s * ratio) as f32));
                }
                params.extend(layer.bias.iter().map(|b| (*b as f64 * ratio) as f32));
                layers.push((units, Activation::LeakyRelu((-(layer.leak as f32)).exp2())));
                scale = vec![ONE; units];
            }
            let gain = (-f64::from(m.gain)).exp2() * h.multiplier as f64;
            for (i, s) in scale.iter().enumerate() {
                let own = (0..width).map(|j| h.weights[j * scale.len() + i] as f64);
                params.extend(own.map(|w| (w * s * gain) as f32));
            }
        } else {
            params.resize(latents * width, 0.0);
        }
        layers.push((width, Activation::Identity));
        let gain = (-f64::from(m.gain)).exp2();
        let bias = (0..width).map(|j| m.bias.get(j).map_or(0.0, |b| *b as f64 * gain) as f32);
        params.extend(bias);
        params.extend(m.skip.iter().map(|w| (*w as f64 * gain) as f32));
        let origin = with_cell!(dtype, T => {
            let grids = m.grid_of.iter().map(|&g| &m.grids[g]);
            grids.zip(&m.base).map(|(g, &base)| g.value::<T>(base, 0, 0).to_f64()).collect()
        });
        let shape = Shape { inputs: latents, layers, skip: true };
        Self { network: Network { shape, params }, origin, unit: units(m) }
    }

    /// Values of rows: rows × columns.
    pub(super) fn values(&self, latents: &[f32]) -> Vec<f64> {
        let rows = latents.len() / self.network.shape.inputs.max(1);
        let out = self.network.infer(latents, rows);
        let width = self.origin.len();
        let scale = || self.origin.iter().zip(&self.unit);
        out.chunks_exact(width.max(1))
            .flat_map(|row| row.iter().zip(scale()).map(|(m, (o, u))| o + f64::from(*m) * u))
            .collect()
    }
}
