//! Where each block begins and which rows it holds.

use super::bytes::Cursor;
use super::forever::MAX_BLOCK_ROWS;
use crate::error::{Error, Result};
use crate::limits::{self, Limits};
use std::ops::Range;

/// Bytes of one entry in the file: length u32, rows − 1 u16.
pub(crate) const ENTRY: usize = 6;
/// Bytes that a block takes in [`Index`]: first row and offset.
const BYTES_PER_BLOCK: u64 = 16;

/// Start of every block, by row and by byte, with one more at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    rows: Vec<u64>,
    offsets: Vec<u64>,
    /// Blocks behind which the next one does not follow, as rows were appended later: which they are
    /// and where they end.
    gaps: Vec<(usize, u64)>,
}

/// Where a block lies and which rows it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its first row.
    pub(crate) row: u64,
    /// How many rows it holds.
    pub(crate) rows: usize,
    /// Its first byte in the file.
    pub(crate) offset: u64,
    /// Its bytes, checksum included.
    pub(crate) length: usize,
}

impl Index {
    /// Makes an index without blocks; the first will begin at byte `start`.
    pub(crate) fn new(start: u64) -> Self {
        Self { rows: vec![0], offsets: vec![start], gaps: Vec::new() }
    }

    /// Makes the next block begin at byte `start`, the end of the last block or beyond.
    pub(crate) fn jump(&mut self, start: u64) {
        let end = std::mem::replace(self.offsets.last_mut().expect("never empty"), start);
        let Some(last) = self.blocks().checked_sub(1).filter(|_| start != end) else { return };
        // Of two jumps the first says where the block ends.
        if self.gaps.last().is_none_or(|gap| gap.0 != last) {
            self.gaps.push((last, end));
        }
    }

    /// Adds a block at the end.
    pub(crate) fn push(&mut self, rows: usize, length: usize) {
        self.rows.push(self.total_rows() + rows as u64);
        self.offsets.push(self.end() + length as u64);
    }

    /// Returns the INDX section's payload.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.blocks() * ENTRY);
        self.encode_blocks(0..self.blocks(), &mut out);
        out
    }

    fn encode_blocks(&self, blocks: Range<usize>, out: &mut Vec<u8>) {
        for i in blocks {
            let place = self.place(i);
            out.extend((place.length as u32).to_le_bytes());
            out.extend(((place.rows - 1) as u16).to_le_bytes());
        }
    }

    /// Returns what a MORE section says of the blocks from number `first` on: runs of blocks that follow
    /// each other.
    #[cfg(feature = "compress")]
    pub(crate) fn encode_runs(&self, first: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let ends = self.gaps.iter().map(|gap| gap.0 + 1).chain([self.blocks()]);
        let mut start = first;
        for end in ends.filter(|&end| end > first) {
            out.extend(self.offsets[start].to_le_bytes());
            out.extend(((end - start) as u32).to_le_bytes());
            self.encode_blocks(start..end, &mut out);
            start = end;
        }
        out
    }

    /// Adds the blocks of such runs, `cursor`, which must lie within the first `end` bytes of the file,
    /// behind those that are there.
    pub(crate) fn decode_runs(
        &mut self,
        mut cursor: Cursor<'_>,
        end: u64,
        limits: &Limits,
    ) -> Result<()> {
        let at = cursor.at();
        while !cursor.rest().is_empty() {
            let (start, count) = (cursor.u64()?, cursor.u32()?);
            if start < self.end() || start > end || count == 0 {
                let what =
                    format!("a run of {count} blocks from byte {start} on, where none can be");
                return Err(Error::corrupt(what).at(at));
            }
            self.jump(start);
            let bytes = cursor.take((count as usize).saturating_mul(ENTRY))?;
            self.decode_blocks(bytes.as_chunks::<ENTRY>().0, limits)?;
            if self.end() > end {
                let what = format!("blocks end at byte {}, beyond {end}", self.end());
                return Err(Error::corrupt(what).at(at));
            }
        }
        Ok(())
    }

    fn decode_blocks(&mut self, entries: &[[u8; ENTRY]], limits: &Limits) -> Result<()> {
        let bytes = (self.blocks() + entries.len()) as u64 * BYTES_PER_BLOCK;
        limits::check("the index", bytes, limits.index_bytes)?;
        for entry in entries {
            let length = u32::from_le_bytes(entry[..4].try_into().expect("4 bytes"));
            let count = usize::from(u16::from_le_bytes([entry[4], entry[5]])) + 1;
            debug_assert!(count <= MAX_BLOCK_ROWS);
            self.push(count, length as usize);
        }
        Ok(())
    }

    /// Reads the payload, which begins at `at`, of blocks that must lie within the bytes `blocks` of
    /// the file, from their first on, and hold `rows` rows.
    pub(crate) fn decode(
        payload: &[u8],
        at: u64,
        blocks: Range<u64>,
        rows: u64,
        limits: &Limits,
    ) -> Result<Self> {
        let (entries, rest) = payload.as_chunks::<ENTRY>();
        if !rest.is_empty() {
            return Err(Error::corrupt("the index is not a whole number of entries").at(at));
        }
        let mut index = Self::new(blocks.start);
        index.decode_blocks(entries, limits)?;
        if index.end() > blocks.end || index.total_rows() != rows {
            return Err(Error::corrupt(format!(
                "the index describes {} rows up to byte {}, but there are {rows} up to byte {}",
                index.total_rows(),
                index.end(),
                blocks.end
            ))
            .at(at));
        }
        Ok(index)
    }

    /// Returns the number of blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.rows.len() - 1
    }

    /// Returns the number of rows in all blocks.
    pub(crate) fn total_rows(&self) -> u64 {
        *self.rows.last().expect("never empty")
    }

    /// Returns the byte behind the last block.
    pub(crate) fn end(&self) -> u64 {
        *self.offsets.last().expect("never empty")
    }

    /// Returns the runs of bytes that blocks which follow each other lie in.
    pub(crate) fn runs(&self) -> Vec<Range<u64>> {
        let starts = [0].into_iter().chain(self.gaps.iter().map(|gap| gap.0 + 1));
        let ends = self.gaps.iter().map(|gap| gap.1).chain([self.end()]);
        starts.zip(ends).map(|(block, end)| self.offsets[block]..end).collect()
    }

    /// Says where block `i` lies.
    pub(crate) fn place(&self, i: usize) -> Place {
        let end = match self.gaps.binary_search_by_key(&i, |gap| gap.0) {
            Ok(gap) => self.gaps[gap].1,
            Err(_) => self.offsets[i + 1],
        };
        Place {
            row: self.rows[i],
            rows: (self.rows[i + 1] - self.rows[i]) as usize,
            offset: self.offsets[i],
            length: (end - self.offsets[i]) as usize,
        }
    }

    /// Finds the block that holds `row`, which must be below the total.
    pub(crate) fn find(&self, row: u64) -> usize {
        // All blocks but the last are usually equal: try where it would be then.
        let guess = (row / self.rows[1].max(1)).min(self.blocks() as u64 - 1) as usize;
        if self.rows[guess] <= row && row < self.rows[guess + 1] {
            return guess;
        }
        self.rows.partition_point(|&first| first <= row) - 1
    }
}
