//! The file formats by name, by extension and by their first bytes.

use super::magic;
use super::packing::Packing;
use crate::error::{Error, Result};
use std::path::Path;

/// A file format that rows are read from and written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// NumPy's array file.
    Npy,
    /// Numbers as text, separated by commas, semicolons, tabs, bars or blanks.
    Csv,
    /// Arrays in a zip archive, as NumPy's `savez` writes them: one of them.
    Npz,
    /// Tensors behind a header of JSON, as PyTorch's users keep them: one of them.
    Safetensors,
    /// A folder of PNG pictures of one size.
    Png,
    /// The file format of MNIST.
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
    pub const ALL: [Format; 13] = [
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
        Format::Npz,
        Format::Safetensors,
        Format::Png,
    ];

    /// Returns the lower-case name as used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Npy => "npy",
            Format::Npz => "npz",
            Format::Safetensors => "safetensors",
            Format::Png => "png",
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

    /// Says whether rows may be written a few numbers at a time.
    pub fn takes_parts_of_rows(self) -> bool {
        use Format::{Idx, Npy, Npz, Raw, Safetensors};
        matches!(self, Npy | Npz | Safetensors | Raw | Idx)
    }

    /// Returns the format that a file's name stands for, if it is a usual one.
    ///
    /// An ending that stands for a packing is left out before: `a.csv.gz` is CSV.
    pub fn from_extension(path: impl AsRef<Path>) -> Option<Self> {
        let name = path.as_ref().file_name()?.to_string_lossy();
        let name = Packing::strip(&name);
        // MNIST's own names: train-images-idx3-ubyte, train-images.idx3-ubyte.
        if name.ends_with("-ubyte") {
            return Some(Format::Idx);
        }
        match Path::new(name).extension()?.to_string_lossy().to_ascii_lowercase().as_str() {
            "npy" => Some(Format::Npy),
            "npz" => Some(Format::Npz),
            "safetensors" => Some(Format::Safetensors),
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
        let is_zip = [magic::ZIP, magic::EMPTY_ZIP].iter().any(|zip| head.starts_with(zip));
        if is_zip && by_name.is_none_or(|format| format == Format::Csv) {
            return Ok(Format::Npz);
        }
        if let Some(what) = magic::elsewhere(head) {
            return Err(Error::unsupported(what));
        }
        if let Some(format) = by_name {
            return Ok(format);
        }
        if magic::is_idx(head) {
            return Ok(Format::Idx);
        }
        if magic::is_safetensors(head) {
            return Ok(Format::Safetensors);
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
    let own = [
        (magic::NPY, "an npy file, which says its type and shape itself; leave both out"),
        (magic::AEZ, "an .aez file; decompress it first"),
        (magic::GZIP, "packed twice; unpack it first"),
        (magic::ZSTD, "packed twice; unpack it first"),
        (magic::ZIP, "a zip archive, whose arrays say their types and shapes; leave both out"),
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
