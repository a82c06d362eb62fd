//! What trainings have in common: how long, in which steps; batches of rows.

#[cfg(any(test, feature = "internals"))]
pub(crate) mod plain;

use rayon::prelude::*;

/// How to train.
#[derive(Debug, Clone)]
pub(crate) struct Training {
    /// Passes over the rows.
    pub(crate) epochs: usize,
    /// Rows of a batch. (Batches that grow from pass to pass were tried for the linear
    /// autoencoder: beside a rate that falls they end too early, its slowest directions a hundred
    /// times further from where they belong.)
    pub(crate) batch: usize,
    /// Peak of the learning rate, which rises over the share `warm_up` of all rows seen and then
    /// falls to 0.
    pub(crate) rate: f32,
    pub(crate) warm_up: f32,
    /// See [`Adam`](super::adam::Adam).
    pub(crate) clip: f32,
    pub(crate) decay: f32,
    /// Share of the rows that is only looked at, to keep the weights of the best pass.
    pub(crate) held_out: f32,
    /// Passes without a better one after which to stop.
    pub(crate) patience: usize,
    pub(crate) seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            epochs: 30,
            batch: 256,
            rate: 1e-3,
            warm_up: 0.03,
            clip: f32::INFINITY,
            decay: 0.0,
            held_out: 0.0,
            patience: usize::MAX,
            seed: 0,
        }
    }
}

/// Copies the chosen rows one after another.
pub(super) fn gather(rows: &[f32], width: usize, chosen: &[usize], out: &mut Vec<f32>) {
    const ROWS: usize = 64;
    out.resize(chosen.len() * width, 0.0);
    if width > 0 {
        out.par_chunks_mut(ROWS * width).zip(chosen.par_chunks(ROWS)).for_each(|(out, chosen)| {
            for (out, row) in out.chunks_exact_mut(width).zip(chosen) {
                out.copy_from_slice(&rows[row * width..][..width]);
            }
        });
    }
}
