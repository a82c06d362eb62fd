//! `aezip anomalies`: rows that are not like the others.

use crate::cli::args::codec::CodecArgs;
use crate::cli::args::source::SourceArgs;
use crate::cli::io::console::{Console, print};
use crate::cli::io::destination::{Destination, PIPE, Writing};
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::{figure, grouped};
use crate::cli::io::output::Output;
use crate::cli::io::progress::Bar;
use crate::cli::io::rows;
use crate::cli::io::source::about;
use crate::cli::io::source::label;
use aezip::Rows;
use aezip::apps::{
    AnomalyConfig, AnomalyScore, ColumnUnits, Judged, judge_against, judge_rows, worst_columns,
};
use serde_json::json;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Find rows that are not like the others.
///
/// An autoencoder with few latents is learned from the rows, twice more without those that it
/// cannot give back: badly given back are rows whose columns do not go together. And rows are
/// compared with each other: odd are those that few others are near. By default a row's score is
/// how far it is beyond the usual row in either of both; --score error and --score density take one of them
/// alone, and density needs seconds, as it learns no network. Of fewer than 64 rows principal
/// components are used instead. Rows far from all others are not learned from; those without any
/// value are flagged, and their score is NaN. With --like, rows are compared with those of another file,
/// which are known to be ordinary. Writes CSV: row, score, whether
/// it is flagged, and the columns that it differs most in.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip anomalies sensors.csv -o scores.csv            flags by a robust threshold
  aezip anomalies sensors.csv --contamination 0.01     the worst hundredth, to the terminal
  aezip anomalies patients.csv --score density         by how few rows are near, in seconds
  aezip anomalies tuesday.npy --like monday.npy        by how few of other rows are near
  aezip anomalies tuesday.npy --codec monday.codec --score bits")]
pub(crate) struct Args {
    /// File to look at; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Write the CSV to OUT [default: standard output].
    #[arg(short, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Overwrite an existing file.
    #[arg(short)]
    force: bool,
    /// Compare with the rows of FILE, all of them ordinary, instead of with each other.
    #[arg(long, value_name = "FILE")]
    like: Option<PathBuf>,
    /// Flag this share of the rows; auto flags those whose score is far above the median.
    #[arg(long, value_name = "auto|F", default_value = "auto", allow_hyphen_values = true)]
    contamination: Contamination,
    /// What a row is judged by.
    #[arg(long, value_name = "NAME", default_value = "auto")]
    score: ScoreName,
    /// Add a column for each column of the input: its squared error, its squared difference from
    /// rows nearby, whichever makes the row's score, over what is usual there.
    #[arg(long)]
    per_column: bool,
    /// Columns named for each row that is flagged.
    #[arg(long, value_name = "N", default_value_t = 3)]
    top: usize,
    /// How many times to leave out the worst rows and learn anew, or compare with the others anew; none are with --like.
    #[arg(long, value_name = "N", default_value_t = 2)]
    rounds: usize,
    /// Bring columns to the same spread, as those of a table with units of their own [default: by
    /// names and values].
    #[arg(long, value_name = "yes|no", num_args = 0..=1, default_missing_value = "yes",
          value_parser = clap::builder::BoolishValueParser::new())]
    table: Option<bool>,
    /// Print one JSON object: threshold, and the rows that are flagged.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    codec: CodecArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// The names of [`AnomalyScore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ScoreName {
    /// Error or density, whichever says more of the row; with a codec or --epochs, the error
    Auto,
    /// Error of the row as the network gives it back
    Error,
    /// How thinly ordinary rows lie about the row, in nats; with a codec, among its latents
    Density,
    /// Bits that the row takes in a compressed file
    Bits,
}

/// The share of rows to flag.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Contamination {
    /// As the scores themselves say.
    Auto,
    Share(f64),
}

impl FromStr for Contamination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(share)) => Ok(Self::Share(share)),
            _ => Err("it is auto or a number above 0 and below 0.5".to_string()),
        }
    }
}

impl Args {
    /// Returns how to look for anomalies.
    fn request(&self) -> Result<AnomalyConfig, Failure> {
        if self.per_column && self.score == ScoreName::Bits {
            return Err(Failure::usage("--per-column is about errors: leave out --score bits"));
        }
        if let Some(like) = &self.like {
            if [like, &self.input].iter().all(|path| path.as_os_str() == PIPE) {
                return Err(Failure::usage("standard input is one file: name the other"));
            }
            if self.codec.path().is_some() {
                return Err(Failure::usage(
                    "rows are judged by those of --like or by --codec: leave out one of them",
                ));
            }
            self.codec.expect_none_because("with --like, which learns no network")?;
            if matches!(self.score, ScoreName::Error | ScoreName::Bits) {
                return Err(Failure::usage(
                    "--like compares rows with others by density: for errors or bits, `aezip train` a codec on \
                     the ordinary rows and name it with --codec",
                ));
            }
        }
        if self.score == ScoreName::Density {
            if self.codec.path().is_none() {
                self.codec.expect_none_because("with --score density, which learns no network")?;
            } else if self.per_column {
                return Err(Failure::usage(
                    "--per-column is about columns of the rows, --score density with --codec about \
                     latents: leave out one of them",
                ));
            }
        }
        let mut how = AnomalyConfig::default();
        how.contamination = match self.contamination {
            Contamination::Auto => None,
            Contamination::Share(share) => Some(share),
        };
        how.rounds = self.rounds;
        how.table = self.table;
        how.score = match self.score {
            ScoreName::Auto => AnomalyScore::Auto,
            ScoreName::Error => AnomalyScore::Error,
            ScoreName::Density => AnomalyScore::Density,
            ScoreName::Bits => AnomalyScore::Bits,
        };
        how.validate().map_err(|error| Failure::usage(error.to_string()))?;
        Ok(how)
    }
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let how = args.request()?;
    let Args { input, force, json, per_column, top, table, .. } = args;
    let options = args.source.options()?;
    let destination = match (args.output, json) {
        (None, true) => None,
        (path, _) => Some(Destination::new(path.unwrap_or_else(|| PIPE.into()))),
    };
    destination.iter().try_for_each(|destination| destination.expect_not_beside_json(json))?;
    // What bits a row takes, a codec of the level says.
    let mut choice = if how.score == AnomalyScore::Bits {
        args.codec.checked()?
    } else {
        args.codec.checked_at_every_level()?
    };
    let mut sources: Vec<&Path> = vec![&input];
    sources.extend(choice.path());
    sources.extend(args.like.as_deref());
    let writing = Writing::text(force);
    destination.iter().try_for_each(|destination| destination.check(writing, &sources))?;
    let rows = rows::open(&input, &options, console)?;
    let codec = choice.read()?;
    let bar = Bar::new(console);
    choice.config.progress = bar.callback();
    let found = match &args.like {
        Some(like) => {
            let ordinary = rows::open(like, &options, console)?;
            judge_against(&*rows, &*ordinary, &choice.config, &how)
        }
        None => judge_rows(&*rows, codec.as_ref(), &choice.config, &how),
    };
    let found = found.map_err(about(&input))?;
    drop(bar);
    if let Some(destination) = &destination {
        let output = Output::create(destination, writing)?;
        let csv = Csv { rows: &*rows, found: &found, per_column, top };
        csv.write(&output, console)?;
        output.commit()?;
    }
    let flagged = found.flagged.iter().filter(|flagged| **flagged).count();
    console.note(&format!(
        "{}: {} of {} rows are flagged, those with a score above {}{}{}",
        label(&input),
        grouped(flagged as u64),
        grouped(rows.len() as u64),
        figure(found.threshold),
        match found.score {
            AnomalyScore::Density => " nats",
            AnomalyScore::Bits => " bits",
            _ => "",
        },
        remarks(&found, table),
    ));
    if json { print(&describe(&input, &*rows, &found, top)?) } else { Ok(()) }
}

/// Says how rows were judged where that is not the usual way, or was decided from the rows.
fn remarks(found: &Judged<'_>, table: Option<bool>) -> String {
    let mut text = String::new();
    let empty = found.scores.iter().filter(|score| score.is_nan()).count();
    if empty > 0 {
        text.push_str(&format!(", and {} without any value", grouped(empty as u64)));
    }
    if found.is_components {
        text.push_str("; by principal components, as the rows are too few to learn from");
    }
    if table.is_none() {
        text.push_str(&match found.units {
            ColumnUnits::Shared => format!("; {}: if not, say --table yes", found.units),
            ColumnUnits::Own => format!("; {}: if not, say --table no", found.units),
        });
    }
    text
}

/// Returns the rows that are flagged as JSON.
fn describe(
    input: &Path,
    rows: &dyn Rows,
    found: &Judged<'_>,
    top: usize,
) -> Result<String, Failure> {
    let mut listed = Vec::new();
    for row in (0..rows.len()).filter(|row| found.flagged[*row]) {
        let own = contributions(found, row..row + 1)?;
        let worst = worst_columns(&own, top).into_iter();
        let columns: Vec<_> = worst.map(|(j, share)| json!([name(rows, j), share])).collect();
        listed.push(json!({ "row": row, "score": found.scores[row], "columns": columns }));
    }
    Ok(json!({
        "input": label(input),
        "rows": rows.len(),
        "threshold": found.threshold,
        "columns_share_a_unit": found.units == ColumnUnits::Shared,
        "flagged": listed,
    })
    .to_string())
}

/// Returns what the values of some rows contribute to their scores; nothing where bits are scores.
fn contributions(found: &Judged<'_>, rows: Range<usize>) -> Result<Vec<f32>, Failure> {
    let Some(all) = found.contributions() else { return Ok(Vec::new()) };
    let mut bytes = vec![0; rows.len() * all.schema().row_bytes()];
    all.read(rows.start, &mut bytes)?;
    Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

/// Returns what a column is called: its name or its number.
fn name(rows: &dyn Rows, column: usize) -> String {
    match &rows.schema().columns {
        Some(names) => names[column].clone(),
        None => column.to_string(),
    }
}

/// Rows whose contributions are looked at together.
const ROWS_AT_ONCE: usize = 256;

/// The scores as CSV.
struct Csv<'a> {
    rows: &'a dyn Rows,
    found: &'a Judged<'a>,
    /// A column for each column's contribution is added.
    per_column: bool,
    /// Columns named for each row that is flagged.
    top: usize,
}

impl Csv<'_> {
    fn write(&self, output: &Output, console: &Console) -> Result<(), Failure> {
        let failed = |e: io::Error| output.failure(aezip::Error::io("cannot write", e), "scores");
        let (mut writer, bar) = (output.writer(), Bar::new(console));
        writer.write_all(self.header().as_bytes()).map_err(failed)?;
        let count = self.rows.len();
        for first in (0..count).step_by(ROWS_AT_ONCE) {
            let rows = first..count.min(first + ROWS_AT_ONCE);
            writer.write_all(self.lines(rows)?.as_bytes()).map_err(failed)?;
            bar.set("writing", first as u64, count as u64);
        }
        Ok(())
    }

    fn header(&self) -> String {
        let mut out = String::from("row,score,flagged,columns");
        if self.per_column {
            (0..self.rows.schema().width()).for_each(|j| {
                let _ = write!(out, ",{}", field(&name(self.rows, j)));
            });
        }
        out + "\n"
    }

    /// Returns the lines of some rows.
    fn lines(&self, rows: Range<usize>) -> Result<String, Failure> {
        let Self { found, per_column, top, .. } = *self;
        let is_looked_at = per_column || found.flagged[rows.clone()].contains(&true);
        let own = if is_looked_at { contributions(found, rows.clone())? } else { Vec::new() };
        let width = self.rows.schema().width();
        let mut out = String::new();
        for (i, row) in rows.enumerate() {
            let (flagged, score) = (found.flagged[row], found.scores[row]);
            let own = own.get(i * width..(i + 1) * width).unwrap_or_default();
            let worst = if flagged { worst_columns(own, top) } else { Vec::new() };
            let worst: Vec<String> = worst
                .iter()
                .map(|(j, share)| format!("{}:{share:.2}", name(self.rows, *j)))
                .collect();
            let columns = field(&worst.join(" "));
            let _ = write!(out, "{row},{score:.6},{},{columns}", u8::from(flagged));
            if per_column {
                own.iter().for_each(|x| {
                    let _ = if x.is_nan() { write!(out, ",") } else { write!(out, ",{x:.4}") };
                });
            }
            out.push('\n');
        }
        Ok(out)
    }
}

/// Quotes a text as a field of CSV (RFC 4180), where that is needed.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_string()
}
