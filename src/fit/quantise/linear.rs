//! A matrix from latents to columns to the integers of the decoder.

use crate::container::model::ModelRecord;
use crate::fit::data::columns::ColumnPlan;

/// Least deviation of a latent, in latent units, that its weights' step follows: latents that are
/// nearly always 0 need weights for when they are not. Half: ECG is 0.2 % smaller;
/// double: 0.5 % larger.
const LEAST_DEVIATION: f64 = 0.3;
/// Most bits of an output sum below a fine unit. With 8 fraction bits it reaches weights' steps of
/// 2^-32, finer than any file pays for.
const MOST_GAIN: f64 = 24.0;
/// Range of a latent, in largest magnitudes of the sample: rows outside it may need more, and a
/// larger range costs one bit of the model a latent. Half or double: within 0.02 % but for
/// digits, of 1,797 rows.
const RANGE: f32 = 2.0;
/// The same in deviations, for samples without outliers. Half or double: likewise.
const RANGE_IN_DEVIATIONS: f32 = 12.0;
/// Least range: with dependent quantisation, symbols of all parities.
const LEAST_RANGE: f32 = 3.0;
/// Largest range that the format allows, less what rounding to `f32` may add.
const LARGEST_RANGE: f32 = (1 << 29) as f32 - 100.0;
/// Bits of the sums that the proof of the decoder allows; `gain` more are shifted out.
const SUM_BITS: i32 = 30;

/// Makes a model that holds the columns' arithmetic and has no latents.
pub(crate) fn frame(columns: &[ColumnPlan]) -> ModelRecord {
    let mut record = ModelRecord { temporal: vec![0; columns.len()], ..ModelRecord::default() };
    for c in columns {
        let at = record.grids.iter().position(|g| *g == c.grid).unwrap_or_else(|| {
            record.grids.push(c.grid);
            record.grids.len() - 1
        });
        record.grid_of.push(at);
        record.base.push(c.base);
    }
    record
}

/// Returns the fraction bits of a column: predictions count in fine units of `2^-fraction` residual
/// steps.
pub(crate) fn fraction(column: &ColumnPlan) -> f64 {
    f64::from(column.grid.fraction)
}

/// Returns the root mean square of each latent; `real` is `rows × latents`.
pub(crate) fn deviations(real: &[f32], latents: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; latents];
    for row in real.chunks_exact(latents.max(1)) {
        sums.iter_mut().zip(row).for_each(|(s, y)| *s += f64::from(*y) * f64::from(*y));
    }
    let rows = (real.len() / latents.max(1)).max(1) as f64;
    sums.iter().map(|s| (s / rows).sqrt() as f32).collect()
}

/// Returns the step of each latent's weights, a power of two, in residual steps: times the latent's
/// deviation it is `error` or less, but more than half of it.
pub(crate) fn weight_steps(deviation: &[f32], error: f64) -> Vec<f64> {
    let step = |d: &f32| (error / f64::from(*d).max(LEAST_DEVIATION)).log2().floor().exp2();
    deviation.iter().map(step).collect()
}

/// Returns how many bits below a fine unit output sums need for weights of these steps.
pub(crate) fn gain(columns: &[ColumnPlan], weight_steps: &[f64]) -> u32 {
    let finest = weight_steps.iter().copied().fold(f64::INFINITY, f64::min);
    let least = columns.iter().map(fraction).fold(f64::INFINITY, f64::min);
    (-finest.log2() - least).clamp(0.0, MOST_GAIN).ceil() as u32
}

/// Adds the weights from latents to columns. `matrix` is `latents × columns`, in residual steps per
/// latent unit; each latent's weights are rounded to its step. `record.gain` is set before.
pub(crate) fn quantise_skip(
    record: &mut ModelRecord,
    columns: &[ColumnPlan],
    matrix: &[f32],
    weight_steps: &[f64],
) {
    let gain = f64::from(record.gain);
    record.skip.reserve_exact(matrix.len());
    for (row, step) in matrix.chunks_exact(columns.len()).zip(weight_steps) {
        for (column, &w) in columns.iter().zip(row) {
            if column.scale == 0.0 {
                record.skip.push(0);
                continue;
            }
            // Integers of the sum per residual step, and per step of the weights.
            let one = (fraction(column) + gain).exp2();
            let step = (step * one).max(1.0);
            record.skip.push(((f64::from(w) * one / step).round_ties_even() * step) as i64);
        }
    }
}

/// Sets the largest magnitude of each latent: more than the largest seen, so that rows outside the
/// sample fit, and no more than the proof of the network allows. `real` is `rows × latents`.
pub(crate) fn clamp_latents(record: &mut ModelRecord, real: &[f32], deviation: &[f32]) {
    let latents = deviation.len();
    let mut largest = vec![1.0_f32; latents];
    for row in real.chunks_exact(latents) {
        largest.iter_mut().zip(row).for_each(|(l, y)| *l = l.max(y.abs()));
    }
    let clamp = |(l, d): (&f32, &f32)| {
        let range = (RANGE * l).max(RANGE_IN_DEVIATIONS * d).ceil();
        (range.clamp(LEAST_RANGE, LARGEST_RANGE) as u64 + 1).next_power_of_two() as i64 - 1
    };
    record.latent_clamp = largest.iter().zip(deviation).map(clamp).collect();
    limit_clamps(record);
    record.latent_temporal = vec![0; latents];
}

/// Halves the latents' ranges until no sum of the linear path can overflow.
fn limit_clamps(record: &mut ModelRecord) {
    let width = record.width();
    let limit = 2_f64.powi(SUM_BITS + record.gain as i32);
    let mut clamp = std::mem::take(&mut record.latent_clamp);
    let largest_sum = |clamp: &[i64]| {
        let mut sums = vec![0.0; width];
        for (row, clamp) in record.skip.chunks_exact(width).zip(clamp) {
            let terms = row.iter().map(|w| w.unsigned_abs() as f64 * *clamp as f64);
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
        sums.into_iter().fold(0.0, f64::max)
    };
    while largest_sum(&clamp) >= limit && clamp.iter().any(|&c| c > 1) {
        clamp.iter_mut().for_each(|c| *c /= 2);
    }
    record.latent_clamp = clamp;
}
