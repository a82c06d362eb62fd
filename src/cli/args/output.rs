//! Where results go.

use crate::cli::io::destination::{Destination, PIPE};
use crate::cli::io::failure::Failure;
use crate::cli::io::rows_out::{RowsOut, format_for};
use aezip::input::{Format, Packing};
use aezip::{DType, Schema};
use std::path::{Path, PathBuf};

/// Where a result goes that has a place of its own if none is named.
#[derive(clap::Args)]
pub(crate) struct OutputArgs {
    /// Write to OUT; - for standard output.
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Overwrite an existing file, write binary to a terminal.
    #[arg(short)]
    pub(crate) force: bool,
}

/// Where rows go, and in which format.
#[derive(clap::Args)]
pub(crate) struct RowsOutArgs {
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

impl RowsOutArgs {
    /// Checks the place; `sources` must not be overwritten.
    pub(crate) fn place(self, sources: &[&Path]) -> Result<RowsOut, Failure> {
        let Self { output, force, to, json } = self;
        let destination = Destination::new(output);
        let format = format_for(&destination, to, &Schema::new(DType::F32, &[]), "--to")?;
        let out = RowsOut { destination, format, force, json };
        out.destination.check(out.writing(), sources)?;
        out.destination.expect_not_beside_json(json)?;
        Ok(out)
    }

    /// Returns what was said here, of `count` files beside each other: `rows.csv.gz` becomes `rows-1.csv.gz` and so on.
    pub(crate) fn numbered(&self, count: usize) -> Result<Vec<Self>, Failure> {
        let name = self.output.file_name().filter(|_| self.output != Path::new(PIPE));
        let is_file = std::fs::metadata(&self.output).map_or(true, |m| m.is_file() || m.is_dir());
        let Some(name) = name.and_then(|name| name.to_str()).filter(|_| is_file) else {
            return Err(Failure::usage(
                "several results need the name of a file, in UTF-8: -o OUT",
            ));
        };
        let is_folder = self.output.to_string_lossy().ends_with(std::path::is_separator);
        let packed = if Packing::from_name(name).is_some() { name.rfind('.') } else { None };
        let stem = name[..packed.unwrap_or(name.len())].rfind('.').filter(|at| *at > 0);
        let (stem, ending) = name.split_at(stem.or(packed).unwrap_or(name.len()));
        let slash = if is_folder { "/" } else { "" };
        let named = |i: usize| self.output.with_file_name(format!("{stem}-{i}{ending}{slash}"));
        Ok((1..=count).map(|i| Self { output: named(i), ..*self }).collect())
    }

    /// Returns what was said here, of another file.
    pub(crate) fn of_another(&self, output: PathBuf) -> Self {
        Self { output, to: None, ..*self }
    }
}
