//! What all formats do with rows.

use crate::error::{Error, Result};
use std::io;

/// Writes rows that are known to be whole and as many as announced.
pub(super) trait Encode {
    fn rows(&mut self, rows: &[u8]) -> Result<()>;
    fn flush(&mut self) -> io::Result<()>;
}

pub(super) fn cannot_write(error: io::Error) -> Error {
    Error::io("cannot write the output", error)
}
