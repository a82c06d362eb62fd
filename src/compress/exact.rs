//! Blocks of rows that no model makes smaller: their bytes, shuffled, under zstd, or their columns,
//! each by itself.

use crate::codec::value::with_cell;
use crate::container::block::{encode_columns, encode_exact};
use crate::container::file::FileWriter;
use crate::encode::beside::Beside;
use crate::encode::blocks::{Totals, exact_tally};
use crate::encode::project::cells;
use crate::error::Result;
use crate::fit::data::sample::Sample;
use crate::matrix::{Rows, Schema};
use crate::quality::Tally;
use rayon::prelude::*;
use std::io::Write;

/// Bytes of rows in a block: as many as zstd looks back. Rows then take milliseconds instead of
/// microseconds, so this is for data that codes much worse in any other way.
const BLOCK_BYTES: usize = 8 << 20;
/// The same where columns are kept by themselves, for numbers of so many bytes and more, and of fewer:
/// each number may be unpacked to two integers of 8 bytes, and readers grant a small file 32 MiB.
const COLUMNS_BYTES: usize = 8 << 20;
const COLUMNS_BYTES_OF_SMALL: usize = 4 << 20;
const SMALL: usize = 4;
/// Share of a codec's bytes below which exact blocks are taken: single rows of theirs are slower to
/// read, and that wants to be paid for, if only with little.
pub(super) const WORTH: f64 = 0.985;
/// Most rows of a block, as in blocks of a codec: however small rows are, their index stays small
/// and one is found without much decoding.
const MOST_ROWS: usize = 1 << 16;

/// As many rows as fill a block of `bytes`.
fn rows_per_block(bytes: usize, row_bytes: usize) -> usize {
    (bytes / row_bytes.max(1)).clamp(1, MOST_ROWS)
}

/// Returns the bytes of a file of exact blocks, estimated.
pub(super) fn estimate(sample: &Sample, level: i32) -> f64 {
    let size = sample.schema.dtype.size();
    let row_bytes = sample.schema.row_bytes();
    let rows = rows_per_block(BLOCK_BYTES, row_bytes).min(sample.rows());
    let part = encode_exact(0, &sample.bytes[..rows * row_bytes], size, level);
    part.len() as f64 / rows as f64 * (sample.total as f64)
}

/// How rows are kept.
pub(super) struct Exactly<'a> {
    /// Level of zstd.
    pub(super) level: i32,
    /// How columns are, each by itself; without, they are kept row by row.
    pub(super) columns: Option<&'a Beside>,
}

impl Exactly<'_> {
    fn rows_per_block(&self, schema: &Schema) -> usize {
        let most = match self.columns {
            None => BLOCK_BYTES,
            Some(_) if schema.dtype.size() < SMALL => COLUMNS_BYTES_OF_SMALL,
            Some(_) => COLUMNS_BYTES,
        };
        rows_per_block(most, schema.row_bytes())
    }

    /// Returns the block of `rows` whose first is `first_row`.
    fn block(&self, first_row: u64, rows: &[u8], schema: &Schema) -> Vec<u8> {
        let dtype = schema.dtype;
        match self.columns {
            None => encode_exact(first_row, rows, dtype.size(), self.level),
            Some(columns) => {
                let sides = columns.split(rows, dtype, schema.width());
                encode_columns(first_row, &sides.columns, None)
            }
        }
    }
}

/// Writes all rows exactly; `progress` is told how many are done.
pub(super) fn write<W: Write>(
    rows: &dyn Rows,
    exactly: &Exactly<'_>,
    file: &mut FileWriter<W>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Totals> {
    let schema = rows.schema();
    let (row_bytes, width) = (schema.row_bytes(), schema.width());
    let per_block = exactly.rows_per_block(schema);
    let mut totals = Totals::default();
    let before = file.rows();
    let firsts: Vec<usize> = (0..rows.len()).step_by(per_block).collect();
    for batch in firsts.chunks(rayon::current_num_threads().max(1)) {
        let blocks: Vec<Result<(usize, Vec<u8>, Tally)>> = batch
            .par_iter()
            .map(|&first| {
                let count = per_block.min(rows.len() - first);
                let mut bytes = vec![0; count * row_bytes];
                rows.read(first, &mut bytes)?;
                let tally = with_cell!(schema.dtype, T => exact_tally::<T>(&cells(&bytes), width, &schema.fill_values));
                Ok((count, exactly.block(before + first as u64, &bytes, schema), tally))
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
