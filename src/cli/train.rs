//! `aezip train`: learns a codec from numbers, to compress others like them.

use super::console::Console;
use super::failure::Failure;
use super::fidelity::{self, FidelityArgs};
use super::hint;
use super::network::NetworkArgs;
use super::numbers::grouped;
use super::output::Output;
use super::progress::Bar;
use super::source::{self, SourceArgs, label};
use super::target::Target;
use super::tuning::TuningArgs;
use aezip::{Codec, Config};
use std::path::PathBuf;
use std::time::Instant;

/// Learn a codec from rows of numbers, for `aezip compress --codec`.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  aezip train monday.npy -o sensor.codec --max-error 0.01
  aezip compress tuesday.npy --codec sensor.codec --max-error 0.01")]
pub(crate) struct Args {
    /// File to learn from; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Write the codec to CODEC; - for standard output.
    #[arg(short, value_name = "CODEC")]
    output: PathBuf,
    /// Overwrite an existing file, write binary to a terminal.
    #[arg(short)]
    force: bool,
    #[command(flatten)]
    tuning: TuningArgs,
    #[command(flatten)]
    fidelity: FidelityArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let Args { input, force, .. } = args;
    let target = Target::new(args.output);
    let options = args.source.options()?;
    let chosen = args.fidelity.chosen();
    let by_default = chosen.is_none();
    let mut config = Config::default();
    args.tuning.apply(&mut config);
    config.fidelity = chosen.map_or_else(fidelity::default, Ok)?;
    args.network.apply(&mut config)?;
    target.check(force, true, &[&input])?;

    let rows = source::open(&input, &options)?;
    if by_default && !console.is_quiet() && hint::has_unit_rows(&*rows) {
        console.note(hint::UNIT_ROWS);
    }

    let output = Output::create(&target, force, true)?;
    let bar = Bar::new(console);
    config.progress = bar.callback();
    let written = Codec::fit(&*rows, &config).and_then(|codec| codec.write(&mut output.writer()));
    drop(bar);
    written.map_err(|error| output.failure(error))?;
    let bytes = output.writer().written();
    output.commit()?;

    console.note(&format!(
        "{}: {} rows => {target}, {} bytes, {:.2} s",
        label(&input),
        grouped(rows.len() as u64),
        grouped(bytes),
        started.elapsed().as_secs_f64(),
    ));
    Ok(())
}
