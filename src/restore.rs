//! How rows of an `.aez` file are written as a file of the kind that they were read from, or of another.
//!
//! [`schema`] says what they are there; [`create_sink`](crate::input::sink::create_sink) writes them.

use crate::error::Result;
use crate::fidelity::Fidelity;
use crate::input::{Format, Packing};
use crate::matrix::{Digits, KeptText, Origin, Schema};
use crate::quality::ShortDecimals;
use crate::reader::{Reader, Source};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Returns what the rows of an array are in a file of `format` that is called `name`: text without loss
/// with all the decimals that a column had, else with no more than the promise asks for.
pub fn schema<S: Source>(reader: &Reader<S>, name: Option<&Path>, format: Format) -> Schema {
    let mut schema = reader.schema().clone();
    if format == Format::Csv {
        schema = named(name, &schema);
    }
    if reader.promise() != Some(&Fidelity::Lossless)
        && let Some(text) = schema.origin.as_mut().and_then(|origin| origin.text.as_mut())
    {
        for column in &mut text.columns {
            (column.fixed, column.digits) = (false, Digits::Fewest);
        }
    }
    schema
}

/// Returns what rows of `schema` are in a file that is called `name`: text has the layout that the name
/// stands for, or that of the table that the rows were read from.
pub fn named(name: Option<&Path>, schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    let Some(name) = name else { return schema };
    let (own, stored) = (ending(name), ending(Path::new(&schema.name)));
    if own == stored && schema.origin.is_some() {
        return schema;
    }
    let delimiter = match own.as_deref() {
        Some("tsv" | "tab") => b'\t',
        Some("csv") => b',',
        _ => return schema,
    };
    let format = || Origin::new(Format::Csv.name());
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

/// Returns the ending of a file's name that stands for its format, in lower case.
pub fn ending(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    let plain = Path::new(Packing::strip(&name));
    plain.extension().map(|e| e.to_string_lossy().to_ascii_lowercase())
}

/// Returns the format that rows of `schema` were read from, where this library writes it.
pub fn remembered(schema: &Schema) -> Option<Format> {
    schema.origin.as_ref().and_then(|origin| origin.format.parse().ok())
}

/// Returns the name of the array or tensor that the rows were in a file of several.
pub fn array_name(origin: &Origin) -> Option<&str> {
    let several = [Format::Npz, Format::Safetensors].map(Format::name);
    origin.part.as_deref().filter(|_| several.contains(&origin.format.as_str()))
}

/// Leaves of what `schema` says of single rows what is about `rows`: the names of pictures.
pub fn of_rows(mut schema: Schema, rows: &Range<usize>) -> Schema {
    let origin = schema.origin.as_mut().filter(|origin| origin.format == Format::Png.name());
    if let Some(names) = origin.and_then(|origin| origin.part.as_mut()) {
        let some: Vec<&str> = names.split('\n').skip(rows.start).take(rows.len()).collect();
        *names = some.join("\n");
    }
    schema
}

/// Puts the columns of text that stood beside `rows` into `schema`.
///
/// # Errors
/// `Argument` if there are fewer rows.
pub fn with_text(mut schema: Schema, text: KeptText, rows: Range<usize>) -> Result<Schema> {
    let text = if rows.len() == text.rows() { text } else { text.slice(rows)? };
    let origin = || Origin::new(Format::Csv.name());
    let layout = schema.origin.get_or_insert_with(origin).text.get_or_insert_default();
    layout.kept = Some(Arc::new(text));
    Ok(schema)
}

/// Returns how rows of `schema` are written with as few digits as the promise allows; `None` where it
/// leaves no room for that, as tiles do.
pub fn short_decimals<S: Source>(reader: &Reader<S>, schema: &Schema) -> Option<ShortDecimals> {
    let promise = reader.promise()?;
    // Bounds may be those of columns by their numbers.
    let by_column = matches!(promise, Fidelity::MaxErrorColumns(_));
    let other_columns = schema.row_shape != reader.row_shape();
    if reader.tiling().is_some() || (by_column && other_columns) {
        return None;
    }
    ShortDecimals::new(schema, promise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{DType, TextLayout};

    #[test]
    fn text_goes_back_to_its_layout_or_to_that_of_another_name() {
        let layout = |name: &str, stored: &str, delimiter, decimal_mark| {
            let mut schema = Schema::new(DType::F64, &[1]);
            schema.name = stored.to_string();
            let text = TextLayout { delimiter, decimal_mark, ..TextLayout::default() };
            schema.origin = Some(Origin::new("csv").with_text(text));
            let name = Some(Path::new(name)).filter(|name| *name != Path::new("-"));
            let text = named(name, &schema).origin.unwrap().text.unwrap();
            [text.delimiter, text.decimal_mark]
        };
        assert_eq!(layout("a.txt", "b.txt", b'\t', b','), *b"\t,");
        assert_eq!(layout("-", "b.txt", b' ', b'.'), *b" .");
        assert_eq!(layout("a.csv", "b.csv.gz", b'|', b','), *b"|,");
        assert_eq!(layout("a.csv.zst", "b.txt", b'\t', b','), *b",.");
        assert_eq!(layout("a.csv", "b.txt", b';', b','), *b";,");
        assert_eq!(layout("a.tsv", "b.csv", b';', b','), *b"\t,");
        let plain = Schema::new(DType::F64, &[1]);
        let at = |name: &str| named(Some(Path::new(name)), &plain).origin;
        assert_eq!(at("a.tsv").unwrap().text.unwrap().delimiter, b'\t');
        assert_eq!(at("a.npy"), None);
    }
}
