//! `aezip info`: what a file holds, without decoding it.

use crate::cli::commands::compress::figures;
use crate::cli::io::archive::Archive;
use crate::cli::io::console::print;
use crate::cli::io::failure::Failure;
use crate::cli::io::listing::{Listing, fidelity_json};
use crate::cli::io::numbers::{figure, grouped, layers, quotient};
use aezip::restore::array_name;
use aezip::{Codec, Info, Origin, Schema};
use serde_json::json;
use std::path::PathBuf;

/// Column names shown before the rest is counted.
const NAMES: usize = 8;

/// Show what a file holds.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip info spectra.npy.aez
  aezip info spectra.npy.aez --json | jq .rows")]
pub(crate) struct Args {
    /// File to look at; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let archive = Archive::open(&args.file)?;
    let info = archive.reader.info();
    let text = archive.reader.kept_text().map_err(|error| archive.failure(&error))?;
    let text = text.map_or_else(Vec::new, |text| text.labels());
    print(&if args.json {
        object(&archive, &info, &text)
    } else {
        table(&archive, &info, &text).text()
    })
}

/// Returns the bytes that all rows take once decoded.
fn plain_bytes(info: &Info, schema: &Schema) -> u64 {
    info.rows.saturating_mul(schema.row_bytes() as u64)
}

fn table(archive: &Archive, info: &Info, text: &[String]) -> Listing {
    let schema = archive.reader.schema();
    let mut table = Listing::default();
    table.line("file", archive.label.as_str());
    if archive.is_codec() {
        // What is damaged is told by `verify`.
        let is_transformer = Codec::of(&archive.reader).is_ok_and(|codec| codec.is_transformer());
        let kind = match is_transformer {
            true => "masked transformer, for `aezip impute --codec`",
            false => "codec, for `aezip compress --codec`",
        };
        table.line("kind", kind);
    } else {
        table.line("rows", grouped(info.rows));
    }
    if let (Some(tile), Some(grid)) = (&info.tile, &info.grid) {
        table.line("shape", format!("{:?}", info.shape));
        table.line("  tiles", format!("{tile:?}, {grid:?} of them"));
    }
    table.line("row shape", format!("{:?}", schema.row_shape));
    table.line("type", schema.dtype.name());
    if !schema.name.is_empty() {
        table.line("name", schema.name.as_str());
    }
    if let Some(origin) = &schema.origin {
        table.line("made from", described(origin));
    }
    if let Some(names) = &schema.columns {
        table.line("columns", listed(names));
    }
    if !text.is_empty() {
        table.line("  text", listed(text));
    }
    if !info.fill_values.is_empty() {
        table.line("missing", figures(&info.fill_values));
    }
    if let Some(fidelity) = &info.fidelity {
        table.line("promise", fidelity.to_string());
    }
    let mut size = format!("{} bytes", grouped(info.file_bytes));
    if info.rows > 0 {
        let ratio = figure(quotient(plain_bytes(info, schema), info.file_bytes));
        size += &format!(", ratio {ratio}");
    }
    if info.rows > 0 && info.tile.is_none() {
        let per_row = figure(quotient(info.file_bytes, info.rows));
        size += &format!(", {per_row} bytes a row");
    }
    table.line("size", size);
    table.line("  model", format!("{} bytes", grouped(info.model_bytes)));
    let rest = grouped(info.file_bytes.saturating_sub(info.model_bytes));
    table.line("  rest", format!("{rest} bytes, {} blocks", grouped(info.blocks)));
    tell_of_appends(&mut table, info);
    table.line("latents", info.latents.to_string());
    if !info.hidden.is_empty() {
        table.line("hidden layers", layers(&info.hidden));
    }
    table.line("row classes", info.classes.to_string());
    if info.contexts > 0 {
        table.line("neighbours", format!("{} contexts, {} atoms", info.contexts, info.atoms));
    }
    table.line("format version", info.version.to_string());
    table
}

/// Says what was appended, and what was not to its end.
fn tell_of_appends(table: &mut Listing, info: &Info) {
    if info.appends > 0 {
        let (times, dead) = (grouped(info.appends), grouped(info.dead_bytes));
        table.line("appended", format!("{times} times, {dead} bytes are no longer needed"));
    }
    if info.unfinished_bytes > 0 {
        table
            .line("unfinished", format!("{} bytes behind the end", grouped(info.unfinished_bytes)));
    }
}

/// Lists the first names, and says how many more there are.
pub(crate) fn listed(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMES)].join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown}, … and {more} more"),
    }
}

/// Says what the rows were read from.
fn described(origin: &Origin) -> String {
    let Some(text) = &origin.text else {
        let named = |name| format!("{}, {name}", origin.format);
        return array_name(origin).map_or(origin.format.clone(), named);
    };
    let delimiter = match text.delimiter {
        b'\t' => "tabs".to_string(),
        b' ' => "blanks".to_string(),
        other => format!("{:?}", char::from(other)),
    };
    let comma = if text.decimal_mark == b',' { ", decimal commas" } else { "" };
    format!("{}, {delimiter} between fields{comma}", origin.format)
}

fn object(archive: &Archive, info: &Info, text: &[String]) -> String {
    let schema = archive.reader.schema();
    json!({
        "file": archive.label,
        "codec": archive.is_codec(),
        "rows": info.rows,
        "row_shape": schema.row_shape,
        "shape": info.shape,
        "tile": info.tile,
        "grid": info.grid,
        "fill_values": info.fill_values,
        "dtype": schema.dtype.name(),
        "name": schema.name,
        "columns": schema.columns,
        "text_columns": text,
        "from": schema.origin.as_ref().map(|origin| origin.format.as_str()),
        "array": schema.origin.as_ref().and_then(array_name),
        "promised": info.fidelity.as_ref().map(fidelity_json),
        "plain_bytes": plain_bytes(info, schema),
        "file_bytes": info.file_bytes,
        "unfinished_bytes": info.unfinished_bytes,
        "appends": info.appends,
        "dead_bytes": info.dead_bytes,
        "model_bytes": info.model_bytes,
        "blocks": info.blocks,
        "latents": info.latents,
        "hidden": info.hidden,
        "classes": info.classes,
        "contexts": info.contexts,
        "atoms": info.atoms,
        "version": info.version,
    })
    .to_string()
}
