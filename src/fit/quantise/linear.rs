//! Real matrices to the integers of the decoder.

use crate::container::model::{Grid, ModelRecord};
use crate::fit::data::columns::ColumnPlan;

/// A record that holds the columns' arithmetic, without latents.
pub(crate) fn frame(columns: &[ColumnPlan]) -> ModelRecord {
    let mut record = ModelRecord { temporal: vec![0; columns.len()], ..ModelRecord::default() };
    for c in columns {
        let at = record.grids.iter().position(|g: &Grid| *g == c.grid);
        let at = at.unwrap_or_else(|| {
            record.grids.push(c.grid);
            record.grids.len() - 1
        });
        record.grid_of.push(at);
        record.base.push(c.base);
    }
    record
}

/// Fraction bits of a column: predictions count in `2^-fraction` of a residual's step.
pub(crate) fn fraction(column: &ColumnPlan) -> f64 {
    -column.unit.log2()
}

/// Deviation of each latent.
pub(crate) fn deviations(real: &[f32], latents: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; latents];
    for row in real.chunks_exact(latents.max(1)) {
        sums.iter_mut().zip(row).for_each(|(s, y)| *s += f64::from(*y) * f64::from(*y));
    }
    let rows = (real.len() / latents.max(1)).max(1) as f64;
    sums.iter().map(|s| (s / rows).sqrt() as f32).collect()
}

/// The resolution of each latent's weights, a power of two: their error, times the latent's
/// deviation, is about `grain`.
pub(crate) fn grains(deviation: &[f32], grain: f64) -> Vec<f64> {
    deviation.iter().map(|d| (grain / f64::from(*d).max(0.3)).log2().floor().exp2()).collect()
}

/// Fraction bits that output sums need for weights of these resolutions, in residual steps.
pub(crate) fn gain(columns: &[ColumnPlan], grains: &[f64]) -> u32 {
    let finest = grains.iter().copied().fold(f64::INFINITY, f64::min);
    let least = columns.iter().map(fraction).fold(f64::INFINITY, f64::min);
    (-finest.log2() - least).clamp(0.0, 24.0).ceil() as u32
}

/// Bakes the linear path: `matrix` is latents × columns, in residual steps per unit of a latent;
/// each latent's weights are rounded to its grain. `record.gain` is set.
pub(crate) fn skip(
    record: &mut ModelRecord,
    columns: &[ColumnPlan],
    matrix: &[f32],
    grains: &[f64],
) {
    let gain = f64::from(record.gain);
    for (row, grain) in matrix.chunks_exact(columns.len()).zip(grains) {
        for (column, &w) in columns.iter().zip(row) {
            if column.scale == 0.0 {
                record.skip.push(0);
                continue;
            }
            // In units of 2^-(fraction + gain) of a step, to a multiple of the grain.
            let one = (fraction(column) + gain).exp2();
            let shift = (grain * one).max(1.0);
            record.skip.push(((f64::from(w) * one / shift).round_ties_even() * shift) as i64);
        }
    }
}

/// Clamps of the latents: twice the largest seen, so that rows outside the sample fit, and no
/// more than the proof of the network allows.
pub(crate) fn clamps(record: &mut ModelRecord, real: &[f32], deviation: &[f32]) {
    let latents = deviation.len();
    let mut largest = vec![1.0_f32; latents];
    for row in real.chunks_exact(latents) {
        largest.iter_mut().zip(row).for_each(|(l, y)| *l = l.max(y.abs()));
    }
    record.latent_clamp = largest
        .iter()
        .zip(deviation)
        .map(|(l, d)| {
            let most = (2.0 * l).max(12.0 * d).ceil().clamp(3.0, (1 << 29) as f32 - 100.0);
            (most as u64 + 1).next_power_of_two() as i64 - 1
        })
        .collect();
    limit_clamps(record);
    record.latent_temporal = vec![0; latents];
}

/// Lowers the latents' clamps until the proof of the network holds.
fn limit_clamps(record: &mut ModelRecord) {
    let width = record.width();
    let limit = 2_f64.powi(30 + record.gain as i32);
    let latents = record.latents();
    let bound = |clamp: &[i64]| {
        (0..width)
            .map(|j| {
                (0..latents)
                    .map(|k| record.skip[k * width + j].unsigned_abs() as f64 * clamp[k] as f64)
                    .sum::<f64>()
            })
            .fold(0.0, f64::max)
    };
    let mut clamp = record.latent_clamp.clone();
    while bound(&clamp) >= limit && clamp.iter().any(|&c| c > 1) {
        clamp.iter_mut().for_each(|c| *c /= 2);
    }
    record.latent_clamp = clamp;
}
