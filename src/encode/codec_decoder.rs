//! The decoder's integer program as a network in floats.

use crate::codec::units::{origins, units};
use crate::container::model::ModelRecord;
use crate::encode::floats;
use crate::matrix::DType;
use crate::nn::network::Network;

/// Maps latents, in the integer program's units, to values.
#[derive(Debug, Clone)]
pub(crate) struct CodecDecoder {
    /// Maps latents to predictions, which count in [`Self::unit`]s.
    pub(crate) network: Network,
    /// The value of each column where the prediction is 0.
    pub(crate) origin: Vec<f64>,
    /// How much a prediction of 1 adds to it.
    pub(crate) unit: Vec<f64>,
}

impl CodecDecoder {
    /// Reads the integer program of `m`, whose values have type `dtype`, as numbers.
    pub(crate) fn new(m: &ModelRecord, dtype: DType) -> Self {
        let (inputs, outputs) = (vec![1.0; m.latents()], vec![1.0; m.width()]);
        let network = floats::decoder(m, &inputs, &outputs);
        Self { network, origin: origins(m, dtype), unit: units(m) }
    }

    /// Values of rows, rows × columns, from latents, rows × latents.
    pub(crate) fn values(&self, latents: &[f32]) -> Vec<f64> {
        let rows = latents.len() / self.network.shape.inputs.max(1);
        let out = self.network.infer(latents, rows);
        let width = self.origin.len();
        let scale = || self.origin.iter().zip(&self.unit);
        out.chunks_exact(width.max(1))
            .flat_map(|row| row.iter().zip(scale()).map(|(m, (o, u))| o + f64::from(*m) * u))
            .collect()
    }
}
