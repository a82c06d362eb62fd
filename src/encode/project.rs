//! Rows to real-valued latents: an encoder in `f32`, linear or a network.

use crate::codec::value::{Cell, with_cell};
use crate::linalg::multiply;
use crate::matrix::{DType, from_little_endian};
use crate::nn::autoencoder::FloatEncoder;
use std::sync::Arc;

/// `y = (x − centre) / scale · weights`, or a network instead of the weights.
#[derive(Debug, Clone, Default)]
pub(crate) struct Projection {
    /// Subtracted from each column.
    pub(crate) centre: Vec<f64>,
    /// What each column is then multiplied by; 0 leaves the column out.
    pub(crate) inverse_scale: Vec<f64>,
    /// Largest magnitude of a normalised value; what is beyond is clipped, so that one wild
    /// number does not spoil its row's latents.
    pub(crate) clip: Vec<f32>,
    /// `columns × latents`, row-major.
    pub(crate) weights: Vec<f32>,
    /// Number of latents.
    pub(crate) latents: usize,
    /// What finds the latents instead of `weights`, if it is there.
    pub(crate) network: Option<Arc<FloatEncoder>>,
}

impl Projection {
    /// Normalised rows of little-endian cells; what is not finite counts as the centre.
    pub(crate) fn normalise(&self, dtype: DType, bytes: &[u8]) -> Vec<f32> {
        with_cell!(dtype, T => {
            let mut cells = vec![<T as bytemuck::Zeroable>::zeroed(); bytes.len() / size_of::<T>()];
            from_little_endian(bytes, &mut cells);
            self.normalise_cells::<T>(&cells)
        })
    }

    fn normalise_cells<T: Cell>(&self, cells: &[T]) -> Vec<f32> {
        let width = self.centre.len();
        let mut out = Vec::with_capacity(cells.len());
        for row in cells.chunks_exact(width) {
            let columns = self.centre.iter().zip(&self.inverse_scale).zip(&self.clip);
            out.extend(row.iter().zip(columns).map(|(x, ((centre, scale), clip))| {
                let z = ((x.to_f64() - centre) * scale) as f32;
                // A NaN fails both comparisons of `clamp`; it and infinities become 0 first.
                if x.is_ordinary() && z.is_finite() { z.clamp(-clip, *clip) } else { 0.0 }
            }));
        }
        out
    }

    /// Real latents of normalised rows, `rows × latents`.
    pub(crate) fn project(&self, normalised: &[f32]) -> Vec<f32> {
        if let Some(network) = &self.network {
            return network.encode(normalised);
        }
        multiply(normalised, &self.weights, self.centre.len())
    }
}
