//! `aezip decompress`: `.aez` in, numbers out.

use super::archive::Archive;
use super::console::Console;
use super::failure::Failure;
use super::numbers::grouped;
use super::output::{Output, OutputArgs};
use super::progress::Bar;
use super::range::RowRange;
use super::target::Target;
use aezip::input::{Format, sink};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Bytes decoded at a time, or one row.
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
    /// Format to write, instead of the one that the output's name stands for: npy, csv, idx,
    /// fvecs, bvecs, ivecs or raw.
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
    let target = match output {
        Some(path) => Target::new(path),
        None => Target::for_contents_of(&args.input, &name_as(stored, args.format))?,
    };
    let format = format_for(&target, args.format, stored, "--format")?;
    let binary = format != Format::Csv;
    target.check(force, binary, &[&args.input])?;
    let rows = args.rows.unwrap_or(RowRange::ALL).within(archive.reader.rows())?;
    let count = rows.len() as u64;

    let output = Output::create(&target, force, binary)?;
    let bar = Bar::new(console);
    copy(&archive, rows, format, &output, &bar)?;
    drop(bar);
    output.commit()?;

    let seconds = started.elapsed().as_secs_f64();
    console.note(&format!(
        "{}: {} rows => {target}, {seconds:.2} s",
        archive.label,
        grouped(count)
    ));
    Ok(())
}

/// Decodes `rows` into `output`, a piece at a time.
fn copy(
    archive: &Archive,
    rows: Range<usize>,
    format: Format,
    output: &Output,
    bar: &Bar,
) -> Result<(), Failure> {
    let schema = archive.reader.schema();
    let row_bytes = schema.row_bytes().max(1);
    let step = (CHUNK / row_bytes).max(1);
    let (start, count) = (rows.start as u64, rows.len() as u64);
    let to = Box::new(output.writer());
    let written = |error| output.failure(error);
    let mut rows_to = sink::create_sink(format, schema, count, to).map_err(written)?;
    let mut buffer = vec![0; step.min(rows.len()) * row_bytes];
    for first in rows.clone().step_by(step) {
        let piece = &mut buffer[..step.min(rows.end - first) * row_bytes];
        archive.reader.read_bytes(first, piece).map_err(|error| archive.failure(&error))?;
        rows_to.write(piece).map_err(written)?;
        bar.set("decoding", first as u64 - start, count);
    }
    rows_to.finish().map_err(written)
}

/// The format to write.
pub(crate) fn format_for(
    target: &Target,
    asked: Option<Format>,
    stored: &str,
    option: &str,
) -> Result<Format, Failure> {
    let Target::Path(path) = target else {
        return Ok(asked.or_else(|| Format::from_extension(stored)).unwrap_or(Format::Npy));
    };
    if let Some(format) = asked.or_else(|| Format::from_extension(path)) {
        return Ok(format);
    }
    let is_stream = std::fs::metadata(path).is_ok_and(|m| super::target::is_stream(&m));
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

/// The stored name as it fits what is written: with the extension of `asked`, and without
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

    fn chosen(target: &str, asked: Option<Format>, stored: &str) -> Option<Format> {
        format_for(&Target::new(target.into()), asked, stored, "--format").ok()
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

    #[test]
    fn the_stored_name_follows_the_format() {
        assert_eq!(name_as("a.npy", None), "a.npy");
        assert_eq!(name_as("a.npy", Some(Format::Csv)), "a.csv");
        assert_eq!(name_as("a.bin", Some(Format::Raw)), "a.bin");
        assert_eq!(name_as("images.idx.gz", None), "images.idx");
        assert_eq!(name_as("", Some(Format::Csv)), "");
    }
}
