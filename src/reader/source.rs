//! Where a file's bytes come from.

use crate::error::{Error, Result};
use crate::positioned::PositionedFile;
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

/// Bytes that can be read at any position, from several threads.
///
/// Sealed: a map, a file read by position, bytes in memory, or what a function fetches.
pub trait Source: Send + Sync + sealed::Sealed {
    /// Returns the number of bytes.
    fn len(&self) -> u64;

    /// Says whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `out` from byte `offset` on.
    ///
    /// # Errors
    /// `Truncated` if there are not so many bytes; `Io` if they cannot be read.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()>;

    /// Lends the bytes themselves, if they are in memory.
    fn slice(&self, _offset: u64, _length: usize) -> Option<&[u8]> {
        None
    }
}

pub(super) mod sealed {
    pub trait Sealed {}
}

/// Bytes in memory: a `Vec<u8>`, a slice, anything that is `AsRef<[u8]>`.
#[derive(Debug, Clone)]
pub struct Bytes<B>(pub(crate) B);

impl<B> sealed::Sealed for Bytes<B> {}

impl<B: AsRef<[u8]> + Send + Sync> Source for Bytes<B> {
    fn len(&self) -> u64 {
        self.0.as_ref().len() as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        copy(self, offset, out)
    }

    fn slice(&self, offset: u64, length: usize) -> Option<&[u8]> {
        part(self.0.as_ref(), offset, length)
    }
}

/// Returns `length` bytes of `bytes` from `offset` on, if there are so many.
pub(super) fn part(bytes: &[u8], offset: u64, length: usize) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(length)?)
}

/// Copies from a source that has its bytes in memory.
pub(super) fn copy(source: &dyn Source, offset: u64, out: &mut [u8]) -> Result<()> {
    let bytes = source.slice(offset, out.len()).ok_or_else(|| beyond(source, offset, out.len()))?;
    out.copy_from_slice(bytes);
    Ok(())
}

/// Reads `length` bytes at `offset`; they are lent where the source has them in memory.
pub(super) fn bytes<S: Source>(source: &S, offset: u64, length: usize) -> Result<Cow<'_, [u8]>> {
    if let Some(slice) = source.slice(offset, length) {
        return Ok(Cow::Borrowed(slice));
    }
    // Checked before memory is taken for them.
    if offset.checked_add(length as u64).is_none_or(|end| end > source.len()) {
        return Err(beyond(source, offset, length));
    }
    let mut out = vec![0; length];
    source.read_at(offset, &mut out)?;
    Ok(Cow::Owned(out))
}

/// Reads `N` bytes at `offset`.
pub(super) fn array<const N: usize>(source: &impl Source, offset: u64) -> Result<[u8; N]> {
    let bytes = bytes(source, offset, N)?;
    Ok(bytes[..].try_into().expect("as many as asked for"))
}

fn beyond(source: &(impl Source + ?Sized), offset: u64, length: usize) -> Error {
    let what = format!("{length} bytes are needed, the file has {}", source.len());
    Error::truncated(what).at(offset)
}

/// A file that is read by position; safe whatever happens to the file meanwhile.
#[derive(Debug)]
pub struct FileSource {
    file: PositionedFile,
    length: u64,
}

impl FileSource {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = |e| Error::io(format!("cannot open {}", path.display()), e);
        Self::new(File::open(path).map_err(failed)?)
    }

    pub(super) fn new(file: File) -> Result<Self> {
        let length = file.metadata().map_err(|e| Error::io("cannot ask for the size", e))?.len();
        Ok(Self { file: PositionedFile::new(file), length })
    }
}

impl sealed::Sealed for FileSource {}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        match self.file.read_up_to(offset, out) {
            Ok(done) if done == out.len() => Ok(()),
            Ok(_) => Err(beyond(self, offset, out.len())),
            Err(e) => Err(Error::io("cannot read", e).at(offset)),
        }
    }
}

/// Bytes that a function fetches, from a store of objects, say: it fills a slice from a byte on, and may
/// be called by several threads at the same time.
pub struct Fetched<F> {
    length: u64,
    fetch: F,
}

impl<F: Fn(u64, &mut [u8]) -> io::Result<()> + Send + Sync> Fetched<F> {
    pub(super) fn new(length: u64, fetch: F) -> Self {
        Self { length, fetch }
    }
}

impl<F> fmt::Debug for Fetched<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched").field("length", &self.length).finish_non_exhaustive()
    }
}

impl<F> sealed::Sealed for Fetched<F> {}

impl<F: Fn(u64, &mut [u8]) -> io::Result<()> + Send + Sync> Source for Fetched<F> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.length) {
            return Err(beyond(self, offset, out.len()));
        }
        (self.fetch)(offset, out).map_err(|e| Error::io("cannot fetch", e).at(offset))
    }
}
