//! What whoever appends rows must know of a file.

use super::read::Reader;
use super::source::Source;
use crate::codec::program::Program;
use crate::container::columns::Way;
use crate::container::file::Whole;
use crate::error::Result;

/// Blocks of a file that are looked at to see how its columns are kept, at most.
const BLOCKS_SEEN: usize = 16;

impl<S: Source> Reader<S> {
    /// Returns the model, ready to decode; none where all blocks are stored without one.
    pub(crate) fn program(&self) -> Option<&Program> {
        self.frame().program.as_ref()
    }

    /// Returns where blocks are, and where the next ones can be.
    pub(crate) fn whole(&self) -> Whole {
        let frame = self.frame();
        Whole { index: frame.index.clone(), links: frame.links.clone(), first_axis: 0 }
    }

    /// Returns rows and bytes of all blocks, and the rows of the first where there are several.
    pub(crate) fn block_sizes(&self) -> (u64, u64, Option<usize>) {
        let index = &self.frame().index;
        let bytes = index.runs().iter().map(|run| run.end - run.start).sum();
        let first = (index.blocks() > 1).then(|| index.place(0).rows);
        (index.total_rows(), bytes, first)
    }

    /// Returns the columns that blocks keep beside their stream, and the ways in which they do, by what is
    /// seen in some blocks; none where no block has such columns.
    ///
    /// # Errors
    /// `Corrupt` or `Io` if a block cannot be read.
    pub(crate) fn columns_beside(&self) -> Result<Option<Vec<(usize, Way)>>> {
        let index = &self.frame().index;
        let step = index.blocks().div_ceil(BLOCKS_SEEN).max(1);
        let mut all: Option<Vec<(usize, Way)>> = None;
        for block in (0..index.blocks()).step_by(step) {
            let Some(own) = self.blocks.read(index.place(block))?.columns()? else { continue };
            all.get_or_insert_default().extend(own);
        }
        Ok(all)
    }
}
