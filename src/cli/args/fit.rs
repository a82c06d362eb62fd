//! What `compress` and `train` are told in the same words.

use crate::cli::args::fidelity::{self, FidelityArgs, FillArgs};
use crate::cli::args::history::{HistoryArgs, HistoryPlace};
use crate::cli::args::network::NetworkArgs;
use crate::cli::args::source::SourceArgs;
use crate::cli::args::tuning::TuningArgs;
use crate::cli::io::console::Console;
use crate::cli::io::destination::Destination;
use crate::cli::io::failure::Failure;
use crate::cli::io::{hint, source};
use aezip::input::{OpenOptions, Rounding};
use aezip::{Config, Rows};
use std::path::Path;

/// Rows, their promise and how to learn from them.
#[derive(clap::Args)]
pub(crate) struct FitArgs {
    #[command(flatten)]
    history: HistoryArgs,
    #[command(flatten)]
    tuning: TuningArgs,
    #[command(flatten)]
    fidelity: FidelityArgs,
    #[command(flatten)]
    fills: FillArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// What [`FitArgs`] ask for, checked.
pub(crate) struct FitRequest {
    pub(crate) config: Config,
    /// Whether no promise was asked for.
    pub(crate) by_default: bool,
    options: OpenOptions,
    history: HistoryArgs,
}

impl FitArgs {
    /// Takes the shape of an array out that says itself which numbers it holds.
    pub(crate) fn take_array_shape(&mut self) -> Option<Vec<usize>> {
        self.source.take_array_shape()
    }

    /// Checks that all options make sense together; with a codec those of a network do not.
    pub(crate) fn checked(self, with_codec: bool) -> Result<FitRequest, Failure> {
        let mut options = self.source.options()?;
        options.keep_text = true;
        let chosen = self.fidelity.chosen();
        let by_default = chosen.is_none();
        let mut config = Config::default();
        self.tuning.apply(&mut config);
        self.fills.apply(&mut config);
        config.fidelity = chosen.map_or_else(fidelity::default, Ok)?;
        options.rounding = Rounding::for_promise(&config.fidelity);
        if with_codec {
            self.network.expect_none()?;
        }
        self.network.apply(&mut config)?;
        Ok(FitRequest { config, by_default, options, history: self.history })
    }
}

impl FitRequest {
    /// Checks the place of the table of how training went, beside a `result` that is made from
    /// `sources`; with `json`, standard output is taken.
    pub(crate) fn history_place(
        &mut self,
        result: &Destination,
        sources: &[&Path],
        force: bool,
        json: bool,
    ) -> Result<HistoryPlace, Failure> {
        let history = std::mem::take(&mut self.history);
        let place = history.place(self.config.train.is_kind(), force, result, sources)?;
        if place.is_stdout() && json {
            return Err(Failure::usage("only one thing can go to standard output"));
        }
        Ok(place)
    }

    /// Opens the rows, and says so where another promise may be meant.
    pub(crate) fn open(&self, input: &Path, console: &Console) -> Result<Box<dyn Rows>, Failure> {
        let rows = source::open(input, &self.options, console)?;
        if self.by_default && !console.is_quiet() && hint::has_unit_rows(&*rows) {
            console.note(hint::UNIT_ROWS);
        }
        Ok(rows)
    }
}
