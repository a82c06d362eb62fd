//! `aezip sample`: new rows.

use crate::cli::args::output::RowsOutArgs;
use crate::cli::io::archive::read_codec;
use crate::cli::io::console::Console;
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;
use crate::cli::io::output::Output;
use crate::cli::io::source::about;
use crate::cli::io::source::label;
use aezip::Rows;
use aezip::apps::{Model, sample};
use serde_json::json;
use std::path::PathBuf;

/// Draw new rows like those that a codec was learned from.
///
/// A variational codec (`aezip train --variational 1`) is given latents from where those of its rows
/// lay, a mixture of normal distributions that it holds; any other codec or .aez file latents of its
/// entropy coder's distributions.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip train images.npy -o vae.codec --latent 8 --variational 0.5
  aezip sample vae.codec -n 60 -o new.npy
  aezip plot new.npy --images 60 -o new.png")]
pub(crate) struct Args {
    /// A codec, or any .aez file.
    #[arg(value_name = "CODEC")]
    codec: PathBuf,
    /// How many rows.
    #[arg(short, value_name = "N", default_value_t = 100)]
    n: usize,
    #[command(flatten)]
    out: RowsOutArgs,
    /// Write their latents to FILE.
    #[arg(long, value_name = "FILE")]
    latents: Option<PathBuf>,
    /// Seed of all randomness.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let Args { codec, n, .. } = args;
    let latents = args.latents.map(|path| args.out.of_another(path));
    let out = args.out.place(&[&codec])?;
    let latents = latents.map(|latents| latents.place(&[&codec])).transpose()?;
    latents.iter().try_for_each(|latents| out.expect_apart(latents))?;
    let model = Model::new(&read_codec(&codec)?).map_err(about(&codec))?;
    let drawn = sample(&model, n, args.seed).map_err(about(&codec))?;
    let written = out.written(&drawn.rows, console)?;
    let beside = latents.map(|latents| latents.written(&drawn.latents, console)).transpose()?;
    written.commit()?;
    beside.map_or(Ok(()), Output::commit)?;
    let (from, to) = (label(&codec), out.label());
    let rows = grouped(drawn.rows.len() as u64);
    let note = format!("{from}: {rows} rows => {to}, latents from {}", drawn.source);
    out.tell(
        console,
        &note,
        &json!({ "codec": from, "output": to, "rows": n, "latents": model.latents(),
                     "source": drawn.source.to_string(), "seed": args.seed }),
    )
}
