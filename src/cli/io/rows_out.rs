//! A place for rows: a file of the format that its name stands for.

use crate::cli::io::console::{Console, print};
use crate::cli::io::destination::{Destination, Writing, is_stream};
use crate::cli::io::failure::Failure;
use crate::cli::io::output::Output;
use aezip::input::{Format, sink};
use aezip::{Matrix, Origin, Rows, Schema};
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
        let written = |error| output.failure(error, &self.label());
        let schema = schema_at(&self.destination, rows.schema());
        let mut sink =
            sink::create_sink(self.format, &schema, rows.len() as u64, to).map_err(written)?;
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
/// for; pipes, and names that stand for none, get that of the rows' `origin`. `option` is how to ask
/// for one, for the error.
pub(crate) fn format_for(
    destination: &Destination,
    asked: Option<Format>,
    stored: &Schema,
    option: &str,
) -> Result<Format, Failure> {
    let origin = stored.origin.as_ref().and_then(|origin| origin.format.parse().ok());
    let remembered = origin.or_else(|| Format::from_extension(&stored.name));
    let Destination::Path(path) = destination else {
        return Ok(asked.or(remembered).unwrap_or(Format::Npy));
    };
    if let Some(format) = asked.or_else(|| Format::from_extension(path)).or(origin) {
        return Ok(format);
    }
    let is_stream = std::fs::metadata(path).is_ok_and(|m| is_stream(&m));
    if is_stream {
        return Ok(remembered.unwrap_or(Format::Npy));
    }
    // Only raw numbers, whose layout was given by hand, have names of any kind.
    if path.extension() == Path::new(&stored.name).extension() && !stored.name.is_empty() {
        return Ok(Format::Raw);
    }
    Err(Failure::usage(format!(
        "the name {} stands for no format; give one with {option}, such as npy, csv or raw",
        path.display()
    )))
}

/// Returns what rows of `schema` are at `destination`: text has the layout that the name stands for,
/// or that of the table that the rows were read from.
pub(crate) fn schema_at(destination: &Destination, schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    let extension =
        |path: &Path| path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    let Destination::Path(path) = destination else { return schema };
    let (own, stored) = (extension(path), extension(Path::new(&schema.name)));
    if own == stored && schema.origin.is_some() {
        return schema;
    }
    let delimiter = match own.as_deref() {
        Some("tsv" | "tab") => b'\t',
        Some("csv") => b',',
        _ => return schema,
    };
    let format = || Origin { format: Format::Csv.name().to_string(), text: None };
    let text = schema.origin.get_or_insert_with(format).text.get_or_insert_default();
    // Semicolons stand in tables with decimal commas, which are called .csv, too.
    if delimiter == b'\t' || text.delimiter != b';' {
        text.delimiter = delimiter;
    }
    if text.decimal_mark == text.delimiter {
        text.decimal_mark = b'.';
    }
    schema
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
        schema.origin = origin.map(|format| Origin { format: format.to_string(), text: None });
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

    #[test]
    fn text_goes_back_to_its_layout_or_to_that_of_another_name() {
        let layout = |name: &str, stored: &str, delimiter, decimal_mark| {
            let mut schema = Schema::new(aezip::DType::F64, &[1]);
            schema.name = stored.to_string();
            let text = Some(aezip::TextLayout { delimiter, decimal_mark, ..Default::default() });
            schema.origin = Some(Origin { format: "csv".to_string(), text });
            let text =
                schema_at(&Destination::new(name.into()), &schema).origin.unwrap().text.unwrap();
            [text.delimiter, text.decimal_mark]
        };
        assert_eq!(layout("a.txt", "b.txt", b'\t', b','), *b"\t,");
        assert_eq!(layout("-", "b.txt", b' ', b'.'), *b" .");
        assert_eq!(layout("a.csv", "b.csv", b'|', b','), *b"|,");
        assert_eq!(layout("a.csv", "b.txt", b'\t', b','), *b",.");
        assert_eq!(layout("a.csv", "b.txt", b';', b','), *b";,");
        assert_eq!(layout("a.tsv", "b.csv", b';', b','), *b"\t,");
        let plain = Schema::new(aezip::DType::F64, &[1]);
        let at = |name: &str| schema_at(&Destination::new(name.into()), &plain).origin;
        assert_eq!(at("a.tsv").unwrap().text.unwrap().delimiter, b'\t');
        assert_eq!(at("a.npy"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_gets_what_a_pipe_gets() {
        assert_eq!(chosen("/dev/null", None, "a.csv"), Some(Format::Csv));
        assert_eq!(chosen("/dev/null", None, ""), Some(Format::Npy));
    }
}
