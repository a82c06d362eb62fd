//! Passes over a batch, their sums in an order that does not depend on threads.

use crate::kernels::activation::Activation;
use crate::kernels::wide::widest;
use rayon::prelude::*;

/// Rows whose columns are summed together.
const ROWS: usize = 32;
/// Numbers of a part of a sum over all.
pub(super) const PART: usize = 1 << 14;
/// Fewer numbers than this (10 to 20 µs of a simple loop) are not worth waking another thread for.
const WORTH_A_THREAD: usize = 1 << 16;

/// How many parts of `numbers` numbers a thread takes, at least.
pub(super) fn apiece(numbers: usize) -> usize {
    WORTH_A_THREAD.div_ceil(numbers.max(1))
}

/// `after = f(before)`
pub(super) fn apply(f: Activation, before: &[f32], after: &mut [f32]) {
    after.par_chunks_mut(PART).zip(before.par_chunks(PART)).for_each(|(after, before)| {
        widest(|| {
            after.copy_from_slice(before);
            f.apply(after);
        });
    });
}

/// `d ← d · f'(x)` and `bias += column sums of d`, in one pass: `kept` and `d` are rows × width,
/// `parts` is room for partial sums.
pub(super) fn activation_and_bias(
    f: Activation,
    kept: &[f32],
    d: &mut [f32],
    bias: &mut [f32],
    parts: &mut Vec<f32>,
) {
    let width = bias.len();
    if width == 0 {
        return;
    }
    let sums = room(parts, d.len(), width);
    // Functions that are curved take many times as long.
    let apiece = if f.is_straight() { apiece(ROWS * width) } else { 1 };
    d.par_chunks_mut(ROWS * width)
        .zip(kept.par_chunks(ROWS * width))
        .zip(sums.par_chunks_mut(width))
        .with_min_len(apiece)
        .for_each(|((d, kept), sum)| {
            widest(|| {
                sum.fill(0.0);
                for (d, kept) in d.chunks_exact_mut(width).zip(kept.chunks_exact(width)) {
                    f.backward(kept, d);
                    add(sum, d);
                }
            });
        });
    sums.chunks_exact(width).for_each(|sum| add(bias, sum));
}

/// `bias += column sums of d`.
pub(super) fn bias(d: &[f32], bias: &mut [f32], parts: &mut Vec<f32>) {
    let width = bias.len();
    if width == 0 {
        return;
    }
    let sums = room(parts, d.len(), width);
    let strips = d.par_chunks(ROWS * width).zip(sums.par_chunks_mut(width));
    strips.with_min_len(apiece(ROWS * width)).for_each(|(d, sum)| {
        widest(|| {
            sum.fill(0.0);
            d.chunks_exact(width).for_each(|d| add(sum, d));
        });
    });
    sums.chunks_exact(width).for_each(|sum| add(bias, sum));
}

fn room(parts: &mut Vec<f32>, len: usize, width: usize) -> &mut [f32] {
    let size = len.div_ceil(ROWS * width) * width;
    if parts.len() < size {
        parts.resize(size, 0.0);
    }
    &mut parts[..size]
}

#[inline(always)]
fn add(sum: &mut [f32], values: &[f32]) {
    sum.iter_mut().zip(values).for_each(|(s, x)| *s += x);
}

/// The sum of what `part` gives for parts of fixed size of `0..len`, in order.
pub(super) fn over_parts(len: usize, part: impl Fn(std::ops::Range<usize>) -> f64 + Sync) -> f64 {
    let sums: Vec<f64> = (0..len.div_ceil(PART))
        .into_par_iter()
        .with_min_len(apiece(PART))
        .map(|i| part(i * PART..len.min((i + 1) * PART)))
        .collect();
    sums.iter().sum()
}

/// The sum of squares.
pub(super) fn squares(values: &[f32]) -> f64 {
    over_parts(values.len(), |part| squares_in_lanes(&values[part]))
}

/// In eight sums, so that they are computed side by side.
#[inline(always)]
pub(super) fn squares_in_lanes(values: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let (whole, rest) = values.as_chunks::<8>();
    for values in whole {
        for (lane, x) in lanes.iter_mut().zip(values) {
            *lane += f64::from(*x) * f64::from(*x);
        }
    }
    rest.iter().for_each(|x| lanes[0] += f64::from(*x) * f64::from(*x));
    lanes.iter().sum()
}
