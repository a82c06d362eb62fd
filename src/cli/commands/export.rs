//! `aezip export`: a codec's networks for other programs.

use crate::cli::io::archive::read_codec;
use crate::cli::io::console::{Console, print};
use crate::cli::io::destination::{Destination, Writing};
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;
use crate::cli::io::output;
use crate::cli::io::source::about;
use crate::cli::io::source::label;
use aezip::apps::{ONNX_OPSET, OnnxPart, onnx, safetensors};
use serde_json::json;
use std::path::PathBuf;

/// Write a codec's networks as ONNX or safetensors.
///
/// ONNX (opset 13) holds one network with all that is around it, so that onnxruntime gives what
/// `aezip embed`, `aezip predict` and, of a masked transformer, `aezip impute` give. Safetensors holds all weights under names.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip export images.codec -o encoder.onnx
  aezip export images.codec --part decoder -o decoder.onnx
  aezip export images.codec -o weights.safetensors")]
pub(crate) struct Args {
    /// A codec, or an .aez file for its decoder.
    #[arg(value_name = "CODEC")]
    codec: PathBuf,
    /// Write to OUT, whose name ends in .onnx or .safetensors; or see --format.
    #[arg(short, value_name = "OUT")]
    output: PathBuf,
    /// Overwrite an existing file, write binary to a terminal.
    #[arg(short)]
    force: bool,
    /// Format to write, instead of the one that the output's name stands for.
    #[arg(long, value_name = "FORMAT")]
    format: Option<ExportFormat>,
    /// Which network, for ONNX.
    #[arg(long, value_name = "PART", default_value = "encoder")]
    part: PartName,
    /// Print what was done as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ExportFormat {
    Onnx,
    Safetensors,
}

/// The names of [`OnnxPart`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PartName {
    /// From rows to latents
    Encoder,
    /// From latents to rows
    Decoder,
    /// From rows to labels or numbers, after `aezip finetune`
    Predictor,
    /// Of a masked transformer: from rows with gaps to rows without
    Restorer,
}

/// Runs the command.
pub(crate) fn run(args: &Args, console: &Console) -> Result<(), Failure> {
    let destination = Destination::new(args.output.clone());
    destination.expect_not_beside_json(args.json)?;
    let extension = args.output.extension().and_then(|e| e.to_str()).unwrap_or("");
    let by_name = match extension {
        "onnx" => Some(ExportFormat::Onnx),
        "safetensors" => Some(ExportFormat::Safetensors),
        _ => None,
    };
    let format = args.format.or(by_name).ok_or_else(|| {
        Failure::usage(format!(
            "the name {destination} stands for no format: end it in .onnx or .safetensors, or say \
             --format"
        ))
    })?;
    if format == ExportFormat::Safetensors && args.part != PartName::Encoder {
        return Err(Failure::usage("safetensors holds all parts: leave out --part"));
    }
    destination.check(Writing::binary(args.force), &[&args.codec])?;
    let codec = read_codec(&args.codec)?;
    let bytes = match format {
        ExportFormat::Safetensors => safetensors(&codec),
        ExportFormat::Onnx => onnx(
            &codec,
            match args.part {
                PartName::Encoder => OnnxPart::Encoder,
                PartName::Decoder => OnnxPart::Decoder,
                PartName::Predictor => OnnxPart::Predictor,
                PartName::Restorer => OnnxPart::Restorer,
            },
        ),
    };
    let bytes = bytes.map_err(about(&args.codec))?;
    output::written(&destination, Writing::binary(args.force), &bytes)?.commit()?;
    let from = label(&args.codec);
    console.note(&format!("{from} => {destination}, {} bytes", grouped(bytes.len() as u64)));
    if args.json {
        let opset = (format == ExportFormat::Onnx).then_some(ONNX_OPSET);
        print(
            &json!({ "codec": from, "output": destination.to_string(), "bytes": bytes.len(),
                     "opset": opset })
            .to_string(),
        )?;
    }
    Ok(())
}
