//! One of the arrays that NumPy's `savez` keeps in a zip archive.

use super::npy;
use super::options::OpenOptions;
use super::source::{Sequential, Source, Spool};
use crate::error::{Error, Result};
use crate::matrix::{Origin, Rows};
use std::io::{self, BufReader, Read};
use zip::CompressionMethod;
use zip::result::ZipError;

/// What the names of arrays end with in the archive.
pub(super) const SUFFIX: &str = ".npy";
/// Arrays that are named before it is only said how many there are.
const NAMED: usize = 12;
/// Bytes that are read at once.
const BUFFER: usize = 1 << 16;

type Archive<'a> = zip::ZipArchive<BufReader<Sequential<'a>>>;

/// Where an array lies.
enum Place {
    /// From byte `0` on, `1` bytes, as they are.
    Stored(u64, u64),
    /// Unpacked.
    Unpacked(Source),
}

/// Opens the array that is asked for, or the only one.
pub(super) fn open(source: Source, name: &str, options: &OpenOptions) -> Result<Box<dyn Rows>> {
    let reader = BufReader::with_capacity(BUFFER, Sequential::from(&source, 0));
    let mut archive = zip::ZipArchive::new(reader).map_err(|e| fault(e, "the zip archive"))?;
    let names: Vec<String> = archive
        .file_names()
        .flatten()
        .filter_map(|n| n.strip_suffix(SUFFIX).map(str::to_string))
        .collect();
    let array = choose(&names, options.array.as_deref(), "array", "npz")?.to_string();
    let place = locate(&mut archive, &array, source.len())?;
    let source = match place {
        Place::Stored(start, len) => source.part(start, len),
        Place::Unpacked(unpacked) => unpacked,
    };
    if names.len() > 1 {
        options.notes.extend(vec![format!("its array {array:?} is taken, of {}", names.len())]);
    }
    let about = |e: Error| e.about(&format!("array {array:?}"));
    let origin = Origin::new("npz").with_part(array.clone());
    npy::open(source, name, Some(origin)).map_err(about)
}

/// Chooses one of `names`, those of the `what`s in a file of `format`.
pub(super) fn choose<'a>(
    names: &'a [String],
    asked: Option<&str>,
    what: &str,
    format: &str,
) -> Result<&'a str> {
    let all = || {
        let named = names[..names.len().min(NAMED)].join(", ");
        match names.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named} and {more} more"),
        }
    };
    match (asked, names) {
        (_, []) => Err(Error::argument(format!(
            "the {format} file holds no {what}s, so there is nothing to compress"
        ))),
        (None, [only]) => Ok(only),
        (None, _) => Err(Error::argument(format!(
            "the {format} file holds {} {what}s; choose one with --array: {}",
            names.len(),
            all()
        ))),
        (Some(asked), _) => {
            let plain = asked.strip_suffix(SUFFIX).unwrap_or(asked);
            let found = names.iter().find(|n| *n == asked || *n == plain);
            found.map(String::as_str).ok_or_else(|| {
                let all = all();
                Error::argument(format!("the {format} file has no {what} {asked:?}; it has {all}"))
            })
        }
    }
}

/// Finds an array in an archive of `length` bytes, and checks its checksum or unpacks it.
fn locate(archive: &mut Archive<'_>, array: &str, length: u64) -> Result<Place> {
    let what = format!("array {array:?}");
    let failed = |e: ZipError| fault(e, &what);
    let index = archive.index_for_name(&format!("{array}{SUFFIX}"));
    let mut file = archive.by_index(index.unwrap_or(usize::MAX)).map_err(failed)?;
    let torn = |e: io::Error| failed(ZipError::Io(e));
    let (start, size) = (file.data_start(), file.size());
    if let (CompressionMethod::Stored, Some(start)) = (file.compression(), start) {
        if size != file.compressed_size() {
            return Err(Error::corrupt(format!("{what} has two different lengths")));
        }
        if start.checked_add(size).is_none_or(|end| end > length) {
            return Err(Error::truncated(format!("{what} reaches past the end of the file")));
        }
        // Its checksum is compared at the end.
        io::copy(&mut file, &mut io::sink()).map_err(torn)?;
        return Ok(Place::Stored(start, size));
    }
    let mut head = Vec::new();
    (&mut file).take(npy::MAX_HEAD as u64).read_to_end(&mut head).map_err(torn)?;
    let announced = npy::announced(&head).map_err(|e| e.about(&what))?;
    let mut spool = Spool::new();
    spool.write(&head)?;
    // One byte more than announced, so that a longer array is noticed, and the checksum compared.
    let most = announced.saturating_add(1).saturating_sub(head.len() as u64);
    spool.take_from(&mut file, most).map_err(torn)??;
    Ok(Place::Unpacked(spool.finish()?))
}

fn fault(error: ZipError, what: &str) -> Error {
    match error {
        ZipError::Io(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            Error::truncated(format!("{what} ends too early; fetch the file again"))
        }
        ZipError::Io(e)
            if matches!(e.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) =>
        {
            Error::corrupt(format!("{what} cannot be unpacked: {e}; fetch the file again"))
        }
        ZipError::Io(e) => Error::io(format!("cannot read {what}"), e),
        e @ (ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_)) => {
            let remedy = "save it with numpy.savez or numpy.savez_compressed";
            Error::unsupported(format!("{what}: {e}; {remedy}"))
        }
        e => Error::corrupt(format!("{what} cannot be read: {e}; fetch the file again")),
    }
}
