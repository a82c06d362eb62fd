//! `aezip append`: more rows into a file that is there.

use crate::cli::args::source::SourceArgs;
use crate::cli::io::archive::Archive;
use crate::cli::io::console::{Console, print};
use crate::cli::io::failure::Failure;
use crate::cli::io::listing::quality_json;
use crate::cli::io::numbers::{figure, grouped, quotient};
use crate::cli::io::progress::Bar;
use crate::cli::io::source::{self, label};
use aezip::input::Rounding;
use aezip::{Appended, Config, DType, ErrorKind, Rows};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Add rows to FILE, with the model that is in it and under its promise.
///
/// What is there stays as it is. The rows count once all of them are on the disk: whenever the program is
/// killed or the power goes out, FILE is what it was, or has all rows. Add thousands of rows at a time: each
/// call begins a block and writes an index.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip append spectra.npy.aez more.npy
  aezip append table.csv.aez today.csv
  producer | aezip append rows.aez - --dtype f32 --shape 128")]
pub(crate) struct Args {
    /// File to add to.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Rows like those of FILE; - for standard input.
    #[arg(value_name = "MORE")]
    more: PathBuf,
    /// Use N threads; 0 for one per core. The file does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Print what was done as one JSON object on standard output.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let Args { file, more, threads, json, source } = args;
    let mut options = source.options()?;
    options.keep_text = true;
    let dtype = {
        let archive = Archive::open(&file)?;
        archive.expect_rows()?;
        let info = archive.reader.info();
        if let Some(promise) = &info.fidelity {
            options.rounding = Rounding::for_promise(promise);
        }
        info.dtype
    };
    let rows = of_type(source::open(&more, &options, console)?, dtype)?;
    let bar = Bar::new(console);
    let mut config = Config::default();
    (config.threads, config.progress) = (threads, bar.callback());
    let added = aezip::append(&file, &*rows, &config);
    drop(bar);
    let added = added.map_err(|error| failure(&file, &more, &error))?;
    let seconds = started.elapsed().as_secs_f64();
    if added.unfinished_bytes > 0 {
        let bytes = grouped(added.unfinished_bytes);
        console.note(&format!(
            "{}: {bytes} bytes of rows that were not appended completely were written over",
            label(&file)
        ));
    }
    console.note(&format!("{}: {}, {seconds:.2} s", label(&file), summary(&added)));
    if json { print(&describe(&file, &more, &added, seconds)) } else { Ok(()) }
}

/// Returns rows as numbers of `dtype`: a table of text does not say which type its numbers have.
fn of_type(rows: Box<dyn Rows>, dtype: DType) -> Result<Box<dyn Rows>, Failure> {
    let schema = rows.schema();
    let is_text = schema.origin.as_ref().is_some_and(|origin| origin.text.is_some());
    if schema.dtype == dtype || !is_text {
        return Ok(rows);
    }
    let cast = aezip::apps::cast_exactly(&*rows, dtype);
    let cast = cast.map_err(|error| Failure::error(error.to_string()))?;
    // Where numbers are not held, the library says which types the two have.
    Ok(cast.map_or(rows, |cast| Box::new(cast)))
}

/// Says what failure `error` amounts to.
fn failure(file: &Path, more: &Path, error: &aezip::Error) -> Failure {
    let message = format!("{}, {}: {error}", label(file), label(more));
    match error.kind() {
        ErrorKind::Corrupt | ErrorKind::Truncated => Failure::corrupt(message),
        _ => Failure::error(message),
    }
}

/// Returns the closing line.
fn summary(added: &Appended) -> String {
    let bytes = added.bytes - added.bytes_before;
    format!(
        "{} rows added to {}, {} bytes ({} a row), max error {}, NMSE {}",
        grouped(added.rows),
        grouped(added.rows_before),
        grouped(bytes),
        figure(quotient(bytes, added.rows)),
        figure(added.measured.max_error),
        figure(added.measured.nmse),
    )
}

fn describe(file: &Path, more: &Path, added: &Appended, seconds: f64) -> String {
    json!({
        "file": label(file),
        "input": label(more),
        "rows_before": added.rows_before,
        "rows_added": added.rows,
        "bytes_before": added.bytes_before,
        "bytes": added.bytes,
        "unfinished_bytes": added.unfinished_bytes,
        "exact_values": added.exact_values,
        "measured": quality_json(&added.measured),
        "seconds": seconds,
    })
    .to_string()
}
