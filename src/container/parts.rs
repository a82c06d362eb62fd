//! The parts of a block's stream: rows of one are decoded without those of the others.

use super::bytes::Cursor;
#[cfg(feature = "compress")]
use super::bytes::put_varint;
use crate::error::{Error, Result};
use std::ops::Range;

/// Bytes that the length of a part takes at most beyond the shortest part's.
const MOST_WIDTH: usize = 4;

/// Where the parts of a stream lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// Rows of each part but the last, which may have fewer.
    rows: usize,
    /// How many there are.
    count: usize,
    /// Bytes of the shortest part but the last.
    least: usize,
    /// Bytes that each of the parts but the last has beyond that, numbers of `width` bytes.
    lengths: &'a [u8],
    width: usize,
    /// The parts, one after another.
    bodies: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Takes a stream of `rows` rows for a single part.
    pub(crate) fn whole(stream: &'a [u8], rows: usize) -> Self {
        Self { rows: rows.max(1), count: 1, least: 0, lengths: &[], width: 0, bodies: stream }
    }

    /// Finds the parts of a stream of `rows` rows.
    pub(crate) fn decode(stream: &'a [u8], rows: usize) -> Result<Self> {
        let mut cursor = Cursor::new(stream, 0);
        let own = usize::try_from(cursor.varint()?).unwrap_or(usize::MAX);
        if own == 0 || own >= rows {
            return Ok(Self::whole(cursor.rest(), rows));
        }
        let count = rows.div_ceil(own);
        let least = usize::try_from(cursor.varint()?).unwrap_or(usize::MAX);
        let width = usize::from(cursor.u8()?);
        if width > MOST_WIDTH {
            return Err(Error::corrupt(format!("lengths of a stream's parts of {width} bytes")));
        }
        let lengths = cursor.take((count - 1) * width)?;
        let parts = Self { rows: own, count, least, lengths, width, bodies: cursor.rest() };
        let sum = (0..count - 1).try_fold(0_usize, |sum, i| sum.checked_add(parts.length(i)?));
        if sum.is_none_or(|sum| sum > parts.bodies.len()) {
            return Err(Error::truncated("a stream ends within its parts"));
        }
        Ok(parts)
    }

    /// Returns the rows of each part but the last.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the length of a part but the last.
    fn length(&self, part: usize) -> Option<usize> {
        let bytes = &self.lengths[part * self.width..(part + 1) * self.width];
        let more = bytes.iter().rev().fold(0, |more, &byte| more << 8 | usize::from(byte));
        self.least.checked_add(more)
    }

    /// Returns where part `part` lies, which follows `skipped` others behind one that ends at `end`.
    pub(crate) fn place(&self, part: usize, skipped: usize, end: usize) -> Range<usize> {
        let length = |part| self.length(part).unwrap_or(0);
        let start = end + (part - skipped..part).map(length).sum::<usize>();
        let is_last = part + 1 >= self.count;
        start..if is_last { self.bodies.len() } else { start + length(part) }
    }

    /// Returns the bytes there.
    pub(crate) fn bytes(&self, place: Range<usize>) -> &'a [u8] {
        self.bodies.get(place).unwrap_or(&[])
    }
}

/// Joins streams, each of `rows` rows but the last.
#[cfg(feature = "compress")]
pub(crate) fn encode(streams: &[Vec<u8>], rows: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let others = &streams[..streams.len().saturating_sub(1)];
    let lengths = || others.iter().map(Vec::len);
    match (lengths().min(), lengths().max()) {
        (Some(least), Some(most)) => {
            let width = (usize::BITS - (most - least).leading_zeros()).div_ceil(8) as usize;
            put_varint(&mut out, rows as u64);
            put_varint(&mut out, least as u64);
            out.push(width as u8);
            lengths().for_each(|n| out.extend(&(n - least).to_le_bytes()[..width]));
        }
        _ => put_varint(&mut out, 0),
    }
    streams.iter().for_each(|stream| out.extend(stream));
    out
}
