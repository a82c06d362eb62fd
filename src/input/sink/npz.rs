//! An array in a zip archive, as NumPy's `savez` writes it.

use super::binary::npy_header;
use super::encode::{Encode, cannot_write};
use crate::error::{Error, Result};
use crate::input::npz::SUFFIX;
use crate::matrix::Schema;
use std::io::{self, Write};
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

/// What `savez` calls an array that was given no name.
const UNNAMED: &str = "arr_0";

/// The archive; none after its end was written.
pub(super) struct NpzEncoder<W: Write>(Option<ZipWriter<StreamWriter<W>>>);

impl<W: Write> NpzEncoder<W> {
    /// Begins an archive with one array of `rows` rows, which has the name that it had.
    pub(super) fn new(out: W, schema: &Schema, rows: u64) -> Result<Self> {
        let name = schema.origin.as_ref().filter(|origin| origin.format == "npz");
        let name = name.and_then(|origin| origin.part.as_deref()).unwrap_or(UNNAMED);
        let header = npy_header(schema, rows)?;
        // Zip archives have a second form for what takes more than 4 GiB.
        let bytes = u128::from(rows) * schema.row_bytes() as u128 + header.len() as u128;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(bytes > u128::from(u32::MAX));
        let mut zip = ZipWriter::new_stream(out);
        zip.start_file(format!("{name}{SUFFIX}"), options).map_err(cannot_begin)?;
        zip.write_all(&header).map_err(cannot_write)?;
        Ok(Self(Some(zip)))
    }
}

impl<W: Write> Encode for NpzEncoder<W> {
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        self.0.as_mut().map_or(Ok(()), |zip| zip.write_all(rows)).map_err(cannot_write)
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(zip) = self.0.take() else { return Ok(()) };
        zip.finish()?.into_inner().flush()
    }
}

fn cannot_begin(error: ZipError) -> Error {
    match error {
        ZipError::Io(error) => cannot_write(error),
        other => Error::argument(format!("the .npz file cannot be begun: {other}")),
    }
}
