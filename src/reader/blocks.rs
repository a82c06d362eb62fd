//! The blocks of an open file: which hold the rows asked for, and what their bytes say.

use super::ends::Ends;
use super::open::{self, Frame};
use super::source::{self, Source};
use crate::codec::cursor::BlockCursor;
use crate::codec::decode::Batch;
use crate::codec::encoded::EncodedBlock;
#[cfg(feature = "compress")]
use crate::container::encoder::EncoderRecord;
use crate::container::index::Place;
#[cfg(feature = "apps")]
use crate::container::task::TaskRecord;
#[cfg(feature = "compress")]
use crate::container::transformer::TransformerRecord;
use crate::error::{Error, Result};
use crate::limits::{self, Limits};
use crate::matrix::KeptText;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that blocks which are decoded at the same time may take together, besides the first one:
/// a processor has more cores than a small file should have memory.
const AT_ONCE_BYTES: u64 = 128 << 20;
/// Blocks of more bytes than this are rare, and counted with what they may claim to unpack.
const USUAL_BYTES: u64 = 16 << 20;

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
    /// What a file of this length may take.
    room: Limits,
    /// The block within which a call stopped, for a call that goes on there.
    stopped: Mutex<Option<BlockCursor<'static>>>,
    /// Whether there ever was one.
    has_stopped: AtomicBool,
}

impl<S: Source> Blocks<S> {
    /// Checks everything but the blocks.
    pub(super) fn open(source: S, limits: Limits) -> Result<Self> {
        let ends = Ends::read(&source)?;
        let room = limits.for_file(ends.footer.length);
        let frame = open::open(&source, ends, &room)?;
        let has_stopped = AtomicBool::new(false);
        Ok(Self { source, frame, limits, room, stopped: Mutex::default(), has_stopped })
    }

    pub(super) fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Returns the bytes behind the file's end, of rows that were not appended completely.
    pub(super) fn unfinished_bytes(&self) -> u64 {
        self.source.len() - self.frame.length
    }

    #[cfg(feature = "compress")]
    pub(super) fn encoder(&self) -> Result<Option<EncoderRecord>> {
        self.frame.encoder(&self.source, &self.room)
    }

    #[cfg(feature = "apps")]
    pub(super) fn task(&self) -> Result<Option<TaskRecord>> {
        self.frame.task(&self.source, &self.room)
    }

    #[cfg(feature = "compress")]
    pub(super) fn transformer(&self) -> Result<Option<TransformerRecord>> {
        self.frame.transformer(&self.source, &self.room)
    }

    pub(super) fn kept_text(&self) -> Result<Option<KeptText>> {
        self.frame.kept_text(&self.source, &self.room)
    }

    /// Checks everything but the blocks once more, and what opening does not read.
    pub(super) fn verify_frame(&self) -> Result<()> {
        let frame = open::open(&self.source, Ends::read(&self.source)?, &self.room)?;
        if frame.index != self.frame.index {
            return Err(Error::corrupt("the file has changed since it was opened"));
        }
        frame.verify_unread(&self.source, &self.room)
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
        let most = self.decoded(&place).max(self.working(&place)).max(place.length as u64);
        limits::check("a block", most, self.limits.block_bytes).map_err(|e| e.at(place.offset))?;
        Ok(EncodedBlock {
            program: self.frame.program.as_ref(),
            dtype: schema.dtype,
            width: schema.width(),
            place,
            bytes: source::bytes(&self.source, place.offset, place.length)?,
            room: self.room.block_bytes,
        })
    }

    /// Returns the bytes of a block's rows.
    fn decoded(&self, place: &Place) -> u64 {
        place.rows as u64 * self.frame.schema.row_bytes() as u64
    }

    /// Returns the bytes that decoding a block takes besides its rows.
    fn working(&self, place: &Place) -> u64 {
        Batch::bytes(self.frame.program.as_ref(), place.rows, self.frame.schema.width())
    }

    /// Opens a block before its first row.
    pub(super) fn cursor(&self, place: Place) -> Result<BlockCursor<'_>> {
        BlockCursor::new(self.read(place)?)
    }

    /// Decodes rows of one block into `out`, as row-major little-endian bytes. With `go_on`, a call
    /// that asks for the rows behind them begins there and not with the block's first.
    pub(super) fn fill(&self, part: BlockRows, out: &mut [u8], go_on: bool) -> Result<()> {
        let BlockRows { place, rows } = part;
        let program = self.frame.program.as_ref();
        // Whoever never stopped within a block waits for nobody here.
        let kept = (rows.start > 0 && self.has_stopped.load(Ordering::Relaxed)).then(|| {
            let mut stopped = self.stopped();
            stopped.take_if(|cursor| cursor.leads_to(&place, &rows))
        });
        let mut cursor = match kept.flatten() {
            Some(cursor) => cursor,
            None => self.cursor(place)?,
        };
        let end = rows.end;
        cursor.rows(program, rows, out)?;
        if go_on && end < place.rows {
            self.has_stopped.store(true, Ordering::Relaxed);
            *self.stopped() = Some(cursor.pause());
        }
        Ok(())
    }

    fn stopped(&self) -> MutexGuard<'_, Option<BlockCursor<'static>>> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decodes whole blocks, one after another or several at once, and keeps none of their rows.
    pub(super) fn verify(&self) -> Result<()> {
        let program = self.frame.program.as_ref();
        let parts: Vec<BlockRows> = self.parts(0..self.frame.index.total_rows() as usize).collect();
        self.each(parts, |part| part, |part| self.cursor(part.place)?.check(program))
    }

    /// Runs tasks, each of which decodes rows of one block, several at once as long as they take
    /// little memory together; gives the first error by order.
    pub(super) fn each<T: Send>(
        &self,
        mut tasks: Vec<T>,
        part: impl Fn(&T) -> &BlockRows,
        run: impl Fn(T) -> Result<()> + Sync + Send,
    ) -> Result<()> {
        let bytes = |task: &T| {
            let place = part(task).place;
            let decoded = self.decoded(&place);
            // The window of the decompressor, and what comes out of it.
            let unpacked = 2 * decoded.min(self.room.block_bytes);
            self.working(&place) + if decoded > USUAL_BYTES { unpacked } else { decoded }
        };
        let most = tasks.iter().map(bytes).max().unwrap_or(0).max(1);
        let at_once = (AT_ONCE_BYTES / most).max(1);
        if at_once >= threads() as u64 {
            return each(tasks, run);
        }
        while !tasks.is_empty() {
            let rest = tasks.split_off(tasks.len().min(at_once as usize));
            each(std::mem::replace(&mut tasks, rest), &run)?;
        }
        Ok(())
    }
}

/// Returns how many tasks run at once.
fn threads() -> usize {
    #[cfg(feature = "rayon")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "rayon"))]
    1
}

/// Runs independent tasks, in parallel where threads are to be had; gives the first error by order.
fn each<T: Send>(tasks: Vec<T>, run: impl Fn(T) -> Result<()> + Sync + Send) -> Result<()> {
    #[cfg(feature = "rayon")]
    if tasks.len() > 1 {
        use rayon::prelude::*;
        let results: Vec<Result<()>> = tasks.into_par_iter().map(run).collect();
        return results.into_iter().collect();
    }
    tasks.into_iter().try_for_each(run)
}
