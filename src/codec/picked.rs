//! Single rows of a block: no row costs more than its part of the stream and its own pass of the network.

use super::decode::{Batch, PausedRows, RowDecoder};
use super::encoded::EncodedBlock;
use crate::container::block::{Block, Cells, Escapes};
use crate::error::Result;
use std::cell::Cell;

/// A row to gather.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pick {
    /// Its number in the file.
    pub(crate) row: usize,
    /// Its number in the output.
    pub(crate) to: usize,
}

/// Room for wider rows is let go of: it is asked for in less time than they take.
const KEPT_WIDTH: usize = 1 << 12;

thread_local! {
    /// Threads do not wait for each other, and once they have read a row they ask for no memory.
    static ROWS: Cell<PausedRows> = Cell::default();
}

impl EncodedBlock<'_> {
    /// Fills the rows of `out` with those that are picked, in ascending order of their numbers. Says
    /// whether that was done: it is where rows are coded, and none of their numbers expanded or kept
    /// elsewhere.
    pub(crate) fn pick(&self, picks: &[Pick], out: &mut [u8]) -> Result<bool> {
        let Some(program) = self.program.filter(|p| p.compander.is_none()) else {
            return Ok(false);
        };
        let Block::Coded { stream, escapes } = self.open()? else { return Ok(false) };
        let mut rows = RowDecoder::with_room(program, stream, self.place.rows, ROWS.take())?;
        let picked = Batch::lent(|batch| self.pick_coded(&mut rows, batch, picks, out));
        if self.width <= KEPT_WIDTH {
            ROWS.set(rows.pause());
        }
        picked.map_err(|e| e.at(self.place.offset))?;
        let row_bytes = self.width * self.dtype.size();
        let whole = |i: usize| i * row_bytes..(i + 1) * row_bytes;
        if !escapes.is_empty() {
            let cells = Cells { count: self.place.rows * self.width, size: self.dtype.size() };
            let mut escapes = Escapes::decode(escapes, cells, self.room, self.place.offset)?;
            for same in picks.chunk_by(|a, b| a.row == b.row) {
                escapes.restore(self.local(same[0]) * self.width, &mut out[whole(same[0].to)]);
            }
        }
        for same in picks.chunk_by(|a, b| a.row == b.row) {
            same[1..]
                .iter()
                .for_each(|pick| out.copy_within(whole(same[0].to), pick.to * row_bytes));
        }
        Ok(true)
    }

    /// Returns the number that a row has in the block.
    fn local(&self, pick: Pick) -> usize {
        pick.row - self.place.row as usize
    }

    /// Decodes each row that is picked once.
    fn pick_coded(
        &self,
        rows: &mut RowDecoder<'_, '_>,
        batch: &mut Batch,
        picks: &[Pick],
        out: &mut [u8],
    ) -> Result<()> {
        let program = rows.program;
        let row_bytes = self.width * self.dtype.size();
        let step = Batch::rows(picks.len(), self.width, program.record.latents());
        batch.make_room(program, step);
        let mut firsts = picks.chunk_by(|a, b| a.row == b.row).map(|same| same[0]);
        loop {
            let own = firsts.clone().take(step);
            let mut count = 0;
            for pick in firsts.by_ref().take(step) {
                rows.pass_to(self.local(pick));
                rows.advance();
                batch.take(count, rows);
                count += 1;
            }
            rows.check()?;
            if count == 0 {
                break;
            }
            batch.predict(program, 0, count);
            for (i, pick) in own.enumerate() {
                let out = &mut out[pick.to * row_bytes..(pick.to + 1) * row_bytes];
                batch.put(program, self.dtype, i, out);
            }
        }
        if picks.last().is_some_and(|pick| self.local(*pick) + 1 == self.place.rows) {
            rows.finish()?;
        }
        Ok(())
    }
}
