//! `aezip finetune`: from a codec and some labels to a codec that predicts labels.

use crate::cli::args::source::SourceArgs;
use crate::cli::io::archive::read_codec;
use crate::cli::io::console::{Console, print};
use crate::cli::io::destination::{Destination, Writing};
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::{figure, grouped};
use crate::cli::io::output::Output;
use crate::cli::io::progress::Bar;
use crate::cli::io::rows;
use crate::cli::io::source::about;
use crate::cli::io::source::label;
use aezip::apps::{Examples, FinetuneConfig, FinetuneReport, Task, finetune, to_doubles};
use aezip::{Config, Rows};
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

/// Train a codec's encoder further, with a new head, to predict labels or numbers.
///
/// LABELS has a row for each row of IN: whole numbers of an integer type for a classification,
/// floats for a regression. Rows without a label (NaN) are left out. The codec that is written
/// compresses as before, and `aezip predict` predicts with it.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip train all-images.npy -o images.codec --loss mse --hidden 256 --latent 32
  aezip finetune few.npy --labels few-labels.npy --codec images.codec -o digits.codec
  aezip predict others.npy --codec digits.codec -o labels.npy")]
pub(crate) struct Args {
    /// Rows that have a label; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Labels of the rows, one each; or numbers, as many as are to be predicted.
    #[arg(long, value_name = "LABELS")]
    labels: PathBuf,
    /// Rows like them without labels: they get the labels of rows that they are like, and the
    /// most certain of them are learned from too. Helps where labels go with groups of rows.
    #[arg(long, value_name = "FILE")]
    unlabelled: Option<PathBuf>,
    /// The codec to begin with.
    #[arg(long, value_name = "CODEC")]
    codec: PathBuf,
    /// Write the codec to OUT.
    #[arg(short, value_name = "OUT")]
    output: PathBuf,
    /// Overwrite an existing file, write binary to a terminal.
    #[arg(short)]
    force: bool,
    /// What to predict [default: by the type of the labels].
    #[arg(long, value_name = "NAME")]
    task: Option<TaskName>,
    /// Passes over the rows, at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    epochs: usize,
    /// Rows of a training step.
    #[arg(long, value_name = "N", default_value_t = 32)]
    batch: usize,
    /// The head's learning rate at its peak.
    #[arg(long, value_name = "RATE", default_value_t = 0.01)]
    lr: f64,
    /// The encoder's learning rate, as a share of the head's; 0 leaves the encoder as it is
    /// [default: 0.05, from scratch 0.1; a masked transformer stays as it is].
    #[arg(long, value_name = "SHARE")]
    encoder_lr: Option<f64>,
    /// Share of the passes in which the encoder stays as it is.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3)]
    frozen: f64,
    /// Units of hidden layers of the head, as in 64,32 [default: none].
    #[arg(long, value_name = "UNITS", value_delimiter = ',')]
    head: Vec<usize>,
    /// Share of the rows that is held out, to see when to stop [default: 0.15; none of fewer than
    /// 500 rows, nor for a masked transformer].
    #[arg(long, value_name = "SHARE")]
    held_out: Option<f64>,
    /// Begin with random weights instead of the encoder's, to compare.
    #[arg(long)]
    from_scratch: bool,
    /// Use N threads; 0 for one per core. What is learned does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Seed of all randomness.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Print what was done as one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: SourceArgs,
}

/// The names of [`Task`].
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum TaskName {
    /// A label, which is a whole number
    Classification,
    /// One or more numbers
    Regression,
}

/// The learning that the arguments ask for.
struct Request {
    how: FinetuneConfig,
    config: Config,
}

impl Args {
    fn request(&self) -> Result<Request, Failure> {
        let mut how = FinetuneConfig::default();
        how.task = self.task.map(|task| match task {
            TaskName::Classification => Task::Classification,
            TaskName::Regression => Task::Regression,
        });
        how.epochs = self.epochs;
        how.batch = self.batch;
        how.rate = self.lr;
        how.encoder_rate = self.encoder_lr;
        how.frozen = self.frozen;
        how.held_out = self.held_out;
        how.head = self.head.clone();
        how.from_scratch = self.from_scratch;
        how.validate().map_err(|error| Failure::usage(error.to_string()))?;
        let mut config = Config::default();
        config.threads = self.threads;
        config.seed = self.seed;
        Ok(Request { how, config })
    }
}

/// Runs the command.
pub(crate) fn run(mut args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let destination = Destination::new(args.output.clone());
    destination.expect_not_beside_json(args.json)?;
    let options = std::mem::take(&mut args.source).options()?;
    let mut sources = vec![args.input.as_path(), &args.labels, &args.codec];
    sources.extend(args.unlabelled.as_deref());
    destination.check(Writing::binary(args.force), &sources)?;
    let Request { how, mut config } = args.request()?;

    let rows = rows::open(&args.input, &options, console)?;
    let answers = rows::column(&args.labels, rows.len())?;
    if let (None, Some(labels)) = (args.task, whole_numbers(&*answers)?) {
        console.note(&format!(
            "{}: {labels} different whole numbers of type {}, which are predicted as numbers; as \
             labels with --task classification",
            label(&args.labels),
            answers.schema().dtype
        ));
    }
    let unlabelled =
        args.unlabelled.as_ref().map(|path| rows::open(path, &options, console)).transpose()?;
    let given = read_codec(&args.codec)?;
    let bar = Bar::new(console);
    config.progress = bar.callback();
    let mut examples = Examples::new(&*rows, &*answers);
    if let Some(others) = unlabelled.as_deref() {
        examples = examples.with_unlabelled(others);
    }
    let (tuned, report) = finetune(&given, examples, &config, &how).map_err(about(&args.input))?;
    drop(bar);
    let output = Output::create(&destination, Writing::binary(args.force))?;
    tuned
        .write(&mut output.writer())
        .map_err(|error| output.failure(error, &label(&args.input)))?;
    output.commit()?;
    let seconds = started.elapsed().as_secs_f64();
    let input = label(&args.input);
    console.note(&format!("{input}: {}, {seconds:.2} s", summary(&report, &destination)));
    if args.json {
        print(&describe(&input, &destination, &report, seconds))?;
    }
    Ok(())
}

/// Returns how many different whole numbers there are, where floats are nothing else and each could
/// be a label: text has no other type.
fn whole_numbers(answers: &dyn Rows) -> Result<Option<usize>, Failure> {
    if !answers.schema().dtype.is_float() || answers.schema().width() != 1 {
        return Ok(None);
    }
    let mut values = to_doubles(answers)?;
    values.retain(|x| !x.is_nan());
    if values.iter().any(|x| x.fract() != 0.0) {
        return Ok(None);
    }
    values.sort_by(f64::total_cmp);
    values.dedup();
    Ok(Some(values.len()).filter(|n| (2..=MOST_LABELS).contains(n)))
}

/// More different numbers than this are no labels, as a rule.
const MOST_LABELS: usize = 100;

/// Returns the closing line.
fn summary(report: &FinetuneReport, destination: &Destination) -> String {
    let (outputs, figure_of) = match report.task {
        Task::Classification => ("labels", "labels right"),
        _ => ("numbers", "of the variance explained"),
    };
    format!(
        "{} rows, {} {outputs} => {destination}; of rows {} {} % {figure_of}, {} passes",
        grouped(report.rows as u64),
        report.outputs,
        if report.held_out > 0 { "held out" } else { "learned from" },
        figure(100.0 * report.right),
        report.epochs,
    )
}

fn describe(input: &str, output: &Destination, report: &FinetuneReport, seconds: f64) -> String {
    json!({
        "input": input,
        "output": output.to_string(),
        "task": match report.task {
            Task::Classification => "classification",
            _ => "regression",
        },
        "rows": report.rows,
        "spread": report.pseudo_labelled,
        "outputs": report.outputs,
        "epochs": report.epochs,
        "kept": report.kept,
        "held_out": report.held_out,
        "loss": report.loss,
        "right": report.right,
        "seconds": seconds,
    })
    .to_string()
}
