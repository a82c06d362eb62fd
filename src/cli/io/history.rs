//! How training went: a line at the end, an object in JSON.

use crate::cli::io::console::Console;
use crate::cli::io::numbers::figure;
use aezip::{Config, History};
use serde_json::{Value, json};

/// Says that there are no layers, where some were asked for.
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

/// Returns what was reached, as an object; null where no kind was trained.
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
