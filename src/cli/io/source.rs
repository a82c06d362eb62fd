//! The numbers to read: a file or a pipe.

use crate::cli::io::console::Console;
use crate::cli::io::destination::PIPE;
use crate::cli::io::failure::Failure;
use aezip::input::{self, Format, OpenOptions, RawLayout, TextOptions};
use aezip::restore::array_name;
use aezip::{Rows, Schema};
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Opens `path`, or standard input for `-`, and says what was decided about it. Pipes are spooled,
/// since rows are read twice.
pub(crate) fn open(
    path: &Path,
    options: &OpenOptions,
    console: &Console,
) -> Result<Box<dyn Rows>, Failure> {
    let rows = open_quietly(path, options)?;
    tell(path, options, console);
    Ok(rows)
}

/// Says what was decided about the input.
fn tell(path: &Path, options: &OpenOptions, console: &Console) {
    for note in options.notes.take() {
        console.note(&format!("{}: {note}", label(path)));
    }
}

/// Opens `path`, or standard input for `-`.
pub(crate) fn open_quietly(path: &Path, options: &OpenOptions) -> Result<Box<dyn Rows>, Failure> {
    let shown = label(path);
    let explained = |error| Failure::error(format!("{shown}: {error}"));
    if path == Path::new(PIPE) {
        return input::open_reader(&mut io::stdin().lock(), "", options).map_err(explained);
    }
    let unreadable = |error| Failure::io(format_args!("cannot open {shown}"), &error);
    let there = fs::metadata(path).map_err(unreadable)?;
    if there.is_file() || there.is_dir() {
        return input::open(path, options).map_err(explained);
    }
    let mut pipe = File::open(path).map_err(unreadable)?;
    input::open_reader(&mut pipe, "", options).map_err(explained)
}

/// Opens `path` to be compared with `decoded` rows: a file that says nothing about itself holds
/// numbers like them, and of a table of text the columns that they have are read.
pub(crate) fn open_like(
    path: &Path,
    options: OpenOptions,
    decoded: &dyn Rows,
    console: &Console,
) -> Result<Box<dyn Rows>, Failure> {
    let schema = decoded.schema();
    let is_like = |rows: &Result<Box<dyn Rows>, Failure>| {
        rows.as_ref().is_ok_and(|rows| {
            let (theirs, len) = (rows.schema(), rows.len());
            (len, theirs.dtype, &theirs.row_shape)
                == (decoded.len(), schema.dtype, &schema.row_shape)
        })
    };
    let opened = open_quietly(path, &options);
    if is_like(&opened) {
        tell(path, &options, console);
        return opened;
    }
    // A pipe has been emptied by now.
    if !fs::metadata(path).is_ok_and(|there| there.is_file()) {
        return opened;
    }
    for options in others(path, &options, schema) {
        options.notes.take();
        let again = open_quietly(path, &options);
        if is_like(&again) {
            tell(path, &options, console);
            return again;
        }
    }
    // The first complaint is about the file as it is, the others about guesses.
    opened
}

/// Other ways to read a file that was compressed to rows of `schema`.
fn others(path: &Path, options: &OpenOptions, schema: &Schema) -> Vec<OpenOptions> {
    let mut out = Vec::new();
    let silent = Format::from_extension(path).is_none_or(|format| format == Format::Raw);
    if silent && options.format.is_none() && options.raw.is_none() {
        let Schema { dtype, row_shape, .. } = schema.clone();
        let raw = Some(RawLayout { dtype, bfloat16: false, rows: None, row_shape });
        out.push(OpenOptions { raw, ..options.clone() });
    }
    let columns = options.columns.clone().or_else(|| schema.columns.clone());
    let array = schema.origin.as_ref().and_then(array_name).map(str::to_string);
    if options.array.is_none() && array.is_some() {
        out.push(OpenOptions { array, ..options.clone() });
    }
    let header = options.text.header.or(Some(schema.columns.is_some()));
    let text = TextOptions { header, ..options.text };
    out.push(OpenOptions { columns: columns.clone(), ..options.clone() });
    out.push(OpenOptions { text, ..options.clone() });
    out.push(OpenOptions { text, columns, ..options.clone() });
    out
}

/// Returns what to call `path` in a message.
pub(crate) fn label(path: &Path) -> String {
    if path == Path::new(PIPE) { "standard input".to_string() } else { path.display().to_string() }
}

/// Turns errors of the library that are about the file at `path` into failures that say so.
pub(crate) fn about(path: &Path) -> impl Fn(aezip::Error) -> Failure {
    move |error| Failure::error(format!("{}: {error}", label(path)))
}
