//! Rows of a batch, copied together.

use super::sum;
use rayon::prelude::*;

/// Rows that are copied one after another.
const ROWS: usize = 64;

/// Writes the `chosen` rows of `rows`, each `width` numbers, to `out` one after another.
pub(crate) fn gather(rows: &[f32], width: usize, chosen: &[usize], out: &mut Vec<f32>) {
    out.resize(chosen.len() * width, 0.0);
    if width > 0 {
        let parts = out.par_chunks_mut(ROWS * width).zip(chosen.par_chunks(ROWS));
        parts.with_min_len(sum::apiece(ROWS * width)).for_each(|(out, chosen)| {
            for (out, row) in out.chunks_exact_mut(width).zip(chosen) {
                out.copy_from_slice(&rows[row * width..][..width]);
            }
        });
    }
}
