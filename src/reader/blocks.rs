//! The blocks of an open file: which hold the rows asked for, and what their bytes say.

use super::open::{self, Frame};
use super::source::{self, Source};
use crate::codec::decode::{self, EncodedBlock};
#[cfg(feature = "compress")]
use crate::container::encoder::EncoderRecord;
use crate::container::index::Place;
#[cfg(feature = "apps")]
use crate::container::task::TaskRecord;
use crate::error::{Error, Result};
use crate::limits::{self, Limits};
use std::ops::Range;

/// Rows of one block.
#[derive(Debug, Clone)]
pub(super) struct BlockRows {
    pub(super) place: Place,
    /// Which of its rows, counted from its first.
    pub(super) rows: Range<usize>,
}

/// A source, what lies around its blocks, and what they may claim.
#[derive(Debug)]
pub(super) struct Blocks<S> {
    source: S,
    frame: Frame,
    limits: Limits,
}

impl<S: Source> Blocks<S> {
    /// Checks everything but the blocks.
    pub(super) fn open(source: S, limits: Limits) -> Result<Self> {
        let frame = open::open(&source, &limits)?;
        Ok(Self { source, frame, limits })
    }

    pub(super) fn frame(&self) -> &Frame {
        &self.frame
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.source.len()
    }

    #[cfg(feature = "compress")]
    pub(super) fn encoder(&self) -> Result<Option<EncoderRecord>> {
        self.frame.encoder(&self.source, &self.limits)
    }

    #[cfg(feature = "apps")]
    pub(super) fn task(&self) -> Result<Option<TaskRecord>> {
        self.frame.task(&self.source, &self.limits)
    }

    /// Checks everything but the blocks once more, and what opening does not read.
    pub(super) fn verify_frame(&self) -> Result<()> {
        let frame = open::open(&self.source, &self.limits)?;
        if frame.index != self.frame.index {
            return Err(Error::corrupt("the file has changed since it was opened"));
        }
        frame.verify_unread(&self.source, &self.limits)
    }

    /// Cuts rows of the file, which must be there, at the ends of blocks.
    pub(super) fn parts(&self, rows: Range<usize>) -> impl Iterator<Item = BlockRows> + '_ {
        let mut row = rows.start;
        std::iter::from_fn(move || {
            if row >= rows.end {
                return None;
            }
            let place = self.frame.index.place(self.frame.index.find(row as u64));
            let first = place.row as usize;
            let own = row - first..place.rows.min(rows.end - first);
            row = first + own.end;
            Some(BlockRows { place, rows: own })
        })
    }

    /// Reads a block's bytes, once what it claims is within the limits.
    pub(super) fn read(&self, place: Place) -> Result<EncodedBlock<'_>> {
        let schema = &self.frame.schema;
        let latents = self.frame.latents();
        let decoded = place.rows as u64 * schema.row_bytes() as u64;
        let working = decode::working_bytes(place.rows, schema.width(), latents);
        let most = decoded.max(working).max(place.length as u64);
        limits::check("a block", most, self.limits.block_bytes).map_err(|e| e.at(place.offset))?;
        Ok(EncodedBlock {
            program: self.frame.program.as_ref(),
            dtype: schema.dtype,
            width: schema.width(),
            place,
            bytes: source::bytes(&self.source, place.offset, place.length)?,
            room: self.limits.block_bytes,
        })
    }

    /// Decodes rows of one block, as row-major little-endian bytes.
    pub(super) fn decode(&self, part: &BlockRows) -> Result<Vec<u8>> {
        let block = self.read(part.place)?;
        let mut out = vec![0; part.rows.len() * self.frame.schema.row_bytes()];
        block.rows(part.rows.clone(), &mut out)?;
        Ok(out)
    }
}

/// Runs independent tasks, in parallel where threads are to be had; gives the first error by order.
pub(super) fn each<T: Send>(
    tasks: Vec<T>,
    run: impl Fn(T) -> Result<()> + Sync + Send,
) -> Result<()> {
    #[cfg(feature = "rayon")]
    if tasks.len() > 1 {
        use rayon::prelude::*;
        let results: Vec<Result<()>> = tasks.into_par_iter().map(run).collect();
        return results.into_iter().collect();
    }
    tasks.into_iter().try_for_each(run)
}
