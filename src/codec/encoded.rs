//! Blocks as a file has them, and what may be asked of one.

use super::decode::RowDecoder;
#[cfg(feature = "apps")]
use super::head::Head;
#[cfg(feature = "apps")]
use super::latents::LatentLines;
use super::program::Program;
use crate::container::block::{self, Block};
#[cfg(feature = "apps")]
use crate::container::block::{Cells, Escapes};
#[cfg(feature = "compress")]
use crate::container::columns::{self, Shape, Way};
use crate::container::index::Place;
#[cfg(feature = "apps")]
use crate::entropy::rans::RansDecoder;
use crate::error::{Error, Result};
use crate::matrix::DType;
use std::borrow::Cow;
use std::ops::Range;

/// A block's bytes with what decoding them needs.
pub(crate) struct EncodedBlock<'a> {
    /// The model; none in a file whose blocks are all exact.
    pub(crate) program: Option<&'a Program>,
    pub(crate) dtype: DType,
    /// Numbers of a row.
    pub(crate) width: usize,
    pub(crate) place: Place,
    pub(crate) bytes: Cow<'a, [u8]>,
    /// Bytes that exact rows and values may take once they are unpacked.
    pub(crate) room: u64,
}

impl EncodedBlock<'_> {
    /// Finds the block's parts, its checksum verified.
    pub(super) fn open(&self) -> Result<Block<'_>> {
        block::decode(&self.bytes, self.place.row, self.place.offset)
    }

    #[cfg(feature = "apps")]
    fn cells(&self) -> Cells {
        Cells { count: self.place.rows * self.width, size: self.dtype.size() }
    }

    fn program(&self) -> Result<&Program> {
        let missing = || Error::corrupt("a coded block in a file without a model");
        self.program.ok_or_else(|| missing().at(self.place.offset))
    }

    /// Returns the columns that are kept beside the stream, and the ways in which they are; none in a block
    /// without such columns.
    #[cfg(feature = "compress")]
    pub(crate) fn columns(&self) -> Result<Option<Vec<(usize, Way)>>> {
        let Block::Columns { columns, .. } = self.open()? else { return Ok(None) };
        let shape = Shape { width: self.width, float: self.dtype.is_float() };
        let entries = columns::decode(columns, shape, self.place.offset)?;
        Ok(Some(entries.iter().map(|entry| (entry.column, entry.way)).collect()))
    }

    /// Appends the latents of the rows `want` to `out`; a block without stream has none and gives
    /// zeros.
    pub(crate) fn latents(&self, want: Range<usize>, out: &mut Vec<i32>) -> Result<()> {
        let at = self.place.offset;
        let program = self.program()?;
        match self.open()? {
            Block::Exact { .. } | Block::Columns { stream: [], .. } => {
                out.resize(out.len() + want.len() * program.record.latents(), 0);
            }
            Block::Coded { stream, .. } | Block::Columns { stream, .. } => {
                let count = self.place.rows;
                let mut rows = RowDecoder::new(program, stream, count).map_err(|e| e.at(at))?;
                rows.pass_to(want.start);
                for _ in want {
                    rows.advance();
                    out.extend_from_slice(&rows.latents);
                }
                rows.check().map_err(|e| e.at(at))?;
            }
        }
        Ok(())
    }

    /// Returns the bits that each row takes. Rows of an exact block share its bytes evenly, and so
    /// they do those of columns kept beside the stream; values stored exactly share those of their
    /// list.
    #[cfg(feature = "apps")]
    pub(crate) fn row_bits(&self) -> Result<Vec<f64>> {
        let at = self.place.offset;
        let rows = self.place.rows;
        let evenly = |bytes: &[u8]| 8.0 * bytes.len() as f64 / rows as f64;
        let (shared, stream, escapes) = match self.open()? {
            Block::Exact { packed } => return Ok(vec![evenly(packed); rows]),
            Block::Columns { columns, stream: [], .. } => return Ok(vec![evenly(columns); rows]),
            Block::Columns { columns, stream, escapes } => (evenly(columns), stream, escapes),
            Block::Coded { stream, escapes } => (0.0, stream, escapes),
        };
        let program = self.program()?;
        let mut decoder = RowDecoder::new(program, stream, rows).map_err(|e| e.at(at))?;
        let mut out = Vec::with_capacity(rows);
        decoder.count_bits(rows);
        (0..rows).for_each(|_| out.push(shared + decoder.bits_of_next()));
        decoder.check().map_err(|e| e.at(at))?;
        let exact = Escapes::decode(escapes, self.cells(), self.room, at)?;
        let each = 8.0 * escapes.len() as f64 / exact.len().max(1) as f64;
        exact.into_positions().for_each(|p| out[p / self.width] += each);
        Ok(out)
    }
}

/// Decodes the latents of `count` rows from a stream of random bits: each value is as likely as the
/// model's tables say. `random` gives 64 bits at a time.
#[cfg(feature = "apps")]
pub(crate) fn draw_latents(
    program: &Program,
    count: usize,
    random: &mut dyn FnMut() -> u64,
) -> Result<Vec<i32>> {
    let latents = program.record.latents();
    let mut out = Vec::with_capacity(count * latents);
    // Class and latents of a row take 64 bits each at the very most, and a few on average.
    let words = (count * (latents + 1)).div_ceil(2).max(64);
    while out.len() < count * latents {
        let mut stream = Vec::with_capacity(4 + 4 * words);
        stream.extend((random() as u32 | 1 << 31).to_le_bytes());
        (0..words).for_each(|_| stream.extend((random() as u32).to_le_bytes()));
        let mut coder = RansDecoder::new(&stream)?;
        let (mut class, mut stray, mut row) = (0, false, vec![0; latents]);
        let (mut lines, mut predicted) = (LatentLines::new(&program.record), vec![0; latents]);
        loop {
            let (lines, predicted) = (&mut lines, &mut predicted);
            let head = Head { class: &mut class, stray: &mut stray, lines, predicted };
            head.read(program, &mut coder, &mut row);
            if coder.overrun() || out.len() == count * latents {
                break;
            }
            out.extend_from_slice(&row);
        }
    }
    Ok(out)
}
