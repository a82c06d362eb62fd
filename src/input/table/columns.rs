//! What is learned of each column while a table is read, and which type holds all of it.

use super::notation::{EXACT, Form, Notation, Number, POWERS};
use super::rounded::{Rounded, comes_back};
use crate::error::{Error, Result};
use crate::input::options::Rounding;
use crate::matrix::{DType, TextColumn};

/// What is known of the numbers of a column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    min: f64,
    max: f64,
    /// The fewest and the most digits behind the mark.
    places: (u8, u8),
    /// All numbers are short.
    short: bool,
    /// All are integers, none missing, and in the range of `i64` or `u64`.
    signed: bool,
    unsigned: bool,
    missing: bool,
    /// The first integer that no `f64` is.
    inexact: Option<Box<str>>,
    /// The first number above 2^53 that comes back as another.
    changed: Option<Box<str>>,
    /// What others are rounded by.
    rounded: Rounded,
}

impl Column {
    /// Begins a column whose decimals may be rounded by so much.
    pub(super) fn new(rounding: Rounding) -> Self {
        Self {
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            places: (u8::MAX, 0),
            short: true,
            signed: true,
            unsigned: true,
            missing: false,
            inexact: None,
            changed: None,
            rounded: Rounded::new(rounding),
        }
    }

    /// Takes note of a number that was read from `text`.
    pub(super) fn take(&mut self, number: &Number, text: &[u8], notation: Notation) {
        self.min = self.min.min(number.value);
        self.max = self.max.max(number.value);
        match number.form {
            Form::Short(places) => {
                self.places = (self.places.0.min(places), self.places.1.max(places));
                if places > 0 {
                    (self.signed, self.unsigned) = (false, false);
                }
                self.unsigned &= number.value >= 0.0;
                // A negative zero is no integer of any type.
                self.signed &= number.value != 0.0 || number.value.is_sign_positive();
                if self.rounded.take_short(number.value, places) {
                    self.rounded.take(number.value, text, notation);
                }
            }
            _ => self.take_long(number, text, notation),
        }
    }

    #[cold]
    fn take_long(&mut self, number: &Number, text: &[u8], notation: Notation) {
        self.short = false;
        self.rounded.take(number.value, text, notation);
        let integer = match number.form {
            Form::LongInteger => notation.integer(text),
            // A negative zero is no integer of any type.
            Form::Other if number.value != 0.0 || number.value.is_sign_positive() => {
                notation.integer(text)
            }
            _ => None,
        };
        self.signed &= integer.is_some_and(|i| i64::try_from(i).is_ok());
        self.unsigned &= integer.is_some_and(|i| u64::try_from(i).is_ok());
        if number.form == Form::Other && integer.is_none() || number.value.abs() < EXACT as f64 {
            return;
        }
        let shown = || String::from_utf8_lossy(text.trim_ascii()).into();
        if integer.is_none_or(|i| number.value as i128 != i) {
            if integer.is_some() && self.inexact.is_none() {
                self.inexact = Some(shown());
            }
            if self.changed.is_none() && !comes_back(number.value, text, notation) {
                self.changed = Some(shown());
            }
        }
    }

    /// Says whether a number comes back as another from an `f64`.
    pub(super) fn is_changed(&self) -> bool {
        self.lost().is_some()
    }

    /// Returns the first such number.
    fn lost(&self) -> Option<&str> {
        self.changed.as_deref().or_else(|| self.rounded.lost(self.max - self.min))
    }

    pub(super) fn take_missing(&mut self) {
        self.missing = true;
        (self.signed, self.unsigned) = (false, false);
    }

    /// Says why its numbers are lost, and what would help.
    fn why_lost(&self) -> String {
        let why = match self {
            _ if self.signed || self.unsigned => "an i64 or u64 does, but not the other columns",
            _ if self.rounded.is_beyond() => "the largest is 1.8e308; write it in another unit",
            Self { changed: None, .. } => {
                let bound = self.rounded.sufficient_bound();
                return format!("under a bound it may be rounded, as with --max-error {bound}");
            }
            _ if self.missing => "an i64 would, but the column has missing numbers",
            _ => "no type does; write it as two columns",
        };
        why.to_string()
    }

    /// Returns what it takes to write the column as it was.
    pub(super) fn layout(&self) -> TextColumn {
        let (fewest, most) = self.places;
        let known = self.short && fewest <= most && !self.rounded.is_rounded();
        if !known {
            return TextColumn { digits: self.rounded.digits(), ..TextColumn::default() };
        }
        let power = POWERS[usize::from(most)];
        let units = |value: f64| {
            let units = (value * power).round();
            (units.abs() < EXACT as f64 && units / power == value).then_some(units)
        };
        let (Some(min), Some(max)) = (units(self.min), units(self.max)) else {
            return TextColumn::default();
        };
        TextColumn {
            decimals: Some(most),
            fixed: fewest == most,
            range: (max - min) as u64,
            ..TextColumn::default()
        }
    }
}

/// Chooses a type that holds every number of the columns exactly.
///
/// # Errors
/// `Argument` if none does, with the column's name, which `name` returns, and what to do.
pub(super) fn dtype(columns: &[Column], name: &dyn Fn(usize) -> String) -> Result<DType> {
    if columns.iter().all(|c| c.inexact.is_none() && !c.is_changed()) {
        return Ok(DType::F64);
    }
    if columns.iter().all(|c| c.signed) {
        return Ok(DType::I64);
    }
    if columns.iter().all(|c| c.unsigned) {
        return Ok(DType::U64);
    }
    let Some(at) = columns.iter().position(Column::is_changed) else { return Ok(DType::F64) };
    Err(Error::argument(refusal(columns, at, name)))
}

/// Says why no type holds the column at `at` beside the others, and what to do.
fn refusal(columns: &[Column], at: usize, name: &dyn Fn(usize) -> String) -> String {
    let own = &columns[at];
    let example = own.lost().unwrap_or_default();
    let apart = |keep: &dyn Fn(&Column) -> bool| -> Option<String> {
        let kept: Vec<usize> = (0..columns.len()).filter(|&k| keep(&columns[k])).collect();
        let list: Vec<String> = kept.iter().map(|&k| escaped(&name(k))).collect();
        let list = list.join(",");
        (!kept.is_empty() && list.len() <= LONGEST_LIST).then_some(list)
    };
    let whole = own.signed || own.unsigned;
    let why = own.why_lost();
    let alone = whole.then(|| apart(&|c| if own.signed { c.signed } else { c.unsigned })).flatten();
    let rest = apart(&|c| !c.is_changed());
    let what = format!("column {:?} has {example}, which no f64 holds", name(at));
    let advice = match (alone, rest) {
        (Some(alone), Some(rest)) => {
            format!("compress them apart: --columns '{alone}', and --columns '{rest}'")
        }
        (Some(alone), None) => format!("choose columns: --columns '{alone}'"),
        (None, Some(rest)) => format!("leave it out: --columns '{rest}'"),
        (None, None) => return format!("{what}; {why}"),
    };
    format!("{what}; {why}; {advice}")
}

/// A longer list of columns helps nobody.
pub(super) const LONGEST_LIST: usize = 300;

/// Returns a column's name as it is given in a list of names.
pub(super) fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace(',', "\\,")
}
