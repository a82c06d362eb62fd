//! `aezip embed`: few numbers that stand for a row.

use crate::cli::args::codec::CodecArgs;
use crate::cli::args::output::RowsOutArgs;
use crate::cli::args::source::SourceArgs;
use crate::cli::io::archive::Archive;
use crate::cli::io::console::Console;
use crate::cli::io::embedding::{described, without_values};
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::{figure, grouped};
use crate::cli::io::rows;
use crate::cli::io::rows_out::RowsOut;
use crate::cli::io::source::about;
use crate::cli::io::source::label;
use aezip::apps::{self, Model};
use aezip::{Codec, Rows};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Write the latents of rows, as f32: rows × latents.
///
/// With --codec by its encoder; with --dim by an autoencoder of so many latents that is learned
/// from the rows: columns with units of their own are divided by their spread first, rows far from
/// all others are not learned from, and of fewer than 64 rows the latents are principal components.
/// Of an .aez file without either, the latents that are stored in it. Rows without any value have
/// latents that are NaN.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip embed images.npy --dim 16 -o z.npy
  aezip embed images.npy --codec vae.codec -o z.npy
  aezip embed images.npy.aez -o z.npy             what the file stores, not learned again
  aezip plot z.npy --labels labels.npy -o z.svg")]
pub(crate) struct Args {
    /// Rows; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    #[command(flatten)]
    out: RowsOutArgs,
    /// Latents of the autoencoder that is learned; --loss mse is implied unless a kind is given.
    #[arg(long, value_name = "K", conflicts_with_all = ["codec", "latent"])]
    dim: Option<usize>,
    #[command(flatten)]
    codec: CodecArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let Args { input, dim, .. } = args;
    let options = args.source.options()?;
    let learned = dim.is_some() || args.codec.learns();
    let mut choice = args.codec.for_embedding(dim, None)?;
    let is_stored = choice.path().is_none() && !learned;
    let mut sources: Vec<&Path> = vec![&input];
    sources.extend(choice.path());
    let out = args.out.place(&sources)?;
    if is_stored && !rows::is_compressed(&input) {
        return Err(Failure::usage(
            "say how: --dim K learns an embedding of K numbers, --codec uses one that is there",
        ));
    }
    let done = if is_stored {
        let archive = Archive::open(&input)?;
        let model = stored_model(&archive)?;
        let latents = model.stored(&archive.reader).map_err(|e| archive.failure(&e))?;
        Done::write(&out, &*latents, None, String::new(), console)?
    } else {
        let rows = rows::open(&input, &options, console)?;
        match choice.read()? {
            Some(codec) => {
                let model = Model::new(&codec).map_err(about(choice.path().unwrap_or(&input)))?;
                let latents = model.embedding(&*rows).map_err(about(&input))?;
                let how = without_values(apps::count_empty_rows(&*rows)?);
                Done::write(&out, &latents, model.lost(&*rows)?, how, console)?
            }
            None => {
                let found = choice.embed(&input, &*rows, console)?;
                let latents = found.latents().map_err(about(&input))?;
                Done::write(&out, &*latents, found.lost, described(&found), console)?
            }
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    let Done { row_shape, rows, lost, how } = done;
    let (from, to) = (label(&input), out.label());
    let latents = row_shape.last().copied().unwrap_or(1);
    let share =
        lost.map_or(String::new(), |l| format!(", {} % of the variance lost", figure(100.0 * l)));
    // Those of an array's tiles lie in the shape of their grid.
    let rows = rows * row_shape.iter().product::<usize>() / latents.max(1);
    let what = if row_shape.len() > 1 { "tiles" } else { "rows" };
    let note = format!(
        "{from}: {} {what} of {latents} latents => {to}{share}{how}, {seconds:.2} s",
        grouped(rows as u64)
    );
    out.tell(
        console,
        &note,
        &json!({ "input": from, "output": to, "rows": rows, "latents": latents,
                     "nmse": lost, "seconds": seconds }),
    )
}

/// What was written.
struct Done {
    row_shape: Vec<usize>,
    rows: usize,
    /// The share of the variance that latents do not tell.
    lost: Option<f64>,
    how: String,
}

impl Done {
    fn write(
        out: &RowsOut,
        latents: &dyn Rows,
        lost: Option<f64>,
        how: String,
        console: &Console,
    ) -> Result<Self, Failure> {
        out.write(latents, console)?;
        let row_shape = latents.schema().row_shape.clone();
        Ok(Self { row_shape, rows: latents.len(), lost, how })
    }
}

/// Returns the model of a file of rows.
fn stored_model(archive: &Archive) -> Result<Model, Failure> {
    archive.expect_rows()?;
    let model = Codec::of(&archive.reader).and_then(|codec| Model::new(&codec));
    model.map_err(|error| archive.failure(&error))
}
