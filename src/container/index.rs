//! Where each block begins and which rows it holds.

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
        Self { rows: vec![0], offsets: vec![start] }
    }

    /// Adds a block at the end.
    pub(crate) fn push(&mut self, rows: usize, length: usize) {
        self.rows.push(self.total_rows() + rows as u64);
        self.offsets.push(self.end() + length as u64);
    }

    /// Returns the INDX section's payload.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.blocks() * ENTRY);
        for i in 0..self.blocks() {
            let place = self.place(i);
            out.extend((place.length as u32).to_le_bytes());
            out.extend(((place.rows - 1) as u16).to_le_bytes());
        }
        out
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
        let bytes = entries.len() as u64 * BYTES_PER_BLOCK;
        limits::check("the index", bytes, limits.index_bytes)?;
        let mut index = Self::new(blocks.start);
        for entry in entries {
            let length = u32::from_le_bytes(entry[..4].try_into().expect("4 bytes"));
            let count = usize::from(u16::from_le_bytes([entry[4], entry[5]])) + 1;
            debug_assert!(count <= MAX_BLOCK_ROWS);
            index.push(count, length as usize);
        }
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

    /// Says where block `i` lies.
    pub(crate) fn place(&self, i: usize) -> Place {
        Place {
            row: self.rows[i],
            rows: (self.rows[i + 1] - self.rows[i]) as usize,
            offset: self.offsets[i],
            length: (self.offsets[i + 1] - self.offsets[i]) as usize,
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
