//! Rows to files of the usual formats.

mod binary;
mod encode;
mod npz;
mod pictures;
mod text;
mod vectors;

use super::format::Format;
use super::packing::{self, Packing};
use crate::error::{Error, Result};
use crate::matrix::Schema;
use encode::{Encode, cannot_write};
use std::io::{self, Write};
use std::path::Path;

/// Bytes gathered before they are written: calls of the system are few then.
const BUFFER: usize = 1 << 18;

/// Takes rows one after another and writes them in some format.
pub trait RowSink {
    /// Writes whole rows: row-major, little-endian bytes. Where [`Format::takes_parts_of_rows`] they
    /// may be parts of rows, whole numbers.
    ///
    /// # Errors
    /// `Argument` if the bytes are not such, or are more rows than announced; `Io` if
    /// they cannot be written.
    fn write(&mut self, rows: &[u8]) -> Result<()>;

    /// Writes what is left and flushes.
    ///
    /// # Errors
    /// `Argument` if there were fewer rows than announced; `Io` if the rest cannot be written.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// The same as [`create_sink`] in a file that is packed; its end is written by [`RowSink::finish`].
///
/// # Errors
/// The same, and `Io` if packing cannot begin.
pub fn create_packed_sink<'a>(
    packing: Option<Packing>,
    format: Format,
    schema: &Schema,
    rows: u64,
    out: Box<dyn Write + 'a>,
) -> Result<Box<dyn RowSink + 'a>> {
    let out = match packing {
        Some(packing) => packing::packed(out, packing)?,
        None => out,
    };
    create_sink(format, schema, rows, out)
}

/// Starts a file of `rows` rows as described by `schema`: writes its header to `out`, which
/// need not be buffered.
///
/// npy, npz, safetensors, csv and raw hold everything; npy and npz a single number without an axis, too, where
/// [`Schema::tiling`] says that the row is one. CSV is written as [`Schema::origin`] says, else with commas: each
/// number with the fewest digits that give it back, or with as many decimals as all of its column had;
/// a header if the columns have names, and columns of text at their places if they were kept for as many
/// rows. fvecs, bvecs and ivecs hold rows of one axis and their one type,
/// fbin, u8bin and i8bin likewise; npz and safetensors hold the one array, with the name that it had; idx holds u8, i8, i16, i32, f32 and f64.
///
/// # Errors
/// `Argument` if the format cannot hold such rows; `Io` if the header cannot be written.
pub fn create_sink<'a>(
    format: Format,
    schema: &Schema,
    rows: u64,
    out: Box<dyn Write + 'a>,
) -> Result<Box<dyn RowSink + 'a>> {
    let row_bytes = row_bytes(schema)?;
    let out = io::BufWriter::with_capacity(BUFFER, out);
    let encoder: Box<dyn Encode + 'a> = match format {
        Format::Npy => Box::new(binary::npy(out, schema, rows)?),
        Format::Raw => Box::new(binary::raw(out)),
        Format::Safetensors => Box::new(binary::safetensors(out, schema, rows)?),
        Format::Png => {
            let what = "pictures are written into a folder, not into one file: name one";
            return Err(Error::argument(what));
        }
        Format::Npz => Box::new(npz::NpzEncoder::new(out, schema, rows)?),
        Format::Idx => Box::new(binary::idx(out, schema, rows)?),
        Format::Csv => Box::new(text::TextEncoder::new(out, schema, rows)?),
        Format::Fvecs | Format::Bvecs | Format::Ivecs => {
            Box::new(vectors::VectorEncoder::new(out, schema, format)?)
        }
        Format::Fbin | Format::U8bin | Format::I8bin => {
            Box::new(vectors::counted(out, schema, rows, format)?)
        }
    };
    let unit = match format {
        format if format.takes_parts_of_rows() => schema.dtype.size(),
        _ => row_bytes,
    };
    Ok(Box::new(CountedSink { encoder, unit, row_bytes, announced: rows, written: 0 }))
}

/// Starts to write `rows` rows of shape `[height, width]` or `[height, width, 1 to 4]` as PNG pictures into
/// `folder`, which is there and empty. They have the names that they had, or else numbers.
///
/// # Errors
/// `Argument` if the rows are no pictures of `u8` or `u16`.
pub fn create_pictures(folder: &Path, schema: &Schema, rows: u64) -> Result<Box<dyn RowSink>> {
    let row_bytes = row_bytes(schema)?;
    let encoder = Box::new(pictures::PictureEncoder::new(folder, schema, rows)?);
    Ok(Box::new(CountedSink { encoder, unit: row_bytes, row_bytes, announced: rows, written: 0 }))
}

fn row_bytes(schema: &Schema) -> Result<usize> {
    schema
        .row_shape
        .iter()
        .try_fold(schema.dtype.size(), |product, &n| product.checked_mul(n))
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| {
            Error::argument(format!("rows of shape {:?} cannot be written", schema.row_shape))
        })
}

/// What all formats have in common: the rows are counted, by their bytes.
struct CountedSink<'a> {
    encoder: Box<dyn Encode + 'a>,
    /// What is written is so many bytes, or a multiple of them.
    unit: usize,
    row_bytes: usize,
    announced: u64,
    written: u128,
}

impl CountedSink<'_> {
    fn announced_bytes(&self) -> u128 {
        u128::from(self.announced) * self.row_bytes as u128
    }
}

impl RowSink for CountedSink<'_> {
    fn write(&mut self, rows: &[u8]) -> Result<()> {
        if !rows.len().is_multiple_of(self.unit) {
            return Err(Error::argument(format!(
                "{} bytes are not whole rows or numbers of {} bytes",
                rows.len(),
                self.unit
            )));
        }
        let written = self.written + rows.len() as u128;
        if written > self.announced_bytes() {
            return Err(Error::argument(format!(
                "{} rows written, but {} announced",
                written.div_ceil(self.row_bytes as u128),
                self.announced
            )));
        }
        self.encoder.rows(rows)?;
        self.written = written;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.written < self.announced_bytes() {
            return Err(Error::argument(format!(
                "only {} rows written, but {} announced",
                self.written / self.row_bytes as u128,
                self.announced
            )));
        }
        self.encoder.flush().map_err(cannot_write)
    }
}

#[cfg(test)]
mod tests;
