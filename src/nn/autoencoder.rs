//! The float autoencoder: an encoder and a decoder, with what brings rows and latents to the
//! coordinates that networks learn well in.

use super::network::Network;

/// An encoder network and the scales around it.
///
/// Rows come in normalised, in residual steps; the network sees each column over its scale, and what
/// it gives is multiplied by each latent's. A latent's unit is one step of its quantiser.
#[derive(Debug, Clone)]
pub(crate) struct FloatEncoder {
    pub(crate) network: Network,
    /// The scale of each column, in the units that rows come in, which are residual steps while a
    /// codec is fitted: its deviation, where training chose it.
    pub(crate) column: Vec<f32>,
    /// The scale of each latent, in steps of its quantiser: its deviation at the start of training.
    pub(crate) latent: Vec<f32>,
    pub(crate) flags: EncoderFlags,
}

/// What an encoder was trained to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct EncoderFlags {
    /// Behind the columns the network has as many inputs that are 1 where a value is hidden.
    pub(crate) masked: bool,
    /// The latents are normally distributed with variance 1, about.
    pub(crate) variational: bool,
}

impl FloatEncoder {
    /// Latents of normalised rows, in steps: rows × latents.
    pub(crate) fn encode(&self, rows: &[f32]) -> Vec<f32> {
        self.latents(&self.inputs(rows))
    }

    /// Latents in steps from what the network is given: rows × latents.
    pub(crate) fn latents(&self, inputs: &[f32]) -> Vec<f32> {
        let mut out = self.network.infer(inputs, inputs.len() / self.network.shape.inputs);
        multiply(&mut out, &self.latent);
        out
    }

    /// What the network is given for normalised rows of which nothing is hidden.
    pub(crate) fn inputs(&self, rows: &[f32]) -> Vec<f32> {
        let width = self.column.len();
        let wide = width * if self.flags.masked { 2 } else { 1 };
        let mut out = vec![0.0; rows.len() / width.max(1) * wide];
        for (out, row) in out.chunks_exact_mut(wide.max(1)).zip(rows.chunks_exact(width.max(1))) {
            out.iter_mut().zip(row.iter().zip(&self.column)).for_each(|(out, (x, s))| *out = x / s);
        }
        out
    }

    /// The same encoder with latents in units `units` times as fine.
    pub(crate) fn in_units(&self, units: f32) -> Self {
        Self { latent: self.latent.iter().map(|s| s * units).collect(), ..self.clone() }
    }
}

/// An encoder and its decoder.
#[derive(Debug, Clone)]
pub(crate) struct Autoencoder {
    pub(crate) encoder: FloatEncoder,
    /// Latents over their scales to columns over theirs.
    pub(crate) decoder: Network,
}

impl Autoencoder {
    /// Numbers of a row, and of its latents.
    pub(crate) fn width(&self) -> usize {
        self.encoder.column.len()
    }

    pub(crate) fn latents(&self) -> usize {
        self.encoder.latent.len()
    }

    /// Predictions in residual steps from latents in steps: rows × columns.
    pub(crate) fn decode(&self, latents: &[f32]) -> Vec<f32> {
        let inputs = divided(latents, &self.encoder.latent);
        let mut out = self.decoder.infer(&inputs, latents.len() / self.latents());
        multiply(&mut out, &self.encoder.column);
        out
    }

    /// Whether every number of it is finite, and every scale above 0.
    pub(crate) fn is_finite(&self) -> bool {
        let mut params = self.encoder.network.params.iter().chain(&self.decoder.params);
        let mut scales = self.encoder.column.iter().chain(&self.encoder.latent);
        params.all(|w| w.is_finite()) && scales.all(|s| *s > 0.0 && s.is_finite())
    }

    /// Whether latents reach the output through hidden layers alone.
    pub(crate) fn has_no_linear_path(&self) -> bool {
        let skip = &self.decoder.params[self.decoder.skip()];
        self.decoder.shape.layers.len() > 1 && skip.iter().all(|w| *w == 0.0)
    }

    /// How far the prediction moves, in residual steps, when a latent moves by one step of its own:
    /// the root of the mean square over some normalised rows, by differences.
    pub(crate) fn sensitivity(&self, rows: &[f32]) -> Vec<f64> {
        let (width, count) = (self.width(), self.latents());
        let every = (rows.len() / width).div_ceil(SENSITIVITY_ROWS).max(1);
        let some: Vec<f32> = rows.chunks_exact(width).step_by(every).flatten().copied().collect();
        let latents = self.encoder.encode(&some);
        let n = (latents.len() / count).max(1) as f64;
        let base = self.decode(&latents);
        let of_latent = |k: usize| {
            let own = latents.iter().skip(k).step_by(count).map(|y| f64::from(*y));
            let (sum, squares) = own.fold((0.0, 0.0), |(s, q), y| (s + y, q + y * y));
            let deviation = (squares / n - (sum / n).powi(2)).max(0.0).sqrt();
            if deviation < CONSTANT * (squares / n).sqrt() || deviation == 0.0 {
                return 0.0;
            }
            let by = MOVE * deviation;
            let mut moved = latents.clone();
            moved.iter_mut().skip(k).step_by(count).for_each(|y| *y += by as f32);
            let pairs = self.decode(&moved);
            let square: f64 = pairs.iter().zip(&base).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            (square / n).sqrt() / by
        };
        (0..count).map(of_latent).collect()
    }
}

/// Rows that sensitivities are measured on: a mean over 256 is right to some percent.
const SENSITIVITY_ROWS: usize = 256;
/// How far latents are moved for it, in deviations: less, and rounding of `f32` shows; more, and the
/// curvature of the decoder does.
const MOVE: f64 = 0.1;
/// A deviation below this share of the root mean square is rounding: the latent is constant.
const CONSTANT: f64 = 1e-6;

/// Each column of `rows` over its scale.
pub(crate) fn divided(rows: &[f32], scale: &[f32]) -> Vec<f32> {
    let mut out = rows.to_vec();
    for row in out.chunks_exact_mut(scale.len()) {
        row.iter_mut().zip(scale).for_each(|(x, s)| *x /= s);
    }
    out
}

/// Multiplies each column of `rows` by its scale.
fn multiply(rows: &mut [f32], scale: &[f32]) {
    for row in rows.chunks_exact_mut(scale.len()) {
        row.iter_mut().zip(scale).for_each(|(x, s)| *x *= s);
    }
}
