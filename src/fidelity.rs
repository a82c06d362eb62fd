//! The promise that a file makes about its decoded numbers: exactly one per file.

use crate::error::{Error, Result};
use crate::matrix::Decimal;
use std::collections::HashMap;

/// The promise that a file keeps. Exactly one per file.
///
/// `x` is the original and `x̂` what the file gives back. Values that are not finite come back bit
/// for bit under every promise about single values. [`Fidelity::validate`] says which numbers are
/// allowed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Fidelity {
    /// `|x − x̂| ≤ E` for every value, in the data's units; `E ≥ 0`.
    MaxError(Decimal),
    /// `|x − x̂| ≤ F · (max − min of the value's column)` for every value; `F ≥ 0`.
    MaxErrorRel(Decimal),
    /// `|x − x̂| ≤ R · |x|` for every value, by itself: zero comes back as zero, with its sign, and all
    /// other values keep theirs; `0 ≤ R < 1`.
    MaxErrorPointwiseRel(Decimal),
    /// A bound `E` of its own for each named column; columns not named come back exactly,
    /// or within the bound given for `*`. A column is named once, by its name where no other has it,
    /// or by its number from 0, as in `3` or `column 3`.
    MaxErrorColumns(Vec<(String, Decimal)>),
    /// Normalised mean squared error `‖x − x̂‖² / ‖x − column means‖² ≤ X` over the whole file;
    /// `0 < X ≤ 1`.
    Nmse(Decimal),
    /// Peak signal-to-noise ratio `10 log₁₀(peak² / MSE) ≥ DB` over the whole file, where the peak
    /// is max − min of the file; 0 to 300 dB.
    Psnr(Decimal),
    /// Mean over rows of `x·x̂ / (‖x‖ ‖x̂‖) ≥ C`; `0 < C < 1`. Rows of zeros come back as rows of
    /// zeros; they and rows with values that are not finite are outside the mean.
    Cosine(Decimal),
    /// Size of the numbers in memory divided by the size of the whole file is `≥ R`; `R > 0`.
    Ratio(Decimal),
    /// Bytes of the whole file, model included, divided by the number of rows are `≤ B`; `B > 0`.
    BytesPerRow(Decimal),
    /// Each row by itself keeps the bound of [`Fidelity::Nmse`], against the column means.
    RowNmse(Decimal),
    /// The finite values of each row by themselves keep the bound of [`Fidelity::Cosine`]; rows of
    /// zeros come back as rows of zeros.
    RowCosine(Decimal),
    /// Each row by itself is off by a length `‖x − x̂‖ ≤ E` at most, of its finite values, in the data's units;
    /// `E > 0`.
    RowL2(Decimal),
    /// Every value comes back bit for bit.
    Lossless,
}

impl Fidelity {
    /// Returns the name of the kind as in the command-line option: `max-error`, `nmse`, ….
    pub fn name(&self) -> &'static str {
        match self {
            Fidelity::MaxError(_) => "max-error",
            Fidelity::MaxErrorRel(_) => "max-error-rel",
            Fidelity::MaxErrorPointwiseRel(_) => "max-error-pointwise-rel",
            Fidelity::MaxErrorColumns(_) => "max-error-columns",
            Fidelity::Nmse(_) => "nmse",
            Fidelity::Psnr(_) => "psnr",
            Fidelity::Cosine(_) => "cosine",
            Fidelity::Ratio(_) => "ratio",
            Fidelity::BytesPerRow(_) => "bytes-per-row",
            Fidelity::RowNmse(_) => "row-nmse",
            Fidelity::RowCosine(_) => "row-cosine",
            Fidelity::RowL2(_) => "row-l2",
            Fidelity::Lossless => "lossless",
        }
    }

    /// Returns the number as typed; empty for lossless, `name=E,…` for bounds per column, where a
    /// comma or backslash in a name has a backslash before it.
    pub fn text(&self) -> String {
        match self {
            Fidelity::Lossless => String::new(),
            Fidelity::MaxErrorColumns(list) => {
                let parts: Vec<_> =
                    list.iter().map(|(n, d)| format!("{}={d}", escaped(n))).collect();
                parts.join(",")
            }
            Fidelity::MaxError(d)
            | Fidelity::MaxErrorRel(d)
            | Fidelity::MaxErrorPointwiseRel(d)
            | Fidelity::Nmse(d)
            | Fidelity::Psnr(d)
            | Fidelity::Cosine(d)
            | Fidelity::Ratio(d)
            | Fidelity::BytesPerRow(d)
            | Fidelity::RowNmse(d)
            | Fidelity::RowCosine(d)
            | Fidelity::RowL2(d) => d.text().to_string(),
        }
    }

    /// Reads back what [`Fidelity::name`] and [`Fidelity::text`] wrote, and checks it.
    ///
    /// # Errors
    /// `Argument` for an unknown name, a number that is none, or one out of its range.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let number = || text.parse::<Decimal>();
        let fidelity = match name {
            "max-error" => Fidelity::MaxError(number()?),
            "max-error-rel" => Fidelity::MaxErrorRel(number()?),
            "max-error-pointwise-rel" => Fidelity::MaxErrorPointwiseRel(number()?),
            "max-error-columns" => {
                let mut list = Vec::new();
                for part in unescaped_parts(text) {
                    // Names may hold '=', numbers may not.
                    let (name, number) = part.rsplit_once('=').ok_or_else(|| {
                        Error::argument(format!("{part:?} is not of the form column=bound"))
                    })?;
                    list.push((name.to_string(), number.parse()?));
                }
                Fidelity::MaxErrorColumns(list)
            }
            "nmse" => Fidelity::Nmse(number()?),
            "psnr" => Fidelity::Psnr(number()?),
            "cosine" => Fidelity::Cosine(number()?),
            "ratio" => Fidelity::Ratio(number()?),
            "bytes-per-row" => Fidelity::BytesPerRow(number()?),
            "row-nmse" => Fidelity::RowNmse(number()?),
            "row-cosine" => Fidelity::RowCosine(number()?),
            "row-l2" => Fidelity::RowL2(number()?),
            "lossless" => Fidelity::Lossless,
            _ => return Err(Error::argument(format!("unknown kind of fidelity {name:?}"))),
        };
        fidelity.validate()?;
        Ok(fidelity)
    }

    /// Checks also that a file can say it: its text must be read back as the same promise.
    pub(crate) fn validate_for_writing(&self) -> Result<()> {
        self.validate()?;
        if Self::parse(self.name(), &self.text()).is_ok_and(|back| back == *self) {
            return Ok(());
        }
        Err(Error::argument(format!(
            "{self} cannot be stored in a file: bounds are finite and columns are named"
        )))
    }

    /// Checks the number against the range that its kind allows.
    ///
    /// # Errors
    /// `Argument`, with the value given and the values allowed.
    pub fn validate(&self) -> Result<()> {
        let need = |ok: bool, allowed: &str, d: &Decimal| {
            if ok {
                return Ok(());
            }
            Err(Error::argument(format!("{} is {d}, but must be {allowed}", self.name())))
        };
        match self {
            Fidelity::Lossless => Ok(()),
            Fidelity::MaxError(d) | Fidelity::MaxErrorRel(d) => {
                need(d.floor() >= 0.0, "0 or more", d)
            }
            Fidelity::MaxErrorPointwiseRel(d) => {
                let allowed = "0 or more and below 1: from 1 on, 0 would do for every value, and no \
                               sign would be kept";
                need(d.floor() >= 0.0 && d.ceil() < 1.0, allowed, d)
            }
            Fidelity::MaxErrorColumns(list) => {
                let mut bounds = HashMap::new();
                list.iter().try_for_each(|(name, d)| {
                    if let Some(other) = bounds.insert(name, d) {
                        let what = format!("column {name:?} has two bounds, {other} and {d}");
                        return Err(Error::argument(format!("{what}: give one")));
                    }
                    need(d.floor() >= 0.0, "0 or more", d)
                })
            }
            Fidelity::Nmse(d) | Fidelity::RowNmse(d) => {
                need(d.floor() > 0.0 && d.ceil() <= 1.0, "above 0 and at most 1", d)
            }
            Fidelity::Psnr(d) => {
                let allowed = format!("between 0 and {MAX_PSNR} dB");
                need((0.0..=MAX_PSNR).contains(&d.nearest()), &allowed, d)
            }
            Fidelity::Cosine(d) | Fidelity::RowCosine(d) => {
                // Cosines are judged in `f64`, whose last number below 1 this is.
                let allowed = "above 0 and below 1, at most 0.9999999999999998";
                need(d.floor() > 0.0 && d.ceil() < 1.0, allowed, d)
            }
            Fidelity::Ratio(d) | Fidelity::BytesPerRow(d) | Fidelity::RowL2(d) => {
                need(d.floor() > 0.0, "above 0", d)
            }
        }
    }
}

/// The largest PSNR in dB that can be asked for: errors of 10⁻¹⁵ of the range, at which `f64`
/// itself is not much finer.
const MAX_PSNR: f64 = 300.0;

/// Returns a column's name with a backslash before each comma and backslash.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace(',', "\\,")
}

/// Splits at commas that have no backslash before them, and takes those backslashes away.
fn unescaped_parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(&next @ ('\\' | ','))) => {
                chars.next();
                part.push(next);
            }
            (',', _) => parts.push(std::mem::take(&mut part)),
            _ => part.push(c),
        }
    }
    parts.push(part);
    parts
}

impl std::fmt::Display for Fidelity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fidelity::Lossless => f.write_str("lossless"),
            _ => write!(f, "{} {}", self.name(), self.text()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_and_backslashes_survive() {
        let names = ["a,b", "c=1,d", "\\", "e\\,", "", "plain"];
        let bounds = names.iter().map(|n| (n.to_string(), "0.5".parse().unwrap())).collect();
        let promise = Fidelity::MaxErrorColumns(bounds);
        assert_eq!(Fidelity::parse(promise.name(), &promise.text()).unwrap(), promise);
        let windows = Fidelity::parse("max-error-columns", "c:\\temp=1").unwrap();
        assert_eq!(windows.text(), "c:\\\\temp=1");
    }
}
