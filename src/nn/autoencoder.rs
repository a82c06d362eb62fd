//! The autoencoder in floats.

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
    pub(crate) flags: EncoderFlags,
}

impl Autoencoder {
    /// Real latents of normalised rows, in steps: rows × latents.
    pub(crate) fn encode(&self, rows: &[f32]) -> Vec<f32> {
        let width = self.column.len();
        let inputs = inputs(rows, &self.column, self.flags);
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

    /// Whether latents reach the output through hidden layers alone.
    pub(crate) fn has_no_linear_path(&self) -> bool {
        let skip = &self.decoder.params[self.decoder.skip()];
        self.decoder.shape.layers.len() > 1 && skip.iter().all(|w| *w == 0.0)
    }

    /// How far the prediction moves, in residual steps, when a latent moves by one of its own:
    /// the root of the mean square over some normalised rows, from moves of a tenth of the
    /// latent's deviation.
    pub(crate) fn sensitivity(&self, rows: &[f32]) -> Vec<f64> {
        const ROWS: usize = 256;
        let (width, count) = (self.column.len(), self.latent.len());
        let every = (rows.len() / width).div_ceil(ROWS).max(1);
        let some: Vec<f32> = rows.chunks_exact(width).step_by(every).flatten().copied().collect();
        let latents = self.encode(&some);
        let n = (latents.len() / count).max(1) as f64;
        let base = self.decode(&latents);
        (0..count)
            .map(|k| {
                let own = latents.iter().skip(k).step_by(count).map(|y| f64::from(*y));
                let (sum, squares) = own.fold((0.0, 0.0), |(s, q), y| (s + y, q + y * y));
                let deviation = (squares / n - (sum / n).powi(2)).max(0.0).sqrt();
                if deviation < 1e-6 * (squares / n).sqrt() || deviation == 0.0 {
                    return 0.0;
                }
                let by = 0.1 * deviation;
                let mut moved = latents.clone();
                moved.iter_mut().skip(k).step_by(count).for_each(|y| *y += by as f32);
                let out = self.decode(&moved);
                let pairs = out.iter().zip(&base);
                let square: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
                (square / n).sqrt() / by
            })
            .collect()
    }
}

/// A network in coordinates of its own.
#[derive(Debug, Clone)]
pub(crate) struct EncoderNetwork {
    pub(crate) network: Network,
    /// Normalised columns are divided by these.
    pub(crate) column: Vec<f32>,
    /// Outputs are multiplied by these.
    pub(crate) latent: Vec<f32>,
    pub(crate) flags: EncoderFlags,
}

/// What an encoder was trained to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct EncoderFlags {
    /// Behind the columns the network has as many inputs that are 1 where a value is hidden.
    pub(crate) masked: bool,
    /// Its outputs are normally distributed with variance 1, about.
    pub(crate) variational: bool,
}

impl EncoderNetwork {
    /// Latents of normalised rows.
    pub(crate) fn run(&self, rows: &[f32]) -> Vec<f32> {
        let inputs = inputs(rows, &self.column, self.flags);
        let mut out = self.network.infer(&inputs, rows.len() / self.column.len());
        for row in out.chunks_exact_mut(self.latent.len()) {
            row.iter_mut().zip(&self.latent).for_each(|(y, s)| *y *= s);
        }
        out
    }
}

/// What an encoder is given for normalised rows of which nothing is hidden.
pub(crate) fn inputs(rows: &[f32], column: &[f32], flags: EncoderFlags) -> Vec<f32> {
    let width = column.len();
    let wide = width * if flags.masked { 2 } else { 1 };
    let mut out = vec![0.0; rows.len() / width.max(1) * wide];
    for (out, row) in out.chunks_exact_mut(wide.max(1)).zip(rows.chunks_exact(width.max(1))) {
        out.iter_mut().zip(row.iter().zip(column)).for_each(|(out, (x, s))| *out = x / s);
    }
    out
}

/// Each column over its scale.
pub(crate) fn divided(rows: &[f32], scale: &[f32]) -> Vec<f32> {
    let mut out = rows.to_vec();
    for row in out.chunks_exact_mut(scale.len()) {
        row.iter_mut().zip(scale).for_each(|(x, s)| *x /= s);
    }
    out
}
