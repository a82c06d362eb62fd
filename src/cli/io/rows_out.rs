//! A place for rows: a file of the format that its name stands for.

use crate::cli::io::console::{Console, print};
use crate::cli::io::destination::{Destination, Writing, is_stream};
use crate::cli::io::failure::Failure;
use crate::cli::io::output::Output;
use aezip::input::{Format, sink};
use aezip::{Matrix, Rows};
use serde_json::Value;
use std::path::Path;

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
    if format == Format::Csv { Writing::text(force) } else { Writing::binary(force) }
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
    pub(crate) fn write(&self, rows: &Matrix) -> Result<(), Failure> {
        self.written(rows)?.commit()
    }

    /// Writes the rows, but does not yet make them count.
    pub(crate) fn written(&self, rows: &Matrix) -> Result<Output, Failure> {
        let output = Output::create(&self.destination, self.writing())?;
        let to = Box::new(output.writer());
        let written = |error| output.failure(error);
        let mut sink = sink::create_sink(self.format, rows.schema(), rows.len() as u64, to)
            .map_err(written)?;
        sink.write(rows.bytes()).map_err(written)?;
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

/// Chooses the format to write: the one `asked` for, or the one that the destination's name stands
/// for; pipes get that of the `stored` name. `option` is how to ask for one, for the error.
pub(crate) fn format_for(
    destination: &Destination,
    asked: Option<Format>,
    stored: &str,
    option: &str,
) -> Result<Format, Failure> {
    let Destination::Path(path) = destination else {
        return Ok(asked.or_else(|| Format::from_extension(stored)).unwrap_or(Format::Npy));
    };
    if let Some(format) = asked.or_else(|| Format::from_extension(path)) {
        return Ok(format);
    }
    let is_stream = std::fs::metadata(path).is_ok_and(|m| is_stream(&m));
    if is_stream {
        return Ok(Format::from_extension(stored).unwrap_or(Format::Npy));
    }
    // Only raw numbers, whose layout was given by hand, have names of any kind.
    if path.extension() == Path::new(stored).extension() && !stored.is_empty() {
        return Ok(Format::Raw);
    }
    Err(Failure::usage(format!(
        "the name {} stands for no format; give one with {option}, such as npy, csv or raw",
        path.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(destination: &str, asked: Option<Format>, stored: &str) -> Option<Format> {
        format_for(&Destination::new(destination.into()), asked, stored, "--format").ok()
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
    }

    #[cfg(unix)]
    #[test]
    fn a_device_gets_what_a_pipe_gets() {
        assert_eq!(chosen("/dev/null", None, "a.csv"), Some(Format::Csv));
        assert_eq!(chosen("/dev/null", None, ""), Some(Format::Npy));
    }
}
