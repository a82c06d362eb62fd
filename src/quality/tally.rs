//! How good decoded rows are, added up row by row.

use super::Quality;
use crate::codec::value::{Cell, with_cell};
use crate::error::Result;
use crate::matrix::{Rows, from_little_endian};

/// Sums over rows; values that are not finite count as absent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Rows.
    pub(crate) rows: u64,
    /// Finite values.
    pub(crate) values: u64,
    /// Values that are not finite.
    pub(crate) specials: u64,
    /// Those of them whose bits changed.
    pub(crate) specials_changed: u64,
    /// `Σ (x − x̂)²`.
    pub(crate) squared_error: f64,
    /// Largest `|x − x̂|`.
    pub(crate) max_error: f64,
    /// Sum over rows of the cosine between `x` and `x̂`.
    pub(crate) cosine: f64,
    /// Smallest and largest value.
    pub(crate) range: Option<(f64, f64)>,
    /// `c` of each column, for [`Tally::pair`].
    centre: Vec<f64>,
    /// `c` of the first row added, so that tallies with different `c` can be added.
    origin: Vec<f64>,
    /// Per column: count, `Σ (x − c)` and `Σ (x − c)²`.
    columns: Vec<(f64, f64, f64)>,
}

impl Tally {
    /// Adds a row; `centre` is `c` of each column.
    pub(crate) fn row<T: Cell>(&mut self, row: &[T], decoded: &[f64], centre: &[f64]) {
        if self.origin.is_empty() {
            self.origin = centre.to_vec();
            self.columns.resize(row.len(), (0.0, 0.0, 0.0));
        }
        let (mut xx, mut yy, mut xy, mut dd) = (0.0, 0.0, 0.0, 0.0);
        let (mut same, mut zero) = (true, true);
        let (mut low, mut high) = self.range.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
        let cells = row.iter().zip(decoded).zip(centre.iter().zip(&mut self.columns));
        for ((&cell, &y), (c, column)) in cells {
            if !cell.is_ordinary() {
                self.specials += 1;
                continue;
            }
            self.values += 1;
            let x = cell.to_f64();
            let d = x - y;
            same &= d == 0.0;
            zero &= x == 0.0;
            xx += x * x;
            yy += y * y;
            xy += x * y;
            dd += d * d;
            self.max_error = self.max_error.max(d.abs());
            low = low.min(x);
            high = high.max(x);
            column.0 += 1.0;
            column.1 += x - c;
            column.2 += (x - c) * (x - c);
        }
        self.range = (low <= high).then_some((low, high));
        self.rows += 1;
        self.squared_error += dd;
        self.cosine += cosine(xx, yy, xy, same || zero);
    }

    /// Adds rows given as original and decoded cells.
    pub(crate) fn pair(&mut self, original: &Chunk<'_>, decoded: &Chunk<'_>) {
        with_cell!(original.dtype, T => {
            let (x, y) = (original.cells::<T>(), decoded.cells::<T>());
            // Sums around the first row lose less than sums around 0.
            if self.centre.is_empty() {
                let first = x.iter().take(original.width).map(|v| v.to_f64());
                self.centre = first.map(|v| if v.is_finite() { v } else { 0.0 }).collect();
            }
            let centre = std::mem::take(&mut self.centre);
            let mut values = vec![0.0; original.width];
            for (x, y) in x.chunks_exact(original.width).zip(y.chunks_exact(original.width)) {
                for ((v, x), y) in values.iter_mut().zip(x).zip(y) {
                    *v = y.to_f64();
                    self.specials_changed += u64::from(!x.is_ordinary() && !x.same(*y));
                }
                self.row(x, &values, &centre);
            }
            self.centre = centre;
        });
    }

    /// Adds what another tally, of later rows, has added up.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.rows += other.rows;
        self.values += other.values;
        self.specials += other.specials;
        self.specials_changed += other.specials_changed;
        self.squared_error += other.squared_error;
        self.max_error = self.max_error.max(other.max_error);
        self.cosine += other.cosine;
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
            *a = (a.0 + b.0, a.1 + b.1 + b.0 * by, a.2 + b.2 + 2.0 * by * b.1 + b.0 * by * by);
        }
    }

    /// `Σ (x − column mean)²`.
    pub(crate) fn deviation(&self) -> f64 {
        self.columns.iter().map(|(n, s, q)| (q - s * s / n.max(1.0)).max(0.0)).sum()
    }

    /// Error over deviation; infinite where squares overflow or vanish, so that they prove nothing.
    pub(crate) fn nmse(&self) -> f64 {
        if self.max_error == 0.0 {
            return 0.0;
        }
        ratio(self.squared_error, self.deviation())
    }

    /// Mean squared error.
    pub(crate) fn mse(&self) -> f64 {
        self.squared_error / self.values.max(1) as f64
    }

    /// `10 log₁₀(range² / MSE)`; infinite without error, and infinitely bad where squares
    /// overflow or vanish.
    pub(crate) fn psnr(&self) -> f64 {
        let (low, high) = self.range.unwrap_or((0.0, 0.0));
        if self.max_error == 0.0 {
            return f64::INFINITY;
        }
        if !trusted(self.squared_error) || !(high - low).is_finite() {
            return f64::NEG_INFINITY;
        }
        20.0 * (high - low).log10() - 10.0 * self.mse().log10()
    }

    /// Mean of each column; 0 where there is no finite value.
    pub(crate) fn means(&self) -> Vec<f64> {
        let columns = self.columns.iter().zip(&self.origin);
        columns.map(|((n, s, _), c)| if *n > 0.0 { c + s / n } else { 0.0 }).collect()
    }

    /// The figures.
    pub(crate) fn quality(&self) -> Quality {
        Quality {
            rows: self.rows,
            values: self.values,
            specials: self.specials,
            specials_changed: self.specials_changed,
            max_error: self.max_error,
            mse: self.mse(),
            nmse: self.nmse(),
            psnr: self.psnr(),
            cosine: self.mean_cosine(),
        }
    }

    /// Mean over rows.
    pub(crate) fn mean_cosine(&self) -> f64 {
        if self.rows == 0 { 1.0 } else { self.cosine / self.rows as f64 }
    }
}

/// Whether a sum of squares is far from both ends of what `f64` holds. What is not squares of
/// numbers beyond 1e150, or of nothing but numbers below 1e-140: promises about them are kept by
/// storing them exactly.
pub(crate) fn trusted(squares: f64) -> bool {
    (1e-280..1e300).contains(&squares)
}

/// Squared error, not 0, over deviation; infinite where it cannot be told.
pub(crate) fn ratio(error: f64, deviation: f64) -> f64 {
    if trusted(error) && deviation.is_finite() { error / deviation } else { f64::INFINITY }
}

/// Cosine from sums; rows of zeros and rows that did not change count as 1, rows decoded to
/// zeros, and those whose squares prove nothing, as 0.
pub(crate) fn cosine(xx: f64, yy: f64, xy: f64, one: bool) -> f64 {
    if one {
        1.0
    } else if trusted(xx) && trusted(yy) {
        (xy / (xx.sqrt() * yy.sqrt())).min(1.0)
    } else {
        0.0
    }
}

/// Some rows' little-endian bytes.
pub(crate) struct Chunk<'a> {
    pub(crate) dtype: crate::matrix::DType,
    pub(crate) width: usize,
    /// Number of the first row.
    pub(crate) first: usize,
    pub(crate) bytes: &'a [u8],
}

impl Chunk<'_> {
    /// The cells.
    pub(crate) fn cells<T: Cell>(&self) -> Vec<T> {
        let mut cells = vec![T::zeroed(); self.bytes.len() / size_of::<T>()];
        from_little_endian(self.bytes, &mut cells);
        cells
    }
}

/// Runs `work` over chunks of both sources, in parallel where threads are to be had; results in
/// order, chunk by chunk, so that sums do not depend on threads.
pub(crate) fn chunks<R: Default + Send>(
    a: &dyn Rows,
    b: &dyn Rows,
    work: impl Fn(&Chunk<'_>, &Chunk<'_>, &mut R) -> Result<()> + Sync + Send,
) -> Result<Vec<R>> {
    let schema = a.schema();
    let (dtype, width, row_bytes) = (schema.dtype, schema.width(), schema.row_bytes());
    let per_chunk = ((1 << 20) / row_bytes.max(1)).max(1);
    let one = |first: usize| -> Result<R> {
        let size = per_chunk.min(a.len() - first) * row_bytes;
        let (mut x, mut y) = (vec![0; size], vec![0; size]);
        a.read(first, &mut x)?;
        b.read(first, &mut y)?;
        let mut result = R::default();
        let chunk = |bytes| Chunk { dtype, width, first, bytes };
        work(&chunk(&x[..]), &chunk(&y[..]), &mut result)?;
        Ok(result)
    };
    let firsts: Vec<usize> = (0..a.len()).step_by(per_chunk).collect();
    #[cfg(feature = "compress")]
    {
        use rayon::prelude::*;
        firsts.into_par_iter().map(one).collect()
    }
    #[cfg(not(feature = "compress"))]
    firsts.into_iter().map(one).collect()
}
