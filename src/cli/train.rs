//! `aezip train`: learns a codec from numbers, to compress others like them.

use super::console::{Console, print};
use super::failure::Failure;
use super::fidelity::{self, FidelityArgs};
use super::hint;
use super::history::{self, HistoryArgs};
use super::network::NetworkArgs;
use super::numbers::grouped;
use super::output::Output;
use super::place::not_beside_json;
use super::progress::Bar;
use super::source::{self, SourceArgs, label};
use super::target::Target;
use super::tuning::TuningArgs;
use aezip::{Codec, Config};
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

/// Learn a codec from rows of numbers, for `aezip compress --codec`.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  aezip train monday.npy -o sensor.codec --max-error 0.01
  aezip compress tuesday.npy --codec sensor.codec --max-error 0.01
  aezip train images.npy -o clean.aez --hidden 256 --latent 32 --denoise gaussian:0.1
  aezip train images.npy -o vae.aez --hidden 256,64 --latent 8 --variational 1")]
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
    /// Print what was done as one JSON object on standard output.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    history: HistoryArgs,
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
    let Args { input, force, json, .. } = args;
    let target = Target::new(args.output);
    not_beside_json(&target, json)?;
    let options = args.source.options()?;
    let chosen = args.fidelity.chosen();
    let by_default = chosen.is_none();
    let mut config = Config::default();
    args.tuning.apply(&mut config);
    config.fidelity = chosen.map_or_else(fidelity::default, Ok)?;
    args.network.apply(&mut config)?;
    target.check(force, true, &[&input])?;
    let place = args.history.place(force, config.train.is_kind(), (&target, &[&input]))?;
    if place.is_stdout() && json {
        return Err(Failure::usage("only one thing can go to standard output"));
    }

    let rows = source::open(&input, &options)?;
    if by_default && !console.is_quiet() && hint::has_unit_rows(&*rows) {
        console.note(hint::UNIT_ROWS);
    }

    let output = Output::create(&target, force, true)?;
    let bar = Bar::new(console);
    config.progress = bar.callback();
    let fitted =
        if by_default { aezip::apps::learn(&*rows, &config) } else { Codec::fit(&*rows, &config) };
    let written = fitted.and_then(|codec| codec.write(&mut output.writer()).map(|()| codec));
    drop(bar);
    let codec = written.map_err(|error| output.failure(error))?;
    let bytes = output.writer().written();
    let table = place.written(codec.training())?;
    output.commit()?;
    table.map_or(Ok(()), Output::commit)?;

    history::missing_network(console, &config, codec.has_network());
    history::tell(console, codec.training());
    let seconds = started.elapsed().as_secs_f64();
    console.note(&format!(
        "{}: {} rows => {target}, {} bytes, {:.2} s",
        label(&input),
        grouped(rows.len() as u64),
        grouped(bytes),
        seconds,
    ));
    if !json {
        return Ok(());
    }
    let told = json!({
        "input": label(&input),
        "output": target.to_string(),
        "rows": rows.len(),
        "bytes": bytes,
        "latents": codec.latents(),
        "training": history::json(codec.training()),
        "seconds": seconds,
    });
    print(&told.to_string())
}
