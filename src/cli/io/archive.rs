//! The `.aez` file to read.

use crate::cli::io::console::say;
use crate::cli::io::destination::PIPE;
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;
use crate::cli::io::source::label;
use aezip::{Codec, ErrorKind, FileSource, Limits, Reader, ReaderOptions};
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::Path;

/// Bytes of memory that are taken at most, about, where nothing is said of it.
const MEMORY: u64 = 1 << 30;
/// The share of it for decoded tiles that are kept: rows of an array are read one after another, and tiles
/// reach across many of them. Files of rows take none of it. More than so many bytes are of no use.
const SHARE_OF_CACHE: u64 = 4;
const CACHE_BYTES: usize = 256 << 20;
/// The share of it for a row that commands hold as a whole: several threads do, and of two sources.
const SHARE_OF_ROW: u64 = 4;

/// An open `.aez` file.
pub(crate) struct Archive {
    /// Gives the rows.
    ///
    /// By position: a map would end the program where another one shortens the file meanwhile, and
    /// is no faster for whole files.
    pub(crate) reader: Reader<FileSource>,
    /// What to call the file in a message.
    pub(crate) label: String,
    /// Bytes of memory that may be taken.
    memory: u64,
    /// Whether the file is there once the program has ended: what came through a pipe is not.
    pub(crate) stays: bool,
}

impl Archive {
    /// Opens `path`, or standard input for `-`. Pipes are spooled: the index comes last.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        Self::open_within(path, MEMORY)
    }

    /// The same, where about so many bytes of memory may be taken.
    pub(crate) fn open_within(path: &Path, memory: u64) -> Result<Self, Failure> {
        let label = label(path);
        let mut limits = Limits::default();
        (limits.model_bytes, limits.block_bytes, limits.index_bytes) = (memory, memory, memory);
        let cache = usize::try_from(memory / SHARE_OF_CACHE).unwrap_or(usize::MAX);
        let options = ReaderOptions::new(limits, cache.min(CACHE_BYTES));
        let spooled = spool(path, &label)?;
        let stays = spooled.is_none();
        let opened = match spooled {
            Some(file) => Reader::from_file(file, options),
            None => Reader::open_with(path, options),
        };
        let reader = opened.map_err(|error| failure(&label, &error))?;
        let unfinished = reader.info().unfinished_bytes;
        if unfinished > 0 {
            say(&format!(
                "{label}: the last {} bytes are of rows that were not appended completely, or the file is \
                 cut; the {} rows before are whole",
                grouped(unfinished),
                grouped(reader.rows() as u64)
            ));
        }
        Ok(Self { reader, label, memory, stays })
    }

    /// Says what failure `error`, met while reading here, amounts to.
    pub(crate) fn failure(&self, error: &aezip::Error) -> Failure {
        failure(&self.label, error)
    }

    /// Says whether this is a codec, which has no rows and promises nothing.
    pub(crate) fn is_codec(&self) -> bool {
        self.reader.info().fidelity.is_none()
    }

    /// Fails if a row of an array takes more memory than it should.
    pub(crate) fn expect_moderate_rows(&self) -> Result<(), Failure> {
        let bytes = self.reader.schema().row_bytes();
        let most = self.memory / SHARE_OF_ROW;
        if bytes as u64 <= most {
            return Ok(());
        }
        Err(Failure::error(format!(
            "{}: a row of shape {:?} takes {bytes} bytes, {most} are allowed; --memory allows more",
            self.label,
            self.reader.row_shape()
        )))
    }

    /// Fails for a codec.
    pub(crate) fn expect_rows(&self) -> Result<(), Failure> {
        if self.is_codec() {
            let label = &self.label;
            return Err(Failure::error(format!("{label} is a codec: it holds no rows")));
        }
        Ok(())
    }
}

/// Reads the codec at `path`.
pub(crate) fn read_codec(path: &Path) -> Result<Codec, Failure> {
    let label = label(path);
    let read = || {
        if path != Path::new(PIPE) {
            return fs::read(path);
        }
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = read().map_err(|e| Failure::io(format_args!("cannot open {label}"), &e))?;
    Codec::read(&bytes).map_err(|error| failure(&label, &error))
}

/// Copies what does not stay where it is to a temporary file without a name, which goes with the
/// program however that ends; `None` for ordinary files.
fn spool(path: &Path, label: &str) -> Result<Option<File>, Failure> {
    let unreadable = |error| Failure::io(format_args!("cannot open {label}"), &error);
    if path == Path::new(PIPE) {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Err(Failure::error("standard input is a terminal, not an .aez file"));
        }
        return copy(&mut stdin.lock(), label).map(Some);
    }
    let there = fs::metadata(path).map_err(unreadable)?;
    if there.is_dir() {
        return Err(Failure::error(format!("{label} is a folder")));
    }
    if there.is_file() {
        return Ok(None);
    }
    copy(&mut File::open(path).map_err(unreadable)?, label).map(Some)
}

fn copy(from: &mut dyn Read, label: &str) -> Result<File, Failure> {
    let failed =
        |error| Failure::io(format_args!("cannot copy {label} to a temporary file"), &error);
    let mut spool = tempfile::tempfile().map_err(failed)?;
    io::copy(from, &mut spool).map_err(failed)?;
    Ok(spool)
}

fn failure(label: &str, error: &aezip::Error) -> Failure {
    let message = format!("{label}: {error}");
    match error.kind() {
        ErrorKind::Corrupt | ErrorKind::Truncated => Failure::corrupt(message),
        _ => Failure::error(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aezip::Error;

    #[test]
    fn damage_has_its_own_exit_code() {
        let code = |error: Error| failure("x.aez", &error).code();
        assert_eq!(code(Error::corrupt("")), 4);
        assert_eq!(code(Error::truncated("")), 4);
        assert_eq!(code(Error::unsupported("")), 1);
        assert_eq!(code(Error::io("", io::ErrorKind::NotFound.into())), 1);
    }
}
