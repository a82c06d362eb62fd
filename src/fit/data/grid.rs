//! Whether a column's values are whole multiples of some decimal or integer.
//!
//! Instruments count, and decimals are cut off: values of `0.005 k` waste bits if they are
//! treated as real numbers, and a bound of 0.0065 allows steps of three counts, 0.015, where a
//! real number would only be allowed 0.013.

use crate::codec::value::Cell;
use crate::container::model::{Grid, Value};

/// Decimal places tried: as many as `f32` has digits.
pub(super) const LARGEST_PLACES: u32 = 9;
/// Share of values that may lie off the grid: these are stored exactly, for 6 to 10 bytes each.
/// Half or double: the same files.
const OFF_GRID: f64 = 0.002;
/// Values that must have been seen, and that rule most grids out before all are looked at.
const PROBES: usize = 16;
/// Divisors of counts that are tried where single values hide what all others are multiples of.
const DIVISORS: [u64; 11] = [10_000, 1000, 500, 100, 50, 25, 20, 10, 5, 4, 2];
/// Integers that all `f64` hold exactly.
const LARGEST_COUNT: f64 = 4_503_599_627_370_496.0;
/// Bits of counts up to which counting pays, for floats of 2, 4 and 8 bytes: a few less than their
/// significands have, or nearly all real numbers would do. Two
/// fewer: air without loss is 8 % larger; one more: the same files.
const COUNT_BITS: [i32; 3] = [9, 21, 45];

/// The same for powers of two, of which nothing is rounded: two fewer than their significands have.
const BINARY_BITS: [i32; 3] = [9, 22, 50];
/// Powers of two that are tried, either way: beyond, fractions would not fit.
const LARGEST_POWER: i32 = 48;
/// Share of values that are at most so many powers of two coarser than the grid: half of all counts
/// are odd, while the digits of rounded numbers end anywhere.
const NOT_COARSER: f64 = 0.5;
const POWERS_COARSER: i32 = 2;

/// A multiple: `value = k · numerator / denominator`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Multiple {
    pub(crate) numerator: u64,
    pub(crate) denominator: u64,
}

impl Multiple {
    /// Returns what is multiplied.
    pub(crate) fn size(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// Returns the count whose multiple is nearest to `x`.
    pub(crate) fn nearest(self, x: f64) -> f64 {
        (x * self.denominator as f64 / self.numerator as f64).round_ties_even()
    }

    /// Makes a grid whose residuals count `step` multiples each.
    pub(crate) fn grid(self, dtype_is_float: bool, fraction: u32, step: u64) -> Grid {
        let value = if dtype_is_float {
            Value::Ratio { numerator: self.numerator, denominator: self.denominator }
        } else {
            Value::Integer { unit: self.numerator }
        };
        Grid { value, fraction, step }
    }
}

/// Finds the coarsest multiple that nearly all `values` are, bit for bit; none for real numbers.
pub(crate) fn detect<T: Cell>(values: &[T]) -> Option<Multiple> {
    let ordinary: Vec<T> = values.iter().copied().filter(|v| v.is_ordinary()).collect();
    if !T::DTYPE.is_float() {
        let wide = ordinary.iter().map(|v| v.to_integer().unsigned_abs());
        let divisor = wide.fold(0, gcd).max(1);
        return Some(Multiple { numerator: divisor, denominator: 1 });
    }
    if ordinary.len() < PROBES {
        return None;
    }
    let probe: Vec<T> = ordinary.iter().copied().step_by(ordinary.len() / PROBES).collect();
    for places in 0..=LARGEST_PLACES {
        let multiple = Multiple { numerator: 1, denominator: 10_u64.pow(places) };
        let off = |values: &[T]| values.iter().filter(|v| count(multiple, **v).is_none()).count();
        if off(&probe) > 1 || off(&ordinary) as f64 > OFF_GRID * ordinary.len() as f64 {
            continue;
        }
        let decimal = Some(coarsest(multiple, &ordinary)).filter(|m| is_worth_it(*m, &ordinary));
        return decimal.or_else(|| binary(&ordinary));
    }
    binary(&ordinary)
}

/// Finds the largest power of two of which nearly all of some floats are multiples: sensors and archives
/// scale integers by them. None where these are as fine as the numbers themselves.
fn binary<T: Cell>(values: &[T]) -> Option<Multiple> {
    let numbers = || values.iter().map(|v| v.to_f64()).filter(|x| x.is_normal());
    let mut last: Vec<i32> = numbers().map(last_digit).collect();
    last.sort_unstable();
    let power = *last.get((OFF_GRID * last.len() as f64) as usize)?;
    let near = last.partition_point(|&p| p <= power + POWERS_COARSER);
    if power.abs() > LARGEST_POWER || (near as f64) < NOT_COARSER * last.len() as f64 {
        return None;
    }
    let largest = numbers().map(f64::abs).fold(0.0, f64::max);
    let size = |power: i32| 1_u64 << power.max(0);
    let multiple = Multiple { numerator: size(power), denominator: size(-power) };
    (largest / multiple.size() < 2_f64.powi(bits::<T>(BINARY_BITS))).then_some(multiple)
}

/// Returns which power of two the last binary digit of a normal number stands for.
fn last_digit(x: f64) -> i32 {
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1023 - 52;
    exponent + (bits & ((1 << 52) - 1) | 1 << 52).trailing_zeros() as i32
}

/// Returns what holds for a type of floats, of 2, 4 or 8 bytes.
fn bits<T: Cell>(of_types: [i32; 3]) -> i32 {
    match T::DTYPE.size() {
        2 => of_types[0],
        4 => of_types[1],
        _ => of_types[2],
    }
}

/// Returns the count of a value, if that gives back its bits.
pub(super) fn count<T: Cell>(m: Multiple, value: T) -> Option<i64> {
    let k = m.nearest(value.to_f64());
    if k.abs() >= LARGEST_COUNT {
        return None;
    }
    let back: T = m.grid(true, 0, 1).at(k as i64);
    (back.same(value) || (k == 0.0 && value.to_f64() == 0.0)).then_some(k as i64)
}

/// Returns the largest whole multiple of `m` that still holds nearly everywhere.
pub(super) fn coarsest<T: Cell>(m: Multiple, values: &[T]) -> Multiple {
    let counts: Vec<u64> =
        values.iter().filter_map(|v| count(m, *v)).map(i64::unsigned_abs).collect();
    let mut divisor = counts.iter().copied().fold(0, gcd);
    if divisor <= 1 {
        // One odd value must not hide that all others are multiples.
        divisor = DIVISORS
            .into_iter()
            .find(|d| {
                let off = counts.iter().filter(|k| *k % d != 0).count();
                off as f64 <= OFF_GRID * counts.len() as f64
            })
            .unwrap_or(1);
    }
    let common = gcd(divisor, m.denominator).max(1);
    let reduced =
        Multiple { numerator: divisor.max(1) / common, denominator: m.denominator / common };
    // The reduced fraction rounds alike nearly always; where it does not, the plain one stays.
    let off = values.iter().filter(|v| count(m, **v).is_some() && count(reduced, **v).is_none());
    if off.count() as f64 <= OFF_GRID * values.len() as f64 { reduced } else { m }
}

/// Returns whether counting is cheaper than floats: a grid as fine as the numbers themselves is none.
pub(super) fn is_worth_it<T: Cell>(m: Multiple, values: &[T]) -> bool {
    let largest = values.iter().map(|v| v.to_f64().abs()).fold(0.0, f64::max);
    largest / m.size() < 2_f64.powi(bits::<T>(COUNT_BITS))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::F16;

    #[test]
    fn decimals_counts_and_fractions_are_found() {
        let ratio = |m: Option<Multiple>| m.map(|m| (m.numerator, m.denominator));
        let tenths: Vec<f32> = (0..500).map(|i| (i * 7 % 311) as f32 / 10.0).collect();
        assert_eq!(ratio(detect(&tenths)), Some((1, 10)));
        let adc: Vec<f32> =
            (0..500).map(|i| (f64::from(i * 13 % 800 - 400) / 200.0) as f32).collect();
        assert_eq!(ratio(detect(&adc)), Some((1, 200)));
        let hundreds: Vec<f64> = (0..500).map(|i| f64::from(i * 17 % 91) * 100.0).collect();
        assert_eq!(ratio(detect(&hundreds)), Some((100, 1)));
        let packed: Vec<f32> =
            (0..500).map(|i| 280.0 + (i * 7919 % 4093) as f32 / 8192.0).collect();
        assert_eq!(ratio(detect(&packed)), Some((1, 8192)));
        let halves: Vec<f32> = (1..500)
            .map(|i| F16::from_f64(f64::from(i).sin() / f64::from(i)).to_f64() as f32)
            .collect();
        assert_eq!(detect(&halves), None);
        let real: Vec<f32> = (1..500).map(|i| (i as f32).sqrt()).collect();
        assert_eq!(detect(&real), None);
        assert_eq!(ratio(detect(&[30_u8, 45, 60])), Some((15, 1)));
        assert_eq!(ratio(detect(&[0_i64; 3])), Some((1, 1)));
    }
}
