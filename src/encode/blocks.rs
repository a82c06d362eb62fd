//! Rows to blocks, several at a time.

use super::Encoder;
use crate::container::file::FileWriter;
use crate::error::Result;
use crate::matrix::Rows;
use crate::quality::Tally;
use rayon::prelude::*;
use std::io::Write;

/// Rows that one task encodes at least, so that the projection is worth its set-up.
const TASK_ROWS: usize = 256;

/// What the rows came out as.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    /// How good the rows are decoded.
    pub(crate) tally: Tally,
    /// Values stored exactly.
    pub(crate) escapes: u64,
}

/// A block: its rows, its bytes, and what came of them.
type Encoded = (usize, Vec<u8>, Totals);

/// Encodes all of `rows`, block after block.
pub(crate) fn encode_rows<W: Write>(
    encoder: &Encoder,
    rows: &dyn Rows,
    writer: &mut FileWriter<W>,
    progress: &dyn Fn(u64),
) -> Result<Totals> {
    let per_block = encoder.block_rows;
    let per_task = per_block * TASK_ROWS.div_ceil(per_block);
    let per_batch = per_task * 4 * rayon::current_num_threads().max(1);
    let row_bytes = rows.schema().row_bytes();
    let mut totals = Totals::default();
    let before = writer.rows();
    let mut batch = 0;
    while batch < rows.len() {
        let end = (batch + per_batch).min(rows.len());
        let tasks: Vec<usize> = (batch..end).step_by(per_task).collect();
        let encoded: Vec<Result<Vec<Encoded>>> = tasks
            .par_iter()
            .map(|&first| {
                let count = per_task.min(rows.len() - first);
                let mut bytes = vec![0; count * row_bytes];
                rows.read(first, &mut bytes)?;
                encode_task(encoder, before + first as u64, &bytes, row_bytes)
            })
            .collect();
        for task in encoded {
            for (count, bytes, own) in task? {
                writer.block(count, &bytes)?;
                totals.tally.add(&own.tally);
                totals.escapes += own.escapes;
            }
        }
        batch = end;
        progress(end as u64);
    }
    Ok(totals)
}

/// Encodes some blocks.
fn encode_task(
    encoder: &Encoder,
    first: u64,
    bytes: &[u8],
    row_bytes: usize,
) -> Result<Vec<Encoded>> {
    let latents = encoder.projection.latents;
    let mut real = Vec::new();
    if latents > 0 {
        let normalised = encoder.projection.normalise(encoder.program.dtype, bytes);
        real = encoder.latents(&normalised);
    }
    let mut out = Vec::new();
    let mut at = 0;
    for block in bytes.chunks(encoder.block_rows * row_bytes) {
        let count = block.len() / row_bytes;
        let symbols = encoder.symbols(block, &real[at * latents..(at + count) * latents], true);
        let bytes = encoder.block(first + at as u64, block, &symbols)?;
        let totals = Totals { escapes: symbols.escapes.len() as u64, tally: symbols.tally };
        out.push((count, bytes, totals));
        at += count;
    }
    Ok(out)
}

/// Rows of a block of about 8 KiB, where a row takes `bytes_per_row`.
pub(crate) fn block_rows(bytes_per_row: f64, row_bytes: usize, temporal: bool) -> usize {
    const BLOCK_BYTES: f64 = 8192.0;
    // The first row of a block has no row before it to be predicted from.
    let least = if temporal { 16 } else { 1 };
    // A block decoded in memory stays moderate too.
    let most = ((4 << 20) / row_bytes.max(1)).clamp(1, 1 << 16);
    ((BLOCK_BYTES / bytes_per_row.max(0.01)) as usize).max(least).clamp(1, most)
}
