//! Rows to real-valued latents, in `f32`, by a matrix or a network.

use crate::codec::fill::is_ordinary;
use crate::codec::value::{Cell, with_cell};
use crate::linalg::multiply;
use crate::matrix::{DType, FillValues, from_little_endian};
use crate::nn::autoencoder::FloatEncoder;
use std::sync::Arc;

/// A value is wild that lies so many times further out than nearly all of its column.
const WILD: f32 = 4.0;
/// Where at most one of so many values of a row is wild, latents are those of the others; of more, the row as a whole
/// is unusual. A table of which one value in 2,000 is wild takes 6 % less than where these are clipped, digits and
/// air the same.
const FEW: usize = 8;

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
    /// Largest magnitude of a normalised value in each column; larger ones are clipped, and a few wild ones left
    /// out, so that one outlier does not spoil its row's latents.
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
        let mut wild = Vec::new();
        for row in cells.chunks_exact(width) {
            let first = out.len();
            let columns = self.centre.iter().zip(&self.inverse_scale).zip(&self.clip);
            out.extend(row.iter().zip(columns).enumerate().map(
                |(j, (x, ((centre, scale), clip)))| {
                    let z = ((x.to_f64() - centre) * scale) as f32;
                    // A NaN fails both comparisons of `clamp`; it and infinities become 0 first.
                    if !is_ordinary(*x, fills) || !z.is_finite() {
                        return 0.0;
                    }
                    if z.abs() > WILD * clip {
                        wild.push(first + j);
                    }
                    z.clamp(-clip, *clip)
                },
            ));
            if wild.len() * FEW <= width {
                wild.iter().for_each(|&at| out[at] = 0.0);
            }
            wild.clear();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wild_value_is_left_out_and_an_unusual_row_is_clipped() {
        let projection = Projection {
            centre: vec![0.0; FEW],
            inverse_scale: vec![1.0; FEW],
            clip: vec![2.0; FEW],
            ..Projection::default()
        };
        let normalised = |row: [f32; FEW]| {
            let bytes: Vec<u8> = row.iter().flat_map(|x| x.to_le_bytes()).collect();
            projection.normalise(DType::F32, &FillValues::default(), &bytes)
        };
        let row = |a, b| [1.0, a, b, f32::NAN, -1.0, 0.5, f32::INFINITY, 0.0];
        assert_eq!(normalised(row(3.0, -9.0)), [1.0, 2.0, 0.0, 0.0, -1.0, 0.5, 0.0, 0.0]);
        assert_eq!(normalised(row(1e9, -9.0)), [1.0, 2.0, -2.0, 0.0, -1.0, 0.5, 0.0, 0.0]);
        assert_eq!(normalised(row(7.9, 0.1)), [1.0, 2.0, 0.1, 0.0, -1.0, 0.5, 0.0, 0.0]);
    }
}
