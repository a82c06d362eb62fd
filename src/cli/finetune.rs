//! `aezip finetune`: from a codec and some labels to a codec that predicts labels.

use super::archive::read_codec;
use super::console::{Console, print};
use super::failure::Failure;
use super::learn::{self, about};
use super::numbers::{figure, grouped};
use super::output::Output;
use super::place::not_beside_json;
use super::progress::Bar;
use super::source::{SourceArgs, label};
use super::target::Target;
use aezip::Config;
use aezip::apps::{Examples, FinetuneConfig, Task, finetune};
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
    /// [default: 0.05, from scratch 0.1].
    #[arg(long, value_name = "SHARE")]
    encoder_lr: Option<f64>,
    /// Share of the passes in which the encoder stays as it is.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3)]
    frozen: f64,
    /// Units of hidden layers of the head, as in 64,32 [default: none].
    #[arg(long, value_name = "UNITS", value_delimiter = ',')]
    head: Vec<usize>,
    /// Share of the rows that is held out, to see when to stop [default: 0.15; none of fewer than
    /// 500 rows].
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

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let Args { input, labels, codec, force, json, .. } = args;
    let target = Target::new(args.output);
    not_beside_json(&target, json)?;
    let options = args.source.options()?;
    let mut sources = vec![input.as_path(), &labels, &codec];
    sources.extend(args.unlabelled.as_deref());
    target.check(force, true, &sources)?;
    let mut how = FinetuneConfig::default();
    how.task = args.task.map(|task| match task {
        TaskName::Classification => Task::Classification,
        TaskName::Regression => Task::Regression,
    });
    (how.epochs, how.batch, how.rate) = (args.epochs, args.batch, args.lr);
    (how.encoder_rate, how.frozen, how.held_out) = (args.encoder_lr, args.frozen, args.held_out);
    (how.head, how.from_scratch) = (args.head, args.from_scratch);
    how.validate().map_err(|error| Failure::usage(error.to_string()))?;
    let mut config = Config::default();
    (config.threads, config.seed) = (args.threads, args.seed);

    let rows = learn::open(&input, &options)?;
    let answers = learn::column(&labels, rows.len())?;
    let others = match &args.unlabelled {
        Some(path) => Some(learn::open(path, &options)?),
        None => None,
    };
    let given = read_codec(&codec)?;
    let bar = Bar::new(console);
    config.progress = bar.callback();
    let mut examples = Examples::new(&*rows, &*answers);
    if let Some(others) = &others {
        examples = examples.with_unlabelled(&**others);
    }
    let (tuned, report) = finetune(&given, examples, &config, &how).map_err(about(&input))?;
    drop(bar);
    let output = Output::create(&target, force, true)?;
    tuned.write(&mut output.writer()).map_err(|error| output.failure(error))?;
    output.commit()?;
    let (what, is_labels) = match report.task {
        Task::Classification => ("labels right", true),
        _ => ("of the variance explained", false),
    };
    console.note(&format!(
        "{}: {} rows, {} {} => {target}; of rows {} {} % {what}, {} passes, {:.2} s",
        label(&input),
        grouped(report.rows as u64),
        report.outputs,
        if is_labels { "labels" } else { "numbers" },
        if report.held_out > 0 { "held out" } else { "learned from" },
        figure(100.0 * report.right),
        report.epochs,
        started.elapsed().as_secs_f64(),
    ));
    if json {
        print(
            &json!({
                "input": label(&input),
                "output": target.to_string(),
                "task": if is_labels { "classification" } else { "regression" },
                "rows": report.rows,
                "spread": report.pseudo_labelled,
                "outputs": report.outputs,
                "epochs": report.epochs,
                "kept": report.kept,
                "held_out": report.held_out,
                "loss": report.loss,
                "right": report.right,
                "seconds": started.elapsed().as_secs_f64(),
            })
            .to_string(),
        )?;
    }
    Ok(())
}
