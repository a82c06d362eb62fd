//! `aezip compress`: numbers in, `.aez` out.

use crate::cli::args::fidelity::reached;
use crate::cli::args::fit::FitArgs;
use crate::cli::args::output::OutputArgs;
use crate::cli::args::tile::TileArg;
use crate::cli::io::archive;
use crate::cli::io::console::{Console, print};
use crate::cli::io::destination::{Destination, Writing};
use crate::cli::io::failure::Failure;
use crate::cli::io::fills::absent;
use crate::cli::io::history;
use crate::cli::io::listing::{fidelity_json, quality_json};
use crate::cli::io::numbers::{cosine, figure, grouped, layers, quotient};
use crate::cli::io::output::Output;
use crate::cli::io::progress::Bar;
use crate::cli::io::source::label;
use crate::cli::io::text::text_columns;
use aezip::{Access, KeptText, Report, Tile};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Compress rows of numbers into IN.aez.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip compress spectra.npy                            within 0.1 % of each column's range
  aezip compress table.csv --max-error temperature=0.1,*=0
  aezip compress vectors.fvecs --cosine 0.99 -9         smallest file for embeddings
  aezip compress weights.npz --array first --max-error 1e-3
  aezip compress pictures/ --max-error 2                a folder of .png files
  aezip compress spectra.npy --hidden 256,96 --epochs 200
  aezip compress pixels.npy --shape 145x145x200         a picture of spectra, kept as a list
  aezip compress log.bin --dtype f32 --shape 128 --nmse 0.01
  aezip compress new.npy --codec old.codec              with what `aezip train` learned
  producer | aezip compress - --format csv > table.aez")]
pub(crate) struct Args {
    /// File to compress; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
    /// Use the codec in FILE, made by `aezip train`, instead of learning one; the network options
    /// are for `aezip train` then.
    #[arg(long, value_name = "FILE")]
    codec: Option<PathBuf>,
    /// Cut an array into tiles that are coded as rows are: auto, which sees what makes the smaller
    /// file; rows, for none; or a shape of as many axes as the array has, as in 1x16x16.
    #[arg(long, value_name = "T", default_value = "auto")]
    tile: TileArg,
    /// How rows will be asked for: row, singly; scan, all of them, for the smallest file; auto, either; or
    /// how many rows are decoded to get at one.
    #[arg(long, value_name = "A", default_value = "auto")]
    access: Access,
    /// Print what was done as one JSON object on standard output.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    fit: FitArgs,
}

/// Runs the command.
pub(crate) fn run(args: Args, console: &Console) -> Result<(), Failure> {
    let started = Instant::now();
    let Args { input, output: OutputArgs { output, force }, codec, json, tile, access, mut fit } =
        args;
    let destination = output.map_or_else(|| Destination::for_archive_of(&input), Destination::new);
    destination.expect_not_beside_json(json)?;
    let (TileArg(tile), shape) = (tile, fit.take_array_shape());
    if codec.is_some() && (shape.is_some() || !matches!(tile, Tile::Auto | Tile::Rows)) {
        return Err(Failure::usage("a codec is for rows: --tile and --shape do not go with it"));
    }
    let mut fit = fit.checked(codec.is_some())?;
    let mut sources: Vec<&Path> = vec![&input];
    sources.extend(codec.as_deref());
    destination.check(Writing::binary(force), &sources)?;
    let place = fit.history_place(&destination, &sources, force, json)?;

    let codec = codec.as_deref().map(archive::read_codec).transpose()?;
    let rows = fit.open(&input, console)?;
    let mut config = fit.config;
    (config.tile, config.shape, config.access) = (tile, shape, access);

    let output = Output::create(&destination, Writing::binary(force))?;
    let bar = Bar::new(console);
    config.progress = bar.callback();
    let report = match &codec {
        Some(codec) => codec.compress(&*rows, &config, output.writer()),
        None => aezip::compress(&*rows, &config, output.writer()),
    };
    drop(bar);
    let report = report.map_err(|error| output.failure(error, &label(&input)))?;
    let table = place.written(report.training.as_ref())?;
    output.commit()?;
    table.map_or(Ok(()), Output::commit)?;

    if codec.is_none() && config.train.is_kind() && report.training.is_none() {
        console.note("no network was trained: the promise, or the rows, left nothing for it to do");
    }
    history::missing_network(console, &config, !report.hidden.is_empty() || codec.is_some());
    history::tell(console, report.training.as_ref());
    let seconds = started.elapsed().as_secs_f64();
    let input = label(&input);
    console.note(&format!("{input}: {}, {seconds:.2} s", summary(&report)));
    let unused = absent(&*rows, &config.fill_values)?;
    if !unused.is_empty() {
        console.note(&format!("{input}: no number is the fill value {}", figures(&unused)));
    }
    if !report.fill_values.is_empty() {
        console.note(&format!(
            "values that stand for missing numbers: {}; they come back bit for bit and are part of no \
             figure (--fill-value none: treat them as numbers)",
            figures(&report.fill_values)
        ));
    }
    if let Some(text) = rows.schema().kept_text() {
        console.note(&kept(text));
    }
    console.detail(&model(&report));
    console.detail(&measured(&report));
    if json { print(&describe(&input, &destination, &report, seconds)) } else { Ok(()) }
}

/// Lists numbers, all digits of each.
pub(super) fn figures(numbers: &[f64]) -> String {
    let digits = |x: &f64| if x.abs() < 1e16 { x.to_string() } else { format!("{x:e}") };
    numbers.iter().map(digits).collect::<Vec<_>>().join(", ")
}

/// Returns the closing line.
fn summary(report: &Report) -> String {
    format!(
        "{} rows, {} => {} bytes (ratio {}), promised {}, reached {}",
        grouped(report.rows),
        grouped(report.bytes_in),
        grouped(report.bytes_out),
        figure(quotient(report.bytes_in, report.bytes_out)),
        report.promised,
        reached(report),
    )
}

/// Says which columns are text.
fn kept(text: &KeptText) -> String {
    let bytes = grouped(text.packed_bytes().unwrap_or_else(|| text.bytes()));
    format!("{} kept as text: {bytes} bytes", text_columns(text))
}

fn model(report: &Report) -> String {
    let Report { latents, classes, model_bytes, .. } = report;
    let hidden = match &report.hidden[..] {
        [] => String::new(),
        hidden => format!(", hidden layers {}", layers(hidden)),
    };
    let bytes = grouped(*model_bytes);
    format!("model: {latents} latents{hidden}, {classes} row classes, {bytes} bytes")
}

fn measured(report: &Report) -> String {
    let quality = &report.measured;
    format!(
        "measured: max error {}, NMSE {}, PSNR {} dB, cosine {}",
        figure(quality.max_error),
        figure(quality.nmse),
        figure(quality.psnr),
        cosine(quality.cosine),
    )
}

fn describe(input: &str, output: &Destination, report: &Report, seconds: f64) -> String {
    json!({
        "input": input,
        "output": output.to_string(),
        "rows": report.rows,
        "bytes_in": report.bytes_in,
        "bytes_out": report.bytes_out,
        "model_bytes": report.model_bytes,
        "decoder_bytes": report.decoder_bytes,
        "ratio": quotient(report.bytes_in, report.bytes_out),
        "promised": fidelity_json(&report.promised),
        "measured": quality_json(&report.measured),
        "fill_values": report.fill_values,
        "latents": report.latents,
        "hidden": report.hidden,
        "classes": report.classes,
        "training": history::json(report.training.as_ref()),
        "seconds": seconds,
    })
    .to_string()
}
