//! `aezip decompress`: `.aez` in, numbers out.

use crate::cli::args::output::OutputArgs;
use crate::cli::args::range::RowRange;
use crate::cli::io::archive::Archive;
use crate::cli::io::console::Console;
use crate::cli::io::destination::Destination;
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;
use crate::cli::io::output::Output;
use crate::cli::io::progress::Bar;
use crate::cli::io::rows_out;
use crate::cli::io::text::text_columns;
use aezip::input::{Format, sink};
use aezip::{Digits, Fidelity, Origin, Schema, ShortDecimals};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Bytes decoded at a time, or one row: enough that blocks are decoded in parallel, and little
/// memory.
const CHUNK: usize = 4 << 20;

/// Bring the numbers back, all or some of them.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip decompress spectra.npy.aez                   write spectra.npy
  aezip decompress spectra.npy.aez -o spectra.csv    in another format
  aezip decompress spectra.npy.aez --rows 100..200 -o part.npy
  aezip decompress spectra.npy.aez --rows 7 --format csv -o -")]
pub(crate) struct Args {
    /// File to decompress; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
    /// Only these rows, from 0: A..B (without B), A.., ..B or N.
    #[arg(long, value_name = "ROWS", allow_hyphen_values = true)]
    rows: Option<RowRange>,
    /// Format to write, instead of the one that the output's name stands for, or else of the one that
    /// the rows were read from: npy, csv, idx, fvecs, bvecs, ivecs, fbin, u8bin, i8bin or raw.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let OutputArgs { output, force } = args.output;
    let archive = Archive::open(&args.input)?;
    archive.expect_rows()?;
    let stored = archive.reader.schema().name.as_str();
    let destination = match output {
        Some(path) => Destination::new(path),
        None => Destination::for_contents_of(&args.input, &name_as(stored, args.format))?,
    };
    let format =
        rows_out::format_for(&destination, args.format, archive.reader.schema(), "--format")?;
    let writing = rows_out::writing(format, force);
    destination.check(writing, &[&args.input])?;
    let rows = args.rows.unwrap_or(RowRange::ALL).within(archive.reader.rows())?;
    let count = rows.len() as u64;

    let output = Output::create(&destination, writing)?;
    let bar = Bar::new(console);
    let schema = layout(&archive, &destination, format);
    let schema = with_text(schema, &archive, rows.clone(), format, console)?;
    copy(&archive, rows, (format, &schema), &output, &bar)?;
    drop(bar);
    output.commit()?;

    let seconds = started.elapsed().as_secs_f64();
    console.note(&format!(
        "{}: {} rows => {destination}, {seconds:.2} s",
        archive.label,
        grouped(count)
    ));
    Ok(())
}

/// Returns what the rows are where they are written: without loss with all the decimals that a column
/// had, else with no more than the promise asks for.
fn layout(archive: &Archive, destination: &Destination, format: Format) -> Schema {
    let mut schema = archive.reader.schema().clone();
    if format == Format::Csv {
        schema = rows_out::schema_at(destination, &schema);
    }
    if archive.reader.promise() != Some(&Fidelity::Lossless)
        && let Some(text) = schema.origin.as_mut().and_then(|origin| origin.text.as_mut())
    {
        for column in &mut text.columns {
            (column.fixed, column.digits) = (false, Digits::Fewest);
        }
    }
    schema
}

/// Puts the columns of text beside `rows` of `schema`, where the format has room for them.
fn with_text(
    mut schema: Schema,
    archive: &Archive,
    rows: Range<usize>,
    format: Format,
    console: &Console,
) -> Result<Schema, Failure> {
    let text = archive.reader.kept_text().map_err(|error| archive.failure(&error))?;
    let Some(mut text) = text else { return Ok(schema) };
    if format != Format::Csv {
        console.note(&format!("{} text, and left out of {format}", text_columns(&text)));
        return Ok(schema);
    }
    if rows.len() != text.rows() {
        text = text.slice(rows).map_err(|error| archive.failure(&error))?;
    }
    let origin = || Origin { format: format.name().to_string(), text: None };
    let layout = schema.origin.get_or_insert_with(origin).text.get_or_insert_default();
    layout.kept = Some(Arc::new(text));
    Ok(schema)
}

/// Decodes `rows` into `output`, a piece at a time.
fn copy(
    archive: &Archive,
    rows: Range<usize>,
    (format, schema): (Format, &Schema),
    output: &Output,
    bar: &Bar,
) -> Result<(), Failure> {
    let promise = archive.reader.promise();
    // Text has as few digits as the promise allows.
    let short = match format {
        Format::Csv => promise.and_then(|p| ShortDecimals::new(archive.reader.schema(), p)),
        _ => None,
    };
    let row_bytes = schema.row_bytes().max(1);
    let step = (CHUNK / row_bytes).max(1);
    let (start, count) = (rows.start as u64, rows.len() as u64);
    let to = Box::new(output.writer());
    let written = |error| output.failure(error, &archive.label);
    let mut rows_to = sink::create_sink(format, schema, count, to).map_err(written)?;
    let mut buffer = vec![0; step.min(rows.len()) * row_bytes];
    for first in rows.clone().step_by(step) {
        let piece = &mut buffer[..step.min(rows.end - first) * row_bytes];
        archive.reader.read_bytes(first, piece).map_err(|error| archive.failure(&error))?;
        if let Some(short) = &short {
            short.apply(piece);
        }
        rows_to.write(piece).map_err(written)?;
        bar.set("decoding", first as u64 - start, count);
    }
    rows_to.finish().map_err(written)
}

/// Returns the stored name as it fits what is written: with the extension of `asked`, and without
/// `.gz`, since nothing is packed.
fn name_as(stored: &str, asked: Option<Format>) -> String {
    let plain = stored.strip_suffix(".gz").unwrap_or(stored);
    match asked {
        Some(format) if !plain.is_empty() && Format::from_extension(plain) != Some(format) => {
            Path::new(plain).with_extension(format.name()).to_string_lossy().into_owned()
        }
        _ => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_name_follows_the_format() {
        assert_eq!(name_as("a.npy", None), "a.npy");
        assert_eq!(name_as("a.npy", Some(Format::Csv)), "a.csv");
        assert_eq!(name_as("a.bin", Some(Format::Raw)), "a.bin");
        assert_eq!(name_as("images.idx.gz", None), "images.idx");
        assert_eq!(name_as("", Some(Format::Csv)), "");
    }
}
