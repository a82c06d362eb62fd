//! `aezip compare`: what levels and promises cost.

use crate::cli::args::source::SourceArgs;
use crate::cli::io::console::{Console, print};
use crate::cli::io::destination::{Destination, Writing};
use crate::cli::io::failure::Failure;
use crate::cli::io::listing::fidelity_json;
use crate::cli::io::numbers::{figure, grouped};
use crate::cli::io::progress::Bar;
use crate::cli::io::source::{about, label};
use crate::cli::io::{output, rows};
use aezip::apps::plot::{PlotFormat, rates};
use aezip::apps::{CompareConfig, Comparison, Method, Trial, compare};
use aezip::{Config, Fidelity};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Show what levels and promises cost: bytes per row, error and seconds.
///
/// Rows are compressed in one way after another: bit for bit, with the linear codec, and at each
/// level, each with every bound. Nothing is kept but the table on standard output and, with -o, a
/// picture of it. Of many rows some from all parts of the file are measured, and ranges are theirs.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip compare images.npy                          bounds relative to each column's range
  aezip compare vectors.fvecs --promise cosine --levels 1,5,9 -o rates.svg
  aezip compare table.csv --promise max-error --bounds 1,0.1,0.01")]
pub(crate) struct Args {
    /// Rows; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Draw error over bytes per row, too: OUT ends in .svg, .png or .html.
    #[arg(short, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Overwrite an existing file.
    #[arg(short)]
    force: bool,
    /// Kind of promise to compare: max-error-rel, nmse, cosine, psnr, max-error or another of those of
    /// `aezip compress`.
    #[arg(long, value_name = "KIND", default_value = "max-error-rel")]
    promise: String,
    /// Numbers of the promise to compare [default: three that are usual for its kind].
    #[arg(long, value_name = "A,B", value_delimiter = ',', allow_hyphen_values = true)]
    bounds: Vec<String>,
    /// Levels to compare, 1 to 9 [default: 1,3].
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    levels: Vec<u8>,
    /// Measure about N values; 0 for all [default: 262144].
    #[arg(long, value_name = "N")]
    values: Option<usize>,
    /// Use N threads; 0 for one per core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Print the table as one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: SourceArgs,
}

/// Where a picture goes, and as what.
struct PicturePlace {
    destination: Destination,
    format: PlotFormat,
    writing: Writing,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let how = args.how()?;
    let place = args.place()?;
    let Args { input, threads, json, source, .. } = args;
    let rows = rows::open(&input, &source.options()?, console)?;
    let mut config = Config::default();
    config.threads = threads;
    let bar = Bar::new(console);
    config.progress = bar.callback();
    let found = compare(&*rows, &config, &how);
    drop(bar);
    let (found, from) = (found.map_err(about(&input))?, label(&input));
    if found.measured < found.rows {
        let [measured, all] = [found.measured, found.rows].map(|n| grouped(n as u64));
        console.note(&format!("{from}: measured on {measured} of {all} rows (--values 0: all)"));
    }
    print(&if json { described(&from, &found).to_string() } else { table(&found) })?;
    // What was found is said even where it cannot be drawn.
    if let Some(PicturePlace { destination, format, writing }) = place {
        let name = input.file_name().unwrap_or_default().to_string_lossy();
        let picture = rates(&found, &name, format)?;
        output::written(&destination, writing, &picture)?.commit()?;
        console.note(&format!("{from} => {destination}"));
    }
    Ok(())
}

impl Args {
    /// Returns which ways are compared.
    fn how(&self) -> Result<CompareConfig, Failure> {
        let mut how = CompareConfig::of_kind(&self.promise, &self.bounds).map_err(|error| {
            match self.bounds.is_empty() {
                true => Failure::usage(format!("{error} (--promise, --bounds)")),
                false => error.into(),
            }
        })?;
        if !self.levels.is_empty() {
            how.levels = self.levels.clone();
        }
        match self.values {
            Some(0) => how.most_values = usize::MAX,
            Some(most) => how.most_values = most,
            None => {}
        }
        Ok(how)
    }

    /// Returns where the picture goes, if one is wanted and may go there.
    fn place(&self) -> Result<Option<PicturePlace>, Failure> {
        let Some(path) = &self.output else { return Ok(None) };
        let destination = Destination::new(path.clone());
        let Some(format) = PlotFormat::from_extension(path) else {
            return Err(Failure::usage(format!(
                "the name {destination} stands for no picture: end it in .svg, .png or .html"
            )));
        };
        let writing = Writing::binary(self.force);
        destination.check(writing, &[&self.input])?;
        Ok(Some(PicturePlace { destination, format, writing }))
    }
}

/// The names of the columns that are printed.
const HEAD: [&str; 7] = ["method", "promise", "bytes/row", "ratio", "max error", "NMSE", "seconds"];

/// Writes a line for each way, columns aligned: words at the left, numbers at the right.
fn table(found: &Comparison) -> String {
    let whole = found.trials.first().map_or(0.0, |trial| trial.bytes_per_row);
    let lines = found.trials.iter().map(|trial| cells(trial, whole));
    let lines: Vec<[String; 7]> = std::iter::once(HEAD.map(str::to_string)).chain(lines).collect();
    let width = |j: usize| lines.iter().map(|cells| cells[j].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let line = |cells: &[String; 7]| {
        let aligned = |j: usize| match j {
            0 | 1 => format!("{:<w$}", cells[j], w = widths[j]),
            _ => format!("{:>w$}", cells[j], w = widths[j]),
        };
        (0..7).map(aligned).collect::<Vec<_>>().join("  ")
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The cells of a line, where a row takes `whole` bytes in memory.
fn cells(trial: &Trial, whole: f64) -> [String; 7] {
    let promise = match &trial.promise {
        Fidelity::Lossless => String::new(),
        promise => promise.to_string(),
    };
    let seconds = match trial.method {
        Method::AsTheyAre => String::new(),
        _ => format!("{:.2}", trial.seconds),
    };
    [
        trial.method.to_string(),
        promise,
        format!("{:.2}", trial.bytes_per_row),
        format!("{:.2}", whole / trial.bytes_per_row),
        figure(trial.max_error),
        figure(trial.nmse),
        seconds,
    ]
}

fn described(input: &str, found: &Comparison) -> Value {
    let trial = |trial: &Trial| {
        json!({
            "method": trial.method.to_string(),
            "promise": fidelity_json(&trial.promise),
            "bytes_per_row": trial.bytes_per_row,
            "error": trial.error,
            "max_error": trial.max_error,
            "nmse": trial.nmse,
            "seconds": trial.seconds,
        })
    };
    json!({
        "input": input,
        "rows": found.rows,
        "measured_rows": found.measured,
        "error_is": found.error_name,
        "trials": found.trials.iter().map(trial).collect::<Vec<_>>(),
    })
}
