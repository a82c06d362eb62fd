//! How gzip and zstd pack whole files.

use super::magic;
use super::source::{Sequential, Source};
use crate::error::{Error, Result};
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::{self, BufReader, Read, Write};

/// Bytes that are unpacked at once.
const BUFFER: usize = 1 << 16;
/// The level of zstd where files are written: its own default.
const ZSTD_LEVEL: i32 = 3;

/// How a whole file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// gzip, names end in `.gz`.
    Gzip,
    /// zstd, names end in `.zst`.
    Zstd,
}

impl Packing {
    const ALL: [(Packing, &'static str, &'static [u8]); 2] =
        [(Packing::Gzip, ".gz", magic::GZIP), (Packing::Zstd, ".zst", magic::ZSTD)];

    /// Returns the packing that a file's name stands for.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::split(name).1
    }

    /// Returns a file's name without the ending that stands for a packing.
    pub fn strip(name: &str) -> &str {
        Self::split(name).0
    }

    fn split(name: &str) -> (&str, Option<Self>) {
        let ends = |&(packing, suffix, _): &(Self, &str, &[u8])| {
            let at = name.len().checked_sub(suffix.len())?;
            let end = name.get(at..)?;
            end.eq_ignore_ascii_case(suffix).then_some((&name[..at], Some(packing)))
        };
        Self::ALL.iter().find_map(ends).unwrap_or((name, None))
    }

    /// Returns the packing of a file that begins with `head`.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        Self::ALL.iter().find(|(_, _, magic)| head.starts_with(magic)).map(|(packing, ..)| *packing)
    }

    /// Returns its name, for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }

    /// Returns what unpacks `source`.
    pub(super) fn reader<'a>(self, source: &'a Source) -> Result<Box<dyn Read + 'a>> {
        let packed = BufReader::with_capacity(BUFFER, Sequential::from(source, 0));
        Ok(match self {
            Packing::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Packing::Zstd => Box::new(
                zstd::stream::read::Decoder::with_buffer(packed).map_err(|e| self.failure(e))?,
            ),
        })
    }

    /// Returns the error that `error`, met while unpacking, amounts to.
    pub(super) fn failure(self, error: io::Error) -> Error {
        let name = self.name();
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::truncated(format!("the {name} file ends too early; fetch it again"))
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
                Error::corrupt(format!(
                    "the {name} file cannot be unpacked: {error}; fetch it again"
                ))
            }
            _ => Error::io(format!("cannot read the {name} file"), error),
        }
    }
}

/// Packs all that is written through it; flushed once, at the end.
struct Packed<E>(E, fn(&mut E) -> io::Result<()>);

impl<E: Write> Write for Packed<E> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (self.1)(&mut self.0)
    }
}

/// Returns a writer that packs what goes to `out`. Flushing it writes the end: nothing may follow.
///
/// # Errors
/// `Io` if there is no memory for it.
pub(super) fn packed<'a>(
    out: Box<dyn Write + 'a>,
    packing: Packing,
) -> Result<Box<dyn Write + 'a>> {
    Ok(match packing {
        Packing::Gzip => Box::new(Packed(
            GzEncoder::new(out, flate2::Compression::default()),
            |encoder: &mut GzEncoder<_>| {
                encoder.try_finish()?;
                encoder.get_mut().flush()
            },
        )),
        Packing::Zstd => {
            let encoder = zstd::stream::write::Encoder::new(out, ZSTD_LEVEL)
                .map_err(|e| Error::io("cannot begin a zstd file", e))?;
            Box::new(Packed(encoder, |encoder: &mut zstd::stream::write::Encoder<'_, _>| {
                encoder.do_finish()?;
                encoder.get_mut().flush()
            }))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_stand_for_packings() {
        assert_eq!(Packing::split("a.csv.gz"), ("a.csv", Some(Packing::Gzip)));
        assert_eq!(Packing::split("a.NPY.ZST"), ("a.NPY", Some(Packing::Zstd)));
        assert_eq!(Packing::split("gz"), ("gz", None));
        assert_eq!(Packing::split("é.gz"), ("é", Some(Packing::Gzip)));
        assert_eq!(Packing::split("日本"), ("日本", None));
    }
}
