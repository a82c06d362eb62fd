//! `aezip predict`: labels or numbers of rows.

use crate::cli::args::output::RowsOutArgs;
use crate::cli::args::source::SourceArgs;
use crate::cli::io::archive::read_codec;
use crate::cli::io::console::Console;
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;
use crate::cli::io::rows;
use crate::cli::io::source::about;
use crate::cli::io::source::label;
use aezip::apps::predict;
use serde_json::json;
use std::path::PathBuf;

/// Predict labels or numbers of rows, with a codec that `aezip finetune` wrote.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip predict images.npy --codec digits.codec -o labels.csv
  aezip predict images.npy --codec digits.codec --proba -o probabilities.csv")]
pub(crate) struct Args {
    /// Rows; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The codec.
    #[arg(long, value_name = "CODEC")]
    codec: PathBuf,
    #[command(flatten)]
    out: RowsOutArgs,
    /// Write the probability of each label instead, a column for each (f32).
    #[arg(long)]
    proba: bool,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let Args { input, codec, .. } = args;
    let options = args.source.options()?;
    let sources = [&*input, &*codec];
    let out = args.out.place(&sources)?;
    let rows = rows::open(&input, &options, console)?;
    let predicted = predict(&read_codec(&codec)?, &*rows).map_err(about(&input))?;
    let is_nan = args.proba || predicted.probabilities.is_none();
    let result = match (args.proba, predicted.probabilities) {
        (false, _) => predicted.values,
        (true, Some(probabilities)) => probabilities,
        (true, None) => {
            return Err(Failure::error(format!(
                "{} predicts numbers, which have no probabilities: leave out --proba",
                label(&codec)
            )));
        }
    };
    out.write(&result, console)?;
    let (from, to, n) = (label(&input), out.label(), rows.len());
    let empty = predicted.empty_rows;
    let unknown = match (empty, is_nan) {
        (0, _) => String::new(),
        (_, true) => format!(", {} without any value are NaN", grouped(empty as u64)),
        (_, false) => format!(
            ", of which {} have no value, so that their label says nothing",
            grouped(empty as u64)
        ),
    };
    let note = format!("{from}: {} rows => {to}{unknown}", grouped(n as u64));
    out.tell(
        console,
        &note,
        &json!({ "input": from, "output": to, "rows": n, "probabilities": args.proba, "empty_rows": empty }),
    )
}
