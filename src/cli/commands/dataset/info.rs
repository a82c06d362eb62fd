//! `aezip dataset info`.

use super::folder::{Folder, What};
use super::manifest::Manifest;
use crate::cli::commands::info::listed;
use crate::cli::io::console::print;
use crate::cli::io::failure::Failure;
use crate::cli::io::listing::Listing;
use crate::cli::io::numbers::{figure, grouped, quotient};
use serde_json::{Value, json};

/// Runs the command.
pub(super) fn run(what: &What) -> Result<(), Failure> {
    let folder = Folder::open(&what.folder)?;
    let manifest = &folder.manifest;
    print(&if what.json {
        let mut object = described(manifest);
        object["folder"] = folder.label.as_str().into();
        object.to_string()
    } else {
        table(&folder).text()
    })
}

fn table(folder: &Folder) -> Listing {
    let manifest = &folder.manifest;
    let mut table = Listing::default();
    table.line("data set", folder.label.as_str());
    table.line("rows", grouped(manifest.rows));
    table.line("row shape", format!("{:?}", manifest.row_shape));
    table.line("type", manifest.dtype.name());
    if let Some(names) = &manifest.columns {
        table.line("columns", listed(names));
    }
    table.line("promise", format!("{} {}", manifest.promise.0, manifest.promise.1));
    let sizes = manifest.parts.iter().map(|part| part.rows);
    let (least, most) = (sizes.clone().min().unwrap_or(0), sizes.max().unwrap_or(0));
    let rows =
        if least == most { grouped(least) } else { [grouped(least), grouped(most)].join(" to ") };
    table.line("parts", format!("{}, of {rows} rows", grouped(manifest.parts.len() as u64)));
    let bytes = manifest.part_bytes();
    let ratio = figure(quotient(manifest.plain_bytes().unwrap_or(0), bytes));
    let per_row = figure(quotient(bytes, manifest.rows));
    table.line("size", format!("{} bytes, ratio {ratio}, {per_row} bytes a row", grouped(bytes)));
    if let Some(codec) = &manifest.codec {
        table.line("codec", codec.path.as_str());
    }
    table
}

/// Returns the figures of the whole, for programs.
pub(super) fn described(manifest: &Manifest) -> Value {
    json!({
        "rows": manifest.rows,
        "row_shape": manifest.row_shape,
        "dtype": manifest.dtype.name(),
        "columns": manifest.columns,
        "promised": { "kind": manifest.promise.0, "value": manifest.promise.1 },
        "parts": manifest.parts.len(),
        "bytes": manifest.part_bytes(),
        "plain_bytes": manifest.plain_bytes(),
        "codec": manifest.codec.as_ref().map(|codec| &codec.path),
    })
}
