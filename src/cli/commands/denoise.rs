//! `aezip denoise`: rows without their noise.

use crate::cli::args::codec::{CodecArgs, CodecChoice};
use crate::cli::args::output::RowsOutArgs;
use crate::cli::args::source::SourceArgs;
use crate::cli::io::console::Console;
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::{figure, grouped};
use crate::cli::io::rows;
use crate::cli::io::rows_out::RowsOut;
use crate::cli::io::source::about;
use crate::cli::io::source::label;
use aezip::Rows;
use aezip::apps::{ColumnUnits, Model, NoiseFree, denoised, learn_noise};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Deviation of the noise that a network learns to take away where nothing else is said, as a share
/// of the range of all values.
const NOISE: f64 = 0.1;

/// Take noise out of rows: keep what they have in common.
///
/// The noise is measured on the rows themselves, and principal components are shrunk by the share
/// of noise in them; where no noise can be told from what rows have in common, they stay as they
/// are. Of pictures and series, patches that overlap say besides what values are without noise. With --codec, rows are what a codec makes of them, best one learned from clean rows; with
/// options of a network, a denoising autoencoder is learned from the rows, noisy as they are
/// (--denoise gaussian:0.1 unless another kind is asked for).
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip denoise noisy.npy -o clean.npy
  aezip denoise ecg.npy -o clean.npy --noise 0.05
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
    /// Take out noise of this standard deviation, in the data's unit, instead of measuring it.
    #[arg(long, value_name = "DEVIATION", allow_hyphen_values = true)]
    noise: Option<f64>,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let Args { input, .. } = args;
    let options = args.source.options()?;
    let is_by_codec = args.codec.is_given();
    if is_by_codec && args.noise.is_some() {
        let what = "a codec takes away what it does not know, whatever the noise: leave out --noise, or what is said of a codec";
        return Err(Failure::usage(what.to_string()));
    }
    if let Some(noise) = args.noise.filter(|x| !(x.is_finite() && *x > 0.0)) {
        let what = format!("--noise {noise}: a standard deviation is a number above 0");
        return Err(Failure::usage(what));
    }
    let mut choice = args.codec.checked_at_every_level()?;
    let mut sources: Vec<&Path> = vec![&input];
    sources.extend(choice.path());
    let out = args.out.place(&sources)?;
    let rows = rows::open(&input, &options, console)?;
    let (how, mut facts) = if is_by_codec {
        by_codec(&input, &*rows, &mut choice, &out, console)?
    } else {
        let found = learn_noise(&*rows, args.noise, &choice.config).map_err(about(&input))?;
        out.write(&found, console)?;
        let facts = json!({ "noise": found.noise, "components": found.components,
                            "grouped": found.is_grouped, "patches": found.patches,
                            "wild_rows": found.wild_rows });
        (described(&found), facts)
    };
    let seconds = started.elapsed().as_secs_f64();
    let (from, to, n) = (label(&input), out.label(), rows.len());
    let note = format!("{from}: {} rows => {to}, {how}{seconds:.2} s", grouped(n as u64));
    facts["input"] = from.into();
    facts["output"] = to.to_string().into();
    facts["rows"] = n.into();
    facts["seconds"] = seconds.into();
    out.tell(console, &note, &facts)
}

/// Writes the rows as a codec gives them back; returns what is to be said of it.
fn by_codec(
    input: &Path,
    rows: &dyn Rows,
    choice: &mut CodecChoice,
    out: &RowsOut,
    console: &Console,
) -> Result<(String, Value), Failure> {
    let train = &mut choice.config.train;
    if train.transformer.is_some() {
        let what = "a masked transformer restores what is missing and takes no noise away: leave out --transformer";
        return Err(Failure::usage(what.to_string()));
    }
    if !train.is_kind() {
        train.denoise.gaussian = Some(NOISE);
    }
    let codec = choice.read_or_learn(input, rows, console)?;
    let model = Model::new(&codec).map_err(about(choice.path().unwrap_or(input)))?;
    out.write(&denoised(&model, rows).map_err(about(input))?, console)?;
    let latents = codec.latents();
    Ok((format!("{latents} latents, "), json!({ "latents": latents })))
}

/// Says in a few words what noise was found.
fn described(found: &NoiseFree<'_>) -> String {
    let mut text = match (found.noise, found.units()) {
        (None, _) => "as they were: no noise can be told from what they have in common, ".into(),
        (Some(noise), ColumnUnits::Shared) => {
            format!("noise of {}, {} components, ", figure(noise), found.components)
        }
        (Some(noise), units) => format!(
            "{units}, noise of {} of their spread, {} components, ",
            figure(noise),
            found.components
        ),
    };
    if found.is_grouped {
        text.push_str("rows in groups, ");
    }
    if let Some(shape) = &found.patches {
        let sides: Vec<String> = shape.iter().map(ToString::to_string).collect();
        text.push_str(&format!("in patches of {}, ", sides.join(" × ")));
    }
    if found.wild_rows > 0 {
        let wild = grouped(found.wild_rows as u64);
        text.push_str(&format!("{wild} far from all others left as they were, "));
    }
    text
}
