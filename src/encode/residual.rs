//! Residuals: what must be added to the prediction so that the decoded value keeps its bound.
//!
//! Every value is decoded here with the decoder's own arithmetic and checked. What fails is
//! listed to be stored exactly; its residual is still coded, so no neighbour notices.

use crate::codec::bound;
use crate::codec::program::Program;
use crate::codec::value::{Cell, carry};
use crate::container::model::{Grid, Value};
use crate::encode::Symbols;

/// Makes residuals row after row.
pub(crate) struct Residuals<'a> {
    program: &'a Program,
    bounds: &'a [f64],
    /// Residuals of the last row in fine units.
    e: Vec<i64>,
    /// The last row as decoded, in `f64`, for measuring.
    decoded: Vec<f64>,
    /// Whether the classes code residuals at all.
    coded: bool,
    /// Columns that no class can give a residual.
    mute: Vec<bool>,
    /// Columns' bases, where all can go the fast way.
    fast: Option<Vec<f64>>,
    /// Rounded residuals of the fast way.
    rounded: Vec<f64>,
}

impl<'a> Residuals<'a> {
    pub(crate) fn new(program: &'a Program, bounds: &'a [f64]) -> Self {
        let width = program.record.width();
        let mute: Vec<bool> = (0..width).map(|j| program.silent.iter().all(|c| c[j])).collect();
        let coded = program.record.classes.quantum.iter().any(|&q| q >= 0);
        let plain = program
            .runs
            .iter()
            .all(|(_, g)| matches!(g.value, Value::Linear { .. }) && g.step == 1 << g.fraction);
        let fast = plain && coded && !program.temporal && !mute.contains(&true);
        let bases = || program.record.base.iter().map(|&b| b as f64).collect();
        Self {
            fast: fast.then(bases),
            rounded: vec![0.0; width],
            program,
            bounds,
            e: vec![0; width],
            decoded: vec![0.0; width],
            coded,
            mute,
        }
    }

    /// Makes the residuals of one row with predictions `m`.
    pub(crate) fn row<T: Cell>(
        &mut self,
        (i, row): (usize, &[T]),
        m: &[i32],
        symbols: &mut Symbols,
    ) {
        let p = self.program;
        let first = i * row.len();
        if self.coded {
            symbols.residuals.resize(first + row.len(), 0);
        }
        if self.fast_row(row, m) {
            let out = &mut symbols.residuals[first..];
            for (r, x) in out.iter_mut().zip(&self.rounded) {
                *r = integer(*x);
            }
            return;
        }
        for (range, grid) in &p.runs {
            let inverse = inverse(grid);
            for j in range.clone() {
                let (x, base) = (row[j], p.record.base[j]);
                let carried = if p.temporal { carry(p.record.temporal[j], self.e[j]) } else { 0 };
                let step = p.steps[j];
                let mut r = 0;
                if self.coded && !self.mute[j] {
                    // The least integer is what no table says.
                    r = nearest(grid, inverse, x, base, m[j], carried).max(-i64::MAX);
                }
                let e = |r: i64| carried.wrapping_add(r.wrapping_mul(step));
                let value = |r: i64| grid.value::<T>(base, m[j], e(r));
                let bound = self.bounds[j];
                let y = value(r);
                self.decoded[j] = y.to_f64();
                if !accepted(x, y, bound) {
                    // Rounding may have put the value just beyond; a neighbour may do.
                    let near = [r.wrapping_sub(1), r.wrapping_add(1)];
                    let mut near = near.into_iter().filter(|&r| r != i64::MIN);
                    let other = near.find(|&r| accepted(x, value(r), bound));
                    match other.filter(|_| self.coded && !self.mute[j] && x.is_ordinary()) {
                        Some(other) => {
                            r = other;
                            self.decoded[j] = value(r).to_f64();
                        }
                        None => {
                            symbols.escapes.push((first + j) as u64);
                            self.decoded[j] = x.to_f64();
                        }
                    }
                }
                if self.coded {
                    symbols.residuals[first + j] = r;
                }
                self.e[j] = e(r);
            }
        }
    }

    /// The common case as vector code: all columns linear, nothing carried over, every value
    /// within its bound. False, and nothing done, where that does not hold.
    ///
    /// All integers here are below 2^52 and so exact as `f64`: the values are the decoder's.
    fn fast_row<T: Cell>(&mut self, row: &[T], m: &[i32]) -> bool {
        let Some(bases) = &self.fast else { return false };
        let mut good = true;
        for (range, grid) in &self.program.runs {
            let Value::Linear { offset, unit } = grid.value else { return false };
            let (inverse, step) = (1.0 / unit, grid.step as f64);
            let inverse_step = 1.0 / step;
            let j = range.clone();
            let columns = bases[j.clone()].iter().zip(&m[j.clone()]).zip(&self.bounds[j.clone()]);
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

    /// The last row as decoded, in `f64`; what is stored exactly counts as exact.
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

/// Integers `k` per value, for the grids that need it.
fn inverse(grid: &Grid) -> f64 {
    match grid.value {
        Value::Linear { unit, .. } => 1.0 / unit,
        Value::Ratio { numerator, denominator } => denominator as f64 / numerator as f64,
        _ => 0.0,
    }
}

/// The residual, in steps, that brings the value nearest to `x`.
#[inline(always)]
fn nearest<T: Cell>(grid: &Grid, inverse: f64, x: T, base: i64, m: i32, carried: i64) -> i64 {
    let t = i64::from(m).wrapping_add(carried);
    match grid.value {
        Value::Ordered { offset, unit } => {
            let predicted = T::from_float(offset + f64::from(m) * unit).to_order();
            let p = base.wrapping_add(predicted).wrapping_add(carried);
            x.to_order().wrapping_sub(p)
        }
        Value::Linear { offset, .. } if grid.step == 1 << grid.fraction => {
            let k = (x.to_f64() - offset) * inverse - base as f64;
            let steps = (k - t as f64) * (1.0 / grid.step as f64);
            round(steps)
        }
        Value::Integer { unit } => {
            let unit = (unit as i64).max(1);
            let k = round_divide(x.to_integer().wrapping_sub(base.wrapping_mul(unit)), unit);
            round_divide(k.wrapping_sub(grid.integer(t)), grid.step as i64)
        }
        Value::Linear { offset, .. } => {
            let k = round((x.to_f64() - offset) * inverse);
            round_divide(k.wrapping_sub(base).wrapping_sub(grid.integer(t)), grid.step as i64)
        }
        Value::Ratio { .. } => {
            let k = round(x.to_f64() * inverse);
            round_divide(k.wrapping_sub(base).wrapping_sub(grid.integer(t)), grid.step as i64)
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
