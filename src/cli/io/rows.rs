//! Rows to work on, compressed or not.

use crate::cli::io::archive::Archive;
use crate::cli::io::console::Console;
use crate::cli::io::destination::PIPE;
use crate::cli::io::failure::Failure;
use crate::cli::io::source;
use crate::cli::io::text::text_columns;
use aezip::input::OpenOptions;
use aezip::{Rows, Schema};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// First bytes of an `.aez` file.
const SIGNATURE: &[u8; 4] = b"\x89AEZ";

/// Rows of a compressed file.
struct Compressed(Archive);

impl Rows for Compressed {
    fn schema(&self) -> &Schema {
        self.0.reader.schema()
    }

    fn len(&self) -> usize {
        self.0.reader.rows()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> aezip::Result<()> {
        self.0.reader.read_bytes(first, out)
    }
}

/// Opens rows in any format, compressed ones too.
pub(crate) fn open(
    path: &Path,
    options: &OpenOptions,
    console: &Console,
) -> Result<Box<dyn Rows>, Failure> {
    if !is_compressed(path) {
        return source::open(path, options, console);
    }
    let archive = Archive::open(path)?;
    archive.expect_rows()?;
    archive.expect_moderate_rows()?;
    if let Some(text) = archive.reader.kept_text().map_err(|error| archive.failure(&error))? {
        console.note(&format!("{}: {} text, and left out", archive.label, text_columns(&text)));
    }
    Ok(Box::new(Compressed(archive)))
}

/// Opens the rows of an `.aez` file.
fn decoded(path: &Path) -> Result<Box<dyn Rows>, Failure> {
    let archive = Archive::open(path)?;
    archive.expect_rows()?;
    archive.expect_moderate_rows()?;
    Ok(Box::new(Compressed(archive)))
}

/// Says whether `path` is an `.aez` file; pipes are never asked.
pub(crate) fn is_compressed(path: &Path) -> bool {
    if path == Path::new(PIPE) || !path.is_file() {
        return false;
    }
    let mut head = [0; SIGNATURE.len()];
    File::open(path).and_then(|mut f| f.read_exact(&mut head)).is_ok() && &head == SIGNATURE
}

/// Opens a file that has a row for each of `rows` rows: labels, or what points are coloured by.
pub(crate) fn column(path: &Path, rows: usize) -> Result<Box<dyn Rows>, Failure> {
    let labels = match is_compressed(path) {
        true => decoded(path)?,
        false => source::open_quietly(path, &OpenOptions::default())?,
    };
    let label = source::label(path);
    if labels.len() != rows {
        let n = labels.len();
        return Err(Failure::error(format!("{label} has {n} rows, the input has {rows}")));
    }
    Ok(labels)
}

/// Returns the numbers of rows that have one each.
pub(crate) fn numbers(rows: &dyn Rows, label: &str) -> Result<Vec<f64>, Failure> {
    let schema = rows.schema();
    if schema.width() != 1 {
        let width = schema.width();
        return Err(Failure::error(format!(
            "{label} has rows of {width} numbers; one for each row is needed"
        )));
    }
    Ok(aezip::apps::to_doubles(rows)?)
}
