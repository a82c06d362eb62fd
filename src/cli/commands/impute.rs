//! `aezip impute`: what is missing, from what is there.

use crate::cli::args::codec::CodecArgs;
use crate::cli::args::output::RowsOutArgs;
use crate::cli::args::source::SourceArgs;
use crate::cli::io::console::Console;
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;
use crate::cli::io::progress::Bar;
use crate::cli::io::rows;
use crate::cli::io::source::about;
use crate::cli::io::source::label;
use crate::cli::io::text::text_columns;
use aezip::Rows;
use aezip::apps::{ColumnUnits, Filling, Imputed, Missing, Model, impute};
use aezip::input::OpenOptions;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Fill in missing values: NaN, empty fields of CSV, or those that --missing or --mask names.
///
/// All other values stay as they are, bit for bit, infinities included, and so do columns without
/// any value. Without --codec, each column is filled in the way that guesses hidden values of it
/// best: from the row's other values, the rows before and after, rows like it, or by an autoencoder
/// that has learned to do without parts of a row. Options about the network let that alone fill.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip impute stations.csv --columns PM10,NO2,TEMP,DEWP -o filled.csv
  aezip impute images.npy --missing 255 -o filled.npy
  aezip impute grid.npy --missing 1e20 --missing -999 -o filled.npy
  aezip train whole.npy -o m.codec --mask-patches 1x1:0.5
  aezip impute gaps.npy --mask gaps-mask.npy --codec m.codec -o filled.npy")]
pub(crate) struct Args {
    /// Rows with gaps; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    #[command(flatten)]
    out: RowsOutArgs,
    /// Values equal to X are missing too; may be given several times.
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    missing: Vec<f64>,
    /// Values are missing too where FILE, of the same shape, is not 0.
    #[arg(long, value_name = "FILE")]
    mask: Option<PathBuf>,
    #[command(flatten)]
    codec: CodecArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let Args { input, .. } = args;
    let mut options = args.source.options()?;
    options.keep_text = true;
    let mut choice = args.codec.checked_at_every_level()?;
    let mut sources: Vec<&Path> = vec![&input];
    sources.extend(choice.path());
    sources.extend(args.mask.as_deref());
    let out = args.out.place(&sources)?;
    let rows = rows::open(&input, &options, console)?;
    let mask = args.mask.as_deref().map(|path| rows::open(path, &OpenOptions::default(), console));
    let mask = mask.transpose()?;
    let missing = Missing::new(&*rows, &args.missing, mask.as_deref()).map_err(about(&input))?;
    if let Some(text) = rows.schema().kept_text() {
        console.note(&format!(
            "{} text: no part of it, and left as they are in CSV",
            text_columns(text)
        ));
    }
    let done = match choice.read()? {
        Some(codec) => {
            let model = Model::new(&codec).map_err(about(choice.path().unwrap_or(&input)))?;
            let filling = Filling::new(missing, &model).map_err(about(&input))?;
            out.write(&filling, console)?;
            let Filling { filled, empty_columns, empty_rows, .. } = filling;
            Done { filled, empty_columns, empty_rows, units: None }
        }
        None => {
            let bar = Bar::new(console);
            choice.config.progress = bar.callback();
            let found = impute(&*rows, &missing.all()?, None, &choice.config);
            drop(bar);
            let Imputed { rows, filled, empty_columns, empty_rows, units, .. } =
                found.map_err(about(&input))?;
            out.write(&rows, console)?;
            Done { filled, empty_columns, empty_rows, units }
        }
    };
    let values = rows.len() * rows.schema().width();
    let seconds = started.elapsed().as_secs_f64();
    let (from, to) = (label(&input), out.label());
    let note = format!(
        "{from}: {} of {} values filled in => {to}{}, {seconds:.2} s",
        grouped(done.filled as u64),
        grouped(values as u64),
        remarks(&*rows, &done)
    );
    out.tell(
        console,
        &note,
        &json!({ "input": from, "output": to, "rows": rows.len(), "filled": done.filled,
                     "values": values, "empty_rows": done.empty_rows,
                     "empty_columns": done.empty_columns,
                     "units": done.units.map(|u| u.to_string()), "seconds": seconds }),
    )
}

/// What was filled in.
struct Done {
    filled: usize,
    empty_columns: Vec<usize>,
    empty_rows: Vec<usize>,
    units: Option<ColumnUnits>,
}

/// Returns what is to be known beside the number of values: how columns were taken, and what had
/// nothing to go by.
fn remarks(rows: &dyn Rows, filled: &Done) -> String {
    let mut out = filled.units.map_or(String::new(), |units| format!("; {units}"));
    let empty: Vec<String> = filled.empty_columns.iter().map(|j| name(rows, *j)).collect();
    if let [first, more @ ..] = &empty[..] {
        let more =
            if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        out += &format!("; column {first}{more}: no value at all, left as it is");
    }
    if let [first, more @ ..] = &filled.empty_rows[..] {
        let more =
            if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        out += &format!("; row {first}{more}: no value known, filled with what is usual there");
    }
    out
}

/// Returns what a column is called: its name or its number.
fn name(rows: &dyn Rows, column: usize) -> String {
    match &rows.schema().columns {
        Some(names) => names[column].clone(),
        None => column.to_string(),
    }
}
