//! `aezip decompress`: `.aez` in, numbers out.

use crate::cli::args::memory::MemoryArgs;
use crate::cli::args::output::OutputArgs;
use crate::cli::args::range::RowRange;
use crate::cli::args::region::Region;
use crate::cli::io::archive::Archive;
use crate::cli::io::console::Console;
use crate::cli::io::destination::Destination;
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;
use crate::cli::io::output::Output;
use crate::cli::io::pieces::{self, Pieces};
use crate::cli::io::progress::Bar;
use crate::cli::io::rows_out;
use crate::cli::io::text::text_columns;
use aezip::Schema;
use aezip::input::{Format, Packing};
use aezip::restore;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Bring the numbers back, all or some of them.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip decompress spectra.npy.aez                   write spectra.npy
  aezip decompress spectra.npy.aez -o spectra.csv    in another format
  aezip decompress spectra.npy.aez --rows 100..200 -o part.npy
  aezip decompress spectra.npy.aez --rows 7 --format csv -o -
  aezip decompress field.npy.aez --region 0..10,:,40..60 -o part.npy")]
pub(crate) struct Args {
    /// File to decompress; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
    /// Only these rows, from 0: A..B (without B), A.., ..B or N.
    #[arg(long, value_name = "ROWS", allow_hyphen_values = true)]
    rows: Option<RowRange>,
    /// Only this part of the array: for each axis, from 0, A..B (without B), A.., ..B, N or : for all;
    /// axes that are left out are whole.
    #[arg(long, value_name = "A..B,…", conflicts_with = "rows")]
    region: Option<Region>,
    /// Format to write, instead of the one that the output's name stands for, or else of the one that
    /// the rows were read from: npy, npz, csv, safetensors, png (a folder of pictures), idx, fvecs, bvecs, ivecs, fbin, u8bin, i8bin or raw. A
    /// name that ends in .gz or .zst is that of a packed file.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    #[command(flatten)]
    memory: MemoryArgs,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let OutputArgs { output, force } = args.output;
    let archive = Archive::open_within(&args.input, args.memory.bytes())?;
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
    let mut ranges = match &args.region {
        Some(region) => region.within(&archive.reader.shape())?,
        None => archive.reader.shape().iter().map(|&n| 0..n).collect(),
    };
    if let Some(rows) = args.rows {
        let rows = rows.within(archive.reader.rows())?;
        // A number without an axis is one row.
        if let Some(first) = ranges.first_mut() {
            *first = rows;
        }
    }

    let output = Output::create(&destination, writing)?;
    let bar = Bar::new(console);
    let schema = restore::schema(&archive.reader, destination.path(), format);
    let schema = part_of(schema, &archive, &ranges)?;
    let rows = ranges.first().cloned().unwrap_or(0..1);
    let schema = restore::of_rows(schema, &rows);
    let schema = with_text(schema, &archive, rows, format, console)?;
    let packing = rows_out::packing(&destination);
    copy(&archive, &ranges, (format, packing, &schema), &output, &bar)?;
    drop(bar);
    if archive.stays { output.commit_soon() } else { output.commit() }?;

    let seconds = started.elapsed().as_secs_f64();
    let what = match args.region.is_some() || archive.reader.tiling().is_some() {
        true => format!("shape {:?}", lengths(&ranges)),
        false => format!("{} rows", grouped(ranges[0].len() as u64)),
    };
    console.note(&format!("{}: {what} => {destination}, {seconds:.2} s", archive.label));
    Ok(())
}

/// Returns how long a box is along each axis.
fn lengths(ranges: &[Range<usize>]) -> Vec<usize> {
    ranges.iter().map(Range::len).collect()
}

/// Returns what the rows of a box are: of the columns only those that it has.
fn part_of(
    mut schema: Schema,
    archive: &Archive,
    ranges: &[Range<usize>],
) -> Result<Schema, Failure> {
    let Some((rows, columns)) = ranges.split_first() else {
        // How a number without an axis is told from a row of one.
        schema.tiling = archive.reader.tiling().cloned();
        return Ok(schema);
    };
    let row_shape = lengths(columns);
    if row_shape == schema.row_shape {
        return Ok(schema);
    }
    if row_shape.contains(&0) {
        let what = format!(
            "a region of shape {:?} has no numbers",
            [&[rows.len()], &row_shape[..]].concat()
        );
        return Err(Failure::usage(what));
    }
    let mut places = vec![0];
    let text = schema.origin.as_mut().and_then(|origin| origin.text.as_mut());
    let known = text.filter(|text| !text.columns.is_empty());
    if known.is_some() || schema.columns.is_some() {
        for (&n, range) in schema.row_shape.iter().zip(columns) {
            places = places.iter().flat_map(|at| range.clone().map(move |i| at * n + i)).collect();
        }
    }
    if let Some(text) = known {
        text.columns = places.iter().filter_map(|&at| text.columns.get(at)).copied().collect();
    }
    if let Some(names) = &mut schema.columns {
        *names = places.iter().filter_map(|&at| names.get(at)).cloned().collect();
    }
    schema.row_shape = row_shape;
    Ok(schema)
}

/// Puts the columns of text beside `rows` of `schema`, where the format has room for them.
fn with_text(
    schema: Schema,
    archive: &Archive,
    rows: Range<usize>,
    format: Format,
    console: &Console,
) -> Result<Schema, Failure> {
    let text = archive.reader.kept_text().map_err(|error| archive.failure(&error))?;
    let Some(text) = text else { return Ok(schema) };
    if format != Format::Csv {
        console.note(&format!("{} text, and left out of {format}", text_columns(&text)));
        return Ok(schema);
    }
    restore::with_text(schema, text, rows).map_err(|error| archive.failure(&error))
}

/// Decodes a box into `output`, a piece at a time.
fn copy(
    archive: &Archive,
    ranges: &[Range<usize>],
    (format, packing, schema): (Format, Option<Packing>, &Schema),
    output: &Output,
    bar: &Bar,
) -> Result<(), Failure> {
    let short =
        if format == Format::Csv { restore::short_decimals(&archive.reader, schema) } else { None };
    let whole_rows = !format.takes_parts_of_rows();
    if whole_rows {
        archive.expect_moderate_rows()?;
    }
    let written = |error| output.failure(error, &archive.label);
    let rows = ranges.first().map_or(1, Range::len) as u64;
    let mut rows_to = output.rows((format, packing), schema, rows).map_err(written)?;
    let size = schema.dtype.size();
    let (mut buffer, mut done) = (Vec::new(), 0);
    let total = pieces::bytes(ranges, size) as u64;
    Pieces::new(&archive.reader, whole_rows).each(ranges, &mut |piece| {
        buffer.resize(pieces::bytes(piece, size), 0);
        let read = archive.reader.read_region_bytes(piece, &mut buffer);
        read.map_err(|error| archive.failure(&error))?;
        if let Some(short) = &short {
            short.apply(&mut buffer);
        }
        rows_to.write(&buffer).map_err(written)?;
        done += buffer.len() as u64;
        bar.set("decoding", done, total);
        Ok(())
    })?;
    rows_to.finish().map_err(written)
}

/// Returns the stored name as it fits what is written: with the extension of `asked`.
fn name_as(stored: &str, asked: Option<Format>) -> String {
    let plain = Packing::strip(stored);
    match asked {
        Some(Format::Png) => {
            Path::new(plain).file_stem().unwrap_or_default().to_string_lossy().into_owned()
        }
        Some(format) if !plain.is_empty() && Format::from_extension(plain) != Some(format) => {
            let named = Path::new(plain).with_extension(format.name());
            format!("{}{}", named.to_string_lossy(), &stored[plain.len()..])
        }
        _ => stored.to_string(),
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
        assert_eq!(name_as("images.idx.gz", None), "images.idx.gz");
        assert_eq!(name_as("images.idx.gz", Some(Format::Npy)), "images.npy.gz");
        assert_eq!(name_as("", Some(Format::Csv)), "");
    }
}
