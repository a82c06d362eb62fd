//! A promise about each row: the row's class selects how finely its residual is coded.
//!
//! Classes form a ladder: no residual, then steps that get finer. A row takes the first that
//! keeps its promise; where none does, its values are stored exactly.

use crate::codec::program::Program;
use crate::codec::value::Cell;
use crate::encode::Symbols;
use crate::encode::residual::round;

/// What each row must hold. Judged in `f64`; the margin covers every rounding of the sums.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RowRule {
    /// `‖x − x̂‖² ≤ limit · ‖x − mean‖²`, with the columns' means.
    Nmse { limit: f64, means: Vec<f64> },
    /// Cosine at least `limit`.
    Cosine { limit: f64 },
}

/// Relative error that sums over up to 2^24 terms stay well below.
const MARGIN: f64 = 1e-7;

/// Whether a sum of squares is far from where squares lose their digits or overflow.
fn trusted(squares: f64) -> bool {
    (1e-280..1e280).contains(&squares)
}

/// Squared error, not 0, over deviation; infinite where it cannot be told.
fn ratio(error: f64, deviation: f64) -> f64 {
    if trusted(error) && deviation.is_finite() { error / deviation } else { f64::INFINITY }
}

impl RowRule {
    /// Whether `y` may stand for the finite values of `x`.
    pub(crate) fn holds<T: Cell>(&self, x: &[T], y: &[f64]) -> bool {
        let finite = x.iter().zip(y).filter(|(x, _)| x.is_ordinary());
        match self {
            RowRule::Nmse { limit, means } => {
                let (mut error, mut deviation, mut same) = (0.0, 0.0, true);
                for ((x, y), mean) in x.iter().zip(y).zip(means) {
                    if x.is_ordinary() {
                        same &= x.to_f64() == *y;
                        error += (x.to_f64() - y).powi(2);
                        deviation += (x.to_f64() - mean).powi(2);
                    }
                }
                same || ratio(error, deviation) <= limit * (1.0 - MARGIN)
            }
            RowRule::Cosine { limit } => {
                let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
                let (mut same, mut zero) = (true, true);
                for (x, y) in finite {
                    let x = x.to_f64();
                    same &= x == *y;
                    zero &= x == 0.0;
                    xx += x * x;
                    yy += y * y;
                    xy += x * y;
                }
                let least = limit + (1.0 - limit) * MARGIN;
                same || zero || (trusted(xx) && trusted(yy) && xy >= least * xx.sqrt() * yy.sqrt())
            }
        }
    }
}

/// Makes symbols and class of each row. `centre` and `fine` bring values to fine units.
pub(crate) struct RowCoder<'a> {
    pub(crate) program: &'a Program,
    pub(crate) rule: &'a RowRule,
    pub(crate) centre: &'a [f64],
    pub(crate) fine: Vec<f64>,
    decoded: Vec<f64>,
}

impl<'a> RowCoder<'a> {
    pub(crate) fn new(
        program: &'a Program,
        rule: &'a RowRule,
        centre: &'a [f64],
        inverse_scale: &[f64],
    ) -> Self {
        let fine = inverse_scale.iter().zip(&program.steps).map(|(s, f)| s * *f as f64);
        Self { program, rule, centre, fine: fine.collect(), decoded: Vec::new() }
    }

    /// The last row as decoded.
    pub(crate) fn decoded(&self) -> &[f64] {
        &self.decoded
    }

    /// Chooses the class of row `i` with predictions `m` and makes its residuals.
    pub(crate) fn row<T: Cell>(&mut self, (i, row): (usize, &[T]), m: &[i32], out: &mut Symbols) {
        let width = row.len();
        let first = i * width;
        out.residuals.resize(first + width, 0);
        for (class, &quantum) in self.program.record.classes.quantum.iter().enumerate() {
            let residuals = &mut out.residuals[first..];
            self.decode(row, m, quantum, residuals);
            if self.rule.holds(row, &self.decoded) {
                out.forced.push(class);
                let special = row.iter().enumerate().filter(|(_, x)| !x.is_ordinary());
                out.escapes.extend(special.map(|(j, _)| (first + j) as u64));
                return;
            }
        }
        out.residuals[first..].fill(0);
        out.forced.push(0);
        out.escapes.extend((first..first + width).map(|at| at as u64));
        self.decoded.clear();
        self.decoded.extend(row.iter().map(|x| x.to_f64()));
    }

    fn decode<T: Cell>(&mut self, row: &[T], m: &[i32], quantum: i64, residuals: &mut [i64]) {
        self.decoded.clear();
        for (range, grid) in &self.program.runs {
            for j in range.clone() {
                let x = row[j];
                let r = if quantum < 0 || !x.is_ordinary() {
                    0
                } else {
                    let t = (x.to_f64() - self.centre[j]) * self.fine[j] - f64::from(m[j]);
                    round(t / quantum as f64)
                };
                residuals[j] = r;
                let e = r.wrapping_mul(quantum.max(0));
                let y: T = grid.value(self.program.record.base[j], m[j], e);
                self.decoded.push(y.to_f64());
            }
        }
    }
}
