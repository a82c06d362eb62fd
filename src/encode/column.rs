//! One value's residual: the integer that brings the decoded value nearest.

use crate::codec::bound;
use crate::codec::value::Cell;
use crate::container::model::{Grid, Value};

/// 1.5 · 2^52: adding it to a smaller number leaves the nearest integer in the lower bits.
pub(super) const MAGIC: f64 = 6_755_399_441_055_744.0;
/// Integers below are exact, with room for their sums.
pub(super) const EXACT: f64 = 1e15;

/// Residuals beyond this, about 2^62, are not worth coding.
const LARGEST: f64 = 4e18;

/// A residual and the value that it gives.
pub(super) struct Coded<T> {
    pub(super) residual: i64,
    /// The decoded value; `None` where no residual gives one within the bound.
    pub(super) value: Option<T>,
}

/// Returns whether the decoder may give `y` for `x`.
#[inline(always)]
pub(super) fn accepted<T: Cell>(x: T, y: T, bound: f64) -> bool {
    // Nearly always decided at once; ties, zeros and the special ones go the exact way.
    let d = (x.to_f64() - y.to_f64()).abs();
    if T::DTYPE.size() < 8 && d < bound {
        return true;
    }
    if bound == f64::INFINITY { x.is_ordinary() } else { bound::holds(x, y, bound) }
}

/// Returns whether the grid's integers are the fine units of predictions.
pub(super) fn is_fine(grid: &Grid) -> bool {
    grid.step == 1 << grid.fraction
}

/// Returns integers per value, for the grids that need it.
pub(super) fn inverse(grid: &Grid) -> f64 {
    match grid.value {
        Value::Linear { unit, .. } => 1.0 / unit,
        Value::Ratio { numerator, denominator } => denominator as f64 / numerator as f64,
        _ => 0.0,
    }
}

/// One column of one row: what the decoder computes with.
pub(super) struct Column<'a> {
    pub(super) grid: &'a Grid,
    /// Integers per value, for the grids that need it.
    pub(super) inverse: f64,
    /// Integer that all of the column's integers count from.
    pub(super) base: i64,
    /// Prediction from the latents, in fine units.
    pub(super) predicted: i32,
    /// What carries over from the last row, in fine units.
    pub(super) carried: i64,
    /// Fine units of one residual step.
    pub(super) step: i64,
}

impl Column<'_> {
    /// Finds the residual for `x`; it is 0 where no class has one for the column.
    #[inline]
    pub(super) fn code<T: Cell>(&self, x: T, bound: f64, has_residual: bool) -> Coded<T> {
        // No table has a code for the least integer.
        let residual = if has_residual { self.nearest(x).max(-i64::MAX) } else { 0 };
        let value: T = self.value(residual);
        if accepted(x, value, bound) {
            return Coded { residual, value: Some(value) };
        }
        if has_residual && x.is_ordinary() {
            // Rounding may have put the value just beyond its bound; a neighbour may do.
            for residual in [residual.wrapping_sub(1), residual.wrapping_add(1)] {
                let value = self.value(residual);
                if residual != i64::MIN && accepted(x, value, bound) {
                    return Coded { residual, value: Some(value) };
                }
            }
        }
        Coded { residual, value: None }
    }

    /// Returns what is added to the prediction, in fine units.
    pub(super) fn difference(&self, residual: i64) -> i64 {
        self.carried.wrapping_add(residual.wrapping_mul(self.step))
    }

    fn value<T: Cell>(&self, residual: i64) -> T {
        self.grid.value(self.base, self.predicted, self.difference(residual))
    }

    /// Returns the residual, in steps, that brings the value nearest to `x`.
    #[inline(always)]
    fn nearest<T: Cell>(&self, x: T) -> i64 {
        let Self { grid, inverse, base, carried, .. } = *self;
        let fine = i64::from(self.predicted).wrapping_add(carried);
        let steps = |k: i64| {
            let difference = k.wrapping_sub(base).wrapping_sub(grid.integer(fine));
            round_divide(difference, grid.step as i64)
        };
        match grid.value {
            Value::Ordered { offset, unit } => {
                let predicted = T::from_float(offset + f64::from(self.predicted) * unit).to_order();
                let p = base.wrapping_add(predicted).wrapping_add(carried);
                x.to_order().wrapping_sub(p)
            }
            Value::Linear { offset, .. } if is_fine(grid) => {
                let k = (x.to_f64() - offset) * inverse - base as f64;
                round((k - fine as f64) * (1.0 / grid.step as f64))
            }
            Value::Integer { unit } => {
                let unit = (unit as i64).max(1);
                let k = round_divide(x.to_integer().wrapping_sub(base.wrapping_mul(unit)), unit);
                round_divide(k.wrapping_sub(grid.integer(fine)), grid.step as i64)
            }
            Value::Linear { offset, .. } => steps(round((x.to_f64() - offset) * inverse)),
            Value::Ratio { .. } => steps(round(x.to_f64() * inverse)),
        }
    }
}

/// Returns the integer nearest to `x`, which is below [`EXACT`].
#[inline(always)]
pub(super) fn integer(x: f64) -> i64 {
    ((x + MAGIC).to_bits() as i64).wrapping_sub(MAGIC.to_bits() as i64)
}

/// Rounds to the nearest integer; 0 where there is none that fits.
#[inline(always)]
pub(super) fn round(x: f64) -> i64 {
    if x.abs() < EXACT {
        return integer(x);
    }
    if x.abs() < LARGEST { x as i64 } else { 0 }
}

/// Returns `a / b` rounded to nearest, halves away from zero, for `b > 0`.
#[inline(always)]
fn round_divide(a: i64, b: i64) -> i64 {
    if b <= 1 {
        return a;
    }
    let q = a / b;
    let rest = (a % b).unsigned_abs();
    if rest >= b as u64 - rest { q + a.signum() } else { q }
}
