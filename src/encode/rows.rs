//! A promise about each row: the row's class selects how finely its residual is coded.
//!
//! Classes form a ladder: no residual, then residuals in finer and finer steps. A row takes the
//! first class that keeps its promise; where none does, its values are stored exactly.

use crate::codec::bound::{difference, may_round, not_nan, rounding};
use crate::codec::fill::is_ordinary;
use crate::codec::program::Program;
use crate::codec::value::Cell;
use crate::encode::column::round;
use crate::encode::project::Projection;
use crate::encode::symbols::Symbols;
use crate::matrix::FillValues;

/// What each row must hold, judged in `f64` with a margin for every rounding of the sums.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RowRule {
    /// `‖x − x̂‖² ≤ limit · ‖x − means‖²`, with the columns' means.
    Nmse { limit: f64, means: Vec<f64> },
    /// The cosine of `x` and `x̂` is at least `limit`.
    Cosine { limit: f64 },
}

/// Relative error that sums of up to 2^24 terms in `f64` stay well below: 2^24 · 2^-53 is 2e-9.
const MARGIN: f64 = 1e-7;

/// Whether a sum of squares is far from where squares lose their digits or overflow: `f64` ends at
/// 1e±308, and has all digits down to 1e-292 for sums of 2^24 terms or fewer.
fn trusted(squares: f64) -> bool {
    (1e-280..1e280).contains(&squares)
}

/// Returns the squared error, not 0, over the squared deviation; infinite where it cannot be told.
fn ratio(error: f64, deviation: f64) -> f64 {
    if trusted(error) && deviation.is_finite() { error / deviation } else { f64::INFINITY }
}

impl RowRule {
    /// Whether `y` may stand for the values of `x` but `fills`, where `error(j)` is the distance of
    /// the two in column `j`.
    fn holds<T: Cell>(
        &self,
        x: &[T],
        y: &[f64],
        fills: &FillValues,
        error_of: impl Fn(usize) -> f64,
    ) -> bool {
        let finite = x.iter().zip(y).filter(|(x, _)| is_ordinary(**x, fills));
        match self {
            RowRule::Nmse { limit, means } => {
                let (mut error, mut deviation, mut same) = (0.0, 0.0, true);
                for (j, (x, mean)) in x.iter().zip(means).enumerate() {
                    if is_ordinary(*x, fills) {
                        let (x, own) = (x.to_f64(), error_of(j));
                        same &= own == 0.0;
                        error += own * own;
                        // The mean is rounded as well.
                        let least = (x - mean).abs() - 2.0 * rounding::<T>(x);
                        deviation += least.max(0.0).powi(2);
                    }
                }
                same || ratio(error, deviation) <= limit * (1.0 - MARGIN)
            }
            RowRule::Cosine { limit } => {
                let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
                let mut same = true;
                for (x, y) in finite {
                    let x = x.to_f64();
                    same &= x == *y;
                    xx += x * x;
                    yy += y * y;
                    xy += x * y;
                }
                let least = limit + (1.0 - limit) * MARGIN;
                same || (trusted(xx) && trusted(yy) && xy >= least * xx.sqrt() * yy.sqrt())
            }
        }
    }
}

/// Makes class and residuals of each row.
pub(crate) struct RowCoder<'a> {
    program: &'a Program,
    rule: &'a RowRule,
    fills: &'a FillValues,
    /// Value of each column that predictions count from.
    centre: &'a [f64],
    /// Fine units per unit of the data, for each column; 0 leaves the column out.
    fine: Vec<f64>,
    /// The last row as decoded, in the data's units.
    decoded: Vec<f64>,
    /// Its errors, where `decoded` has rounded numbers; else empty.
    errors: Vec<f64>,
}

impl<'a> RowCoder<'a> {
    /// Prepares for rows that must hold `rule`, in which `fills` are stored exactly.
    pub(crate) fn new(
        program: &'a Program,
        rule: &'a RowRule,
        projection: &'a Projection,
        fills: &'a FillValues,
    ) -> Self {
        let scales = projection.inverse_scale.iter().zip(&program.steps);
        let fine = scales.map(|(s, f)| s * *f as f64).collect();
        Self {
            program,
            rule,
            fills,
            centre: &projection.centre,
            fine,
            decoded: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Returns the last row as decoded, in the data's units.
    pub(crate) fn decoded(&self) -> &[f64] {
        &self.decoded
    }

    /// Chooses the class of the row that follows those in `symbols` and makes its residuals;
    /// `predicted` are its predictions in fine units.
    pub(crate) fn row<T: Cell>(&mut self, row: &[T], predicted: &[i32], symbols: &mut Symbols) {
        let width = row.len();
        let first = symbols.forced.len() * width;
        symbols.residuals.resize(first + width, 0);
        for (class, &quantum) in self.program.record.classes.quantum.iter().enumerate() {
            self.code(row, predicted, quantum, &mut symbols.residuals[first..]);
            if self.rule.holds(row, &self.decoded, self.fills, |j| self.error(row, j)) {
                symbols.forced.push(class);
                let special = row.iter().enumerate().filter(|(_, x)| !is_ordinary(**x, self.fills));
                symbols.escapes.extend(special.map(|(j, _)| (first + j) as u64));
                return;
            }
        }
        symbols.residuals[first..].fill(0);
        symbols.forced.push(0);
        symbols.escapes.extend((first..first + width).map(|at| at as u64));
        self.decoded.clear();
        self.decoded.extend(row.iter().map(|x| x.to_f64()));
        self.errors.fill(0.0);
    }

    /// Returns the error of column `j` in the last row, which was `row`.
    pub(crate) fn error<T: Cell>(&self, row: &[T], j: usize) -> f64 {
        if may_round::<T>() { self.errors[j] } else { not_nan(row[j].to_f64() - self.decoded[j]) }
    }

    /// Makes residuals in steps of `quantum` fine units, none where that is negative, and decodes
    /// them.
    fn code<T: Cell>(&mut self, row: &[T], predicted: &[i32], quantum: i64, residuals: &mut [i64]) {
        self.decoded.clear();
        for (range, grid) in self.program.runs() {
            for j in range.clone() {
                let x = row[j];
                residuals[j] = if quantum < 0 || !is_ordinary(x, self.fills) {
                    0
                } else {
                    let fine = (x.to_f64() - self.centre[j]) * self.fine[j];
                    round((fine - f64::from(predicted[j])) / quantum as f64)
                };
                let e = residuals[j].wrapping_mul(quantum.max(0));
                let y: T = grid.value(self.program.record.base[j], predicted[j], e);
                self.decoded.push(y.to_f64());
                if may_round::<T>() {
                    self.errors.resize(row.len(), 0.0);
                    self.errors[j] = difference(x, y);
                }
            }
        }
    }
}
