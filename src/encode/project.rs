//! Rows to real-valued latents, in `f32`, by a matrix or a network.

use crate::codec::fill::is_ordinary;
use crate::codec::value::{Cell, with_cell};
use crate::linalg::multiply;
use crate::matrix::{DType, FillValues, from_little_endian};
use crate::nn::autoencoder::FloatEncoder;
use std::sync::Arc;

/// Turns little-endian bytes into values.
pub(crate) fn cells<T: Cell>(bytes: &[u8]) -> Vec<T> {
    let mut cells = vec![T::zeroed(); bytes.len() / size_of::<T>()];
    from_little_endian(bytes, &mut cells);
    cells
}

/// How rows become latents: normalised, `x ↦ (x − centre) · inverse_scale` clipped to `±clip`, then
/// multiplied by a matrix or given to a network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Projection {
    /// Value subtracted from each column, in the data's units.
    pub(crate) centre: Vec<f64>,
    /// Factor of each column, one over its residual step; 0 leaves the column out.
    pub(crate) inverse_scale: Vec<f64>,
    /// Largest magnitude of a normalised value in each column; larger ones are clipped, so that one
    /// outlier does not spoil its row's latents.
    pub(crate) clip: Vec<f32>,
    /// Matrix, `columns × latents`; empty where there is a network.
    pub(crate) weights: Vec<f32>,
    /// Number of latents.
    pub(crate) latents: usize,
    /// Network that gives latents in place of the matrix.
    pub(crate) network: Option<Arc<FloatEncoder>>,
}

impl Projection {
    /// Returns the normalised rows of little-endian `bytes`; a value that is not finite, or one of
    /// `fills`, becomes 0.
    pub(crate) fn normalise(&self, dtype: DType, fills: &FillValues, bytes: &[u8]) -> Vec<f32> {
        with_cell!(dtype, T => self.normalise_cells::<T>(&cells(bytes), fills))
    }

    fn normalise_cells<T: Cell>(&self, cells: &[T], fills: &FillValues) -> Vec<f32> {
        let width = self.centre.len();
        let mut out = Vec::with_capacity(cells.len());
        for row in cells.chunks_exact(width) {
            let columns = self.centre.iter().zip(&self.inverse_scale).zip(&self.clip);
            out.extend(row.iter().zip(columns).map(|(x, ((centre, scale), clip))| {
                let z = ((x.to_f64() - centre) * scale) as f32;
                // A NaN fails both comparisons of `clamp`; it and infinities become 0 first.
                if is_ordinary(*x, fills) && z.is_finite() { z.clamp(-clip, *clip) } else { 0.0 }
            }));
        }
        out
    }

    /// Returns the real latents of normalised rows, `rows × latents`, in latent units.
    pub(crate) fn project(&self, normalised: &[f32]) -> Vec<f32> {
        if let Some(network) = &self.network {
            return network.encode(normalised);
        }
        multiply(normalised, &self.weights, self.centre.len())
    }
}
