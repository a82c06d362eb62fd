//! How good the decoded rows are, added up while they are made.

use crate::codec::value::Cell;

/// Sums over rows; values that are not finite count as absent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Rows.
    pub(crate) rows: u64,
    /// Finite values.
    pub(crate) values: u64,
    /// Values that are not finite.
    pub(crate) specials: u64,
    /// `Σ (x − x̂)²`.
    pub(crate) squared_error: f64,
    /// Largest `|x − x̂|`.
    pub(crate) max_error: f64,
    /// Sum over rows of the cosine between `x` and `x̂`.
    pub(crate) cosine: f64,
    /// Smallest and largest value.
    pub(crate) range: Option<(f64, f64)>,
    /// Per column: count, `Σ (x − c)` and `Σ (x − c)²`.
    columns: Vec<(f64, f64, f64)>,
}

impl Tally {
    /// Adds a row; `centre` is `c` of each column.
    pub(crate) fn row<T: Cell>(&mut self, row: &[T], decoded: &[f64], centre: &[f64]) {
        self.columns.resize(row.len(), (0.0, 0.0, 0.0));
        let (mut xx, mut yy, mut xy, mut dd) = (0.0, 0.0, 0.0, 0.0);
        let mut same = true;
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
        self.cosine += cosine(xx, yy, xy, same);
    }

    /// Adds what another tally, of later rows, has added up.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.rows += other.rows;
        self.values += other.values;
        self.specials += other.specials;
        self.squared_error += other.squared_error;
        self.max_error = self.max_error.max(other.max_error);
        self.cosine += other.cosine;
        self.range = match (self.range, other.range) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
        self.columns.resize(self.columns.len().max(other.columns.len()), (0.0, 0.0, 0.0));
        for (a, b) in self.columns.iter_mut().zip(&other.columns) {
            *a = (a.0 + b.0, a.1 + b.1, a.2 + b.2);
        }
    }

    /// `Σ (x − column mean)²`.
    pub(crate) fn deviation(&self) -> f64 {
        self.columns.iter().map(|(n, s, q)| (q - s * s / n.max(1.0)).max(0.0)).sum()
    }

    /// Error over deviation.
    pub(crate) fn nmse(&self) -> f64 {
        if self.squared_error == 0.0 { 0.0 } else { self.squared_error / self.deviation() }
    }

    /// Mean squared error.
    pub(crate) fn mse(&self) -> f64 {
        self.squared_error / self.values.max(1) as f64
    }

    /// `10 log₁₀(range² / MSE)`; infinite without error.
    pub(crate) fn psnr(&self) -> f64 {
        let (low, high) = self.range.unwrap_or((0.0, 0.0));
        10.0 * ((high - low).powi(2) / self.mse()).log10()
    }

    /// Mean over rows.
    pub(crate) fn mean_cosine(&self) -> f64 {
        if self.rows == 0 { 1.0 } else { self.cosine / self.rows as f64 }
    }
}

/// Cosine from sums; rows of zeros count as 1, rows decoded to zeros as 0.
fn cosine(xx: f64, yy: f64, xy: f64, same: bool) -> f64 {
    if same || xx == 0.0 {
        1.0
    } else if yy == 0.0 {
        0.0
    } else {
        (xy / (xx.sqrt() * yy.sqrt())).min(1.0)
    }
}
