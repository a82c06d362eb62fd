//! Rows to the blocks of a file, several at a time.

use crate::codec::context::LANES;
use crate::codec::program::Program;
use crate::codec::value::{Cell, with_cell};
use crate::container::block;
use crate::container::file::FileWriter;
use crate::encode::access::{Access, ONE_PART};
use crate::encode::beside::{Beside, Sides};
use crate::encode::companded::{OnScales, checked};
use crate::encode::encoder::BlockEncoder;
use crate::encode::project::cells;
use crate::error::Result;
use crate::matrix::{FillValues, Rows};
use crate::quality::Tally;
use rayon::prelude::*;
use std::io::Write;

/// Rows that one task encodes at least, so that a matrix product is worth its set-up.
const TASK_ROWS: usize = 256;
/// Bytes of rows that one task reads at most, where a block is not larger: rows take memory at several
/// times their size while they are encoded.
const TASK_BYTES: usize = 32 << 20;
/// Tasks per thread that are encoded before any is written: more would even out their times, and
/// take memory.
const TASKS_PER_THREAD: usize = 4;
/// Bytes that each byte of a task's rows takes with all that is made of it.
const BYTES_PER_BYTE: usize = 16;
/// Columns of all tasks of a batch: each takes some hundred bytes until its task is written.
const COLUMNS_HELD: usize = 1 << 25;
/// Bytes of a block, about. Smaller ones are quicker to read one row from, larger ones spread the
/// cost of a block's head, states and first row over more rows. Half: files are 0.2 to 0.6 % larger;
/// double: 0.1 to 0.2 % smaller.
const BLOCK_BYTES: f64 = 8192.0;
/// The same where rows look at their neighbours, which has them decoded in lanes with a state each: the
/// states take twice the share of a smaller block, and more rows keep lanes busy.
const BLOCK_BYTES_IN_LANES: f64 = 2.0 * BLOCK_BYTES;
/// Rows of a block at least where rows are predicted from those before: the first has none. It trades
/// the time of reading a single row; half: 0.7 % larger on fields.
const LEAST_ROWS_IF_TEMPORAL: usize = 32;
/// Lines of a block at least where rows lie in lines and are predicted from the line before: the first has
/// none. It trades the time of reading a single row as well: where lines are long, there are fewer, of so many bytes
/// once decoded, but not fewer than half. (On a field of 4096 × 4096 they cost 0.35 %.)
const LEAST_LINES: usize = 8;
const BYTES_OF_LINES: usize = 1 << 20;
/// Bytes of a block's rows at most, once decoded: what a reader must hold to get at one row.
const MOST_DECODED_BYTES: usize = 4 << 20;
/// Bytes of a block's rows, once decoded, where columns are kept beside the stream: as many as a block
/// may have, as each column has a head of its own in it. A row then takes milliseconds to read.
const MOST_BYTES_BESIDE: usize = 4 << 20;
/// Rows of a block at most: the format's limit.
const MOST_ROWS: usize = 1 << 16;

/// What was encoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    /// Errors of the decoded rows.
    pub(crate) tally: Tally,
    /// Values stored exactly.
    pub(crate) escapes: u64,
}

/// An encoded block.
struct Encoded {
    rows: usize,
    bytes: Vec<u8>,
    totals: Totals,
}

/// What encodes rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encoding<'a> {
    pub(crate) encoder: &'a BlockEncoder,
    /// Columns that are kept beside the stream, of which every bit is.
    pub(crate) beside: Option<&'a Beside>,
    /// Bytes that rows and what is made of them may take.
    pub(crate) memory: u64,
}

/// Encodes all of `rows` and writes them block after block; `progress` is told how many are done.
///
/// # Errors
/// `Io` if rows cannot be read or blocks not be written.
pub(crate) fn encode_rows<W: Write>(
    encoding: Encoding<'_>,
    rows: &dyn Rows,
    writer: &mut FileWriter<W>,
    progress: &dyn Fn(u64),
) -> Result<Totals> {
    let per_block = encoding.encoder.block_rows;
    let row_bytes = rows.schema().row_bytes();
    let task_rows = TASK_ROWS.min(TASK_BYTES / row_bytes.max(1)).max(1);
    let per_task = per_block * task_rows.div_ceil(per_block);
    let task_bytes = (BYTES_PER_BYTE * per_task * row_bytes.max(1)) as u64;
    let most = usize::try_from(encoding.memory / task_bytes).unwrap_or(usize::MAX);
    let tasks = (TASKS_PER_THREAD * rayon::current_num_threads().max(1)).min(most);
    let per_batch = per_task * tasks.min(COLUMNS_HELD / rows.schema().width().max(1)).max(1);
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
                let first = before + first as u64;
                Ok(match encoding.beside {
                    Some(beside) => encode_beside(encoding.encoder, beside, first, &bytes),
                    None => encode_task(encoding.encoder, first, &bytes, row_bytes),
                })
            })
            .collect();
        for task in encoded {
            for block in task? {
                writer.block(block.rows, &block.bytes)?;
                totals.escapes += block.totals.escapes;
                totals.tally.absorb(block.totals.tally);
            }
        }
        batch = end;
        progress(end as u64);
    }
    Ok(totals)
}

/// Encodes consecutive rows, `bytes`, whose first is row `first` of the file.
fn encode_task(encoder: &BlockEncoder, first: u64, bytes: &[u8], row_bytes: usize) -> Vec<Encoded> {
    let latents = encoder.projection.latents;
    let scaled = OnScales::new(encoder, bytes);
    let mut real = Vec::new();
    if latents > 0 {
        let all = scaled.rows(0..bytes.len() / row_bytes);
        let normalised = encoder.projection.normalise(encoder.program.dtype, &encoder.fills, all);
        real = encoder.latents(&normalised);
    }
    let mut out = Vec::new();
    let mut at = 0;
    for block in bytes.chunks(encoder.block_rows * row_bytes) {
        let rows = block.len() / row_bytes;
        let measures = encoder.program.compander.is_none();
        let own = scaled.rows(at..at + rows);
        let symbols = encoder.symbols(own, &real[at * latents..(at + rows) * latents], measures);
        let first = first + at as u64;
        let bytes = encoder.block(first, block, &symbols);
        let totals = Totals { escapes: symbols.escapes.len() as u64, tally: symbols.tally };
        out.push(match measures {
            true => Encoded { rows, bytes, totals },
            false => {
                let (bytes, tally) = checked(encoder, first, block, bytes);
                Encoded { rows, bytes, totals: Totals { tally, ..totals } }
            }
        });
        at += rows;
    }
    out
}

/// The same for rows of which columns are kept beside the stream: no other is off by anything.
fn encode_beside(
    encoder: &BlockEncoder,
    beside: &Beside,
    first: u64,
    bytes: &[u8],
) -> Vec<Encoded> {
    let (dtype, width) = (encoder.program.dtype, encoder.program.record.width());
    let row_bytes = width * dtype.size();
    let blocks = bytes.chunks(encoder.block_rows * row_bytes).enumerate();
    let encode = |(i, rows): (usize, &[u8])| {
        let Sides { coded, columns } = beside.split(rows, dtype, width);
        let mut real = Vec::new();
        if encoder.projection.latents > 0 {
            real = encoder.latents(&encoder.projection.normalise(dtype, &encoder.fills, &coded));
        }
        let symbols = encoder.symbols(&coded, &real, false);
        let first = first + (i * encoder.block_rows) as u64;
        let bytes = match encoder.coded(&coded, &symbols) {
            Some((stream, escapes)) => {
                block::encode_columns(first, &columns, Some((&stream, &escapes)))
            }
            None => encoder.exact(first, rows),
        };
        let tally = with_cell!(dtype, T => exact_tally::<T>(&cells(rows), width, &encoder.fills));
        let totals = Totals { escapes: symbols.escapes.len() as u64, tally };
        Encoded { rows: rows.len() / row_bytes, bytes, totals }
    };
    blocks.map(encode).collect()
}

/// Returns the errors of rows that are decoded as they are.
pub(crate) fn exact_tally<T: Cell>(cells: &[T], width: usize, fills: &FillValues) -> Tally {
    let mut tally = Tally::default();
    let (mut same, centre) = (vec![0.0; width], vec![0.0; width]);
    for row in cells.chunks_exact(width) {
        same.iter_mut().zip(row).for_each(|(s, x)| *s = x.to_f64());
        tally.exact_row(row, &same, &centre, fills);
    }
    tally
}

/// Returns the rows of a block with columns beside its stream: more than others have, as each such
/// column has a head of its own in each block.
pub(crate) fn block_rows_beside(row_bytes: usize) -> usize {
    (MOST_BYTES_BESIDE / row_bytes.max(1)).clamp(1, MOST_ROWS)
}

/// Rows of a block, and of each part of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockRows {
    pub(crate) rows: usize,
    pub(crate) part_rows: usize,
}

impl BlockRows {
    /// Chooses the shape of a program's blocks where a row takes `bytes_per_row`, and `row_bytes` once
    /// decoded, for rows that will be asked for with `access`.
    pub(crate) fn new(
        program: &Program,
        bytes_per_row: f64,
        row_bytes: usize,
        access: Access,
    ) -> Self {
        let most = (MOST_DECODED_BYTES / row_bytes.max(1)).clamp(1, MOST_ROWS);
        // What takes next to nothing is limited by `most`.
        let rows = |bytes: f64| (bytes / bytes_per_row.max(0.01)) as usize;
        if !program.recalls() {
            let part_rows = access.part_rows(program, bytes_per_row);
            let least = if part_rows == ONE_PART { 1 } else { part_rows };
            return Self { rows: rows(BLOCK_BYTES).max(least).clamp(1, most), part_rows };
        }
        let line = program.record.neighbours.as_ref().map_or(0, |n| n.line_of_rows);
        let least = if program.looks_back() { LEAST_ROWS_IF_TEMPORAL } else { 1 };
        let lines = BYTES_OF_LINES / (line * row_bytes).max(1);
        let least = least.max(lines.clamp(LEAST_LINES / 2, LEAST_LINES) * line);
        let times = access.block_times();
        let usual = match program.neighbours {
            // A lane without a row takes as long as one that has one.
            Some(_) => rows(times * BLOCK_BYTES_IN_LANES).max(1).next_multiple_of(LANES),
            None => rows(times * BLOCK_BYTES),
        };
        let rows = access.block_rows().unwrap_or(usual.max(least));
        Self { rows: rows.clamp(1, most), part_rows: ONE_PART }
    }

    /// Gives blocks of an encoder this shape.
    pub(crate) fn apply(self, encoder: &mut BlockEncoder) {
        (encoder.block_rows, encoder.part_rows) = (self.rows, self.part_rows);
    }
}
