//! The promise: exactly one of the fidelity options.

use crate::cli::io::numbers::{cosine, figure, quotient};
use aezip::{Config, Error, Fidelity, Report};

/// What the decoded numbers must be worth.
#[derive(clap::Args)]
#[command(next_help_heading = "Promise (one of)")]
#[group(multiple = false)]
pub(crate) struct FidelityArgs {
    /// No value off by more than E; or a bound per column: temperature=0.1,pressure=1,*=0.5
    /// (columns without one come back exactly; numbers from 0 stand for columns without a name of
    /// their own).
    #[arg(long, value_name = "E", value_parser = max_error, allow_hyphen_values = true)]
    max_error: Option<Fidelity>,
    /// No value off by more than F times the range of its column, max − min, not of its own size
    /// [default: 0.001].
    #[arg(long, visible_alias = "max-error-range", value_name = "F", value_parser = kind("max-error-rel"), allow_hyphen_values = true)]
    max_error_rel: Option<Fidelity>,
    /// No value off by more than R times its own size, 0 to below 1: zero stays zero, and signs are kept.
    #[arg(long, value_name = "R", value_parser = kind("max-error-pointwise-rel"), allow_hyphen_values = true)]
    max_error_pointwise_rel: Option<Fidelity>,
    /// Squared error at most X of the variance.
    #[arg(long, value_name = "X", value_parser = kind("nmse"), allow_hyphen_values = true)]
    nmse: Option<Fidelity>,
    /// Peak signal-to-noise ratio of DB decibels or more.
    #[arg(long, value_name = "DB", value_parser = kind("psnr"), allow_hyphen_values = true)]
    psnr: Option<Fidelity>,
    /// Mean cosine between rows and their decoded selves of C or more; rows of zeros come back as
    /// zeros, and like rows with NaN do not count.
    #[arg(long, value_name = "C", value_parser = kind("cosine"), allow_hyphen_values = true)]
    cosine: Option<Fidelity>,
    /// File R times smaller than the numbers, as good as fits.
    #[arg(long, value_name = "R", value_parser = kind("ratio"), allow_hyphen_values = true)]
    ratio: Option<Fidelity>,
    /// B bytes a row, model included, as good as fits.
    #[arg(long, value_name = "B", value_parser = kind("bytes-per-row"), allow_hyphen_values = true)]
    bytes_per_row: Option<Fidelity>,
    /// Cosine of C or more for each row.
    #[arg(long, value_name = "C", value_parser = kind("row-cosine"), allow_hyphen_values = true)]
    row_cosine: Option<Fidelity>,
    /// Squared error at most X of the variance for each row.
    #[arg(long, value_name = "X", value_parser = kind("row-nmse"), allow_hyphen_values = true)]
    row_nmse: Option<Fidelity>,
    /// Error of each row at most E long, the root of its squares' sum.
    #[arg(long, value_name = "E", value_parser = kind("row-l2"), allow_hyphen_values = true)]
    row_l2: Option<Fidelity>,
    /// Every value bit for bit.
    #[arg(long)]
    lossless: bool,
}

/// What the promise is not about.
#[derive(clap::Args)]
#[command(next_help_heading = "Promise (one of)")]
pub(crate) struct FillArgs {
    /// X stands for a missing number, as 1e20 or -999 may: it is kept bit for bit, and no range, error
    /// or figure counts it. Again for more. What recurs exactly and far from all else is noticed
    /// without; none turns that off.
    #[arg(long = "fill-value", value_name = "X", allow_hyphen_values = true)]
    fill_values: Vec<FillValue>,
}

/// A number, or none.
#[derive(Debug, Clone, Copy, PartialEq)]
enum FillValue {
    None,
    Number(f64),
}

impl std::str::FromStr for FillValue {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.parse::<f64>()) {
            ("none", _) => Ok(Self::None),
            (_, Ok(number)) if number.is_finite() => Ok(Self::Number(number)),
            (_, Ok(_)) => Err("NaN and infinities are kept bit for bit without"),
            _ => Err("neither a number nor none"),
        }
    }
}

impl FillArgs {
    /// Writes the choices into `config`.
    pub(crate) fn apply(&self, config: &mut Config) {
        config.detect_fill_values = !self.fill_values.contains(&FillValue::None);
        config.fill_values = self
            .fill_values
            .iter()
            .filter_map(|value| match value {
                FillValue::Number(number) => Some(*number),
                FillValue::None => None,
            })
            .collect();
    }
}

/// The promise when none is asked for: an error that no plot shows, whatever the columns' units.
const DEFAULT_KIND: &str = "max-error-rel";
const DEFAULT_NUMBER: &str = "0.001";

impl FidelityArgs {
    /// Returns the promise asked for; `None` where the default is to be used.
    pub(crate) fn chosen(self) -> Option<Fidelity> {
        self.max_error
            .or(self.max_error_rel)
            .or(self.max_error_pointwise_rel)
            .or(self.nmse)
            .or(self.psnr)
            .or(self.cosine)
            .or(self.ratio)
            .or(self.bytes_per_row)
            .or(self.row_cosine)
            .or(self.row_nmse)
            .or(self.row_l2)
            .or(self.lossless.then_some(Fidelity::Lossless))
    }
}

/// Returns what is promised where the user does not say.
pub(crate) fn default() -> Result<Fidelity, Error> {
    Fidelity::parse(DEFAULT_KIND, DEFAULT_NUMBER)
}

/// Says in words which figure was reached of those that the promise is about.
pub(crate) fn reached(report: &Report) -> String {
    let quality = &report.measured;
    match &report.promised {
        Fidelity::MaxError(_) | Fidelity::MaxErrorRel(_) | Fidelity::MaxErrorColumns(_) => {
            format!("max error {}", figure(quality.max_error))
        }
        Fidelity::MaxErrorPointwiseRel(_) => {
            let largest = figure(quality.max_error_pointwise_rel.unwrap_or(0.0));
            format!("max pointwise relative error {largest}")
        }
        Fidelity::Psnr(_) => format!("PSNR {} dB", figure(quality.psnr)),
        Fidelity::Cosine(_) | Fidelity::RowCosine(_) => {
            format!("mean cosine {}", cosine(quality.cosine))
        }
        Fidelity::Ratio(_) => format!("NMSE {} at that size", figure(quality.nmse)),
        Fidelity::BytesPerRow(_) => {
            let bytes = figure(quotient(report.bytes_out, report.rows));
            format!("{bytes} at NMSE {}", figure(quality.nmse))
        }
        Fidelity::Lossless => "every value exact".to_string(),
        _ => format!("NMSE {}", figure(quality.nmse)),
    }
}

/// Reads `--max-error`: one bound, or one for each column.
fn max_error(text: &str) -> Result<Fidelity, Error> {
    Fidelity::parse(if text.contains('=') { "max-error-columns" } else { "max-error" }, text)
}

/// Returns a parser for promises of the kind `name`.
fn kind(name: &'static str) -> impl Fn(&str) -> Result<Fidelity, Error> + Clone + Send + Sync {
    move |text| Fidelity::parse(name, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        fidelity: FidelityArgs,
    }

    fn parse(args: &[&str]) -> Result<Option<Fidelity>, String> {
        let line = Line::try_parse_from([&["aezip"], args].concat());
        line.map(|l| l.fidelity.chosen()).map_err(|e| e.to_string())
    }

    #[test]
    fn every_kind_is_understood() {
        for (option, value) in [
            ("max-error", "0.5"),
            ("max-error-rel", "1e-3"),
            ("max-error-pointwise-rel", "0.01"),
            ("nmse", "0.1"),
            ("psnr", "40"),
            ("cosine", "0.99"),
            ("ratio", "20"),
            ("bytes-per-row", "48"),
            ("row-cosine", "0.9"),
            ("row-nmse", "0.1"),
            ("row-l2", "12.5"),
        ] {
            let fidelity = parse(&[&format!("--{option}"), value]).unwrap().unwrap();
            assert_eq!((fidelity.name(), fidelity.text().as_str()), (option, value));
        }
        let range = parse(&["--max-error-range", "0.01"]).unwrap().unwrap();
        assert_eq!(range.to_string(), "max-error-rel 0.01");
        assert_eq!(parse(&["--lossless"]), Ok(Some(Fidelity::Lossless)));
        assert_eq!(parse(&[]), Ok(None));
        assert_eq!(default().unwrap().to_string(), "max-error-rel 0.001");
    }

    #[test]
    fn bounds_for_columns() {
        let fidelity =
            parse(&["--max-error", "temperature=0.1,pressure=1,*=0.5"]).unwrap().unwrap();
        assert_eq!(fidelity.name(), "max-error-columns");
        assert_eq!(fidelity.text(), "temperature=0.1,pressure=1,*=0.5");
        assert!(parse(&["--max-error", "a=1,b"]).is_err());
    }

    #[test]
    fn numbers_out_of_range_are_explained() {
        assert!(parse(&["--max-error", "-1"]).unwrap_err().contains("must be 0 or more"));
        assert!(parse(&["--max-error-rel", "-1e-3"]).unwrap_err().contains("must be 0 or more"));
        assert!(parse(&["--max-error", "a=-1"]).unwrap_err().contains("must be 0 or more"));
        let error = parse(&["--max-error-pointwise-rel", "1"]).unwrap_err();
        assert!(error.contains("below 1") && error.contains("sign"), "{error}");
        assert!(parse(&["--max-error-pointwise-rel", "nan"]).is_err());
        assert!(parse(&["--cosine", "1"]).unwrap_err().contains("below 1"));
        assert!(parse(&["--ratio", "-2"]).unwrap_err().contains("above 0"));
        assert!(parse(&["--psnr", "nan"]).is_err());
    }

    #[test]
    fn two_promises_are_one_too_many() {
        let error = parse(&["--nmse", "0.1", "--psnr", "40"]).unwrap_err();
        assert!(error.contains("--nmse") && error.contains("--psnr"), "{error}");
        assert!(parse(&["--lossless", "--max-error", "0"]).is_err());
    }
}
