//! Each column's arithmetic: grid, bound, centre and scale.

use crate::codec::bound::holds;
use crate::codec::value::{Cell, with_cell};
use crate::container::model::{Grid, Value};
use crate::encode::project::{Projection, cells};
use crate::fit::data::exceptions::detect_most;
use crate::fit::data::grid::{Multiple, detect};
use crate::fit::data::sample::Sample;
use crate::fit::data::spread::{Spread, some_neighbours, some_of_column};
use crate::matrix::DType;
use rayon::prelude::*;

/// Bits of a prediction below a residual's step: rounding predictions to 1/256 of a step costs
/// residuals nothing that can be measured, rounding them to whole steps nearly half their size on
/// spectra.
const FRACTION: u32 = 8;
/// Bits of a prediction's magnitude, of 32: columns of many steps get fewer bits below the step.
const PREDICTION_BITS: u32 = 29;
/// The same for columns that are counted in representable numbers, and so predicted in coarser
/// units.
const ORDERED_BITS: i32 = 27;
/// Rows that grids and spreads are taken from. Half: up to 0.1 % larger
/// at level 1, up to 1.7 % at level 3; double: up to 0.1 % smaller.
const PLAN_ROWS: usize = 2048;
/// Values that all columns together are planned by.
const ALIKE_VALUES: usize = 1 << 15;
/// Width of a step of whole multiples, as a share of the step that the bound allows real numbers,
/// from which on multiples are counted. 0.9: ECG is 2 % larger, air 0.2 % smaller;
/// 0.5: 2 % and 1.5 % larger.
const GRID_WIDTH: f64 = 0.999;
/// Share of a bound that a decimal's nearest `f64` may fall short by.
const DECIMAL_ERROR: f64 = 1e-12;
/// Values that are tried to see whether a step of multiples keeps the bound once rounded to the
/// type, and the share of tries that may fail: these are stored exactly. None or
/// 2 %: the same files.
const TRIED: usize = 256;
const MAY_FAIL: f64 = 0.005;
/// Units in the last place of the largest values that a bound must have for real numbers to be coded
/// in steps; below, representable numbers are counted.
const LEAST_ULPS: f64 = 2.0;
/// Distance of a column's centre from 0, in its half widths, from which on a column counted in
/// representable numbers has a prediction: nearer to 0 the distance of these numbers varies too much.
/// Half or double: the same files.
const FAR_FROM_ZERO: f64 = 0.4;
/// Bits of a step beyond those that the rows' number pays for: an error of `2^-bits` of the step adds
/// up to that share of a column's range. 4 or 10: within 0.1 %.
const UNIT_BITS: u32 = 6;
/// Steps of a column without a bound, at most: predictions have 32 bits.
const WIDEST: f64 = 1_048_576.0;
/// Largest magnitude of a column's base: sums with predictions and residuals stay in 64 bits.
const LARGEST_BASE: f64 = 4_611_686_018_427_387_904.0;
/// Counts of the centre from which on it becomes the grid's offset: `f64` has 53 bits.
const LARGEST_COUNT: f64 = 1_099_511_627_776.0;
/// Exponents of a step without a bound: what neither overflows nor vanishes in sums of squares.
const STEP_EXPONENTS: [f64; 2] = [-1000.0, 900.0];
/// Largest clip of a normalised value.
const LARGEST_CLIP: f64 = 1e15;

/// How values may deviate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tolerance {
    /// At most by a bound for each column, in the data's units; 0 for exact.
    Bounds(Vec<f64>),
    /// Without bound, and by about this much in every column, in the data's units.
    Step(f64),
}

/// What was chosen for a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ColumnPlan {
    /// How integers become values.
    pub(crate) grid: Grid,
    /// The grid's integer at the centre.
    pub(crate) base: i64,
    /// The value that `base` gives, in the data's units: what normalised values count from.
    pub(crate) centre: f64,
    /// One residual step in the data's units; 0 leaves the column to the residual.
    pub(crate) scale: f64,
    /// Bound on the error in the data's units; infinite for none.
    pub(crate) bound: f64,
    /// Largest magnitude of a normalised value, in residual steps; larger ones are clipped.
    pub(crate) clip: f64,
}

/// Plans every column from a sample of the rows.
pub(crate) fn plan(sample: &Sample, tolerance: &Tolerance) -> Vec<ColumnPlan> {
    with_cell!(sample.schema.dtype, T => plan_cells::<T>(sample, tolerance))
}

fn plan_cells<T: Cell>(sample: &Sample, tolerance: &Tolerance) -> Vec<ColumnPlan> {
    let width = sample.schema.width();
    let cells: Vec<T> = cells(&sample.bytes);
    let column = |j: usize| {
        let values = some_of_column(&cells, &sample.schema.fill_values, width, j, PLAN_ROWS);
        let spread = Spread::new(&values);
        match tolerance {
            Tolerance::Bounds(bounds) => {
                let most =
                    || detect_most(&some_neighbours(&cells, width, j, PLAN_ROWS), sample.total);
                let exact = bounds[j] == 0.0;
                let multiple = detect(&values).or_else(|| if exact { most() } else { None });
                bounded::<T>(&values, multiple, &spread, bounds[j], sample.total)
            }
            Tolerance::Step(step) => unbounded(T::DTYPE, &spread, *step),
        }
    };
    (0..width).into_par_iter().map(column).collect()
}

/// Plans all columns together, from values of all of them, where they have the same bound.
pub(crate) fn plan_alike(sample: &Sample, columns: &[ColumnPlan]) -> Option<ColumnPlan> {
    let bound = columns.first()?.bound;
    if !bound.is_finite() || columns.iter().any(|c| c.bound.to_bits() != bound.to_bits()) {
        return None;
    }
    with_cell!(sample.schema.dtype, T => {
        let all: Vec<T> = cells(&sample.bytes);
        // An odd distance meets all columns.
        let step = all.len().div_ceil(ALIKE_VALUES).max(1) | 1;
        let fills = &sample.schema.fill_values;
        let values: Vec<T> = all
            .into_iter()
            .step_by(step)
            .filter(|x| x.is_ordinary() && !fills.contains(*x))
            .collect();
        let multiple = detect(&values);
        Some(bounded::<T>(&values, multiple, &Spread::new(&values), bound, sample.total))
    })
}

/// Plans `column` anew on the grid of `plan`.
pub(crate) fn on_grid(column: &ColumnPlan, plan: &ColumnPlan, dtype: DType) -> ColumnPlan {
    with_cell!(dtype, T => {
        let grid = plan.grid;
        let base = match grid.value {
            Value::Integer { unit } => whole(column.centre / unit.max(1) as f64),
            Value::Linear { offset, unit } => whole(((column.centre - offset) / unit).round()),
            Value::Ratio { numerator, denominator } => {
                whole((column.centre * denominator as f64 / numerator as f64).round())
            }
            Value::Ordered { .. } => 0,
        };
        let centre = grid.at::<T>(base).to_f64();
        let clip = (column.clip * column.scale / plan.scale).clamp(1.0, LARGEST_CLIP);
        ColumnPlan { grid, base, centre, scale: plan.scale, bound: column.bound, clip }
    })
}

/// Returns the projection that normalises rows and has no latents.
pub(crate) fn normaliser(columns: &[ColumnPlan]) -> Projection {
    let inverse = |c: &ColumnPlan| if c.scale > 0.0 { 1.0 / c.scale } else { 0.0 };
    Projection {
        centre: columns.iter().map(|c| c.centre).collect(),
        inverse_scale: columns.iter().map(inverse).collect(),
        // A NaN, from columns as wide as the type, becomes 1.
        clip: columns.iter().map(|c| (c.clip as f32).max(1.0)).collect(),
        weights: Vec::new(),
        latents: 0,
        network: None,
    }
}

/// Returns the base nearest to the centre, `exact` in integers, as a multiple of a power of two: a
/// base that is off by `c` steps costs about `c²` bits a row, and each of its bits one bit.
fn coarse_base(exact: f64, step: f64, rows: usize) -> i64 {
    let multiple = (step / (rows as f64).sqrt().max(1.0)).log2().floor().clamp(0.0, 60.0).exp2();
    whole((exact / multiple).round_ties_even() * multiple)
}

/// Returns the integer `x`; 0 where it is too large for a base.
fn whole(x: f64) -> i64 {
    if x.abs() < LARGEST_BASE { x as i64 } else { 0 }
}

/// Returns how many bits below the step predictions have in a column that reaches `steps` from its
/// centre.
fn fraction(steps: f64) -> u32 {
    let spare = f64::from(PREDICTION_BITS) - steps.max(1.0).log2().ceil();
    (spare.max(0.0) as u32).min(FRACTION)
}

/// Plans a column of which no value may be off by more than `bound` and nearly all are a `multiple`,
/// if there is one.
fn bounded<T: Cell>(
    values: &[T],
    multiple: Option<Multiple>,
    spread: &Spread,
    bound: f64,
    rows: usize,
) -> ColumnPlan {
    // Twice a bound must be finite.
    let bound = bound.min(f64::MAX / 8.0);
    let finish = |grid: Grid, count: f64, scale: f64| {
        let base = coarse_base(count, grid.step as f64, rows);
        let centre = grid.at::<T>(base).to_f64();
        let clip = (spread.reach / scale.max(f64::MIN_POSITIVE)).clamp(1.0, LARGEST_CLIP);
        ColumnPlan { grid, base, centre, scale, bound, clip }
    };
    if let Some(multiple) = multiple {
        let step = multiples_in_step(values, multiple, bound);
        let scale = step as f64 * multiple.size();
        let real = if T::DTYPE.is_float() { 2.0 * bound } else { 0.0 };
        if scale >= real * GRID_WIDTH {
            let grid = multiple.grid(T::DTYPE.is_float(), fraction(spread.reach / scale), step);
            return finish(grid, spread.centre / multiple.size(), scale);
        }
    }
    // Rounding to the type takes up to half a unit in the last place of the bound.
    let ulp = last_place::<T>(spread.largest.max(spread.centre.abs()));
    let usable = bound - 0.5 * ulp;
    if usable < LEAST_ULPS * ulp || usable <= 0.0 {
        return ordered::<T>(spread, bound);
    }
    let fraction = fraction(spread.reach / usable);
    let step = 1_u64 << fraction;
    let unit = truncate(2.0 * usable / step as f64, rows);
    if !unit.is_normal() {
        // One over it would be none.
        return ordered::<T>(spread, bound);
    }
    let count = spread.centre / unit;
    let far = count.abs() > LARGEST_COUNT;
    let offset = if far { spread.centre } else { 0.0 };
    let grid = Grid { value: Value::Linear { offset, unit }, fraction, step };
    finish(grid, if far { 0.0 } else { count }, unit * step as f64)
}

/// Returns how many multiples a residual's step may count for values that are off by half of it, at
/// most, to keep `bound`.
fn multiples_in_step<T: Cell>(values: &[T], multiple: Multiple, bound: f64) -> u64 {
    let most = (bound / multiple.size() * (1.0 + DECIMAL_ERROR)).floor();
    let mut off = most.min(2_f64.powi(50)).max(0.0) as u64;
    if off > 0 && !reaches(values, multiple, off as i64, bound) {
        off -= 1;
    }
    2 * off + 1
}

/// Plans a column of which every representable number is a step of its own: for bounds below their
/// distance.
fn ordered<T: Cell>(spread: &Spread, bound: f64) -> ColumnPlan {
    let scale = last_place::<T>(spread.centre);
    // A linear prediction helps where those distances are alike all over the column.
    let far = spread.centre.abs() > FAR_FROM_ZERO * spread.reach && spread.reach > 0.0;
    if !far || scale == 0.0 {
        let grid = Grid { value: Value::Ordered { offset: 0.0, unit: 0.0 }, fraction: 0, step: 1 };
        return ColumnPlan { grid, base: 0, centre: 0.0, scale: 0.0, bound, clip: 1.0 };
    }
    let unit = (spread.reach / scale / 2_f64.powi(ORDERED_BITS)).log2().ceil().max(0.0).exp2();
    let offset = T::from_float(spread.centre).to_f64();
    let value = Value::Ordered { offset, unit: unit * scale };
    let clip = (spread.reach / scale).clamp(1.0, LARGEST_CLIP);
    let grid = Grid { value, fraction: 0, step: 1 };
    ColumnPlan { grid, base: 0, centre: offset, scale, bound, clip }
}

/// Returns whether values `off` multiples away are within `bound`, after rounding, nearly always.
fn reaches<T: Cell>(values: &[T], multiple: Multiple, off: i64, bound: f64) -> bool {
    if !T::DTYPE.is_float() {
        return off as f64 * multiple.size() <= bound;
    }
    let grid = multiple.grid(true, 0, 1);
    let (mut tried, mut failed) = (0, 0_usize);
    for v in values.iter().filter(|v| v.is_ordinary()).take(TRIED) {
        let k = multiple.nearest(v.to_f64()) as i64;
        if !grid.at::<T>(k).same(*v) {
            continue;
        }
        tried += 2;
        failed += usize::from(!holds(*v, grid.at(k.saturating_add(off)), bound));
        failed += usize::from(!holds(*v, grid.at(k.saturating_sub(off)), bound));
    }
    failed as f64 <= MAY_FAIL * f64::from(tried)
}

/// Returns the distance from `x` to the next value of the type towards 0; 0 for integers. Away from
/// 0 there may be none but infinity.
fn last_place<T: Cell>(x: f64) -> f64 {
    if !T::DTYPE.is_float() {
        return 0.0;
    }
    let k = T::from_float(x.abs()).to_order();
    (T::from_order(k).to_f64() - T::from_order(k.saturating_sub(1)).to_f64()).abs()
}

/// Returns `x` with as many leading bits as its rows can pay for, rounded down.
fn truncate(x: f64, rows: usize) -> f64 {
    let bits = (rows.max(1).ilog2() + UNIT_BITS).min(52);
    let cut = f64::from_bits(x.to_bits() & (u64::MAX << (52 - bits)));
    if cut > 0.0 { cut } else { x }
}

/// Plans a column without bound: its step is a power of two near `step`.
fn unbounded(dtype: DType, spread: &Spread, step: f64) -> ColumnPlan {
    let [least, most] = STEP_EXPONENTS;
    let scale = step.log2().floor().clamp(least, most).exp2();
    let widest = (spread.reach / WIDEST).log2().ceil().clamp(least, most).exp2();
    let one = 1.0 / f64::from(1_u32 << FRACTION);
    let mut scale = scale.max(widest);
    let (value, step, unit) = if dtype.is_float() {
        let unit = scale * one;
        (Value::Linear { offset: 0.0, unit }, 1 << FRACTION, unit)
    } else {
        scale = scale.max(1.0);
        (Value::Integer { unit: 1 }, scale.min(LARGEST_BASE) as u64, 1.0)
    };
    let base = whole((spread.centre / unit).round_ties_even());
    ColumnPlan {
        grid: Grid { value, fraction: FRACTION, step },
        base,
        centre: base as f64 * unit,
        scale,
        bound: f64::INFINITY,
        clip: (spread.reach / scale).clamp(1.0, LARGEST_CLIP),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    /// The plan of a column of such values, under a bound.
    fn plan_of<T: Cell>(values: &[T], bound: f64) -> ColumnPlan {
        bounded(values, detect(values), &Spread::new(values), bound, 10_000)
    }

    /// Values without pattern around `centre`, within `reach` of it.
    fn noise(centre: f64, reach: f64) -> Vec<f64> {
        (0..2000).map(|i| centre + reach * (f64::from(i) * 12.9898).sin()).collect()
    }

    #[test]
    fn a_step_is_twice_the_bound_less_rounding_and_keeps_it() {
        let values: Vec<f32> = noise(10.0, 3.0).iter().map(|x| *x as f32).collect();
        let p = plan_of(&values, 0.01);
        assert!(matches!(p.grid.value, Value::Linear { .. }) && p.grid.fraction == FRACTION);
        assert!(p.scale <= 0.02 && p.scale > 0.0199, "{p:?}");
        assert!((p.centre - 10.0).abs() < 0.5 && p.clip > 3.0 / p.scale);
        for v in &values {
            let steps = ((f64::from(*v) - p.centre) / p.scale).round() as i64;
            let y: f32 = p.grid.value(p.base, 0, steps * p.grid.step as i64);
            assert!(holds(*v, y, 0.01), "{v} {y}");
        }
        // A few units in the last place, of 2^-20 here: half of one is lost to rounding.
        let ulp = 2_f64.powi(-20);
        let p = plan_of(&values, 3.2 * ulp);
        assert!(p.scale <= 2.0 * 2.7 * ulp && p.scale > 5.3 * ulp, "{}", p.scale / ulp);
    }

    #[test]
    fn counts_are_counted_where_that_is_no_finer() {
        // A bound of 0.0065 allows steps of three counts of 0.005.
        let counts: Vec<f32> =
            noise(0.0, 400.0).iter().map(|x| (x.round() / 200.0) as f32).collect();
        let p = plan_of(&counts, 0.0065);
        assert_eq!(p.grid.value, Value::Ratio { numerator: 1, denominator: 200 });
        assert!(p.grid.step == 3 && (p.scale - 0.015).abs() < 1e-12, "{p:?}");
        // One of 0.0099 allows 0.0198 to real numbers and 0.015 to counts.
        assert!(matches!(plan_of(&counts, 0.0099).grid.value, Value::Linear { .. }));
        // Integers never become real numbers.
        let integers: Vec<i32> = noise(0.0, 400.0).iter().map(|x| 7 * *x as i32).collect();
        let p = plan_of(&integers, 15.0);
        assert!(p.grid.value == Value::Integer { unit: 7 } && p.grid.step == 5, "{p:?}");
        assert_eq!(plan_of(&integers, 0.0).grid.step, 1);
    }

    #[test]
    fn bounds_below_a_last_place_count_representable_numbers() {
        for (centre, is_predicted) in [(1000.0, true), (0.0, false)] {
            let values: Vec<f32> = noise(centre, 1.0).iter().map(|x| *x as f32).collect();
            let p = plan_of(&values, 0.0);
            assert!(p.grid.value_is_ordered() && p.grid.step == 1, "{p:?}");
            assert_eq!(p.scale > 0.0, is_predicted, "{p:?}");
        }
    }

    #[test]
    fn predictions_fit_their_bits_however_wide_a_column_is() {
        let p = plan_of(&noise(0.0, 1e3), 1e-3);
        let largest = p.clip * f64::from(1 << p.grid.fraction);
        assert!(p.grid.fraction == 6 && largest < f64::from(1 << PREDICTION_BITS), "{p:?}");
        // Far from 0, the centre is the grid's offset.
        let p = plan_of(&noise(1e14, 1.0), 0.05);
        let Value::Linear { offset, .. } = p.grid.value else { panic!("{p:?}") };
        assert!((offset - 1e14).abs() < 10.0 && p.base == 0);
    }

    #[test]
    fn without_a_bound_steps_are_powers_of_two() {
        let rows: Vec<f32> = noise(3.0, 1.0).iter().map(|x| *x as f32).collect();
        let sample = Sample::draw(&Matrix::from_slice(&rows, &[2]).unwrap(), 1 << 20).unwrap();
        for p in plan(&sample, &Tolerance::Step(0.3)) {
            assert!(
                p.scale == 0.25 && p.bound == f64::INFINITY && p.grid.fraction == FRACTION,
                "{p:?}"
            );
            assert!((p.centre - 3.0).abs() < 0.1);
        }
        let p = unbounded(DType::I32, &Spread { centre: 500.0, reach: 100.0, largest: 600.0 }, 0.3);
        assert_eq!((p.grid.value, p.grid.step, p.base), (Value::Integer { unit: 1 }, 1, 500));
        let columns = plan(&sample, &Tolerance::Step(0.3));
        let normalised =
            normaliser(&columns).normalise(DType::F32, &sample.schema.fill_values, &sample.bytes);
        assert!(
            (f64::from(normalised[5]) * 0.25 + columns[1].centre - f64::from(rows[5])).abs() < 1e-6
        );
    }

    #[test]
    fn grids_are_finite_at_the_ends_of_every_type() {
        fn check<T: Cell>(largest: T) {
            for sign in [-1.0, 1.0] {
                let end = T::from_float(sign * largest.to_f64()).to_order();
                let values: Vec<T> =
                    (0..600).map(|i| T::from_order(end - sign as i64 * (i % 3))).collect();
                for bound in [0.0, 1e-3, 5e-324, largest.to_f64() / 3.0] {
                    let p = plan_of(&values, bound);
                    let (Value::Linear { offset, unit } | Value::Ordered { offset, unit }) =
                        p.grid.value
                    else {
                        continue;
                    };
                    assert!(offset.is_finite() && unit.is_finite(), "{sign} {bound}: {p:?}");
                }
            }
        }
        check(crate::matrix::F16::from_f64(65504.0));
        check(f32::MAX);
        check(f64::MAX);
    }
}
