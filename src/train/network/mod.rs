//! The non-linear codec: an autoencoder trained on the bits of the file.

pub(crate) mod bake;
pub(crate) mod choose;
pub(crate) mod fit;
pub(crate) mod learned;
pub(crate) mod likelihood;
pub(crate) mod polish;
#[cfg(test)]
mod tests;

use crate::nn::network::Network;

/// An encoder and a decoder, with what brings rows and latents to their coordinates.
///
/// Rows come in normalised, in residual steps; networks see columns over their deviation, and
/// give latents over theirs. A latent's unit is one step of its quantiser.
#[derive(Debug, Clone)]
pub(crate) struct Autoencoder {
    pub(crate) encoder: Network,
    pub(crate) decoder: Network,
    /// Deviation of each column, in residual steps.
    pub(crate) column: Vec<f32>,
    /// Deviation of each latent at the start, in steps of the latent.
    pub(crate) latent: Vec<f32>,
}

impl Autoencoder {
    /// Real latents of normalised rows, in steps: rows × latents.
    pub(crate) fn encode(&self, rows: &[f32]) -> Vec<f32> {
        let width = self.column.len();
        let inputs = divided(rows, &self.column);
        let mut out = self.encoder.infer(&inputs, rows.len() / width);
        for row in out.chunks_exact_mut(self.latent.len()) {
            row.iter_mut().zip(&self.latent).for_each(|(y, s)| *y *= s);
        }
        out
    }

    /// Predictions in residual steps from latents in steps: rows × columns.
    pub(crate) fn decode(&self, latents: &[f32]) -> Vec<f32> {
        let inputs = divided(latents, &self.latent);
        let mut out = self.decoder.infer(&inputs, latents.len() / self.latent.len());
        for row in out.chunks_exact_mut(self.column.len()) {
            row.iter_mut().zip(&self.column).for_each(|(x, s)| *x *= s);
        }
        out
    }
}

/// Each column over its scale.
fn divided(rows: &[f32], scale: &[f32]) -> Vec<f32> {
    let mut out = rows.to_vec();
    for row in out.chunks_exact_mut(scale.len()) {
        row.iter_mut().zip(scale).for_each(|(x, s)| *x /= s);
    }
    out
}
