//! Where the uses of codecs put what they make, and how that is told.

use super::console::{Console, print};
use super::decompress::format_for;
use super::failure::Failure;
use super::output::Output;
use super::target::Target;
use aezip::input::{Format, sink};
use aezip::{Matrix, Rows};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where rows go.
#[derive(clap::Args)]
pub(crate) struct OutArgs {
    /// Write the result to OUT; - for standard output.
    #[arg(short, value_name = "OUT")]
    output: PathBuf,
    /// Overwrite an existing file, write binary to a terminal.
    #[arg(short)]
    force: bool,
    /// Format to write, instead of the one that the output's name stands for.
    #[arg(long, value_name = "FORMAT")]
    to: Option<Format>,
    /// Print what was done as one JSON object.
    #[arg(long)]
    json: bool,
}

impl OutArgs {
    /// Checks the place; `sources` must not be overwritten.
    pub(crate) fn place(self, sources: &[&Path]) -> Result<RowsOut, Failure> {
        let Self { output, force, to, json } = self;
        let target = Target::new(output);
        let format = format_for(&target, to, "", "--to")?;
        target.check(force, format != Format::Csv, sources)?;
        not_beside_json(&target, json)?;
        Ok(RowsOut { target, format, force, json })
    }
}

/// Fails where both a result and `--json` would go to standard output.
pub(crate) fn not_beside_json(target: &Target, json: bool) -> Result<(), Failure> {
    if json && *target == Target::Stdout {
        return Err(Failure::usage(
            "--json and the result cannot both go to standard output: name a file with -o",
        ));
    }
    Ok(())
}

/// A place for rows, and their format there.
pub(crate) struct RowsOut {
    target: Target,
    format: Format,
    force: bool,
    json: bool,
}

impl RowsOut {
    /// A second place, with what was said of the first.
    pub(crate) fn beside(&self, output: PathBuf, sources: &[&Path]) -> Result<Self, Failure> {
        let other = OutArgs { output, force: self.force, to: None, json: self.json };
        let other = other.place(sources)?;
        self.target.expect_apart(&other.target)?;
        Ok(other)
    }

    /// Writes the rows.
    pub(crate) fn write(&self, rows: &Matrix) -> Result<(), Failure> {
        self.written(rows)?.commit()
    }

    /// Writes the rows, but does not yet make them count.
    pub(crate) fn written(&self, rows: &Matrix) -> Result<Output, Failure> {
        let output = Output::create(&self.target, self.force, self.format != Format::Csv)?;
        let to = Box::new(output.writer());
        let written = |error| output.failure(error);
        let mut sink = sink::create_sink(self.format, rows.schema(), rows.len() as u64, to)
            .map_err(written)?;
        sink.write(rows.bytes()).map_err(written)?;
        sink.finish().map_err(written)?;
        Ok(output)
    }

    /// Its name, for messages.
    pub(crate) fn label(&self) -> String {
        self.target.to_string()
    }

    /// Says what was done, and as JSON if that was asked for.
    pub(crate) fn tell(&self, console: &Console, note: &str, json: &Value) -> Result<(), Failure> {
        console.note(note);
        if self.json { print(&json.to_string()) } else { Ok(()) }
    }
}

/// Writes `bytes` to `target`, which was checked; `binary` is not for terminals.
pub(crate) fn write_bytes(
    target: &Target,
    (force, binary): (bool, bool),
    bytes: &[u8],
) -> Result<(), Failure> {
    written_bytes(target, (force, binary), bytes)?.commit()
}

/// The same, but what was written does not count yet.
pub(crate) fn written_bytes(
    target: &Target,
    (force, binary): (bool, bool),
    bytes: &[u8],
) -> Result<Output, Failure> {
    let output = Output::create(target, force, binary)?;
    output
        .writer()
        .write_all(bytes)
        .map_err(|e| Failure::io(format_args!("cannot write {target}"), &e))?;
    Ok(output)
}
