//! Each column's arithmetic: grid, bound, centre and scale.

use crate::codec::bound::holds;
use crate::codec::value::{Cell, with_cell};
use crate::container::model::{Grid, Value};
use crate::fit::data::grid;
use crate::fit::data::sample::Sample;
use crate::matrix::{DType, from_little_endian};

/// Bits of prediction below a residual's step.
const FRACTION: u32 = 8;

/// How values may deviate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tolerance {
    /// A bound for each column; 0 for exact.
    Bounds(Vec<f64>),
    /// No bound; errors of about this size in every column, in the data's units.
    Step(f64),
}

/// What was chosen for a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ColumnPlan {
    pub(crate) grid: Grid,
    /// Integer of the grid at the centre.
    pub(crate) base: i64,
    /// The value that `base` gives, as the network sees it.
    pub(crate) centre: f64,
    /// Size of one residual step in the data's units; 0 leaves the column to the residual.
    pub(crate) scale: f64,
    /// Size of one unit of the prediction, in residual steps.
    pub(crate) unit: f64,
    /// Bound on the error; infinite for none.
    pub(crate) bound: f64,
    /// Normalised values beyond this are clipped before the network sees them.
    pub(crate) clip: f64,
}

/// Plans every column from a sample of the rows.
pub(crate) fn plan(sample: &Sample, tolerance: &Tolerance) -> Vec<ColumnPlan> {
    with_cell!(sample.schema.dtype, T => plan_typed::<T>(sample, tolerance))
}

fn plan_typed<T: Cell>(sample: &Sample, tolerance: &Tolerance) -> Vec<ColumnPlan> {
    use rayon::prelude::*;
    let width = sample.schema.width();
    let mut cells = vec![T::zeroed(); sample.bytes.len() / size_of::<T>()];
    from_little_endian(&sample.bytes, &mut cells);
    let rows = cells.len() / width;
    // Enough for quantiles and grids; every row where bounds are tight would not change them.
    let every = rows.div_ceil(2048).max(1);
    (0..width)
        .into_par_iter()
        .map(|j| {
            let values: Vec<T> = (0..rows).step_by(every).map(|i| cells[i * width + j]).collect();
            let spread = Spread::of(&values);
            match tolerance {
                Tolerance::Bounds(bounds) => {
                    bounded::<T>(&values, &spread, bounds[j], sample.total)
                }
                Tolerance::Step(step) => unbounded(T::DTYPE, &spread, *step),
            }
        })
        .collect()
}

/// Mean variance of the columns, and the range of all values, wild ones left out.
pub(crate) fn scale(sample: &Sample) -> (f64, f64) {
    with_cell!(sample.schema.dtype, T => {
        let width = sample.schema.width();
        let mut cells = vec![<T as bytemuck::Zeroable>::zeroed(); sample.bytes.len() / size_of::<T>()];
        from_little_endian(&sample.bytes, &mut cells);
        let rows = cells.len() / width;
        let every = rows.div_ceil(512).max(1);
        let (mut sum, mut low, mut high) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
        for j in 0..width {
            let values: Vec<T> = (0..rows).step_by(every).map(|i| cells[i * width + j]).collect();
            let s = Spread::of(&values);
            let inside = |v: &T| v.to_f64().clamp(s.centre - s.reach, s.centre + s.reach);
            let finite = values.iter().filter(|v| v.is_ordinary()).map(inside);
            let (n, q) = finite.fold((0.0, 0.0), |(n, q), x| {
                low = x.min(low);
                high = x.max(high);
                (n + 1.0, q + (x - s.centre) * (x - s.centre))
            });
            sum += q / f64::max(n, 1.0);
        }
        (sum / width as f64, (high - low).max(0.0))
    })
}

/// Where a column's ordinary values lie, without being led astray by a few wild ones.
#[derive(Debug, Clone, Copy)]
struct Spread {
    centre: f64,
    /// Half width of an interval that holds nearly all.
    reach: f64,
    /// Largest magnitude of any.
    largest: f64,
}

impl Spread {
    fn of<T: Cell>(values: &[T]) -> Self {
        let mut x: Vec<f64> =
            values.iter().filter(|v| v.is_ordinary()).map(|v| v.to_f64()).collect();
        if x.is_empty() {
            return Self { centre: 0.0, reach: 0.0, largest: 0.0 };
        }
        x.sort_unstable_by(f64::total_cmp);
        let at = |q: f64| x[(q * (x.len() - 1) as f64) as usize];
        let (low, high) = (at(0.02), at(0.98));
        let mut reach = 6.0 * (high / 2.0 - low / 2.0);
        if reach == 0.0 {
            // A column that is nearly constant: its few deviations count.
            reach = x[x.len() - 1] / 2.0 - x[0] / 2.0;
        }
        let middle = low / 2.0 + high / 2.0;
        let inside = x.iter().map(|v| v.clamp(middle - reach, middle + reach));
        // Rounding must not carry the mean of the largest numbers beyond them.
        let mean: f64 = inside.map(|v| v / x.len() as f64).sum();
        let centre = mean.clamp(x[0], x[x.len() - 1]);
        let largest = x[0].abs().max(x[x.len() - 1].abs());
        Self { centre, reach: reach.max(0.0), largest }
    }
}

/// The base nearest to the centre, coarse enough not to cost more than it helps: a base that is
/// off by `c` steps costs about `c²` bits a row.
fn coarse_base(exact: f64, step: f64, rows: usize) -> i64 {
    let grain = (step / (rows as f64).sqrt().max(1.0)).log2().floor().clamp(0.0, 60.0).exp2();
    let base = (exact / grain).round_ties_even() * grain;
    if base.abs() < 2_f64.powi(62) { base as i64 } else { 0 }
}

fn bounded<T: Cell>(values: &[T], spread: &Spread, bound: f64, rows: usize) -> ColumnPlan {
    // Twice a bound must be finite.
    let bound = bound.min(f64::MAX / 8.0);
    let finish = |grid: Grid, counts: f64, scale: f64| {
        let base = coarse_base(counts, grid.step as f64, rows);
        let centre = grid.at::<T>(base).to_f64();
        let clip = spread.reach / scale.max(f64::MIN_POSITIVE);
        let unit = 1.0 / f64::from(1_u32 << grid.fraction);
        ColumnPlan { grid, base, centre, scale, unit, bound, clip: clip.clamp(1.0, 1e15) }
    };
    let fraction = |steps: f64| {
        // Predictions are 32-bit; wide columns get fewer bits below the step.
        let spare = 29.0 - (steps.max(1.0)).log2().ceil();
        (spare.max(0.0) as u32).min(FRACTION)
    };
    if let Some(m) = grid::detect(values) {
        let size = m.size();
        let mut n = (bound / size * (1.0 + 1e-12)).floor().min(2_f64.powi(50)).max(0.0) as u64;
        if n > 0 && !reaches(values, m, n as i64, bound) {
            n -= 1;
        }
        let step = 2 * n + 1;
        let width = step as f64 * size;
        let real = if T::DTYPE.is_float() { 2.0 * bound } else { 0.0 };
        if width >= real * 0.999 {
            let f = fraction(spread.reach / width);
            return finish(m.grid(T::DTYPE.is_float(), f, step), spread.centre / size, width);
        }
    }
    // Rounding to the type takes up to half a unit in the last place of the bound.
    let ulp = last_place::<T>(spread.largest.max(spread.centre.abs()));
    let usable = bound - 0.5 * ulp;
    if usable < 2.0 * ulp || usable <= 0.0 {
        return ordered::<T>(spread, bound);
    }
    let f = fraction(spread.reach / usable);
    let unit = truncate(2.0 * usable / f64::from(1_u32 << f), rows);
    let step = 1_u64 << f;
    let counts = spread.centre / unit;
    let far = counts.abs() > 2_f64.powi(40);
    let offset = if far { spread.centre } else { 0.0 };
    let grid = Grid { value: Value::Linear { offset, unit }, fraction: f, step };
    finish(grid, if far { 0.0 } else { counts }, unit * step as f64)
}

/// Every representable number is a step of its own: for bounds below their distance.
fn ordered<T: Cell>(spread: &Spread, bound: f64) -> ColumnPlan {
    // A linear prediction helps where those distances are alike all over the column.
    let alike = spread.centre.abs() > 1.2 * spread.reach / 3.0 && spread.reach > 0.0;
    let scale = last_place::<T>(spread.centre);
    if !alike || scale == 0.0 {
        let grid = Grid { value: Value::Ordered { offset: 0.0, unit: 0.0 }, fraction: 0, step: 1 };
        return ColumnPlan { grid, base: 0, centre: 0.0, scale: 0.0, unit: 1.0, bound, clip: 1.0 };
    }
    // Predictions are 32-bit.
    let unit = (spread.reach / scale / 2_f64.powi(27)).log2().ceil().max(0.0).exp2();
    let offset = T::from_float(spread.centre).to_f64();
    let value = Value::Ordered { offset, unit: unit * scale };
    let clip = (spread.reach / scale).clamp(1.0, 1e15);
    let grid = Grid { value, fraction: 0, step: 1 };
    ColumnPlan { grid, base: 0, centre: offset, scale, unit, bound, clip }
}

/// Whether values `n` counts away are within `bound`, after rounding, nearly always.
fn reaches<T: Cell>(values: &[T], m: grid::Multiple, n: i64, bound: f64) -> bool {
    let grid = m.grid(T::DTYPE.is_float(), 0, 1);
    if !T::DTYPE.is_float() {
        return n as f64 * m.size() <= bound;
    }
    let mut tried = 0;
    let mut failed = 0;
    for v in values.iter().filter(|v| v.is_ordinary()).take(256) {
        let k = (v.to_f64() * m.denominator as f64 / m.numerator as f64).round_ties_even() as i64;
        if !grid.at::<T>(k).same(*v) {
            continue;
        }
        tried += 2;
        failed += usize::from(!holds(*v, grid.at(k.saturating_add(n)), bound));
        failed += usize::from(!holds(*v, grid.at(k.saturating_sub(n)), bound));
    }
    failed * 200 <= tried
}

/// Distance from `x` to the next value of the type.
fn last_place<T: Cell>(x: f64) -> f64 {
    if !T::DTYPE.is_float() {
        return 0.0;
    }
    let k = T::from_float(x).to_order();
    (T::from_order(k).to_f64() - T::from_order(k.saturating_sub(1)).to_f64()).abs()
}

/// `x` with as many leading bits as its rows can pay for, rounded down.
fn truncate(x: f64, rows: usize) -> f64 {
    let bits = (rows.max(1).ilog2() + 6).min(52);
    let cut = f64::from_bits(x.to_bits() & (u64::MAX << (52 - bits)));
    if cut > 0.0 { cut } else { x }
}

fn unbounded(dtype: DType, spread: &Spread, step: f64) -> ColumnPlan {
    // Predictions are made in 1/256 of a power of two near the step, or of an integer.
    let mut scale = step.log2().floor().clamp(-1000.0, 900.0).exp2();
    let widest = 2_f64.powi(20);
    scale = scale.max((spread.reach / widest).log2().ceil().clamp(-1000.0, 900.0).exp2());
    let value = if dtype.is_float() {
        Value::Linear { offset: 0.0, unit: scale / f64::from(1_u32 << FRACTION) }
    } else {
        scale = scale.max(1.0);
        Value::Integer { unit: 1 }
    };
    let grid = if dtype.is_float() {
        Grid { value, fraction: FRACTION, step: 1 << FRACTION }
    } else {
        Grid { value, fraction: FRACTION, step: scale as u64 }
    };
    let unit = scale / if dtype.is_float() { f64::from(1_u32 << FRACTION) } else { scale };
    let base = (spread.centre / unit).round_ties_even();
    let base = if base.abs() < 2_f64.powi(62) { base as i64 } else { 0 };
    let clip = (spread.reach / scale).clamp(1.0, 1e15);
    let centre = base as f64 * unit;
    let unit = 1.0 / f64::from(1_u32 << FRACTION);
    ColumnPlan { grid, base, centre, scale, unit, bound: f64::INFINITY, clip }
}
