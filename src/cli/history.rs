//! How training went: a line at the end, an object in JSON, a table in a file.

use super::console::Console;
use super::failure::Failure;
use super::numbers::figure;
use super::output::Output;
use super::place::written_bytes;
use super::target::Target;
use aezip::{Config, History};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// `--history`.
#[derive(clap::Args)]
pub(crate) struct HistoryArgs {
    /// Write what each pass of training a kind came to into FILE, as CSV: loss, held-out loss,
    /// divergence, ELBO, share of zeros.
    #[arg(long, value_name = "FILE", help_heading = "Kinds of networks, which can be combined")]
    history: Option<PathBuf>,
}

/// Where the table is to go, checked before any work.
pub(crate) struct Place(Option<(Target, bool)>);

impl HistoryArgs {
    /// Checks the place; `is_kind` says whether there will be anything to write, `result` is where
    /// the other result goes, and `sources` must not be written over.
    pub(crate) fn place(
        self,
        force: bool,
        is_kind: bool,
        (result, sources): (&Target, &[&Path]),
    ) -> Result<Place, Failure> {
        let Some(path) = self.history else { return Ok(Place(None)) };
        if !is_kind {
            return Err(Failure::usage(
                "--history is about training a kind of network: add --loss mse or one of the \
                 kinds, or leave it out",
            ));
        }
        let target = Target::new(path);
        target.check(force, false, sources)?;
        target.expect_apart(result)?;
        Ok(Place(Some((target, force))))
    }
}

impl Place {
    /// Whether standard output is taken.
    pub(crate) fn is_stdout(&self) -> bool {
        matches!(self.0, Some((Target::Stdout, _)))
    }

    /// Writes the table there, if it was asked for, but does not yet make it count.
    pub(crate) fn written(self, history: Option<&History>) -> Result<Option<Output>, Failure> {
        let Some((target, force)) = self.0 else { return Ok(None) };
        let text = history.map_or_else(|| History::default().to_csv(), History::to_csv);
        written_bytes(&target, (force, false), text.as_bytes()).map(Some)
    }
}

/// Says so where layers were asked for and there are none in the end.
pub(crate) fn missing_network(console: &Console, config: &Config, there: bool) {
    let asked = config.train.hidden.as_ref().is_some_and(|layers| !layers.is_empty());
    if asked && !there && !config.train.is_kind() {
        console.note(
            "the codec is linear although --hidden asks for a network: rows are fewer than 64, all \
             alike or stored as they are; or the network cannot keep the promise, which more \
             --latent help, or a smaller --lr where training went astray",
        );
    }
}

/// Says what was reached.
pub(crate) fn tell(console: &Console, history: Option<&History>) {
    let Some(history) = history else { return };
    let Some(kept) = history.kept() else { return };
    let percent = |x: f64| format!("{} %", figure(100.0 * x));
    let mut line = format!(
        "trained {} passes, kept pass {}: lost {} of the variance",
        history.epochs.len(),
        kept.index + 1,
        percent(kept.error)
    );
    if let Some(error) = kept.held_out_error {
        line += &format!(", {} of rows held out", percent(error));
    }
    if let (Some(kl), Some(elbo)) = (kept.kl, kept.elbo) {
        line += &format!(", divergence {} nats a row, ELBO {}", figure(kl), figure(elbo));
    }
    if kept.zeros > 0.0 {
        line += &format!(", {} of latents are 0", percent(kept.zeros));
    }
    console.note(&line);
}

/// What was reached, as an object; null where no kind was trained.
pub(crate) fn json(history: Option<&History>) -> Value {
    let Some((history, kept)) = history.and_then(|h| h.kept().map(|k| (h, k))) else {
        return Value::Null;
    };
    json!({
        "epochs": history.epochs.len(),
        "kept": kept.index + 1,
        "loss": kept.loss,
        "error": kept.error,
        "held_out": kept.held_out,
        "held_out_error": kept.held_out_error,
        "kl": kept.kl,
        "elbo": kept.elbo,
        "zeros": kept.zeros,
        "seconds": history.epochs.last().map(|e| e.seconds),
    })
}
