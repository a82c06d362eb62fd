//! `aezip dataset verify`.

use super::folder::{Folder, What};
use super::info::described;
use super::manifest::Part;
use crate::cli::io::archive::Archive;
use crate::cli::io::console::{Console, plain, print};
use crate::cli::io::failure::Failure;
use crate::cli::io::numbers::grouped;

/// Runs the command.
pub(super) fn run(what: &What, console: &Console) -> Result<(), Failure> {
    let folder = Folder::open(&what.folder)?;
    let manifest = &folder.manifest;
    if let Some(codec) = &manifest.codec {
        folder.expect(codec)?;
        let archive = Archive::open(&folder.path(codec))?;
        if !archive.is_codec() {
            return Err(Failure::error(format!("{}: rows where a codec should be", archive.label)));
        }
        archive.reader.verify().map_err(|error| archive.failure(&error))?;
    }
    for part in &manifest.parts {
        check(&folder, part)?;
        console.detail(&format!("{}: OK, {} rows", part.file.path, grouped(part.rows)));
    }
    print(&if what.json {
        let mut object = described(manifest);
        object["folder"] = folder.label.as_str().into();
        object["ok"] = true.into();
        object.to_string()
    } else {
        let (parts, rows) = (grouped(manifest.parts.len() as u64), grouped(manifest.rows));
        plain(&format!(
            "{}: OK, {rows} rows in {parts} parts, every hash and checksum right and every row decoded",
            folder.label
        ))
    })
}

/// Checks that a part is the one that the manifest names, is what the manifest says, and sound.
fn check(folder: &Folder, part: &Part) -> Result<(), Failure> {
    folder.expect(&part.file)?;
    let manifest = &folder.manifest;
    let archive = Archive::open(&folder.path(&part.file))?;
    archive.expect_rows()?;
    let (schema, rows) = (archive.reader.schema(), archive.reader.rows() as u64);
    let promise = archive.reader.promise().map(|p| (p.name().to_string(), p.text()));
    let differs = |what: &str, here: String, said: String| {
        let what = format!("its {what} is {here}, the manifest says {said}");
        Err(Failure::error(format!("{}: {what}", archive.label)))
    };
    if rows != part.rows {
        return differs("number of rows", rows.to_string(), part.rows.to_string());
    }
    if schema.dtype != manifest.dtype {
        return differs("type", schema.dtype.to_string(), manifest.dtype.to_string());
    }
    if schema.row_shape != manifest.row_shape {
        let (here, said) = (&schema.row_shape, &manifest.row_shape);
        return differs("row shape", format!("{here:?}"), format!("{said:?}"));
    }
    if promise.as_ref() != Some(&manifest.promise) {
        let (here, said) = (promise.unwrap_or_default(), &manifest.promise);
        return differs(
            "promise",
            format!("{} {}", here.0, here.1),
            format!("{} {}", said.0, said.1),
        );
    }
    archive.reader.verify().map_err(|error| archive.failure(&error))
}
