//! Bytes that can be read at any position, by several threads at once.

use crate::error::{Error, Result};
use crate::positioned::PositionedFile;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use tempfile::{SpooledData, SpooledTempFile};

/// Spooled bytes up to this many stay in memory, more go to an unnamed temporary file.
const IN_MEMORY: usize = 32 << 20;
/// Bytes that are moved at once: calls of the system are few then.
const BUFFER: usize = 1 << 18;

/// A file or a piece of memory of known length, or a part of it.
pub(super) struct Source {
    bytes: Bytes,
    /// Where the part begins.
    start: u64,
    len: u64,
}

enum Bytes {
    File(PositionedFile),
    Memory(Vec<u8>),
}

impl Source {
    /// Takes the whole of `file`, which must be a regular file.
    pub(super) fn from_file(file: File) -> Result<Self> {
        let len =
            file.metadata().map_err(|e| Error::io("cannot ask for the file's size", e))?.len();
        Ok(Self { bytes: Bytes::File(PositionedFile::new(file)), start: 0, len })
    }

    pub(super) fn from_memory(bytes: Vec<u8>) -> Self {
        Self { len: bytes.len() as u64, start: 0, bytes: Bytes::Memory(bytes) }
    }

    /// Returns the `len` bytes from byte `start` on, of which as many are left as there are.
    pub(super) fn part(self, start: u64, len: u64) -> Self {
        let start = start.min(self.len);
        Self { start: self.start + start, len: len.min(self.len - start), ..self }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `out` from byte `offset` on.
    pub(super) fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let done = self.read_up_to(offset, out)?;
        if done < out.len() {
            return Err(Error::truncated(format!(
                "{} bytes expected, {done} left; the file has become shorter while it was read",
                out.len()
            ))
            .at(offset));
        }
        Ok(())
    }

    /// Fills as much of `out` as there is from byte `offset` on, and says how much.
    pub(super) fn read_up_to(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let left = self.len.saturating_sub(offset);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(out.len());
        let (out, offset) = (&mut out[..count], self.start.saturating_add(offset));
        match &self.bytes {
            Bytes::File(file) => {
                file.read_up_to(offset, out).map_err(|e| cannot_read(e).at(offset))
            }
            Bytes::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let count = count.min(bytes.len() - start);
                out[..count].copy_from_slice(&bytes[start..start + count]);
                Ok(count)
            }
        }
    }

    /// Reads the first bytes, at most `count`.
    pub(super) fn head(&self, count: usize) -> Result<Vec<u8>> {
        let mut head = vec![0; count.min(usize::try_from(self.len).unwrap_or(usize::MAX))];
        let done = self.read_up_to(0, &mut head)?;
        head.truncate(done);
        Ok(head)
    }

    /// Fails unless exactly `expected` bytes are there, the array's end.
    pub(super) fn expect_len(&self, expected: u64, what: &str) -> Result<()> {
        let actual = self.len;
        if actual < expected {
            return Err(Error::truncated(format!(
                "{what} needs {expected} bytes, but the file has {actual}"
            ))
            .at(actual));
        }
        if actual > expected {
            return Err(Error::corrupt(format!(
                "{what} ends at byte {expected}, but the file has {actual} bytes"
            ))
            .at(expected));
        }
        Ok(())
    }
}

fn cannot_read(error: io::Error) -> Error {
    Error::io("cannot read the input", error)
}

/// Sequential reading of a [`Source`].
pub(super) struct Sequential<'a> {
    source: &'a Source,
    position: u64,
}

impl<'a> Sequential<'a> {
    /// Reads from byte `position` on.
    pub(super) fn from(source: &'a Source, position: u64) -> Self {
        Self { source, position }
    }
}

impl Read for Sequential<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let done = self.source.read_up_to(self.position, out).map_err(io::Error::other)?;
        self.position += done as u64;
        Ok(done)
    }
}

impl Seek for Sequential<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => self.source.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        let outside =
            || io::Error::new(io::ErrorKind::InvalidInput, "a place before the beginning");
        self.position = position.ok_or_else(outside)?;
        Ok(self.position)
    }
}

/// Collects bytes that come one after another into a [`Source`].
pub(super) struct Spool(BufWriter<SpooledTempFile>);

impl Spool {
    pub(super) fn new() -> Self {
        Self(BufWriter::with_capacity(BUFFER, SpooledTempFile::new(IN_MEMORY)))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).map_err(cannot_spool)
    }

    /// Takes everything from `reader`, but no more than `limit` bytes.
    pub(super) fn take_from(
        &mut self,
        reader: &mut dyn Read,
        limit: u64,
    ) -> io::Result<Result<u64>> {
        let mut buffer = vec![0; BUFFER];
        let mut total = 0;
        while total < limit {
            let room = usize::try_from(limit - total).unwrap_or(usize::MAX).min(buffer.len());
            let count = match reader.read(&mut buffer[..room]) {
                Ok(0) => break,
                Ok(count) => count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            if let Err(e) = self.write(&buffer[..count]) {
                return Ok(Err(e));
            }
            total += count as u64;
        }
        Ok(Ok(total))
    }

    pub(super) fn finish(self) -> Result<Source> {
        let spooled = self.0.into_inner().map_err(|e| cannot_spool(e.into_error()))?;
        match spooled.into_inner() {
            SpooledData::InMemory(cursor) => Ok(Source::from_memory(cursor.into_inner())),
            SpooledData::OnDisk(file) => Source::from_file(file),
        }
    }
}

fn cannot_spool(error: io::Error) -> Error {
    let folder = std::env::temp_dir();
    Error::io(
        format!(
            "cannot write a temporary file in {}; choose a folder with more room with TMPDIR",
            folder.display()
        ),
        error,
    )
}

/// Reads everything from `reader`, a pipe for example.
pub(super) fn spool(reader: &mut dyn Read) -> Result<Source> {
    let mut spool = Spool::new();
    spool.take_from(reader, u64::MAX).map_err(cannot_read)??;
    spool.finish()
}
