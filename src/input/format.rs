//! The file formats by name, by extension and by their first bytes.

use super::magic;
use crate::error::{Error, Result};
use std::path::Path;

/// A file format that rows are read from and written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// NumPy's array file.
    Npy,
    /// Numbers as text, separated by commas, semicolons, tabs, bars or blanks.
    Csv,
    /// The file format of MNIST, plain or (for reading) packed by gzip.
    Idx,
    /// Rows of `f32`, each after its dimension.
    Fvecs,
    /// Rows of `u8`, each after its dimension.
    Bvecs,
    /// Rows of `i32`, each after its dimension.
    Ivecs,
    /// Numbers of rows and columns, then rows of `f32`.
    Fbin,
    /// The same of `u8`.
    U8bin,
    /// The same of `i8`.
    I8bin,
    /// Nothing but the numbers, little-endian.
    Raw,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 10] = [
        Format::Npy,
        Format::Csv,
        Format::Idx,
        Format::Fvecs,
        Format::Bvecs,
        Format::Ivecs,
        Format::Fbin,
        Format::U8bin,
        Format::I8bin,
        Format::Raw,
    ];

    /// Returns the lower-case name as used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Npy => "npy",
            Format::Csv => "csv",
            Format::Idx => "idx",
            Format::Fvecs => "fvecs",
            Format::Bvecs => "bvecs",
            Format::Ivecs => "ivecs",
            Format::Fbin => "fbin",
            Format::U8bin => "u8bin",
            Format::I8bin => "i8bin",
            Format::Raw => "raw",
        }
    }

    /// Returns the format that a file's name stands for, if it is a usual one.
    ///
    /// Names ending in `.gz` have none, because nothing is written packed.
    pub fn from_extension(path: impl AsRef<Path>) -> Option<Self> {
        let path = path.as_ref();
        // MNIST's own names: train-images-idx3-ubyte, train-images.idx3-ubyte.
        if path.file_name()?.to_string_lossy().ends_with("-ubyte") {
            return Some(Format::Idx);
        }
        match path.extension()?.to_string_lossy().to_ascii_lowercase().as_str() {
            "npy" => Some(Format::Npy),
            "csv" | "tsv" | "tab" | "txt" => Some(Format::Csv),
            "idx" => Some(Format::Idx),
            "fvecs" => Some(Format::Fvecs),
            "bvecs" => Some(Format::Bvecs),
            "ivecs" => Some(Format::Ivecs),
            "fbin" => Some(Format::Fbin),
            "u8bin" => Some(Format::U8bin),
            "i8bin" => Some(Format::I8bin),
            "raw" | "bin" => Some(Format::Raw),
            _ => None,
        }
    }

    /// Finds the format of a file that is called `name` and starts with `head`: by its magic
    /// number, else by its extension, else CSV if it looks like text.
    pub(super) fn detect(name: &str, head: &[u8]) -> Result<Self> {
        let by_name = Self::from_extension(name);
        if head.starts_with(magic::NPY) {
            return Ok(Format::Npy);
        }
        if head.starts_with(magic::GZIP) {
            return Ok(Format::Idx);
        }
        if head.starts_with(magic::ZIP) && by_name.is_none() {
            return Err(Error::unsupported(
                "this is a zip archive; if it is an .npz, save the one array as .npy with numpy.save",
            ));
        }
        if let Some(format) = by_name {
            return Ok(format);
        }
        if magic::is_idx(head) {
            return Ok(Format::Idx);
        }
        if magic::is_utf16(head) {
            return Ok(Format::Csv);
        }
        if magic::is_text(head) {
            return Ok(Format::Csv);
        }
        Err(Error::argument(format!(
            "cannot tell the format of {name:?} from its name or its first bytes; give the format \
             (one of {}), or for raw numbers their type and shape",
            names()
        )))
    }
}

/// Numbers of several bytes hardly ever look like text for so long.
const SURELY_TEXT: usize = 32;

/// Fails if a file that is called `name` and starts with `head` says itself what it is, so that its
/// bytes are not to be read as numbers of `size` bytes.
pub(super) fn expect_raw(name: &str, head: &[u8], size: usize) -> Result<()> {
    let packed = "packed; unpack it first";
    let own = [
        (magic::NPY, "an npy file, which says its type and shape itself; leave both out"),
        (magic::AEZ, "an .aez file; decompress it first"),
        (magic::GZIP, packed),
        (magic::ZIP, packed),
    ];
    let known = own.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, what)| *what);
    let by_name = Format::from_extension(name);
    if known.is_none() && by_name == Some(Format::Raw) {
        return Ok(());
    }
    let what = match (known, by_name) {
        (Some(what), _) => what.to_string(),
        (None, Some(format)) => {
            format!("of the format {format} by its name; leave type and shape out")
        }
        (None, None) if size > 1 && head.len() >= SURELY_TEXT && magic::is_text(head) => {
            "text; leave type and shape out".to_string()
        }
        _ => return Ok(()),
    };
    Err(Error::argument(format!("the file is {what}, or say that the format is raw")))
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Format {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|f| f.name() == s)
            .ok_or_else(|| Error::argument(format!("unknown format {s:?}; one of {}", names())))
    }
}

fn names() -> String {
    Format::ALL.map(Format::name).join(", ")
}
