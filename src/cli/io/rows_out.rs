//! A place for rows: a file of the format that its name stands for.

use crate::cli::io::console::{Console, print};
use crate::cli::io::destination::{Destination, Writing, is_stream};
use crate::cli::io::failure::Failure;
use crate::cli::io::output::Output;
use crate::cli::io::progress::Bar;
use aezip::input::{Format, Packing};
use aezip::restore::{self, ending};
use aezip::{Rows, Schema};
use serde_json::Value;
use std::path::Path;

/// Formats that rows may come from and only the Python package writes.
const PYTHON: [&str; 2] = ["parquet", "arrow"];

/// Bytes of rows that are in memory at once, about, and rows of which a piece is a multiple where it has more:
/// products of matrices are made of as many rows at once.
const PIECE_BYTES: usize = 8 << 20;
const ROWS_OF_PRODUCT: usize = 1024;

/// How many rows of so many bytes are written at once.
fn rows_of_piece(bytes: usize) -> usize {
    match PIECE_BYTES / bytes.max(1) {
        most @ ROWS_OF_PRODUCT.. => most / ROWS_OF_PRODUCT * ROWS_OF_PRODUCT,
        few => few.max(1),
    }
}

/// A place for rows, and their format there.
pub(crate) struct RowsOut {
    pub(crate) destination: Destination,
    pub(crate) format: Format,
    /// Existing files are replaced.
    pub(crate) force: bool,
    /// What was done is printed as JSON.
    pub(crate) json: bool,
}

/// Describes rows in `format` as data to write.
pub(crate) fn writing(format: Format, force: bool) -> Writing {
    match format {
        Format::Csv => Writing::text(force),
        Format::Png => Writing::folder(force),
        _ => Writing::binary(force),
    }
}

impl RowsOut {
    /// Describes the rows as data to write.
    pub(crate) fn writing(&self) -> Writing {
        writing(self.format, self.force)
    }

    /// Fails if both are one place.
    pub(crate) fn expect_apart(&self, other: &Self) -> Result<(), Failure> {
        self.destination.expect_apart(&other.destination)
    }

    /// Writes the rows.
    pub(crate) fn write(&self, rows: &dyn Rows, console: &Console) -> Result<(), Failure> {
        self.written(rows, console)?.commit()
    }

    /// Writes the rows, a piece at a time, but does not yet make them count.
    pub(crate) fn written(&self, rows: &dyn Rows, console: &Console) -> Result<Output, Failure> {
        let output = Output::create(&self.destination, self.writing())?;
        let written = |error| output.failure(error, &self.label());
        let schema = restore::named(self.destination.path(), rows.schema());
        let (format, packing) = (self.format, packing(&self.destination));
        let mut sink =
            output.rows((format, packing), &schema, rows.len() as u64).map_err(written)?;
        let bar = Bar::new(console);
        let row = schema.row_bytes();
        let at_once = rows_of_piece(row);
        let mut bytes = Vec::new();
        for first in (0..rows.len()).step_by(at_once) {
            bytes.resize(at_once.min(rows.len() - first) * row, 0);
            rows.read(first, &mut bytes)?;
            sink.write(&bytes).map_err(written)?;
            bar.set("writing", (first + at_once).min(rows.len()) as u64, rows.len() as u64);
        }
        sink.finish().map_err(written)?;
        Ok(output)
    }

    /// Returns its name, for messages.
    pub(crate) fn label(&self) -> String {
        self.destination.to_string()
    }

    /// Says what was done, and as JSON if that was asked for.
    pub(crate) fn tell(&self, console: &Console, note: &str, json: &Value) -> Result<(), Failure> {
        console.note(note);
        if self.json { print(&json.to_string()) } else { Ok(()) }
    }
}

/// Returns how a file is packed that has the destination's name.
pub(crate) fn packing(destination: &Destination) -> Option<Packing> {
    let Destination::Path(path) = destination else { return None };
    Packing::from_name(&path.file_name()?.to_string_lossy())
}

/// Chooses the format to write: the one `asked` for, or the one that the destination's name stands
/// for; pipes, and names that stand for none, get that of the rows' `origin`. `option` is how to ask
/// for one, for the error.
pub(crate) fn format_for(
    destination: &Destination,
    asked: Option<Format>,
    stored: &Schema,
    option: &str,
) -> Result<Format, Failure> {
    let origin = restore::remembered(stored);
    let remembered = origin.or_else(|| Format::from_extension(&stored.name));
    let Destination::Path(path) = destination else {
        return Ok(asked.or(remembered).unwrap_or(Format::Npy));
    };
    let is_folder = path.to_string_lossy().ends_with(std::path::is_separator);
    let named = Format::from_extension(path).or_else(|| is_folder.then_some(Format::Png));
    if let Some(format) = asked.or(named).or(origin) {
        return Ok(format);
    }
    let is_stream = std::fs::metadata(path).is_ok_and(|m| is_stream(&m));
    if is_stream {
        return Ok(remembered.unwrap_or(Format::Npy));
    }
    // Only raw numbers, whose layout was given by hand, have names of any kind.
    if ending(path) == ending(Path::new(&stored.name)) && !stored.name.is_empty() {
        return Ok(Format::Raw);
    }
    if let Some(origin) = stored.origin.as_ref().filter(|o| PYTHON.contains(&o.format.as_str())) {
        return Err(Failure::usage(format!(
            "the rows are of a {} file, which the Python package writes: aezip.decompress(...); or give \
             a format with {option}, such as npy or csv",
            origin.format
        )));
    }
    Err(Failure::usage(format!(
        "the name {} stands for no format; give one with {option}, such as npy, csv or raw",
        path.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen_from(
        destination: &str,
        asked: Option<Format>,
        stored: &str,
        origin: Option<&str>,
    ) -> Option<Format> {
        let mut schema = Schema::new(aezip::DType::F64, &[1]);
        schema.name = stored.to_string();
        schema.origin = origin.map(aezip::Origin::new);
        format_for(&Destination::new(destination.into()), asked, &schema, "--format").ok()
    }

    fn chosen(destination: &str, asked: Option<Format>, stored: &str) -> Option<Format> {
        chosen_from(destination, asked, stored, None)
    }

    #[test]
    fn the_name_of_the_output_decides() {
        assert_eq!(chosen("a.csv", None, "a.npy"), Some(Format::Csv));
        assert_eq!(chosen("a.csv", Some(Format::Npy), "a.csv"), Some(Format::Npy));
        assert_eq!(chosen("b.dat", None, "a.dat"), Some(Format::Raw));
        assert_eq!(chosen("b.dat", None, "a.npy"), None);
        assert_eq!(chosen("b", None, ""), None);
        assert_eq!(chosen("-", None, "a.csv"), Some(Format::Csv));
        assert_eq!(chosen("-", None, ""), Some(Format::Npy));
        for (destination, stored) in [("b.dat", "a.dat"), ("-", ""), ("-", "a.data"), ("b", "")] {
            let format = chosen_from(destination, None, stored, Some("csv"));
            assert_eq!(format, Some(Format::Csv), "{destination}");
        }
        assert_eq!(chosen_from("a.npy", None, "a.dat", Some("csv")), Some(Format::Npy));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_gets_what_a_pipe_gets() {
        assert_eq!(chosen("/dev/null", None, "a.csv"), Some(Format::Csv));
        assert_eq!(chosen("/dev/null", None, ""), Some(Format::Npy));
    }
}
