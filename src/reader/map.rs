//! A file mapped into memory.
#![allow(unsafe_code)]

use super::options::ReaderOptions;
use super::read::Reader;
use super::source::{Source, copy, part, sealed};
use crate::error::{Error, Result};
use std::path::Path;

/// A file that is mapped into memory.
#[derive(Debug)]
pub struct Mapped(Option<memmap2::Mmap>);

impl Mapped {
    /// Maps a file.
    ///
    /// # Safety
    /// As long as the map lives, nobody may truncate the file or change its bytes: reading would
    /// then raise a signal or give other bytes than were checked. Renaming another file over it
    /// is fine.
    pub(super) unsafe fn open(path: &Path) -> Result<Self> {
        let io = |e| Error::io(format!("cannot map {}", path.display()), e);
        let file = std::fs::File::open(path).map_err(io)?;
        // An empty file cannot be mapped.
        if file.metadata().map_err(io)?.len() == 0 {
            return Ok(Self(None));
        }
        // SAFETY: the caller promises that the file does not change.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(io)?;
        Ok(Self(Some(map)))
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or(&[])
    }
}

impl sealed::Sealed for Mapped {}

impl Source for Mapped {
    fn len(&self) -> u64 {
        self.bytes().len() as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        copy(self, offset, out)
    }

    fn slice(&self, offset: u64, length: usize) -> Option<&[u8]> {
        part(self.bytes(), offset, length)
    }
}

impl Reader<Mapped> {
    /// Maps the file at `path`.
    ///
    /// # Errors
    /// `Io` if it cannot be mapped; `Truncated`, `Corrupt`, `Unsupported` or `Limit` if it is no
    /// valid file within the limits.
    ///
    /// # Safety
    /// While the reader lives, nobody may truncate the file or write into it. Renaming a new
    /// file over it is fine, and is what `aezip` itself does.
    pub unsafe fn map(path: impl AsRef<Path>) -> Result<Self> {
        // SAFETY: the caller promises the same of the reader as this asks of the map.
        Self::with(unsafe { Mapped::open(path.as_ref()) }?, ReaderOptions::default())
    }

    /// Maps the file at `path`, to be read within `options`.
    ///
    /// # Errors
    /// `Io` if it cannot be mapped; `Truncated`, `Corrupt`, `Unsupported` or `Limit` if it is no
    /// valid file within the limits.
    ///
    /// # Safety
    /// While the reader lives, nobody may truncate the file or write into it. Renaming a new
    /// file over it is fine.
    pub unsafe fn map_with(path: impl AsRef<Path>, options: ReaderOptions) -> Result<Self> {
        // SAFETY: the caller promises the same of the reader as this asks of the map.
        Self::with(unsafe { Mapped::open(path.as_ref()) }?, options)
    }
}
