//! Where a file's bytes come from.

use crate::error::{Error, Result};
use std::fs::File;
use std::path::Path;

/// Bytes that can be read at any position, from several threads.
///
/// Sealed: a map, a file read by position, or bytes in memory.
pub trait Source: Send + Sync + sealed::Sealed {
    /// Number of bytes.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `out` from `offset` on.
    ///
    /// # Errors
    /// `Truncated` if there are not so many bytes; `Io` if they cannot be read.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()>;

    /// The bytes themselves, if they are in memory.
    fn slice(&self, _offset: u64, _length: usize) -> Option<&[u8]> {
        None
    }
}

mod sealed {
    pub trait Sealed {}
    impl<B> Sealed for super::Bytes<B> {}
    impl Sealed for super::FileSource {}
    impl Sealed for super::super::map::Mapped {}
}

/// Bytes in memory: a `Vec<u8>`, a slice, anything that is `AsRef<[u8]>`.
#[derive(Debug, Clone)]
pub struct Bytes<B>(pub(crate) B);

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

/// `length` bytes of `bytes` from `offset` on.
pub(super) fn part(bytes: &[u8], offset: u64, length: usize) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(length)?)
}

/// Copies from a source that has its bytes in memory.
pub(super) fn copy(source: &dyn Source, offset: u64, out: &mut [u8]) -> Result<()> {
    let bytes = source.slice(offset, out.len()).ok_or_else(|| beyond(offset, out.len()))?;
    out.copy_from_slice(bytes);
    Ok(())
}

fn beyond(offset: u64, length: usize) -> Error {
    Error::truncated(format!("{length} bytes are needed, the file ends before")).at(offset)
}

/// A file that is read by position; safe whatever happens to the file meanwhile.
#[derive(Debug)]
pub struct FileSource {
    #[cfg(any(unix, windows))]
    file: File,
    #[cfg(not(any(unix, windows)))]
    file: std::sync::Mutex<File>,
    length: u64,
}

impl FileSource {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let name = || format!("cannot open {}", path.display());
        let file = File::open(path).map_err(|e| Error::io(name(), e))?;
        let length = file.metadata().map_err(|e| Error::io(name(), e))?.len();
        #[cfg(not(any(unix, windows)))]
        let file = std::sync::Mutex::new(file);
        Ok(Self { file, length })
    }

    #[cfg(unix)]
    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, out, offset)
    }

    #[cfg(windows)]
    fn read_exact_at(&self, mut offset: u64, mut out: &mut [u8]) -> std::io::Result<()> {
        while !out.is_empty() {
            let n = std::os::windows::fs::FileExt::seek_read(&self.file, out, offset)?;
            if n == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            offset += n as u64;
            out = &mut out[n..];
        }
        Ok(())
    }

    #[cfg(not(any(unix, windows)))]
    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = self.file.lock().unwrap_or_else(|e| e.into_inner());
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(out)
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.read_exact_at(offset, out).map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => beyond(offset, out.len()),
            _ => Error::io("cannot read", e).at(offset),
        })
    }
}
