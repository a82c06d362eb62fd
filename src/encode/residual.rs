//! Residuals: what must be added to the prediction so that the decoded value keeps its bound.
//!
//! Every value is decoded here with the decoder's own arithmetic and checked. A value that fails is
//! listed to be stored exactly; its residual is still coded, since the next row's may depend on it.

use crate::codec::bound;
use crate::codec::program::Program;
use crate::codec::value::{Cell, carry};
use crate::container::model::{Grid, Value};
use crate::encode::symbols::Symbols;

/// Makes residuals row after row, from the beginning of a block.
pub(crate) struct ResidualCoder<'a> {
    program: &'a Program,
    bounds: &'a [f64],
    /// The last row's difference between value and prediction in each column, in fine units.
    carried_from: Vec<i64>,
    /// The last row as decoded, in the data's units.
    decoded: Vec<f64>,
    /// Whether any class has a residual for each column.
    coded: Vec<bool>,
    /// Whether any class has residuals at all.
    has_residuals: bool,
    /// Columns' bases, where all columns can go the fast way.
    fast: Option<Vec<f64>>,
    /// The last row's residuals in steps, of the fast way.
    rounded: Vec<f64>,
}

/// A residual and the value that it gives.
struct Coded<T> {
    residual: i64,
    /// The decoded value; `None` where no residual gives one within the bound.
    value: Option<T>,
}

impl<'a> ResidualCoder<'a> {
    /// Prepares for the rows of a block; `bounds` are each column's largest error in the data's
    /// units, infinite for none.
    pub(crate) fn new(program: &'a Program, bounds: &'a [f64]) -> Self {
        let width = program.record.width();
        let has_residuals = program.record.classes.quantum.iter().any(|&q| q >= 0);
        let coded: Vec<bool> = (0..width)
            .map(|j| has_residuals && program.silent.iter().any(|class| !class[j]))
            .collect();
        let is_plain = |g: &Grid| matches!(g.value, Value::Linear { .. }) && is_fine(g);
        let plain = program.runs.iter().all(|(_, g)| is_plain(g));
        let fast = plain && !program.temporal && coded.iter().all(|c| *c);
        let bases = || program.record.base.iter().map(|&b| b as f64).collect();
        Self {
            fast: fast.then(bases),
            rounded: vec![0.0; width],
            program,
            bounds,
            carried_from: vec![0; width],
            decoded: vec![0.0; width],
            coded,
            has_residuals,
        }
    }

    /// Makes the residuals of `row`, row `i` of the block, whose predictions in fine units are
    /// `predicted`.
    pub(crate) fn row<T: Cell>(
        &mut self,
        i: usize,
        row: &[T],
        predicted: &[i32],
        symbols: &mut Symbols,
    ) {
        let first = i * row.len();
        if self.has_residuals {
            symbols.residuals.resize(first + row.len(), 0);
        }
        if self.fast_row(row, predicted) {
            let out = &mut symbols.residuals[first..];
            for (r, x) in out.iter_mut().zip(&self.rounded) {
                *r = integer(*x);
            }
            return;
        }
        let p = self.program;
        for (range, grid) in &p.runs {
            let inverse = inverse(grid);
            for j in range.clone() {
                let from = self.carried_from[j];
                let carried = if p.temporal { carry(p.record.temporal[j], from) } else { 0 };
                let column = Column {
                    grid,
                    inverse,
                    base: p.record.base[j],
                    predicted: predicted[j],
                    carried,
                    step: p.steps[j],
                };
                let Coded { residual, value } = column.code(row[j], self.bounds[j], self.coded[j]);
                if value.is_none() {
                    symbols.escapes.push((first + j) as u64);
                }
                self.decoded[j] = value.unwrap_or(row[j]).to_f64();
                if self.has_residuals {
                    symbols.residuals[first + j] = residual;
                }
                self.carried_from[j] = column.difference(residual);
            }
        }
    }

    /// Makes the residuals of a row in the common case, as vector code: all columns linear, nothing
    /// carried over, every value within its bound. Returns false where that does not hold.
    ///
    /// All integers here are below 2^52 and so exact as `f64`: the values are the decoder's.
    fn fast_row<T: Cell>(&mut self, row: &[T], predicted: &[i32]) -> bool {
        let Some(bases) = &self.fast else { return false };
        let mut good = true;
        for (range, grid) in &self.program.runs {
            let Value::Linear { offset, unit } = grid.value else { return false };
            let (inverse, step) = (1.0 / unit, grid.step as f64);
            let inverse_step = 1.0 / step;
            let j = range.clone();
            let columns =
                bases[j.clone()].iter().zip(&predicted[j.clone()]).zip(&self.bounds[j.clone()]);
            let out = self.rounded[j.clone()].iter_mut().zip(&mut self.decoded[j.clone()]);
            for ((x, ((base, m), bound)), (rounded, decoded)) in row[j].iter().zip(columns).zip(out)
            {
                let (x, p) = (x.to_f64(), base + f64::from(*m));
                let t = ((x - offset) * inverse - p) * inverse_step;
                let r = (t + MAGIC) - MAGIC;
                let k = p + r * step;
                let y = T::from_float(offset + k * unit).to_f64();
                good &= (x - y).abs() < *bound;
                good &= k.abs() < EXACT && p.abs() < EXACT && t.abs() < EXACT;
                *rounded = r;
                *decoded = y;
            }
        }
        good && T::DTYPE.size() < 8
    }

    /// Returns the last row as decoded, in the data's units; values stored exactly are exact.
    pub(crate) fn decoded(&self) -> &[f64] {
        &self.decoded
    }
}

/// Whether the decoder may give `y` for `x`.
#[inline(always)]
fn accepted<T: Cell>(x: T, y: T, bound: f64) -> bool {
    // Nearly always decided at once; ties, zeros and the special ones go the exact way.
    let d = (x.to_f64() - y.to_f64()).abs();
    if T::DTYPE.size() < 8 && d < bound {
        return true;
    }
    if bound == f64::INFINITY { x.is_ordinary() } else { bound::holds(x, y, bound) }
}

/// Whether the grid's integers are the fine units of predictions.
fn is_fine(grid: &Grid) -> bool {
    grid.step == 1 << grid.fraction
}

/// Integers per value, for the grids that need it.
fn inverse(grid: &Grid) -> f64 {
    match grid.value {
        Value::Linear { unit, .. } => 1.0 / unit,
        Value::Ratio { numerator, denominator } => denominator as f64 / numerator as f64,
        _ => 0.0,
    }
}

/// One column of one row: what the decoder computes with.
struct Column<'a> {
    grid: &'a Grid,
    /// Integers per value, for the grids that need it.
    inverse: f64,
    base: i64,
    /// Prediction from the latents, in fine units.
    predicted: i32,
    /// What carries over from the last row, in fine units.
    carried: i64,
    /// Fine units of one residual step.
    step: i64,
}

impl Column<'_> {
    /// Finds the residual for `x`; it is 0 where no class has one for the column.
    #[inline]
    fn code<T: Cell>(&self, x: T, bound: f64, has_residual: bool) -> Coded<T> {
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
    fn difference(&self, residual: i64) -> i64 {
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
            Value::Linear { offset, .. } => {
                let k = round((x.to_f64() - offset) * inverse);
                round_divide(
                    k.wrapping_sub(base).wrapping_sub(grid.integer(fine)),
                    grid.step as i64,
                )
            }
            Value::Ratio { .. } => {
                let k = round(x.to_f64() * inverse);
                round_divide(
                    k.wrapping_sub(base).wrapping_sub(grid.integer(fine)),
                    grid.step as i64,
                )
            }
        }
    }
}

/// 1.5 · 2^52: adding it to a smaller number leaves the nearest integer in the lower bits.
const MAGIC: f64 = 6_755_399_441_055_744.0;
/// Integers below are exact, with room for their sums.
const EXACT: f64 = 1e15;

/// The integer nearest to `x`, which is below [`EXACT`].
#[inline(always)]
fn integer(x: f64) -> i64 {
    ((x + MAGIC).to_bits() as i64).wrapping_sub(MAGIC.to_bits() as i64)
}

/// To the nearest integer; 0 where there is none that fits.
#[inline(always)]
pub(super) fn round(x: f64) -> i64 {
    if x.abs() < EXACT {
        return integer(x);
    }
    // Beyond 2^62 a residual is not worth coding.
    if x.abs() < 4e18 { x as i64 } else { 0 }
}

/// `a / b` rounded to nearest, halves away from zero, for `b > 0`.
#[inline(always)]
fn round_divide(a: i64, b: i64) -> i64 {
    if b <= 1 {
        return a;
    }
    let q = a / b;
    let rest = (a % b).unsigned_abs();
    if rest >= b as u64 - rest { q + a.signum() } else { q }
}
