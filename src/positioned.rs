//! Files that are read at any position, by several threads at once.
//!
//! Unlike a memory map, a file that another program shortens meanwhile gives an error instead of
//! a signal, and no unsafe code is needed.

use std::fs::File;
use std::io;

/// An open file without a position of its own.
#[derive(Debug)]
pub(crate) struct PositionedFile {
    #[cfg(any(unix, windows))]
    file: File,
    /// Where there are no positioned reads, threads take turns.
    #[cfg(not(any(unix, windows)))]
    file: std::sync::Mutex<File>,
}

impl PositionedFile {
    /// Takes an open file.
    pub(crate) fn new(file: File) -> Self {
        #[cfg(not(any(unix, windows)))]
        let file = std::sync::Mutex::new(file);
        Self { file }
    }

    /// Fills as much of `out` as there is from byte `offset` on, and says how much.
    ///
    /// # Errors
    /// Whatever the operating system says; the end of the file is no error.
    #[cfg(any(unix, windows))]
    pub(crate) fn read_up_to(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        fill(out, |done, rest| {
            #[cfg(unix)]
            return std::os::unix::fs::FileExt::read_at(&self.file, rest, offset + done);
            #[cfg(windows)]
            return std::os::windows::fs::FileExt::seek_read(&self.file, rest, offset + done);
        })
    }

    #[cfg(not(any(unix, windows)))]
    pub(crate) fn read_up_to(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        fill(out, |_, rest| file.read(rest))
    }
}

/// Repeats `read`, which is given how many bytes there are already, until `out` is full or nothing
/// more comes.
fn fill(
    out: &mut [u8],
    mut read: impl FnMut(u64, &mut [u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut done = 0;
    while done < out.len() {
        match read(done as u64, &mut out[done..]) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}
