//! A block that is decoded from its first row to its last, in as many steps as its reader likes.
//!
//! What a file claims a block to hold may be a million times its bytes: rows are made a few at a
//! time, and none twice.

use super::columns::{BlockShape, KeptColumns};
use super::compander::Compander;
use super::decode::{Batch, PausedRows, RowDecoder};
use super::encoded::EncodedBlock;
use super::program::Program;
use crate::container::block::{self, Block, Cells, Escapes};
use crate::container::index::Place;
use crate::container::shuffle;
use crate::error::{Error, Result};
use crate::matrix::{DType, from_little_endian};
use std::borrow::Cow;
use std::ops::Range;

/// A block and how far it has been decoded.
#[derive(Debug)]
pub(crate) struct BlockCursor<'a> {
    place: Place,
    dtype: DType,
    width: usize,
    /// Rows that were decoded or passed over.
    next: usize,
    body: Body<'a>,
}

/// What the rows to come are made from.
#[derive(Debug)]
enum Body<'a> {
    /// All rows, still shuffled.
    Exact {
        shuffled: Vec<u8>,
    },
    Coded(Box<Coded<'a>>),
    /// Every column by itself.
    Columns(KeptColumns),
}

#[derive(Debug)]
struct Coded<'a> {
    /// The block's bytes, among them its stream.
    bytes: Cow<'a, [u8]>,
    stream: Range<usize>,
    rows: PausedRows,
    escapes: Escapes,
    /// Columns kept beside the stream.
    columns: Option<KeptColumns>,
}

impl<'a> BlockCursor<'a> {
    /// Opens a block before its first row, its checksum verified.
    pub(crate) fn new(block: EncodedBlock<'a>) -> Result<Self> {
        let EncodedBlock { program, dtype, width, place, ref bytes, room } = block;
        let at = place.offset;
        let cells = Cells { count: place.rows * width, size: dtype.size() };
        let kept = |columns: &[u8]| {
            KeptColumns::decode(columns, BlockShape { dtype, width, rows: place.rows, at }, room)
        };
        let parts = block::decode(bytes, place.row, at)?;
        let body = match parts {
            Block::Exact { packed } => {
                Body::Exact { shuffled: block::decode_exact(packed, cells, room, at)? }
            }
            Block::Columns { columns, stream: [], .. } => {
                let columns = kept(columns)?;
                columns.expect_all()?;
                Body::Columns(columns)
            }
            Block::Coded { stream, escapes } | Block::Columns { stream, escapes, .. } => {
                let end = bytes.len() - block::CHECKSUM - escapes.len();
                let stream_at = end - stream.len()..end;
                let missing = || Error::corrupt("a coded block in a file without a model").at(at);
                let program = program.ok_or_else(missing)?;
                let rows = RowDecoder::new(program, stream, place.rows);
                let rows = rows.map_err(|e| e.at(at))?.pause();
                let escapes = Escapes::decode(escapes, cells, room, at)?;
                let columns = match parts {
                    Block::Columns { columns, .. } => Some(kept(columns)?),
                    _ => None,
                };
                let (bytes, stream) = (block.bytes, stream_at);
                Body::Coded(Box::new(Coded { bytes, stream, rows, escapes, columns }))
            }
        };
        Ok(Self { place, dtype, width, next: 0, body })
    }

    /// Says whether `rows` of the block at `place` can be had without going back.
    pub(crate) fn leads_to(&self, place: &Place, rows: &Range<usize>) -> bool {
        self.place == *place && self.next <= rows.start
    }

    /// Fills `out` with the rows `want` of the block, none of them before those decoded last; rows
    /// between are passed over. Coming to the last row checks that the stream ends there.
    pub(crate) fn rows(
        &mut self,
        program: Option<&Program>,
        want: Range<usize>,
        out: &mut [u8],
    ) -> Result<()> {
        debug_assert!(self.next <= want.start && want.end <= self.place.rows);
        let first_cell = want.start * self.width;
        match &mut self.body {
            Body::Exact { shuffled } => {
                shuffle::unshuffle(shuffled, self.dtype.size(), first_cell, out);
            }
            Body::Coded(coded) => {
                let at = self.place.offset;
                let missing = || Error::corrupt("a coded block in a file without a model").at(at);
                let program = program.ok_or_else(missing)?;
                let stream = &coded.bytes[coded.stream.clone()];
                let paused = std::mem::take(&mut coded.rows);
                let rows = RowDecoder::resume(program, (stream, self.place.rows), paused);
                let mut rows = rows.map_err(|e| e.at(at))?;
                rows.pass_to(want.start);
                let decoded = Batch::lent(|batch| match &program.compander {
                    None => batch.decode(&mut rows, self.dtype, out),
                    Some(scales) => decode_and_expand(batch, &mut rows, scales, out),
                });
                decoded.map_err(|e| e.at(at))?;
                if want.end == self.place.rows {
                    rows.finish().map_err(|e| e.at(at))?;
                }
                coded.rows = rows.pause();
                coded.escapes.restore(first_cell, out);
                if let Some(columns) = &coded.columns {
                    columns.restore(want.start, out);
                }
            }
            Body::Columns(columns) => columns.restore(want.start, out),
        }
        self.next = want.end;
        Ok(())
    }

    /// Decodes all rows and keeps none.
    pub(crate) fn check(mut self, program: Option<&Program>) -> Result<()> {
        if !matches!(self.body, Body::Coded(_)) {
            return Ok(());
        }
        // Rows that are all alike hold nothing but their classes.
        if let (Some(program), Body::Coded(coded)) =
            (program.filter(|p| p.constant), &mut self.body)
        {
            let stream = &coded.bytes[coded.stream.clone()];
            let paused = std::mem::take(&mut coded.rows);
            let mut rows = RowDecoder::resume(program, (stream, self.place.rows), paused)?;
            return rows.pass(self.place.rows - self.next).map_err(|e| e.at(self.place.offset));
        }
        let latents = program.map_or(0, |p| p.record.latents());
        let step = Batch::rows(self.place.rows, self.width, latents);
        let row_bytes = self.width * self.dtype.size();
        let mut out = vec![0; step * row_bytes];
        while self.next < self.place.rows {
            let want = self.next..(self.next + step).min(self.place.rows);
            let length = want.len() * row_bytes;
            self.rows(program, want, &mut out[..length])?;
        }
        Ok(())
    }

    /// Lets go of what it was lent, to go on later.
    pub(crate) fn pause(self) -> BlockCursor<'static> {
        let body = match self.body {
            Body::Exact { shuffled } => Body::Exact { shuffled },
            Body::Coded(coded) => {
                let Coded { bytes, stream, rows, escapes, columns } = *coded;
                let bytes = Cow::Owned(bytes.into_owned());
                Body::Coded(Box::new(Coded { bytes, stream, rows, escapes, columns }))
            }
            Body::Columns(columns) => Body::Columns(columns),
        };
        BlockCursor {
            place: self.place,
            dtype: self.dtype,
            width: self.width,
            next: self.next,
            body,
        }
    }
}

/// Fills `out` with the next rows, on the file's scale.
fn decode_and_expand(
    batch: &mut Batch,
    rows: &mut RowDecoder<'_, '_>,
    scales: &Compander,
    out: &mut [u8],
) -> Result<()> {
    let (width, latents) = rows.width_and_latents();
    let row_bytes = width * scales.dtype.size();
    let step = Batch::rows(out.len() / row_bytes, width, latents).max(1);
    let mut bytes = vec![0; step * width * size_of::<f64>()];
    let mut numbers = vec![0.0; step * width];
    for out in out.chunks_mut(step * row_bytes) {
        let count = out.len() / scales.dtype.size();
        let (bytes, numbers) = (&mut bytes[..count * size_of::<f64>()], &mut numbers[..count]);
        batch.decode(rows, DType::F64, bytes)?;
        from_little_endian(bytes, numbers);
        scales.expand(width, numbers, out);
    }
    Ok(())
}
