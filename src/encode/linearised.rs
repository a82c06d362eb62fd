//! The encoder of a network of which only the decoder is known, to begin with: the best linear one, by
//! the latents that rows have.

use super::codec_encoder::step;
use super::floats;
use crate::codec::program::Program;
use crate::codec::units::{origins, units};
use crate::container::encoder::EncoderRecord;
use crate::linalg::{cross_products, inverse, multiply, pseudo_inverse, transposed};

/// Rows for each latent, at least.
const LEAST_ROWS: usize = 4;
/// Numbers of the rows at most: they take memory at several times their size.
const MOST_VALUES: usize = 1 << 24;
/// The share by which squares are taken to be larger, so that latents which others are the sum of stay small.
const RIDGE: f64 = 1e-6;

/// Returns how many rows' latents are of use.
pub(crate) fn rows_of_use(program: &Program) -> usize {
    let (latents, width) = (program.record.latents(), program.record.width());
    let most = MOST_VALUES / width.max(latents).max(1);
    (16 * latents).clamp(2048, 16_384).min(most)
}

/// What a decoder is nearest to.
pub(super) struct Linearised {
    pub(super) encoder: EncoderRecord,
    /// Squared lengths of the latents' directions, in residual steps.
    pub(super) lengths: Vec<f64>,
}

/// Finds the linear decoder that is nearest to that of `program`, by latents that rows have, `rows ×
/// latents`, and its encoder, whose rows count from where predictions are 0; none where latents say too
/// little.
pub(super) fn linearised(program: &Program, latents: &[i32]) -> Option<Linearised> {
    let record = &program.record;
    let (count, width) = (record.latents(), record.width());
    // Rows that are stored exactly have none.
    let known = latents.chunks_exact(count).filter(|row| row.iter().any(|&y| y != 0));
    let real: Vec<f32> = known.flatten().map(|&y| y as f32).collect();
    let rows = real.len() / count;
    if rows < LEAST_ROWS * count {
        return None;
    }
    let steps: Vec<f64> = program.steps.iter().map(|s| 1.0 / *s as f64).collect();
    let decoded = floats::decoder(record, &vec![1.0; count], &steps).infer(&real, rows);
    let (real, mean) = centred(&real, count);
    let (decoded, shift) = centred(&decoded, width);
    let mut squares = cross_products(&real, count);
    for k in 0..count {
        squares[k * count + k] = squares[k * count + k] * (1.0 + RIDGE) + RIDGE;
    }
    let products = multiply(&transposed(&real, count), &decoded, rows);
    let directions = multiply(&inverse(&squares, count)?, &products, count);
    // What predictions are where all latents are 0.
    let moved = multiply(&mean, &directions, count);
    let shift: Vec<f64> = shift.iter().zip(moved).map(|(a, b)| a - b).collect();
    let squares = |row: &[f64]| row.iter().map(|v| v * v).sum();
    let lengths = directions.chunks_exact(width).map(squares).collect();
    let weights = pseudo_inverse(&directions, count, width, RIDGE)?;
    let bias: Vec<f64> = multiply(&weights, &shift, width).iter().map(|b| -b).collect();
    let units = units(record);
    let params = transposed(&weights, width).into_iter().chain(bias);
    let encoder = EncoderRecord {
        centre: origins(record, program.dtype),
        latent: vec![1.0; count],
        layers: vec![(count, 0)],
        params: params.map(|w| w as f32).collect(),
        scale: (0..width).map(|j| step(record, j, units[j])).collect(),
        ..EncoderRecord::default()
    };
    Some(Linearised { encoder, lengths })
}

/// Returns rows less their mean, and that.
fn centred(rows: &[f32], width: usize) -> (Vec<f64>, Vec<f64>) {
    let count = (rows.len() / width).max(1) as f64;
    let mut mean = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x) / count);
    }
    let less = rows.iter().enumerate().map(|(at, x)| f64::from(*x) - mean[at % width]);
    (less.collect(), mean)
}
