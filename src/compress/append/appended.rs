//! What came of appending rows.

use crate::quality::Quality;

/// What was appended.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Appended {
    /// Rows that the file had.
    pub rows_before: u64,
    /// Rows that were added.
    pub rows: u64,
    /// Bytes of the file before.
    pub bytes_before: u64,
    /// Bytes of the file now.
    pub bytes: u64,
    /// Bytes that were written over: of rows that were not appended completely once.
    pub unfinished_bytes: u64,
    /// The quality of the rows that were added, measured on the decoded values.
    pub measured: Quality,
    /// Number of values stored exactly: special ones, and those that the model does not bring within
    /// the bound.
    pub exact_values: u64,
}
