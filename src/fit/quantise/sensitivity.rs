//! What errors of columns and of latents cost, where a network decodes.

use crate::fit::entropy::bits::slope;
use crate::fit::quantise::network::{ObservedDecoder, ROWS};

/// Rows whose derivatives are averaged. Half: up to 0.2 % larger on spectra; double: the
/// same within 0.1 %, in twice the time.
const ERROR_ROWS: usize = 256;
/// Least weight of a latent's error against bits: with none at all, every latent would be 0.
const LEAST_WEIGHT: f32 = 1e-3;

/// Returns the bits that one squared residual step of error costs, for each column.
pub(super) fn column_slopes(observed: &ObservedDecoder<'_>, normalised: &[f32]) -> Vec<f64> {
    let width = observed.columns.len();
    if let Some(weight) = observed.precision.error_weight {
        return vec![weight; width];
    }
    let rows = observed.rows();
    let every = (normalised.len() / width).div_ceil(ROWS).max(1);
    let out = observed.net.decoder.infer(&observed.inputs(&observed.latents), rows);
    let mut squares = vec![0.0_f64; width];
    for (x, p) in normalised.chunks_exact(width).step_by(every).zip(out.chunks_exact(width)) {
        for (j, square) in squares.iter_mut().enumerate() {
            *square += f64::from(x[j] - p[j] * observed.net.encoder.column[j]).powi(2);
        }
    }
    squares.iter().map(|square| slope(square / rows as f64)).collect()
}

/// Returns the bits that one squared latent unit of error costs, for each latent: the mean over some
/// rows of `Σⱼ slopeⱼ · (∂xⱼ/∂yₖ)²`, by differences.
pub(super) fn latent_weights(observed: &ObservedDecoder<'_>, slopes: &[f64]) -> Vec<f32> {
    let (latents, width) = (observed.net.encoder.latent.len(), observed.columns.len());
    let every = observed.rows().div_ceil(ERROR_ROWS).max(1);
    let some = observed.latents.chunks_exact(latents).step_by(every);
    let rows: Vec<f32> = some.flatten().copied().collect();
    let n = rows.len() / latents;
    let decode = |rows: &[f32]| observed.net.decoder.infer(&observed.inputs(rows), n);
    let base = decode(&rows);
    let columns = observed.net.encoder.column.iter().zip(slopes);
    let weights: Vec<f32> =
        columns.map(|(s, slope)| (f64::from(*s).powi(2) * slope) as f32).collect();
    let weight = |k: usize| {
        let mut moved = rows.clone();
        moved.iter_mut().skip(k).step_by(latents).for_each(|y| *y += 1.0);
        let mut sum = 0.0_f64;
        for (a, b) in decode(&moved).chunks_exact(width).zip(base.chunks_exact(width)) {
            let columns = a.iter().zip(b).zip(&weights);
            sum += f64::from(columns.map(|((a, b), w)| (a - b) * (a - b) * w).sum::<f32>());
        }
        ((sum / n as f64) as f32).max(LEAST_WEIGHT)
    };
    (0..latents).map(weight).collect()
}
