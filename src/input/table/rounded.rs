//! Whether decimals come back from the `f64`s that they are read as.

use super::notation::{Notation, POWERS};
use crate::input::options::Rounding;
use crate::matrix::{Digits, Magnitude};

/// The share of a bound that the step between `f64`s may be, so that rounding to the nearest of them
/// takes half of it: whoever compresses leaves twice as much.
const SHARE: f64 = 1.0 / 4096.0;
/// Decimals of fewer units than this are told apart by `f64`s, all of them.
const TOLD_APART: f64 = 1e15;
/// How many numbers of significant digits are known, and with those of digits behind the mark.
const SIGNIFICANT: u32 = 25;
const WAYS: u32 = SIGNIFICANT + 25;
/// A little less than all.
const NEARLY: f64 = 1.0 - 1e-12;
/// Numbers below this are not written out: they would begin with many zeros.
const LEAST_WRITTEN_OUT: i32 = -5;

/// What is known of how a column's decimals differ from the `f64`s that they were read as.
#[derive(Debug, Clone)]
pub(super) struct Rounded {
    allowed: Rounding,
    /// Which ways of writing give back every decimal so far, a bit for each ([`way`]).
    alive: u64,
    /// The first decimal that is not the shortest of its `f64`.
    first: Option<Box<str>>,
    /// The largest step to the next `f64` from one that such a decimal was read as.
    step: f64,
    /// The first number beyond all finite `f64`s.
    beyond: Option<Box<str>>,
}

impl Rounded {
    pub(super) fn new(allowed: Rounding) -> Self {
        let watched = allowed != Rounding::Nearest;
        let alive = if watched { (1 << WAYS) - 1 } else { 0 };
        Self { allowed, alive, first: None, step: 0.0, beyond: None }
    }

    /// Takes note of a decimal of so many digits behind the mark, and of less than 2^53 units; says whether
    /// its text is to be looked at, too.
    #[inline]
    pub(super) fn take_short(&mut self, value: f64, places: u8) -> bool {
        if self.allowed == Rounding::Nearest || places == 0 {
            return false;
        }
        let power = POWERS[usize::from(places)];
        let units = (value.abs() * power).round();
        if units >= TOLD_APART {
            return true;
        }
        if self.alive != 0 {
            self.narrow(value.abs().mul_add(power, -units).abs(), units, places);
        }
        false
    }

    /// Leaves out the ways that do not give back a decimal of so many units, which differs by `rest` of one
    /// from its `f64`.
    fn narrow(&mut self, rest: f64, units: f64, places: u8) {
        if rest == 0.0 && places <= *Digits::DECIMALS.start() {
            return;
        }
        let digits = POWERS.partition_point(|power| *power <= units) as i32;
        let mut left = self.alive;
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            let last = match way(bit) {
                Digits::Fewest => continue,
                Digits::Significant(n) => digits - i32::from(n),
                Digits::Decimals(n) if n < places => i32::MIN,
                Digits::Decimals(n) => i32::from(places) - i32::from(n),
            };
            // Half of what the last digit stands for; less a little, as the power is rounded. Nothing where
            // it stands before the decimal's.
            if rest >= 0.5 * NEARLY * 10_f64.powi(last) {
                self.alive &= !(1 << bit);
            }
        }
    }

    /// Takes note of a number that was read from `text`.
    #[cold]
    pub(super) fn take(&mut self, value: f64, text: &[u8], notation: Notation) {
        let shown = || String::from_utf8_lossy(text.trim_ascii()).into();
        if value.is_infinite() {
            let is_word = !text.iter().any(u8::is_ascii_digit);
            if !is_word && self.beyond.is_none() {
                self.beyond = Some(shown());
            }
            return;
        }
        if self.allowed == Rounding::Nearest {
            return;
        }
        let read = magnitude(text, notation);
        if !is_printed(value, Digits::Fewest, read.as_ref()) {
            self.first.get_or_insert_with(shown);
            self.step = self.step.max(step(value));
        }
        for bit in 0..WAYS {
            if self.alive >> bit & 1 == 1 && !is_printed(value, way(bit), read.as_ref()) {
                self.alive &= !(1 << bit);
            }
        }
    }

    /// Returns a number that is not held well enough, in a column of such a range.
    pub(super) fn lost(&self, range: f64) -> Option<&str> {
        let allowed = match self.allowed {
            Rounding::Nearest => f64::INFINITY,
            Rounding::Within(bound) => bound * SHARE,
            Rounding::WithinShare(share) => share * range * SHARE,
        };
        let coarse = self.alive == 0 && self.step > allowed;
        self.beyond.as_deref().or(self.first.as_deref().filter(|_| coarse))
    }

    /// Says whether a number is beyond all finite `f64`s.
    pub(super) fn is_beyond(&self) -> bool {
        self.beyond.is_some()
    }

    /// Says whether some decimal is not the shortest of its `f64`.
    pub(super) fn is_rounded(&self) -> bool {
        self.first.is_some()
    }

    /// Returns a bound under which the column's decimals may be rounded: a power of ten.
    pub(super) fn sufficient_bound(&self) -> String {
        format!("1e{:.0}", (self.step / SHARE).log10().ceil())
    }

    /// Returns how the column's numbers are to be written, if each is to be as it was read.
    pub(super) fn digits(&self) -> Digits {
        let exact = self.allowed == Rounding::Within(0.0) && self.is_rounded();
        if exact { way(self.alive.trailing_zeros()) } else { Digits::Fewest }
    }
}

/// Returns a way of writing numbers with other than the fewest digits, from 0 to [`WAYS`]; the latter is
/// none.
fn way(bit: u32) -> Digits {
    let behind = bit.saturating_sub(SIGNIFICANT) as u8;
    match bit {
        0..SIGNIFICANT => Digits::Significant(Digits::SIGNIFICANT.start() + bit as u8),
        SIGNIFICANT..WAYS => Digits::Decimals(Digits::DECIMALS.start() + behind),
        _ => Digits::Fewest,
    }
}

/// Returns the decimal of so many digits that is nearest to `value`.
fn printed(value: f64, digits: Digits) -> String {
    match digits {
        Digits::Fewest => format!("{value:e}"),
        Digits::Significant(n) => format!("{value:.*e}", usize::from(n.max(1)) - 1),
        Digits::Decimals(n) => format!("{value:.*}", usize::from(n)),
    }
}

/// Returns `value` with so many digits: without an exponent, and without zeros at the end, where that
/// is short.
pub(in crate::input) fn written(value: f64, digits: Digits) -> String {
    let text = printed(value, digits);
    let (Digits::Significant(n), Some((_, exponent))) = (digits, text.split_once('e')) else {
        return text;
    };
    let exponent: i32 = exponent.parse().unwrap_or(i32::MAX);
    let n = i32::from(n);
    if !(LEAST_WRITTEN_OUT..n).contains(&exponent) {
        return text;
    }
    let places = usize::try_from(n - 1 - exponent).unwrap_or(0);
    let out = format!("{value:.places$}");
    if places == 0 { out } else { out.trim_end_matches('0').trim_end_matches('.').to_string() }
}

/// Returns the number without its sign.
fn magnitude(text: &[u8], notation: Notation) -> Option<Magnitude> {
    let plain = String::from_utf8(notation.plain(text.trim_ascii())?).ok()?;
    Magnitude::parse(plain.trim_start_matches(['+', '-']))
}

fn is_printed(value: f64, digits: Digits, read: Option<&Magnitude>) -> bool {
    let printed = Magnitude::parse(&printed(value.abs(), digits));
    read.is_some() && printed.as_ref() == read
}

/// Says whether the shortest decimal of `value` is the decimal that was read.
pub(super) fn comes_back(value: f64, text: &[u8], notation: Notation) -> bool {
    is_printed(value, Digits::Fewest, magnitude(text, notation).as_ref())
}

/// Returns the step to the next `f64` away from zero.
fn step(value: f64) -> f64 {
    let size = value.abs();
    let step = size.next_up() - size;
    if step.is_finite() { step } else { size - size.next_down() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(allowed: Rounding, texts: &[&str]) -> Rounded {
        let mut out = Rounded::new(allowed);
        for text in texts {
            out.take(text.parse().unwrap(), text.as_bytes(), Notation::PLAIN);
        }
        out
    }

    #[test]
    fn short_decimals_leave_the_same_ways_as_their_text() {
        let mut left = 0;
        let units = (1..200_000_u64).step_by(37).chain((1..u64::pow(10, 15)).step_by(7 << 40));
        for units in units.filter(|units| units % 10 != 0) {
            for places in [1, 3, 9, 15, 22] {
                let value = units as f64 / POWERS[usize::from(places)];
                let mut short = Rounded::new(Rounding::Within(0.0));
                assert!(!short.take_short(value, places));
                let text = format!("{units}e-{places}");
                let long = rounded(Rounding::Within(0.0), &[&text]);
                assert_eq!(short.alive, long.alive, "{text}");
                left += long.alive.count_ones();
            }
        }
        assert!(left > 1000, "{left}");
    }

    #[test]
    fn decimals_that_no_f64_gives_back_are_lost() {
        let exact = Rounding::Within(0.0);
        for text in [
            "0.1234567890123456789",
            "-1.2345678901234567891e5",
            "12345678901234567890.5",
            "4e-324",
            "1e-400",
            "0.8000000000000001225",
            "9007199254740993e0",
        ] {
            assert_eq!(rounded(exact, &["0.1", text]).lost(1.0), Some(text));
            assert_eq!(rounded(Rounding::Nearest, &[text]).lost(1.0), None, "{text}");
        }
        for text in ["0.1", "+1.50e+05", "0.30000000000000004", "5e-324", "-0e5", "inf", "00.10"] {
            assert_eq!(rounded(exact, &["0.1", text]).lost(1.0), None, "{text}");
        }
        for text in ["1e400", "-1e999999999999999999999", "1.8e308"] {
            assert_eq!(rounded(Rounding::Nearest, &[text]).lost(1.0), Some(text));
            assert_eq!(rounded(Rounding::Within(1e300), &[text]).lost(1.0), Some(text));
        }
    }

    #[test]
    fn what_is_rounded_by_little_of_a_bound_is_not_lost() {
        let text = "0.1234567890123456789";
        assert_eq!(rounded(Rounding::Within(1e-12), &[text]).lost(1.0), None);
        assert_eq!(rounded(Rounding::Within(1e-15), &[text]).lost(1.0), Some(text));
        assert_eq!(rounded(Rounding::WithinShare(1e-3), &[text]).lost(1.0), None);
        assert_eq!(rounded(Rounding::WithinShare(1e-3), &[text]).lost(1e-12), Some(text));
        assert_eq!(rounded(Rounding::Within(0.0), &[text]).sufficient_bound(), "1e-13");
        assert_eq!(rounded(Rounding::Within(1e-300), &["1e-400"]).lost(1.0), None);
    }

    #[test]
    fn f64s_printed_with_many_digits_are_known() {
        let exact = Rounding::Within(0.0);
        let values = [0.1, 1.0 / 3.0, 100.0 / 7.0, -2e-7, 5e22, 0.5, 3.0, 123_456.789];
        for way in [Digits::Significant(17), Digits::Significant(19), Digits::Decimals(20)] {
            let texts: Vec<String> = values.iter().map(|v| printed(*v, way)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let found = match way {
                // As C writes them.
                Digits::Decimals(_) => rounded(exact, &texts[..3]),
                _ => rounded(exact, &texts),
            };
            assert_eq!((found.lost(1.0), found.digits()), (None, way));
        }
        assert_eq!(rounded(exact, &["0.1", "0.25"]).digits(), Digits::Fewest);
        assert!(rounded(exact, &["0.1", "0.10000000000000001"]).lost(1.0).is_some());
    }

    #[test]
    fn digits_are_written_without_zeros_that_say_nothing() {
        let nineteen = Digits::Significant(19);
        assert_eq!(written(0.1, nineteen), "0.1000000000000000056");
        assert_eq!(written(-2.5, nineteen), "-2.5");
        assert_eq!(written(300.0, Digits::Significant(17)), "300");
        assert_eq!(written(1e-7, Digits::Significant(17)), "9.9999999999999995e-8");
        assert_eq!(written(0.0, nineteen), "0");
        assert_eq!(written(0.1, Digits::Decimals(20)), "0.10000000000000000555");
    }
}
