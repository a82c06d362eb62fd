//! Residuals: what must be added to the prediction so that the decoded value keeps its bound.
//!
//! Every value is decoded here with the decoder's own arithmetic and checked. A value that fails is
//! listed to be stored exactly; its residual is still coded, since the next row's may depend on it.

use crate::codec::bound::{difference, may_round, not_nan};
use crate::codec::program::Program;
use crate::codec::value::{Cell, carry};
use crate::container::model::{Grid, Value};
use crate::encode::column::{Coded, Column, EXACT, MAGIC, integer, inverse, is_fine};
use crate::encode::symbols::Symbols;
use crate::kernels::wide::widest;
use crate::matrix::FillValues;

/// The last row as decoded, and its errors.
pub(crate) struct RowErrors {
    /// The row in the data's units.
    decoded: Vec<f64>,
    /// Its errors, where `decoded` has rounded numbers; else empty.
    errors: Vec<f64>,
}

impl RowErrors {
    pub(crate) fn new(width: usize) -> Self {
        Self { decoded: vec![0.0; width], errors: Vec::new() }
    }

    /// Notes that column `j` has become `value`.
    #[inline(always)]
    pub(crate) fn set<T: Cell>(&mut self, j: usize, x: T, value: T) {
        self.decoded[j] = value.to_f64();
        if may_round::<T>() {
            self.errors.resize(self.decoded.len(), 0.0);
            self.errors[j] = difference(x, value);
        }
    }

    /// Returns the error of column `j` in the last row, which was `row`.
    #[inline(always)]
    pub(crate) fn error<T: Cell>(&self, row: &[T], j: usize) -> f64 {
        if may_round::<T>() { self.errors[j] } else { not_nan(row[j].to_f64() - self.decoded[j]) }
    }

    /// Stores all values of `row`, row `i` of the block and the last that was coded, exactly.
    pub(crate) fn make_exact<T: Cell>(&mut self, i: usize, row: &[T], symbols: &mut Symbols) {
        let first = (i * row.len()) as u64;
        let before = symbols.escapes.partition_point(|&cell| cell < first);
        symbols.escapes.truncate(before);
        symbols.escapes.extend(first..first + row.len() as u64);
        self.decoded.iter_mut().zip(row).for_each(|(y, x)| *y = x.to_f64());
        self.errors.fill(0.0);
    }

    /// Stores those values of `row`, row `i` of the block and the last that was coded, exactly that are off by
    /// more than `most`.
    pub(crate) fn make_far_exact<T: Cell>(
        &mut self,
        i: usize,
        row: &[T],
        most: f64,
        symbols: &mut Symbols,
    ) {
        let first = (i * row.len()) as u64;
        let before = symbols.escapes.partition_point(|&cell| cell < first);
        let listed = symbols.escapes.split_off(before);
        for (j, x) in row.iter().enumerate() {
            let cell = first + j as u64;
            if self.error(row, j).abs() > most {
                self.set(j, *x, *x);
            } else if listed.binary_search(&cell).is_err() {
                continue;
            }
            symbols.escapes.push(cell);
        }
    }

    /// Returns the last row as decoded, in the data's units; values stored exactly are exact.
    pub(crate) fn decoded(&self) -> &[f64] {
        &self.decoded
    }
}

/// Makes residuals row after row, from the beginning of a block.
pub(crate) struct ResidualCoder<'a> {
    program: &'a Program,
    bounds: &'a [f64],
    fills: &'a FillValues,
    /// The last row's difference between value and prediction in each column, in fine units.
    carried_from: Vec<i64>,
    /// The last row as decoded, and its errors.
    pub(crate) errors: RowErrors,
    /// Whether any class has a residual for each column.
    coded: Vec<bool>,
    /// Whether any class has residuals at all.
    has_residuals: bool,
    /// Columns' bases, where all columns can go the fast way.
    fast: Option<Vec<f64>>,
    /// The last row's residuals in steps, of the fast way.
    rounded: Vec<f64>,
}

impl<'a> ResidualCoder<'a> {
    /// Prepares for the rows of a block; `bounds` are each column's largest error in the data's
    /// units, infinite for none; `fills` are stored exactly.
    pub(crate) fn new(program: &'a Program, bounds: &'a [f64], fills: &'a FillValues) -> Self {
        let width = program.record.width();
        let has_residuals = program.record.classes.quantum.iter().any(|&q| q >= 0);
        let coded: Vec<bool> = (0..width)
            .map(|j| has_residuals && program.silent.iter().any(|class| !class[j]))
            .collect();
        let is_plain = |g: &Grid| matches!(g.value, Value::Linear { .. }) && is_fine(g);
        let plain = program.runs().all(|(_, g)| is_plain(g));
        let alike = coded.iter().all(|c| *c) || !has_residuals;
        let fast = plain && !program.temporal && alike;
        let bases = || program.record.base.iter().map(|&b| b as f64).collect();
        Self {
            rounded: vec![0.0; if fast { width } else { 0 }],
            fast: fast.then(bases),
            program,
            bounds,
            fills,
            carried_from: vec![0; width],
            errors: RowErrors::new(width),
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
        let is_whole = self.fills.is_empty() || !row.iter().any(|x| self.fills.contains(*x));
        let is_done = is_whole
            && match self.has_residuals {
                true => self.fast_row::<T, true>(row, predicted),
                false => self.fast_row::<T, false>(row, predicted),
            };
        if is_done {
            let out = symbols.residuals.get_mut(first..).unwrap_or_default();
            for (r, x) in out.iter_mut().zip(&self.rounded) {
                *r = integer(*x);
            }
            return;
        }
        let p = self.program;
        for (range, grid) in p.runs() {
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
                let Coded { residual, value } = match is_whole || !self.fills.contains(row[j]) {
                    true => column.code(row[j], self.bounds[j], self.coded[j]),
                    false => Coded { residual: 0, value: None },
                };
                if value.is_none() {
                    symbols.escapes.push((first + j) as u64);
                }
                self.errors.set(j, row[j], value.unwrap_or(row[j]));
                if self.has_residuals {
                    symbols.residuals[first + j] = residual;
                }
                self.carried_from[j] = column.difference(residual);
            }
        }
    }

    /// Makes the residuals of a row in the common case, as vector code: all columns linear, nothing
    /// carried over, every value within its bound. Returns false where that does not hold. Without
    /// `CODED` there are none: values are what is predicted.
    ///
    /// All integers here are below 2^52 and so exact as `f64`: the values are the decoder's.
    fn fast_row<T: Cell, const CODED: bool>(&mut self, row: &[T], predicted: &[i32]) -> bool {
        let Some(bases) = &self.fast else { return false };
        let mut good = true;
        for (range, grid) in self.program.runs() {
            let Value::Linear { offset, unit } = grid.value else { return false };
            let (inverse, step) = (1.0 / unit, grid.step as f64);
            let inverse_step = 1.0 / step;
            let j = range.clone();
            let columns =
                bases[j.clone()].iter().zip(&predicted[j.clone()]).zip(&self.bounds[j.clone()]);
            let out = self.rounded[j.clone()].iter_mut().zip(&mut self.errors.decoded[j.clone()]);
            let cells = row[j].iter().zip(columns).zip(out);
            good &= widest(|| {
                let mut good = true;
                for ((x, ((base, m), bound)), (rounded, decoded)) in cells {
                    let (x, p) = (x.to_f64(), base + f64::from(*m));
                    let t = ((x - offset) * inverse - p) * inverse_step;
                    let r = if CODED { (t + MAGIC) - MAGIC } else { 0.0 };
                    let k = p + r * step;
                    let y = T::from_float(offset + k * unit).to_f64();
                    good &= (x - y).abs() < *bound;
                    good &= (k.abs() < EXACT) & (p.abs() < EXACT) & (t.abs() < EXACT);
                    *rounded = r;
                    *decoded = y;
                }
                good
            });
        }
        good && T::DTYPE.size() < 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::bound;
    use crate::container::model::{Classes, ModelRecord};
    use crate::entropy::table::TableSpec;
    use crate::matrix::DType;
    use crate::matrix::rng::Rng;

    const WIDTH: usize = 3;

    /// A program without latents, of one grid.
    fn program(grid: Grid, dtype: DType, temporal: i64) -> Program {
        let record = ModelRecord {
            grids: vec![grid],
            grid_of: vec![0; WIDTH],
            base: vec![40, -7, 0],
            temporal: vec![temporal; WIDTH],
            tables: vec![TableSpec::Ladder { shape: 0, scale: 20 }],
            classes: Classes {
                count: 1,
                quantum: vec![0],
                residual_tables: vec![0; WIDTH],
                ..Classes::default()
            },
            ..ModelRecord::default()
        };
        Program::new(record, dtype).unwrap()
    }

    /// What a decoder makes of residuals, row by row, and of those one less and one more.
    fn decoded<T: Cell>(p: &Program, predicted: &[i32], residuals: &[i64]) -> Vec<[T; 3]> {
        let mut e = [0_i64; WIDTH];
        let mut out = Vec::new();
        for (at, r) in residuals.iter().enumerate() {
            let j = at % WIDTH;
            e[j] = carry(p.record.temporal[j], e[j]) + r * p.steps[j];
            out.push(
                [0, -p.steps[j], p.steps[j]].map(|more| {
                    p.record.grids[0].value(p.record.base[j], predicted[at], e[j] + more)
                }),
            );
        }
        out
    }

    /// Codes 200 rows made of `value`, decodes them and checks every bound. Returns the residuals
    /// and how many values are stored exactly.
    fn check<T: Cell>(
        p: &Program,
        bound: f64,
        vector_code: bool,
        value: impl Fn(f64) -> T,
    ) -> (Vec<i64>, usize) {
        let mut rng = Rng::new(3);
        let rows: Vec<T> = (0..200 * WIDTH).map(|_| value(f64::from(rng.unit()) - 0.5)).collect();
        let predicted: Vec<i32> = rows.iter().map(|_| (400.0 * rng.unit()) as i32 - 200).collect();
        let bounds = [bound; WIDTH];
        let fills = FillValues::default();
        let mut coder = ResidualCoder::new(p, &bounds, &fills);
        if !vector_code {
            coder.fast = None;
        }
        let mut symbols = Symbols::default();
        let mut seen = Vec::new();
        for (i, row) in rows.chunks(WIDTH).enumerate() {
            coder.row(i, row, &predicted[i * WIDTH..][..WIDTH], &mut symbols);
            seen.extend_from_slice(coder.errors.decoded());
        }
        let decoded = decoded::<T>(p, &predicted, &symbols.residuals);
        for (at, [y, less, more]) in decoded.into_iter().enumerate() {
            let error = |y: T| (rows[at].to_f64() - y.to_f64()).abs();
            if symbols.escapes.contains(&(at as u64)) {
                assert!(seen[at] == rows[at].to_f64() || !rows[at].is_ordinary());
            } else {
                assert!(bound::holds(rows[at], y, bound), "{} {}", rows[at].to_f64(), y.to_f64());
                assert!(seen[at] == y.to_f64());
                assert!(error(y) <= error(less).min(error(more)) + 1e-5, "not the nearest");
            }
        }
        (symbols.residuals, symbols.escapes.len())
    }

    #[test]
    fn decoded_values_keep_their_bounds_on_every_grid() {
        let ratio = Value::Ratio { numerator: 1, denominator: 200 };
        for temporal in [0, 200, 256] {
            let linear = Value::Linear { offset: 0.0, unit: 0.0124 };
            let p = program(Grid { value: linear, fraction: 4, step: 16 }, DType::F32, temporal);
            assert_eq!(check(&p, 0.1, true, |x| (90.0 * x) as f32).1, 0);
            // A step of 3 counts.
            let p = program(Grid { value: ratio, fraction: 4, step: 3 }, DType::F32, temporal);
            assert_eq!(check(&p, 0.0051, true, |x| ((900.0 * x).round() / 200.0) as f32).1, 0);
            let integer = Value::Integer { unit: 5 };
            let p = program(Grid { value: integer, fraction: 4, step: 7 }, DType::I16, temporal);
            for bound in [15.0, f64::INFINITY] {
                assert_eq!(check(&p, bound, true, |x| 5 * (900.0 * x) as i16).1, 0);
            }
            let ordered = Value::Ordered { offset: 0.0, unit: 0.0 };
            let p = program(Grid { value: ordered, fraction: 0, step: 1 }, DType::F32, temporal);
            assert_eq!(check(&p, 0.0, true, |x| (90.0 * x) as f32).1, 0);
        }
    }

    #[test]
    fn vector_code_gives_the_same_residuals() {
        let linear = Value::Linear { offset: 3.0, unit: 0.0124 };
        let p = program(Grid { value: linear, fraction: 4, step: 16 }, DType::F32, 0);
        let value = |x: f64| (90.0 * x) as f32;
        assert!(ResidualCoder::new(&p, &[0.1; WIDTH], &FillValues::default()).fast.is_some());
        assert_eq!(check(&p, 0.1, true, value), check(&p, 0.1, false, value));
    }

    #[test]
    fn values_without_residuals_are_what_is_predicted() {
        let linear = Value::Linear { offset: 3.0, unit: 0.0124 };
        let grid = Grid { value: linear, fraction: 4, step: 16 };
        let mut record = program(grid, DType::F32, 0).record;
        record.classes.quantum = vec![-1];
        let p = Program::new(record, DType::F32).unwrap();
        let fills = FillValues::default();
        let rows = [1.5_f32, -2.0, 0.25, 7.0, f32::NAN, 1e30];
        let predicted = [40, -3, 5, 1000, 0, 8];
        let expected: Vec<f64> = (0..6)
            .map(|at| {
                let value: f32 = p.record.grids[0].value(p.record.base[at % 3], predicted[at], 0);
                f64::from(value)
            })
            .collect();
        for bound in [f64::INFINITY, 1.0] {
            let bounds = [bound; WIDTH];
            let mut coder = ResidualCoder::new(&p, &bounds, &fills);
            assert!(coder.fast.is_some());
            let (mut symbols, mut exact) = (Symbols::default(), Vec::new());
            for (i, row) in rows.chunks(WIDTH).enumerate() {
                coder.row(i, row, &predicted[i * WIDTH..][..WIDTH], &mut symbols);
                for (j, x) in row.iter().enumerate() {
                    let (at, x) = (i * WIDTH + j, f64::from(*x));
                    let is_off = !x.is_finite() || (x - expected[at]).abs() > bound;
                    exact.extend(is_off.then_some(at as u64));
                    let decoded = coder.errors.decoded()[j];
                    assert!(is_off || decoded == expected[at], "{at}: {decoded}");
                }
            }
            assert_eq!(symbols.escapes, exact);
            assert!(symbols.residuals.is_empty());
        }
    }

    #[test]
    fn what_no_residual_reaches_is_stored_exactly() {
        // Steps are three times as wide as the bound allows.
        let linear = Value::Linear { offset: 0.0, unit: 0.0124 };
        for temporal in [0, 128] {
            let p = program(Grid { value: linear, fraction: 4, step: 16 }, DType::F32, temporal);
            let escapes = check(&p, 0.033, true, |x| (90.0 * x) as f32).1;
            assert!((300..500).contains(&escapes), "{escapes}");
        }
        // NaN and infinities, but not what is beside them.
        let p = program(Grid { value: linear, fraction: 4, step: 16 }, DType::F32, 0);
        let special = |x: f64| match (90.0 * x) as i32 {
            7 => f32::NAN,
            8 => f32::NEG_INFINITY,
            n => n as f32,
        };
        let escapes = check(&p, 0.1, true, special).1;
        assert!((1..50).contains(&escapes), "{escapes}");
    }
}
