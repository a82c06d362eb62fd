//! `aezip train`: learns a codec from numbers, to compress others like them.

use crate::cli::args::fit::FitArgs;
use crate::cli::io::console::{Console, print};
use crate::cli::io::destination::{Destination, Writing};
use crate::cli::io::failure::Failure;
use crate::cli::io::history;
use crate::cli::io::numbers::grouped;
use crate::cli::io::output::Output;
use crate::cli::io::progress::Bar;
use crate::cli::io::source::label;
use crate::cli::io::text::text_columns;
use aezip::Codec;
use aezip::apps::config_for_uses;
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
    fit: FitArgs,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let Args { input, force, json, .. } = args;
    let destination = Destination::new(args.output);
    destination.expect_not_beside_json(json)?;
    let mut fit = args.fit.checked(false)?;
    destination.check(Writing::binary(force), &[&input])?;
    let place = fit.history_place(&destination, &[&input], force, json)?;

    let rows = fit.open(&input, console)?;
    let by_default = fit.by_default;
    let mut config = fit.config;

    let output = Output::create(&destination, Writing::binary(force))?;
    let bar = Bar::new(console);
    config.progress = bar.callback();
    let own = if by_default { config_for_uses(&*rows, &config) } else { Ok(config.clone()) };
    let fitted = own.and_then(|own| Codec::fit(&*rows, &own));
    let written = fitted.and_then(|codec| codec.write(&mut output.writer()).map(|()| codec));
    drop(bar);
    let codec = written.map_err(|error| output.failure(error, &label(&input)))?;
    let bytes = output.writer().written();
    let table = place.written(codec.training())?;
    output.commit()?;
    table.map_or(Ok(()), Output::commit)?;

    if let Some(text) = rows.schema().kept_text() {
        console.note(&format!("{} text, and left out", text_columns(text)));
    }
    history::missing_network(console, &config, codec.has_network());
    history::tell(console, codec.training());
    let seconds = started.elapsed().as_secs_f64();
    console.note(&format!(
        "{}: {} rows => {destination}, {} bytes, {:.2} s",
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
        "output": destination.to_string(),
        "rows": rows.len(),
        "bytes": bytes,
        "latents": codec.latents(),
        "training": history::json(codec.training()),
        "seconds": seconds,
    });
    print(&told.to_string())
}
