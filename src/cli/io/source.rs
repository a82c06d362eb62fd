//! The numbers to read: a file or a pipe.

use crate::cli::io::destination::PIPE;
use crate::cli::io::failure::Failure;
use aezip::input::{self, Format, OpenOptions, RawLayout};
use aezip::{Rows, Schema};
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Opens `path`, or standard input for `-`. Pipes are spooled, since rows are read twice.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Box<dyn Rows>, Failure> {
    let shown = label(path);
    let explained = |error| Failure::error(format!("{shown}: {error}"));
    if path == Path::new(PIPE) {
        return input::open_reader(&mut io::stdin().lock(), "", options).map_err(explained);
    }
    let unreadable = |error| Failure::io(format_args!("cannot open {shown}"), &error);
    let there = fs::metadata(path).map_err(unreadable)?;
    if there.is_dir() {
        return Err(Failure::error(format!("{shown} is a folder")));
    }
    if there.is_file() {
        return input::open(path, options).map_err(explained);
    }
    let mut pipe = File::open(path).map_err(unreadable)?;
    input::open_reader(&mut pipe, "", options).map_err(explained)
}

/// Opens `path` to be compared with rows of `schema`: a file that says nothing about itself
/// holds numbers like them.
pub(crate) fn open_like(
    path: &Path,
    mut options: OpenOptions,
    schema: &Schema,
) -> Result<Box<dyn Rows>, Failure> {
    let silent = Format::from_extension(path).is_none_or(|format| format == Format::Raw);
    let told = options.format.is_some() || options.raw.is_some();
    let opened = open(path, &options);
    // A pipe has been emptied by now.
    let again = silent && !told && fs::metadata(path).is_ok_and(|there| there.is_file());
    if opened.is_ok() || !again {
        return opened;
    }
    let Schema { dtype, row_shape, .. } = schema.clone();
    options.raw = Some(RawLayout { dtype, bfloat16: false, rows: None, row_shape });
    // The first complaint is about the file as it is, the second about a guess.
    open(path, &options).or(opened)
}

/// Returns what to call `path` in a message.
pub(crate) fn label(path: &Path) -> String {
    if path == Path::new(PIPE) { "standard input".to_string() } else { path.display().to_string() }
}

/// Turns errors of the library that are about the file at `path` into failures that say so.
pub(crate) fn about(path: &Path) -> impl Fn(aezip::Error) -> Failure {
    move |error| Failure::error(format!("{}: {error}", label(path)))
}
