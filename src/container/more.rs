//! The index of rows that were appended, and of none or all of those before.

use super::bytes::Cursor;
use crate::error::Result;

/// A footer, and the blocks that are found by it and those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// The byte behind it: the length of the file then.
    pub(crate) end: u64,
    /// Blocks of that file.
    pub(crate) blocks: usize,
}

/// What a MORE section says.
#[derive(Debug, Clone)]
pub(crate) struct More<'a> {
    /// The length of an earlier file, whose blocks come before those listed; 0 where all are listed.
    pub(crate) base: u64,
    /// How long the array's first axis has become; 0 where rows are rows.
    pub(crate) first_axis: u64,
    /// Runs of blocks, for [`Index::decode_runs`](super::index::Index::decode_runs).
    pub(crate) runs: Cursor<'a>,
}

impl<'a> More<'a> {
    /// Reads a payload, which begins at `at`.
    pub(crate) fn decode(payload: &'a [u8], at: u64) -> Result<Self> {
        let mut cursor = Cursor::new(payload, at);
        Ok(Self { base: cursor.u64()?, first_axis: cursor.u64()?, runs: cursor })
    }

    /// Returns the payload.
    #[cfg(feature = "compress")]
    pub(crate) fn encode(base: u64, first_axis: u64, runs: &[u8]) -> Vec<u8> {
        [&base.to_le_bytes()[..], &first_axis.to_le_bytes(), runs].concat()
    }
}
