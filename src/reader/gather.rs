//! Rows in any order, from as few blocks as hold them.

use super::blocks::BlockRows;
use super::read::{Reader, to_native};
use super::source::Source;
use super::wanted::Pick;
use crate::container::index::Place;
use crate::error::Result;
use crate::matrix::Element;

/// Bytes of rows that are decoded together to get at some of them.
const SPAN_BYTES: usize = 4 << 20;
/// Of so many blocks that there is room for, one is remembered that was asked for once, to be decoded whole
/// if it is asked for again soon. Decoding all of a block may take that many times as long as one of its rows:
/// with more, whoever asks for rows at random would wait longer than without any room.
const REMEMBERED_OF: usize = 8;

impl<S: Source> Reader<S> {
    /// Reads the rows with these numbers into `out`, in the order given. A block that holds several
    /// of them is decoded once.
    ///
    /// # Errors
    /// `Argument` if the file has no such row, or `out` has another type or length than the rows;
    /// `Corrupt`, `Limit` or `Io` if a block cannot be read.
    pub fn gather<T: Element>(&self, rows: &[usize], out: &mut [T]) -> Result<()> {
        self.expect_type::<T>()?;
        self.gather_bytes(rows, bytemuck::cast_slice_mut(out))?;
        to_native(out);
        Ok(())
    }

    /// The same as little-endian bytes of any type.
    ///
    /// # Errors
    /// As [`Reader::gather`].
    pub fn gather_bytes(&self, rows: &[usize], out: &mut [u8]) -> Result<()> {
        self.check_room(out.len(), rows.len())?;
        if let Some(row) = rows.iter().find(|r| **r >= self.rows()) {
            return Err(self.no_such_row(*row));
        }
        if let ([row], None) = (rows, self.tiling()) {
            let block = self.frame().index.find(*row as u64);
            return self.gather_block(block, &[Pick { row: *row, to: 0 }], out);
        }
        let mut picks: Vec<Pick> =
            rows.iter().enumerate().map(|(to, &row)| Pick { row, to }).collect();
        picks.sort_by_key(|pick| pick.row);
        if let Some(tiling) = self.tiling() {
            return self.rows_of_tiles(tiling, &picks, out);
        }
        let block_of = |pick: &Pick| self.frame().index.find(pick.row as u64);
        let mut rest = &picks[..];
        while let Some(first) = rest.first() {
            let block = block_of(first);
            let (own, tail) = rest.split_at(rest.partition_point(|p| block_of(p) == block));
            self.gather_block(block, own, out)?;
            rest = tail;
        }
        Ok(())
    }

    /// Reads rows of one block, given in ascending order.
    fn gather_block(&self, block: usize, picks: &[Pick], out: &mut [u8]) -> Result<()> {
        let place = self.frame().index.place(block);
        let row_bytes = self.frame().schema.row_bytes();
        let local = |pick: &Pick| pick.row - place.row as usize;
        let whole = |i: usize| i * row_bytes..(i + 1) * row_bytes;
        if let Some(rows) = &self.rows {
            if let [pick] = picks
                && rows.get(pick.row, &mut out[whole(pick.to)])
            {
                return Ok(());
            }
            if !self.cache.has(block) && self.blocks.read(place)?.pick(picks, out)? {
                if let [pick] = picks {
                    rows.put(pick.row, &out[whole(pick.to)]);
                }
                return Ok(());
            }
        }
        let is_read = self.kept_block(block, false, |decoded| {
            for pick in picks {
                out[whole(pick.to)].copy_from_slice(&decoded[whole(local(pick))]);
            }
        })?;
        if is_read { Ok(()) } else { self.gather_spans(place, picks, out) }
    }

    /// Lets a block be read that is kept, or shall be: all of it is wanted, or it is asked for again. Says
    /// whether it is one.
    pub(super) fn kept_block(
        &self,
        block: usize,
        all: bool,
        mut read: impl FnMut(&[u8]),
    ) -> Result<bool> {
        if self.cache.read(block, &mut read).is_some() {
            return Ok(true);
        }
        let place = self.frame().index.place(block);
        let bytes = place.rows * self.frame().schema.row_bytes();
        let budget = self.cache.budget();
        let kept = budget / bytes.max(1);
        // Rows of an array ask for the same tiles again, and of all that they cross.
        let remembered = if self.tiling().is_some() { kept } else { kept / REMEMBERED_OF };
        if !(all && bytes <= budget || self.cache.wants(block, bytes, remembered.max(1))) {
            return Ok(false);
        }
        let mut decoded = vec![0; bytes];
        self.blocks.fill(BlockRows { place, rows: 0..place.rows }, &mut decoded, false)?;
        read(&decoded);
        self.cache.put(block, decoded);
        Ok(true)
    }

    /// The same without keeping the block: decoding ends at the last row wanted. Where the rows
    /// between the first and the last take much room, they are passed over.
    fn gather_spans(&self, place: Place, picks: &[Pick], out: &mut [u8]) -> Result<()> {
        let row_bytes = self.frame().schema.row_bytes();
        let whole = |i: usize| i * row_bytes..(i + 1) * row_bytes;
        let budget = self.cache.budget();
        let is_large = budget > 0 && place.rows * row_bytes > budget;
        let mut rest = picks;
        while let Some(first) = rest.first() {
            let near = |pick: &Pick| (pick.row - first.row) * row_bytes < SPAN_BYTES;
            let (own, tail) = rest.split_at(rest.partition_point(near));
            let start = first.row - place.row as usize;
            let span = start..start + own.last().unwrap_or(first).row - first.row + 1;
            let mut decoded = vec![0; span.len() * row_bytes];
            let go_on = is_large || !tail.is_empty();
            self.blocks.fill(BlockRows { place, rows: span }, &mut decoded, go_on)?;
            for pick in own {
                out[whole(pick.to)].copy_from_slice(&decoded[whole(pick.row - first.row)]);
            }
            rest = tail;
        }
        Ok(())
    }
}
