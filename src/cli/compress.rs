//! `aezip compress`: numbers in, `.aez` out.

use super::archive;
use super::console::{Console, print};
use super::failure::Failure;
use super::fidelity::{self, FidelityArgs, reached};
use super::hint;
use super::history::{self, HistoryArgs};
use super::network::NetworkArgs;
use super::numbers::{cosine, figure, grouped, layers, quotient};
use super::output::{Output, OutputArgs};
use super::progress::Bar;
use super::source::{self, SourceArgs, label};
use super::table::{fidelity_json, quality_json};
use super::target::Target;
use super::tuning::TuningArgs;
use aezip::{Config, Report};
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
  aezip compress spectra.npy --hidden 256,96 --epochs 200
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
    let Args { input, output: OutputArgs { output, force }, codec, json, .. } = args;
    let target = output.map_or_else(|| Target::for_archive_of(&input), Target::new);
    if json && target == Target::Stdout {
        return Err(Failure::usage("--json and the data cannot both go to standard output"));
    }
    let options = args.source.options()?;
    let chosen = args.fidelity.chosen();
    let by_default = chosen.is_none();
    let mut config = Config::default();
    args.tuning.apply(&mut config);
    config.fidelity = chosen.map_or_else(fidelity::default, Ok)?;
    if codec.is_some() {
        args.network.expect_none()?;
    }
    args.network.apply(&mut config)?;
    let mut sources: Vec<&Path> = vec![&input];
    sources.extend(codec.as_deref());
    target.check(force, true, &sources)?;
    let place = args.history.place(force, config.train.is_kind(), (&target, &sources))?;
    if place.is_stdout() && json {
        return Err(Failure::usage("only one thing can go to standard output"));
    }

    let codec = codec.as_deref().map(archive::read_codec).transpose()?;
    let rows = source::open(&input, &options)?;
    if by_default && !console.is_quiet() && hint::has_unit_rows(&*rows) {
        console.note(hint::UNIT_ROWS);
    }

    let output = Output::create(&target, force, true)?;
    let bar = Bar::new(console);
    config.progress = bar.callback();
    let report = match &codec {
        Some(codec) => codec.compress(&*rows, &config, output.writer()),
        None => aezip::compress(&*rows, &config, output.writer()),
    };
    drop(bar);
    let report = report.map_err(|error| output.failure(error))?;
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
    console.detail(&model(&report));
    console.detail(&measured(&report));
    if json { print(&describe(&input, &target, &report, seconds)) } else { Ok(()) }
}

/// The closing line.
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

fn describe(input: &str, output: &Target, report: &Report, seconds: f64) -> String {
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
        "latents": report.latents,
        "hidden": report.hidden,
        "classes": report.classes,
        "training": history::json(report.training.as_ref()),
        "seconds": seconds,
    })
    .to_string()
}
