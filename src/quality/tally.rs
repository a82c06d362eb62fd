//! Figures of decoded rows, added up row by row.

use super::chunks::{Chunk, chunks, same_shape};
use crate::codec::bound::{difference, distance_from, not_nan, rounding};
use crate::codec::fill::is_ordinary;
use crate::codec::value::{Cell, with_cell};
use crate::error::Result;
use crate::matrix::{FillValues, Rows};

/// Sums of squares within this have neither overflowed nor lost digits to underflow.
const SAFE: std::ops::Range<f64> = 1e-280..1e280;
/// The square roots of such sums.
const SAFE_ROOT: std::ops::Range<f64> = 1e-140..1e140;
/// Figures about decoded rows. Only finite values of the original count that stand for no missing
/// number ([`Schema::fill_values`](crate::Schema)); where such a value decodes
/// to what is no number, its error counts as infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Quality {
    /// Number of rows.
    pub rows: u64,
    /// Number of finite values of the original.
    pub values: u64,
    /// Number of the original's values that are NaN, infinite or stand for a missing number.
    pub specials: u64,
    /// Number of those whose bits changed.
    pub specials_changed: u64,
    /// Largest `|x − x̂|`, in units of the data.
    pub max_error: f64,
    /// Largest `|x − x̂| / |x|`, where the promise is about it; otherwise it is not measured.
    pub max_error_pointwise_rel: Option<f64>,
    /// Mean squared error, in squared units of the data.
    pub mse: f64,
    /// Normalised mean squared error: `Σ (x − x̂)² / Σ (x − column mean)²`.
    pub nmse: f64,
    /// Peak signal-to-noise ratio: `10 log₁₀ (range² / mse)` in dB; infinite without error.
    pub psnr: f64,
    /// Mean of the cosine between row and decoded row, over the rows that have a direction: not
    /// those of zeros, nor those with values that are not finite. 1 where there is no such row.
    pub cosine: f64,
    /// Smallest cosine of a row's finite values and what they decode to. Without any but zeros it
    /// is 1 where they come back as zeros, and 0 otherwise.
    pub worst_row_cosine: f64,
    /// Number of rows of zeros that decode to something else.
    pub zero_rows_changed: u64,
}

impl Quality {
    /// Compares decoded rows with their originals.
    ///
    /// # Errors
    /// `Argument` if shapes or types differ; the error of reading either if that fails.
    pub fn measure(original: &dyn Rows, decoded: &dyn Rows) -> Result<Self> {
        same_shape(original, decoded)?;
        let mut total = Tally::default();
        let work = |x: &Chunk<'_>, y: &Chunk<'_>, tally: &mut Tally| tally.pair(x, y);
        chunks(original, Some(decoded), work, |tally| total.add(&tally))?;
        Ok(total.quality())
    }
}

/// Sums over rows; values that are not finite count as absent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Number of rows.
    pub(crate) rows: u64,
    /// Number of finite values.
    pub(crate) values: u64,
    /// Number of values that are not finite.
    pub(crate) specials: u64,
    /// Number of those whose bits changed.
    pub(crate) specials_changed: u64,
    /// `Σ (x − x̂)²`.
    pub(crate) squared_error: f64,
    /// Largest `|x − x̂|`.
    pub(crate) max_error: f64,
    /// Largest `|x − x̂| / |x|`, where it was measured.
    pub(crate) worst_share: Option<f64>,
    /// Sum of the cosine between `x` and `x̂`, over rows that have a direction.
    pub(crate) cosine: f64,
    /// Number of these rows: not of zeros, and all values finite.
    pub(crate) directions: u64,
    /// Number of rows of zeros that decode to something else.
    pub(crate) zero_rows_changed: u64,
    /// Smallest cosine of any row.
    pub(crate) worst_cosine: Option<f64>,
    /// Smallest and largest value.
    range: Option<(f64, f64)>,
    /// The value `c` of each column, for [`Tally::pair`].
    centre: Vec<f64>,
    /// The value `c` of each column when the first row was added, so that tallies with different
    /// `c` can be added.
    origin: Vec<f64>,
    columns: Vec<ColumnSums>,
}

/// Sums over the finite values of a column, around a value `c` near them.
#[derive(Debug, Clone, Copy, Default)]
struct ColumnSums {
    count: f64,
    /// `Σ (x − c)`
    sum: f64,
    /// `Σ (x − c)²`
    squares: f64,
}

/// The sums that the cosine of a row and its decoded self is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Products {
    /// `Σ x²`
    xx: f64,
    /// `Σ y²`
    yy: f64,
    /// `Σ x y`
    xy: f64,
}

impl Products {
    #[inline(always)]
    pub(crate) fn add(&mut self, x: f64, y: f64) {
        self.xx += x * x;
        self.yy += y * y;
        self.xy += x * y;
    }

    fn cosine(self) -> f64 {
        (self.xy / (self.xx.sqrt() * self.yy.sqrt())).clamp(-1.0, 1.0)
    }
}

impl Tally {
    /// Adds a row that is stored exactly; `centre` is `c` of each column.
    pub(crate) fn exact_row<T: Cell>(
        &mut self,
        row: &[T],
        same: &[f64],
        centre: &[f64],
        fills: &FillValues,
    ) {
        self.row(row, same, centre, fills, |_, _| 0.0);
    }

    /// Adds a row; `centre` is `c` of each column, `fills` count as absent, and `error(j, x)` the error of column `j`, whose
    /// rounded original is `x`.
    #[inline(always)]
    pub(crate) fn row<T: Cell>(
        &mut self,
        row: &[T],
        decoded: &[f64],
        centre: &[f64],
        fills: &FillValues,
        error: impl Fn(usize, f64) -> f64,
    ) {
        if self.origin.is_empty() {
            self.origin = centre.to_vec();
            self.columns.resize(row.len(), ColumnSums::default());
        }
        let mut products = Products::default();
        let mut squared_error = 0.0;
        let (mut same, mut zero) = (true, true);
        let specials = self.specials;
        let (mut low, mut high) = self.range.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
        let cells = row.iter().zip(decoded).zip(centre.iter().zip(&mut self.columns));
        for (j, ((&cell, &y), (c, column))) in cells.enumerate() {
            if !is_ordinary(cell, fills) {
                self.specials += 1;
                continue;
            }
            self.values += 1;
            let x = cell.to_f64();
            let d = error(j, x);
            same &= d == 0.0;
            zero &= x == 0.0;
            products.add(x, y);
            squared_error += d * d;
            self.max_error = self.max_error.max(d.abs());
            // Where numbers are rounded, their range is not to come out larger than it is.
            low = low.min(x + rounding::<T>(x));
            high = high.max(x - rounding::<T>(x));
            column.count += 1.0;
            let from_centre = distance_from(cell, *c);
            column.sum += from_centre;
            column.squares += from_centre * from_centre;
        }
        self.range = (low < f64::INFINITY).then_some((low, high));
        self.rows += 1;
        self.squared_error += squared_error;
        let ordinary = row.iter().zip(decoded).filter(|(x, _)| is_ordinary(**x, fills));
        let own = cosine(products, same, ordinary.map(|(x, y)| (x.to_f64(), *y)));
        if self.specials == specials {
            self.zero_rows_changed += u64::from(zero && !same);
            self.directions += u64::from(!zero);
            self.cosine += if zero { 0.0 } else { own };
        }
        self.worst_cosine = Some(self.worst_cosine.map_or(own, |w| w.min(own)));
    }

    /// Adds rows given as original and decoded cells.
    pub(crate) fn pair(&mut self, original: &Chunk<'_>, decoded: &Chunk<'_>) {
        with_cell!(original.dtype, T => {
            let (x, y) = (original.cells::<T>(), decoded.cells::<T>());
            let fills = original.fills;
            // Sums around a value of the column lose less than sums around 0.
            if self.centre.is_empty() {
                let column = |j: usize| x.iter().skip(j).step_by(original.width);
                let first = |j: usize| column(j).find(|v| is_ordinary(**v, fills));
                self.centre =
                    (0..original.width).map(|j| first(j).map_or(0.0, |v| v.to_f64())).collect();
            }
            let centre = std::mem::take(&mut self.centre);
            let mut values = vec![0.0; original.width];
            for (x, y) in x.chunks_exact(original.width).zip(y.chunks_exact(original.width)) {
                for ((v, x), y) in values.iter_mut().zip(x).zip(y) {
                    *v = y.to_f64();
                    self.specials_changed += u64::from(!is_ordinary(*x, fills) && !x.same(*y));
                }
                self.row(x, &values, &centre, fills, |j, _| difference(x[j], y[j]));
            }
            self.centre = centre;
        });
    }

    /// Adds another tally, of later rows, without a copy of it where this one is empty.
    pub(crate) fn absorb(&mut self, other: Tally) {
        match self.rows {
            0 => *self = other,
            _ => self.add(&other),
        }
    }

    /// Adds what another tally, of later rows, has added up.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.rows += other.rows;
        self.values += other.values;
        self.specials += other.specials;
        self.specials_changed += other.specials_changed;
        self.squared_error += other.squared_error;
        self.max_error = self.max_error.max(other.max_error);
        self.worst_share = match (self.worst_share, other.worst_share) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        self.cosine += other.cosine;
        self.directions += other.directions;
        self.zero_rows_changed += other.zero_rows_changed;
        self.worst_cosine = match (self.worst_cosine, other.worst_cosine) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.range = match (self.range, other.range) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
        if self.origin.is_empty() {
            self.origin.clone_from(&other.origin);
            self.columns.clone_from(&other.columns);
            return;
        }
        let origins = self.origin.iter().zip(&other.origin);
        for ((a, b), (c, d)) in self.columns.iter_mut().zip(&other.columns).zip(origins) {
            // Moves the other's sums from its origin d to c.
            let by = d - c;
            a.squares = a.squares + b.squares + 2.0 * by * b.sum + b.count * by * by;
            a.sum = a.sum + b.sum + b.count * by;
            a.count += b.count;
        }
    }

    /// Returns `Σ (x − column mean)²`; what overflows counts as the largest number, so that a
    /// quotient by it is not too small.
    pub(crate) fn deviation(&self) -> f64 {
        let own = |c: &ColumnSums| (c.squares - c.sum * c.sum / c.count.max(1.0)).max(0.0);
        self.columns.iter().map(own).sum::<f64>().min(f64::MAX)
    }

    /// Returns the error over the deviation; infinite where sums of squares leave the range of
    /// `f64`.
    pub(crate) fn nmse(&self) -> f64 {
        if self.max_error == 0.0 {
            return 0.0;
        }
        not_nan(self.squared_error / self.deviation())
    }

    /// Returns the mean squared error.
    pub(crate) fn mse(&self) -> f64 {
        self.squared_error / self.values.max(1) as f64
    }

    /// Returns `10 log₁₀(range² / MSE)` in dB; infinite without error.
    pub(crate) fn psnr(&self) -> f64 {
        if self.max_error == 0.0 {
            return f64::INFINITY;
        }
        let (low, high) = self.range.unwrap_or((0.0, 0.0));
        let high = high.max(low);
        let rms = self.mse().sqrt();
        // Where squares leave the range of `f64`, the largest error stands for the mean.
        let rms = if SAFE_ROOT.contains(&rms) { rms } else { self.max_error };
        let range = high - low;
        if range.is_finite() {
            return 20.0 * (range / rms).log10();
        }
        // Halves, because the range of all numbers is not one.
        20.0 * ((high / 2.0 - low / 2.0) / (rms / 2.0)).log10()
    }

    /// Returns the mean of each column; 0 where there is no finite value.
    pub(crate) fn means(&self) -> Vec<f64> {
        let columns = self.columns.iter().zip(&self.origin);
        let mean = |(own, c): (&ColumnSums, &f64)| match own.count {
            0.0 => 0.0,
            count => (c + own.sum / count).clamp(f64::MIN, f64::MAX),
        };
        columns.map(mean).collect()
    }

    /// Returns all figures.
    pub(crate) fn quality(&self) -> Quality {
        Quality {
            rows: self.rows,
            values: self.values,
            specials: self.specials,
            specials_changed: self.specials_changed,
            max_error: self.max_error,
            max_error_pointwise_rel: self.worst_share,
            mse: self.mse(),
            nmse: self.nmse(),
            psnr: self.psnr(),
            cosine: self.mean_cosine(),
            worst_row_cosine: self.worst_cosine.unwrap_or(1.0),
            zero_rows_changed: self.zero_rows_changed,
        }
    }

    /// Returns the mean cosine of the rows that have a direction; 1 where there are none.
    pub(crate) fn mean_cosine(&self) -> f64 {
        if self.directions == 0 { 1.0 } else { self.cosine / self.directions as f64 }
    }
}

/// Computes the cosine of a row and its decoded self, whose `cells` gave `products`: 1 where they are
/// the same, 0 where one of them only is all zeros, −1 for rows decoded to what is no number.
#[inline]
pub(crate) fn cosine(
    products: Products,
    same: bool,
    cells: impl Iterator<Item = (f64, f64)> + Clone,
) -> f64 {
    if same {
        1.0
    } else if SAFE.contains(&products.xx) && SAFE.contains(&products.yy) {
        products.cosine()
    } else {
        scaled_cosine(cells)
    }
}

/// Computes the cosine of rows whose squares may be out of range.
#[cold]
fn scaled_cosine(cells: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    if cells.clone().any(|(_, y)| !y.is_finite()) {
        return -1.0;
    }
    let (a, b) =
        cells.clone().fold((0.0_f64, 0.0_f64), |(a, b), (x, y)| (a.max(x.abs()), b.max(y.abs())));
    if a == 0.0 || b == 0.0 {
        return 0.0;
    }
    let mut products = Products::default();
    cells.for_each(|(x, y)| products.add(x / a, y / b));
    products.cosine()
}
