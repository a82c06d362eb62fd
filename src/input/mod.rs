//! Rows from files of the usual formats, and back.
//!
//! | to do | with |
//! |---|---|
//! | read a file | [`open`] |
//! | read a pipe | [`open_reader`] |
//! | write rows | [`sink::create_sink`] |
//!
//! The format is known by a file's first bytes, else by its extension ([`Format`]). Rows are
//! read from the file when they are asked for, so a file may be larger than the memory. What
//! cannot be read at any position — pipes, packed files, text — is first copied to an unnamed
//! temporary file, which the system removes by itself.
//!
//! ```
//! use aezip::{Rows, input::{OpenOptions, open_reader}};
//! let table = b"x;y\n1;2.5\n3;NA\n";
//! let rows = open_reader(&mut table.as_slice(), "table.csv", &OpenOptions::default())?;
//! assert_eq!(rows.schema().columns.as_deref(), Some(&["x".to_string(), "y".to_string()][..]));
//! let mut bytes = [0; 16];
//! rows.read(0, &mut bytes)?;
//! assert_eq!(bytes[8..], 2.5_f64.to_le_bytes());
//! # Ok::<(), aezip::Error>(())
//! ```

mod array;
mod format;
mod idx;
mod literal;
mod magic;
mod npy;
mod npz;
mod options;
mod packing;
mod pictures;
mod safetensors;
pub mod sink;
mod source;
mod table;
mod unpack;
mod vectors;

pub use format::Format;
pub use options::{Notes, OpenOptions, RawLayout, Rounding, TextOptions};
pub use packing::Packing;

use crate::error::{Error, Result};
use crate::matrix::{DType, Origin, Rows};
use array::{ArrayRows, Layout, Order};
use source::Source;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that a format is known by, and by which text is told from binary.
const HEAD: usize = 512;

/// Opens the file at `path`, or the folder of PNG pictures.
///
/// A table of text is parsed at once. What it is written like is found out from its first lines, and
/// told to [`OpenOptions::notes`] where it is not usual: delimiter, decimal comma, what stands between
/// thousands, comments (`#`), a line of units, encoding (UTF-8, UTF-16, else Windows-1252). Its first
/// line is a header if words stand above numbers, or numbers that what is below tells from data, such
/// as wavelengths above reflectances. Missing numbers (an empty field, `NA`, `N/A`, `NaN`, `NULL`,
/// `None`, `-`, `?`, `#N/A` and the like) become NaN. Its numbers are `f64`; a table of integers that
/// no `f64` holds is `i64` or `u64`. All else is only checked for its header and its length.
///
/// # Errors
/// `Io` if the file cannot be read; `Argument` if its format cannot be told, it holds what is
/// not numbers, or the options contradict it; `Truncated`, `Corrupt`, `Unsupported` and
/// `Limit` by what is in it.
pub fn open(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Box<dyn Rows>> {
    let path = path.as_ref();
    let cannot_open = |e| Error::io(format!("cannot open {}", path.display()), e);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut file = File::open(path).map_err(cannot_open)?;
    let metadata = file.metadata().map_err(cannot_open)?;
    if metadata.is_dir() {
        return open_folder(path, &name, options);
    }
    if !metadata.is_file() {
        return open_reader(&mut file, &name, options);
    }
    open_source(Source::from_file(file)?, &name, options)
}

/// Reads `reader` to its end, and opens what came. `name` goes into the schema, and its
/// extension may tell the format; it may be empty.
///
/// # Errors
/// `Io` if the reader fails or no temporary file can be written; `Argument` if the format cannot be
/// told, what came is not numbers, or the options contradict it; `Truncated`, `Corrupt`,
/// `Unsupported` and `Limit` by what is in it.
pub fn open_reader(
    reader: &mut dyn Read,
    name: &str,
    options: &OpenOptions,
) -> Result<Box<dyn Rows>> {
    open_source(source::spool(reader)?, name, options)
}

fn open_source(source: Source, name: &str, options: &OpenOptions) -> Result<Box<dyn Rows>> {
    // Numbers of any kind may look like a packed file's first bytes.
    let packing = Packing::of(&source.head(HEAD)?).filter(|_| options.format != Some(Format::Raw));
    match packing {
        Some(packing) => {
            open_plain(unpack::unpack(packing, &source, name, options)?, name, options)
        }
        None => open_plain(source, name, options),
    }
}

fn open_folder(path: &Path, name: &str, options: &OpenOptions) -> Result<Box<dyn Rows>> {
    if options.raw.is_some() || options.format.is_some_and(|format| format != Format::Png) {
        let what = "a folder is read as PNG pictures: leave the format, type and shape out";
        return Err(Error::argument(what));
    }
    expect_fit(options, Format::Png)?;
    Ok(Box::new(pictures::open(path, name, options)?))
}

/// Opens what is not packed; `name` may end in what stands for a packing.
fn open_plain(source: Source, name: &str, options: &OpenOptions) -> Result<Box<dyn Rows>> {
    let format = match (&options.raw, options.format) {
        (Some(raw), None) => {
            format::expect_raw(name, &source.head(HEAD)?, raw.dtype.size())?;
            Format::Raw
        }
        (Some(_), Some(format)) if format != Format::Raw => {
            return Err(Error::argument(format!(
                "a type and shape are for raw numbers, but the format is {format}"
            )));
        }
        (_, Some(format)) => format,
        (None, None) => Format::detect(name, &source.head(HEAD)?)?,
    };
    expect_fit(options, format)?;
    if format == Format::Csv {
        return open_table(&source, name, options);
    }
    let origin = !is_told(name, format);
    let origin = origin.then(|| Origin::new(format.name()));
    Ok(match format {
        Format::Npy => npy::open(source, name, origin)?,
        Format::Npz => npz::open(source, name, options)?,
        Format::Safetensors => Box::new(safetensors::open(source, name, options)?),
        Format::Png => {
            return Err(Error::argument("pictures are read from a folder: give its name"));
        }
        Format::Idx => Box::new(idx::open(source, name)?.with_origin(origin)),
        Format::Fbin | Format::U8bin | Format::I8bin => {
            Box::new(vectors::open_counted(source, name, format)?.with_origin(origin))
        }
        _ => match vectors::dtype(format) {
            Some(dtype) => {
                Box::new(vectors::VectorRows::open(source, name, dtype)?.with_origin(origin))
            }
            None => Box::new(open_raw(source, name, options.raw.as_ref())?.with_origin(origin)),
        },
    })
}

/// Fails if options were given that are for other formats.
fn expect_fit(options: &OpenOptions, format: Format) -> Result<()> {
    if options.columns.is_some() && format != Format::Csv {
        return Err(Error::argument(format!(
            "columns can be chosen by name only from CSV, but the format is {format}"
        )));
    }
    if options.text != TextOptions::default() && format != Format::Csv {
        return Err(Error::argument(format!(
            "header, lines to skip, delimiter and marks are those of a table of text, but the format \
             is {format}"
        )));
    }
    if options.array.is_some() && !matches!(format, Format::Npz | Format::Safetensors) {
        return Err(Error::argument(format!(
            "an array can be chosen by its name from .npz and .safetensors files, but the format is \
             {format}"
        )));
    }
    Ok(())
}

fn open_table(source: &Source, name: &str, options: &OpenOptions) -> Result<Box<dyn Rows>> {
    let table::Opened { rows, layout, notes } = table::open(source, name, options)?;
    options.notes.extend(notes);
    let format = Format::Csv.name().to_string();
    Ok(Box::new(rows.with_origin(Some(Origin::new(format).with_text(layout)))))
}

/// Says whether a file's name, or that it has none, tells that it is written in `format` again.
fn is_told(name: &str, format: Format) -> bool {
    Format::from_extension(name) == Some(format) || (name.is_empty() && format == Format::Npy)
}

fn open_raw(source: Source, name: &str, raw: Option<&RawLayout>) -> Result<ArrayRows> {
    let raw = raw.ok_or_else(|| {
        Error::argument("raw numbers do not say what they are; give their type and shape")
    })?;
    let mut shape = vec![1];
    shape.extend(raw.row_shape.iter().map(|&n| n as u64));
    let RawLayout { dtype, bfloat16, .. } = *raw;
    if bfloat16 && dtype != DType::F32 {
        return Err(Error::argument(format!("bfloat16 is read as f32, not as {dtype}")));
    }
    let mut layout = Layout { dtype, big_endian: false, bfloat16, order: Order::C, shape };
    let row_bytes = layout.bytes()?;
    layout.shape[0] = match raw.rows {
        Some(rows) => rows,
        None if source.len().is_multiple_of(row_bytes) => source.len() / row_bytes,
        None => {
            return Err(Error::truncated(format!(
                "{} bytes are not a whole number of rows of shape {:?} and type {}, {row_bytes} \
                 bytes each; the file is cut off or the shape is another",
                source.len(),
                raw.row_shape,
                raw.dtype
            ))
            .at(source.len() / row_bytes * row_bytes));
        }
    };
    ArrayRows::new(source, name, &layout, 0)
}

#[cfg(test)]
mod tests;
