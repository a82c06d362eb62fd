//! `aezip impute`: what is missing, from what is there.

use crate::cli::args::codec::CodecArgs;
use crate::cli::args::output::RowsOutArgs;
use crate::cli::args::source::SourceArgs;
use crate::cli::io::console::Console;
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;
use crate::cli::io::output::Output;
use crate::cli::io::progress::Bar;
use crate::cli::io::rows;
use crate::cli::io::rows_out::RowsOut;
use crate::cli::io::source::about;
use crate::cli::io::source::label;
use crate::cli::io::text::text_columns;
use aezip::Rows;
use aezip::apps::{ColumnUnits, Filling, Imputed, Missing, Model, impute, impute_draws};
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
  aezip impute survey.csv --draws 5 -o filled.csv
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
    /// Write M results instead of one, 1 to 200, to OUT-1 and so on (before the extension of OUT): they differ by as
    /// much as guesses may be off (multiple imputation).
    #[arg(long, value_name = "M", conflicts_with = "codec", value_parser = clap::value_parser!(u16).range(1..=200))]
    draws: Option<u16>,
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
    if args.draws.is_some() {
        args.codec.expect_none_because("with --draws, which take the usual ways to fill gaps")?;
    }
    let mut choice = args.codec.checked_at_every_level()?;
    let mut sources: Vec<&Path> = vec![&input];
    sources.extend(choice.path());
    sources.extend(args.mask.as_deref());
    let outs = match args.draws {
        Some(draws) => args.out.numbered(draws.into())?,
        None => vec![args.out],
    };
    let outs = outs.into_iter().map(|out| out.place(&sources));
    let outs = outs.collect::<Result<Vec<RowsOut>, Failure>>()?;
    let out = &outs[0];
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
            let filling = Filling::new(missing, &model, &choice.config).map_err(about(&input))?;
            out.write(&filling, console)?;
            let Filling { filled, empty_columns, empty_rows, .. } = filling;
            Done { filled, empty_columns, empty_rows, units: None }
        }
        None => {
            let bar = Bar::new(console);
            choice.config.progress = bar.callback();
            let (missing, config) = (missing.all()?, &choice.config);
            let found = match args.draws {
                Some(draws) => impute_draws(&*rows, &missing, draws.into(), config),
                None => impute(&*rows, &missing, None, config).map(|own| vec![own]),
            };
            drop(bar);
            let found = found.map_err(about(&input))?;
            let written = outs.iter().zip(&found).map(|(out, own)| out.written(&own.rows, console));
            let written = written.collect::<Result<Vec<Output>, Failure>>()?;
            written.into_iter().try_for_each(Output::commit)?;
            let Imputed { filled, empty_columns, empty_rows, units, .. } = &found[0];
            let (empty_columns, empty_rows) = (empty_columns.clone(), empty_rows.clone());
            Done { filled: *filled, empty_columns, empty_rows, units: *units }
        }
    };
    let values = rows.len() * rows.schema().width();
    let seconds = started.elapsed().as_secs_f64();
    let outputs: Vec<String> = outs.iter().map(RowsOut::label).collect();
    let to = match &outputs[..] {
        [first, .., last] => format!("{first} to {last}"),
        _ => out.label(),
    };
    let from = label(&input);
    let note = format!(
        "{from}: {} of {} values filled in => {to}{}, {seconds:.2} s",
        grouped(done.filled as u64),
        grouped(values as u64),
        remarks(&*rows, &done)
    );
    out.tell(
        console,
        &note,
        &json!({ "input": from, "output": outputs[0], "outputs": outputs, "rows": rows.len(), "filled": done.filled,
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
