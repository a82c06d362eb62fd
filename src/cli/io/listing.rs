//! Results in two columns for the eye, and as JSON.

use crate::cli::io::console::plain;
use crate::cli::io::numbers::{cosine, figure, grouped};
use aezip::{Fidelity, Quality};
use serde_json::{Value, json};

/// A text of lines with a name and a value each, the values aligned.
#[derive(Default)]
pub(crate) struct Listing(Vec<(&'static str, String)>);

impl Listing {
    /// Adds a line.
    pub(crate) fn line(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, value.into()));
    }

    /// Adds a line for each figure.
    pub(crate) fn quality(&mut self, quality: &Quality) {
        self.line("max error", figure(quality.max_error));
        self.line("NMSE", figure(quality.nmse));
        self.line("PSNR", format!("{} dB", figure(quality.psnr)));
        self.line("cosine", cosine(quality.cosine));
        if quality.specials_changed > 0 {
            self.line("NaN or infinity", format!("{} differ", grouped(quality.specials_changed)));
        }
    }

    /// Returns the text, without a last line end.
    pub(crate) fn text(&self) -> String {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let lines: Vec<_> =
            self.0.iter().map(|(name, value)| format!("{name:width$}  {}", plain(value))).collect();
        lines.join("\n")
    }
}

/// Returns the figures as an object. JSON knows no infinity: a perfect PSNR is `null`.
pub(crate) fn quality_json(quality: &Quality) -> Value {
    json!({
        "max_error": quality.max_error,
        "max_error_pointwise_rel": quality.max_error_pointwise_rel,
        "nmse": quality.nmse,
        "psnr": quality.psnr,
        "cosine": quality.cosine,
        "specials_changed": quality.specials_changed,
    })
}

/// Returns a promise as an object; the value stays the text that was typed.
pub(crate) fn fidelity_json(fidelity: &Fidelity) -> Value {
    json!({ "kind": fidelity.name(), "value": fidelity.text() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_line_up() {
        let mut table = Listing::default();
        table.line("rows", "5");
        table.line("row shape", "[2]");
        assert_eq!(table.text(), "rows       5\nrow shape  [2]");
    }
}
