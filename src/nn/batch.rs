//! Rows of a batch, copied together.

use rayon::prelude::*;

/// Rows that one task copies: enough to be worth a task.
const ROWS: usize = 64;

/// Writes the `chosen` rows of `rows`, each `width` numbers, to `out` one after another.
pub(crate) fn gather(rows: &[f32], width: usize, chosen: &[usize], out: &mut Vec<f32>) {
    out.resize(chosen.len() * width, 0.0);
    if width > 0 {
        out.par_chunks_mut(ROWS * width).zip(chosen.par_chunks(ROWS)).for_each(|(out, chosen)| {
            for (out, row) in out.chunks_exact_mut(width).zip(chosen) {
                out.copy_from_slice(&rows[row * width..][..width]);
            }
        });
    }
}
