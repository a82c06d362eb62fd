//! The end of a file: written behind it, and what is written there counts at once or not at all.

use super::appended::Appended;
use crate::container::file::{FileWriter, Whole};
use crate::container::section::Footer;
use crate::encode::blocks::Totals;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::reader::{FileSource, Reader, ReaderOptions};
use std::fs::{File, TryLockError};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes gathered before the system is asked to write them.
const BUFFER: usize = 1 << 18;

/// What was written behind a file, all but the footer.
pub(super) struct Unsealed {
    pub(super) footer: Footer,
    pub(super) totals: Totals,
}

/// A file that nobody else appends to as long as this is there.
pub(super) struct Tail {
    file: File,
    pub(super) reader: Reader<FileSource>,
    /// Where its blocks are.
    pub(super) whole: Whole,
    /// Its length, and the bytes behind that count for nothing.
    length: u64,
    unfinished: u64,
    /// Whether anything was written that does not count.
    is_open: bool,
}

fn io(what: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |e| Error::io(what, e)
}

impl Tail {
    /// Opens and locks the file at `path`.
    ///
    /// # Errors
    /// `Argument` if somebody else has locked it, or it is a codec; `Io` if it cannot be opened for writing;
    /// those of [`Reader::open`].
    pub(super) fn open(path: &Path) -> Result<Self> {
        let opened = File::options().read(true).write(true).open(path);
        let file = opened.map_err(|e| Error::io(format!("cannot open {}", path.display()), e))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(Error::argument(
                    "somebody else is appending to this file, try again when that is done",
                ));
            }
            // Some file systems know no locks.
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let handle = file.try_clone().map_err(io("cannot open the file twice"))?;
        let reader = Reader::from_file(handle, ReaderOptions::default())?;
        let info = reader.info();
        let (length, unfinished) = (info.file_bytes, info.unfinished_bytes);
        Ok(Self { file, whole: reader.whole(), reader, length, unfinished, is_open: false })
    }

    /// Returns what the file promises.
    pub(super) fn promise(&self) -> Result<Fidelity> {
        let promise = self.reader.promise().cloned();
        promise.ok_or_else(|| Error::argument("the file is a codec, which has no rows"))
    }

    /// Returns the open file.
    pub(super) fn file(&self) -> Result<File> {
        self.file.try_clone().map_err(io("cannot open the file twice"))
    }

    /// Writes the blocks that `encode` makes behind the file, in place of those of an earlier call, and
    /// all that belongs there but the footer.
    pub(super) fn write(
        &mut self,
        row_work: u64,
        encode: impl FnOnce(&mut FileWriter<BufWriter<&File>>) -> Result<Totals>,
    ) -> Result<Unsealed> {
        self.is_open = true;
        self.file.set_len(self.length).map_err(io("cannot write"))?;
        (&self.file).seek(SeekFrom::Start(self.length)).map_err(io("cannot write"))?;
        let out = BufWriter::with_capacity(BUFFER, &self.file);
        let mut writer = FileWriter::append(out, self.whole.clone()).with_row_work(row_work);
        let totals = encode(&mut writer)?;
        Ok(Unsealed { footer: writer.finish_unsealed()?.0, totals })
    }

    /// Makes what was written count.
    pub(super) fn seal(&mut self, footer: &Footer) -> Result<()> {
        // Blocks first: a footer on the disk says that all before it is there.
        self.file.sync_all().map_err(io("cannot write"))?;
        (&self.file).write_all(&footer.encode()).map_err(io("cannot write"))?;
        self.is_open = false;
        self.file.sync_all().map_err(io("cannot write"))
    }

    /// Says what was appended, which made the file `bytes` long; 0 where nothing was.
    pub(super) fn appended(&self, rows: u64, bytes: u64, totals: &Totals) -> Appended {
        Appended {
            rows_before: self.reader.rows() as u64,
            rows,
            bytes_before: self.length,
            bytes: bytes.max(self.length),
            unfinished_bytes: self.unfinished,
            measured: totals.tally.quality(),
            exact_values: totals.escapes,
        }
    }
}

impl Drop for Tail {
    /// Takes away what does not count.
    fn drop(&mut self) {
        if self.is_open {
            let _ = self.file.set_len(self.length);
        }
    }
}
