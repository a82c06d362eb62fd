//! `aezip denoise`: rows without their noise.

use crate::cli::args::codec::CodecArgs;
use crate::cli::args::output::RowsOutArgs;
use crate::cli::args::source::SourceArgs;
use crate::cli::io::console::Console;
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;
use crate::cli::io::rows;
use crate::cli::io::source::about;
use crate::cli::io::source::label;
use aezip::apps::{Model, denoise};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Deviation of the noise that a codec learns to take away where nothing else is said, as a share
/// of the range of all values.
const NOISE: f64 = 0.1;

/// Take noise out of rows: keep what a codec knows of them.
///
/// Without --codec, a denoising autoencoder is learned from the rows themselves, noisy as they are
/// (--denoise gaussian:0.1 unless another kind is asked for). Learned from clean rows, a codec
/// does better.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip denoise noisy.npy -o clean.npy
  aezip train clean.npy -o clean.codec --denoise gaussian:0.2 --latent 24
  aezip denoise noisy.npy --codec clean.codec -o better.npy")]
pub(crate) struct Args {
    /// Rows with noise; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    #[command(flatten)]
    out: RowsOutArgs,
    #[command(flatten)]
    codec: CodecArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let Args { input, .. } = args;
    let options = args.source.options()?;
    let mut choice = args.codec.checked()?;
    let mut sources: Vec<&Path> = vec![&input];
    sources.extend(choice.path());
    let out = args.out.place(&sources)?;
    let train = &mut choice.config.train;
    if !train.is_kind() {
        train.denoise.gaussian = Some(NOISE);
    }
    let rows = rows::open(&input, &options, console)?;
    let codec = choice.read_or_learn(&input, &*rows, console)?;
    let model = Model::new(&codec).map_err(about(choice.path().unwrap_or(&input)))?;
    let clean = denoise(&model, &*rows).map_err(about(&input))?;
    out.write(&clean)?;
    let seconds = started.elapsed().as_secs_f64();
    let (from, to, n) = (label(&input), out.label(), rows.len());
    let note = format!("{from}: {} rows => {to}, {seconds:.2} s", grouped(n as u64));
    out.tell(
        console,
        &note,
        &json!({ "input": from, "output": to, "rows": n, "latents": codec.latents(),
                     "seconds": seconds }),
    )
}
