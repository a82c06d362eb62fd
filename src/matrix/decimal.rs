//! A decimal number as its user typed it, and the `f64`s just below and above it.
//!
//! `0.1` typed is not the `f64` 0.1, which is a little larger: a bound of 0.1 is promised
//! against the largest `f64` that does not exceed the decimal.

use crate::error::{Error, Result};
use std::cmp::Ordering;

/// A finite decimal number with its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Decimal {
    text: String,
    nearest: f64,
    order: Ordering,
}

impl Decimal {
    /// Returns the text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the nearest `f64`.
    pub fn nearest(&self) -> f64 {
        self.nearest
    }

    /// Returns the largest `f64` not above the number.
    pub fn floor(&self) -> f64 {
        if self.order == Ordering::Less { self.nearest.next_down() } else { self.nearest }
    }

    /// Returns the smallest `f64` not below the number.
    pub fn ceil(&self) -> f64 {
        if self.order == Ordering::Greater { self.nearest.next_up() } else { self.nearest }
    }
}

impl TryFrom<f64> for Decimal {
    type Error = Error;

    /// Returns exactly the value, not the shortest decimal that rounds to it: `0.1_f64` becomes
    /// `0.1000000000000000055…`. For the decimal, parse the text `"0.1"`.
    ///
    /// # Errors
    /// `Argument` if the value is infinite or not a number.
    fn try_from(value: f64) -> Result<Self> {
        if !value.is_finite() {
            return Err(Error::argument(format!("{value} is not a finite number")));
        }
        let short = if value == 0.0 || PLAIN_RANGE.contains(&value.abs()) {
            format!("{value}")
        } else {
            format!("{value:e}")
        };
        if short.parse::<Self>().is_ok_and(|d| d.order.is_eq()) {
            return Ok(Self { text: short, nearest: value, order: Ordering::Equal });
        }
        // The shortest text that rounds to the value is another number; this is every digit.
        let digits = every_digit(value);
        let text = digits.trim_end_matches('0').to_string();
        Ok(Self { text, nearest: value, order: Ordering::Equal })
    }
}

/// Magnitudes that are written without an exponent, as most programs do.
const PLAIN_RANGE: std::ops::Range<f64> = 1e-5..1e16;

/// Prints every decimal digit: the smallest `f64` is 2⁻¹⁰⁷⁴, which has 1074 decimals.
fn every_digit(value: f64) -> String {
    format!("{value:.1074}")
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Decimal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::argument(format!("{text:?} is not a finite decimal number"));
        let nearest: f64 = text.parse().map_err(|_| bad())?;
        let plain = text.trim_start_matches(['+', '-']);
        if !nearest.is_finite() || !plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return Err(bad());
        }
        let typed = Magnitude::parse(plain).ok_or_else(bad)?;
        let stored = Magnitude::parse(&every_digit(nearest.abs())).ok_or_else(bad)?;
        let order = typed.cmp(&stored);
        let order = if text.starts_with('-') { order.reverse() } else { order };
        Ok(Self { text: text.to_string(), nearest, order })
    }
}

/// The number `0.d1d2d3… × 10^exponent` with `d1` not zero; zero has no digits.
#[derive(PartialEq, Eq)]
pub(crate) struct Magnitude {
    exponent: i64,
    digits: Vec<u8>,
}

impl Magnitude {
    /// Reads an unsigned decimal, which may have a point and an exponent.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((m, e)) => (m, e.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let leading = digits.iter().take_while(|&&d| d == b'0').count();
        digits.drain(..leading);
        digits.truncate(digits.len() - digits.iter().rev().take_while(|&&d| d == b'0').count());
        // Saturating: `1e-9223372036854775808` is a number too.
        let exponent = exponent.saturating_add(whole.len() as i64).saturating_sub(leading as i64);
        Some(Self { exponent: if digits.is_empty() { i64::MIN } else { exponent }, digits })
    }

    fn cmp(&self, other: &Self) -> Ordering {
        self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_bound_is_never_above_what_was_typed() {
        // 0.1 as f64 is 0.1000000000000000055…, above the decimal.
        assert_eq!(decimal("0.1").floor(), 0.1_f64.next_down());
        assert_eq!(decimal("0.1").ceil(), 0.1);
        // 0.3 as f64 is 0.299999999999999988…, below the decimal.
        assert_eq!(decimal("0.3").floor(), 0.3);
        assert_eq!(decimal("0.3").ceil(), 0.3_f64.next_up());
        for exact in ["0", "0.5", "8.25", "1e3", "1000", "0.0e5", "00012.50", "-2.5"] {
            let d = decimal(exact);
            assert_eq!((d.floor(), d.ceil()), (d.nearest(), d.nearest()), "{exact}");
        }
        assert_eq!(decimal("-0.1").floor(), -0.1);
        assert_eq!(decimal("1e-400").floor(), 0.0);
        assert_eq!(decimal("1e-400").ceil(), 5e-324);
        assert_eq!(decimal("86.49e0").text(), "86.49e0");
        for tiny in ["0.001e-9223372036854775808", "1e-9223372036854775808"] {
            assert_eq!((decimal(tiny).floor(), decimal(tiny).ceil()), (0.0, 5e-324), "{tiny}");
        }
        assert_eq!(decimal("00.0e9223372036854775807").ceil(), 0.0);
    }

    #[test]
    fn an_f64_is_taken_exactly() {
        let tenth = Decimal::try_from(0.1).unwrap();
        assert_eq!((tenth.floor(), tenth.ceil()), (0.1, 0.1));
        assert!(tenth.text().starts_with("0.1000000000000000055511151231257827"));
        assert_eq!(Decimal::try_from(-2.5).unwrap().text(), "-2.5");
        assert_eq!(
            Decimal::try_from(1e30).unwrap().text().parse::<Decimal>().unwrap().ceil(),
            1e30
        );
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Decimal::try_from(value).is_err());
        }
    }

    #[test]
    fn what_is_not_a_finite_number_is_refused() {
        for text in ["", "nan", "inf", "-inf", "1e999", "abc", "1.2.3", "1e", "--1", "+-1"] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }
}
