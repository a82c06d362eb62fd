//! Integers to values where 32 bits are enough for all that comes between: several times faster.

use super::value::Cell;
use crate::container::model::{Grid, Value};
use crate::kernels::wide::{WideLoop, run_wide};

/// Bases of columns, at most, either way.
const MOST_BASE: i64 = 1 << 29;
/// The largest number that all sums and products are within.
const MOST: i64 = i32::MAX as i64;

/// Returns up to what residuals, either way, the values of columns with such bases and one grid may be
/// computed from by [`short_values`]; 0 where never.
pub(super) fn short_limit(grid: &Grid, bases: &[i64]) -> i32 {
    let base = bases.iter().map(|b| b.saturating_abs()).max().unwrap_or(0);
    let unit = match grid.value {
        Value::Ordered { .. } => return 0,
        Value::Integer { unit } => unit as i64,
        Value::Linear { .. } | Value::Ratio { .. } => 1,
    };
    let step = i64::try_from(grid.step).unwrap_or(i64::MAX);
    let fits = base <= MOST_BASE && (1..=MOST).contains(&unit) && (1..=MOST).contains(&step);
    if !fits || grid.fraction > 29 {
        return 0;
    }
    let half = (1_i64 << grid.fraction) >> 1;
    // What the integer may be, and what it is made of.
    let integer = (MOST / unit - base).max(0);
    let whole =
        if step == 1 << grid.fraction { integer } else { (integer << grid.fraction).min(MOST) };
    let scaled = if step == 1 << grid.fraction { 1 } else { step };
    ((whole - half).max(0) / scaled).min(MOST) as i32
}

/// Computes the values of neighbouring columns that share a grid, from residuals within its limit.
pub(super) fn short_values<T: Cell>(grid: &Grid, base: &[i32], residuals: &[i32], out: &mut [T]) {
    run_wide(Values { grid, base, residuals, out });
}

/// Says whether all residuals are within a limit.
pub(super) fn are_within(limit: i32, residuals: &[i32]) -> bool {
    run_wide(Within { limit, residuals })
}

/// Adds predictions and residuals; says whether all sums are within a limit, else they may be wrong.
pub(super) fn add_within(limit: i32, terms: (&[i32], &[i64]), sums: &mut [i32]) -> bool {
    run_wide(Sums { limit, terms, sums })
}

struct Sums<'a> {
    limit: i32,
    terms: (&'a [i32], &'a [i64]),
    sums: &'a mut [i32],
}

impl WideLoop for Sums<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let limit = i64::from(self.limit);
        let mut beyond = false;
        for ((m, e), sum) in self.terms.0.iter().zip(self.terms.1).zip(self.sums) {
            let exact = i64::from(*m).wrapping_add(*e);
            beyond |= exact > limit;
            beyond |= exact < -limit;
            *sum = exact as i32;
        }
        !beyond
    }
}

struct Within<'a> {
    limit: i32,
    residuals: &'a [i32],
}

impl WideLoop for Within<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let (mut least, mut most) = (0, 0);
        for &e in self.residuals {
            (least, most) = (e.min(least), e.max(most));
        }
        least >= -self.limit && most <= self.limit
    }
}

struct Values<'a, T> {
    grid: &'a Grid,
    base: &'a [i32],
    residuals: &'a [i32],
    out: &'a mut [T],
}

impl<T: Cell> WideLoop for Values<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { grid, base, residuals, out } = self;
        let (step, fraction) = (grid.step as i32, grid.fraction);
        let half = (1 << fraction) >> 1;
        macro_rules! each {
            ($value:expr) => {{
                let cells = base.iter().zip(residuals).zip(out);
                if grid.step == 1 << fraction {
                    for ((base, e), out) in cells {
                        *out = $value(base.wrapping_add(*e));
                    }
                } else {
                    for ((base, e), out) in cells {
                        let t = step.wrapping_mul(*e).wrapping_add(half) >> fraction;
                        *out = $value(base.wrapping_add(t));
                    }
                }
            }};
        }
        match grid.value {
            Value::Integer { unit } => each!(|k: i32| T::from_short(k.wrapping_mul(unit as i32))),
            Value::Linear { offset, unit } => {
                each!(|k: i32| T::from_float(offset + f64::from(k) * unit));
            }
            Value::Ratio { numerator, denominator } => each!(|k: i32| {
                let k = i64::from(k).wrapping_mul(numerator as i64);
                T::from_float(k as f64 / denominator as f64)
            }),
            Value::Ordered { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::F16;

    fn check<T: Cell>(grid: &Grid) {
        let base = [0, -70_000, 12, 3, 1 << 28];
        let limit = short_limit(grid, &base);
        if limit == 0 {
            return;
        }
        let short = base.map(|b| b as i32);
        for scale in [1, 7, 1000, 90_000_000] {
            let residuals = [-2, -1, 0, 1, 3].map(|e| (e * scale).clamp(-limit, limit));
            assert!(are_within(limit, &residuals));
            let mut found = [T::from_integer(0); 5];
            short_values(grid, &short, &residuals, &mut found);
            for i in 0..5 {
                let value: T = grid.value(base[i], 0, i64::from(residuals[i]));
                assert!(found[i].same(value), "{grid:?}, {limit}, {}", residuals[i]);
            }
        }
        assert!(!are_within(limit, &[0, i32::MAX]) || limit == i32::MAX);
        let terms = [1, i64::from(limit) - 1, -7, i64::MAX, i64::MIN];
        for (m, e) in [1, 2, 0, i32::MAX, i32::MIN].into_iter().zip(terms) {
            let exact = i128::from(m) + i128::from(e);
            let mut sum = [0];
            if add_within(limit, (&[m], &[e]), &mut sum) {
                assert_eq!(exact, i128::from(sum[0]));
                assert!(exact.unsigned_abs() <= limit as u128);
            } else {
                assert!(exact.unsigned_abs() > limit as u128);
            }
        }
    }

    #[test]
    fn values_are_those_of_long_arithmetic() {
        for (step, fraction) in [(1, 0), (8, 3), (11, 0), (13, 3), (1 << 20, 8), (77, 29), (1, 40)]
        {
            for unit in [1, 3, 1 << 20] {
                let grid = Grid { value: Value::Integer { unit }, fraction, step };
                check::<u8>(&grid);
                check::<i8>(&grid);
                check::<u16>(&grid);
                check::<i32>(&grid);
                check::<u32>(&grid);
                check::<u64>(&grid);
                let value = Value::Ratio { numerator: unit, denominator: 7 };
                check::<f64>(&Grid { value, fraction, step });
            }
            let value = Value::Linear { offset: -3.25, unit: 0.1 };
            let grid = Grid { value, fraction, step };
            check::<f32>(&grid);
            check::<F16>(&grid);
            assert_eq!(short_limit(&grid, &[1 << 30]), 0);
        }
    }
}
