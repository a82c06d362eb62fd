//! `aezip denoise`: rows without their noise.

use super::console::Console;
use super::failure::Failure;
use super::learn::{self, CodecArgs, about};
use super::numbers::grouped;
use super::place::OutArgs;
use super::source::{SourceArgs, label};
use aezip::apps::{Model, denoise};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Noise that a codec learns to take away where nothing else is said, a share of full scale.
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
    out: OutArgs,
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
    let (codec, mut config) = args.codec.settled()?;
    let mut sources: Vec<&Path> = vec![&input];
    sources.extend(codec.as_deref());
    let out = args.out.place(&sources)?;
    if !config.train.is_kind() {
        config.train.denoise.gaussian = Some(NOISE);
    }
    let rows = learn::open(&input, &options)?;
    let place = codec.as_deref().unwrap_or(&input);
    let codec = learn::codec(codec.as_deref(), (&input, &*rows), &mut config, console)?;
    let model = Model::new(&codec).map_err(about(place))?;
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
