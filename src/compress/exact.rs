//! Blocks of rows that no model makes smaller: their bytes, shuffled, under zstd.

use crate::codec::value::{Cell, with_cell};
use crate::container::block::encode_exact;
use crate::container::file::FileWriter;
use crate::encode::blocks::Totals;
use crate::error::Result;
use crate::fit::data::sample::Sample;
use crate::matrix::{Rows, from_little_endian};
use crate::quality::Tally;
use rayon::prelude::*;
use std::io::Write;

/// Bytes of rows in a block: as many as zstd looks back. Rows then take milliseconds instead of
/// microseconds, so this is for data that codes much worse in any other way.
const BLOCK_BYTES: usize = 8 << 20;
/// Share of a codec's bytes below which exact blocks are taken: single rows of theirs are slower to
/// read, and that wants to be paid for, if only with little.
const WORTH: f64 = 0.985;
/// Most rows of a block, as in blocks of a codec: however small rows are, their index stays small
/// and one is found without much decoding.
const MOST_ROWS: usize = 1 << 16;

/// As many rows as fill a block.
fn rows_per_block(row_bytes: usize) -> usize {
    (BLOCK_BYTES / row_bytes.max(1)).clamp(1, MOST_ROWS)
}

/// Whether exact blocks are smaller than the file of a codec that takes `bytes`, by enough.
pub(super) fn is_smaller(sample: &Sample, bytes: f64, level: i32) -> bool {
    let size = sample.schema.dtype.size();
    let row_bytes = sample.schema.row_bytes();
    let rows = rows_per_block(row_bytes).min(sample.rows());
    let part = encode_exact(0, &sample.bytes[..rows * row_bytes], size, level);
    part.len() as f64 / rows as f64 * (sample.total as f64) < bytes * WORTH
}

/// Writes all rows exactly; `progress` is told how many are done.
pub(super) fn write<W: Write>(
    rows: &dyn Rows,
    level: i32,
    file: &mut FileWriter<W>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Totals> {
    let schema = rows.schema();
    let (size, row_bytes, width) = (schema.dtype.size(), schema.row_bytes(), schema.width());
    let per_block = rows_per_block(row_bytes);
    let mut totals = Totals::default();
    let firsts: Vec<usize> = (0..rows.len()).step_by(per_block).collect();
    for batch in firsts.chunks(rayon::current_num_threads().max(1)) {
        let blocks: Vec<Result<(usize, Vec<u8>, Tally)>> = batch
            .par_iter()
            .map(|&first| {
                let count = per_block.min(rows.len() - first);
                let mut bytes = vec![0; count * row_bytes];
                rows.read(first, &mut bytes)?;
                let mut tally = Tally::default();
                with_cell!(schema.dtype, T => {
                    let mut cells = vec![<T as bytemuck::Zeroable>::zeroed(); count * width];
                    from_little_endian(&bytes, &mut cells);
                    let mut same = vec![0.0; width];
                    let centre = vec![0.0; width];
                    for row in cells.chunks_exact(width) {
                        same.iter_mut().zip(row).for_each(|(s, x)| *s = x.to_f64());
                        tally.exact_row(row, &same, &centre, &schema.fill_values);
                    }
                });
                Ok((count, encode_exact(first as u64, &bytes, size, level), tally))
            })
            .collect();
        for block in blocks {
            let (count, bytes, tally) = block?;
            file.block(count, &bytes)?;
            totals.tally.add(&tally);
        }
        progress(totals.tally.rows);
    }
    Ok(totals)
}
