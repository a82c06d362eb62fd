//! The table of how training went.

use crate::cli::io::destination::{Destination, Writing};
use crate::cli::io::failure::Failure;
use crate::cli::io::output::{self, Output};
use aezip::History;
use std::path::{Path, PathBuf};

/// The option `--history`.
#[derive(clap::Args, Default)]
pub(crate) struct HistoryArgs {
    /// Write what each pass of training a kind came to into FILE, as CSV: loss, held-out loss,
    /// divergence, ELBO, share of zeros.
    #[arg(long, value_name = "FILE", help_heading = "Kinds of networks, which can be combined")]
    history: Option<PathBuf>,
}

/// Where the table is to go, if it was asked for; checked before any work.
pub(crate) struct HistoryPlace(Option<Place>);

struct Place {
    destination: Destination,
    force: bool,
}

impl HistoryArgs {
    /// Checks the place; `is_kind` says whether there will be anything to write, `result` is where
    /// the other result goes, and `sources` must not be written over.
    pub(crate) fn place(
        self,
        is_kind: bool,
        force: bool,
        result: &Destination,
        sources: &[&Path],
    ) -> Result<HistoryPlace, Failure> {
        let Some(path) = self.history else { return Ok(HistoryPlace(None)) };
        if !is_kind {
            return Err(Failure::usage(
                "--history is about training a kind of network: add --loss mse or one of the \
                 kinds, or leave it out",
            ));
        }
        let destination = Destination::new(path);
        destination.check(Writing::text(force), sources)?;
        destination.expect_apart(result)?;
        Ok(HistoryPlace(Some(Place { destination, force })))
    }
}

impl HistoryPlace {
    /// Says whether standard output is taken.
    pub(crate) fn is_stdout(&self) -> bool {
        self.0.as_ref().is_some_and(|place| place.destination == Destination::Stdout)
    }

    /// Writes the table there, if it was asked for, but does not yet make it count.
    pub(crate) fn written(self, history: Option<&History>) -> Result<Option<Output>, Failure> {
        let Some(Place { destination, force }) = self.0 else { return Ok(None) };
        let text = history.map_or_else(|| History::default().to_csv(), History::to_csv);
        output::written(&destination, Writing::text(force), text.as_bytes()).map(Some)
    }
}
