//! What is multiplied, and what becomes of the product.

use crate::kernels::activation::Activation;

/// A matrix in somebody's slice: element `(i, j)` is `data[i * rows_apart + j * columns_apart]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) rows_apart: usize,
    pub(crate) columns_apart: usize,
}

impl<'a> View<'a> {
    /// Describes a row-major matrix of `rows × columns` numbers.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns);
        Self { data, rows, columns, rows_apart: columns, columns_apart: 1 }
    }

    /// Returns the transposed matrix, without a copy.
    pub(crate) fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            rows_apart: self.columns_apart,
            columns_apart: self.rows_apart,
            ..self
        }
    }
}

/// What becomes of a product.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Finish<'a> {
    /// `out = a·b`
    Store,
    /// The same on the diagonal and above it; what is below is anything.
    Upper,
    /// `out += a·b`
    Add,
    /// `out = f(a·b + bias)`, `bias` one number per column.
    Activate(&'a [f32], Activation),
}

impl<'a> Finish<'a> {
    /// Returns the bias and the slope below 0, where it is no more than those.
    pub(super) fn by_slope(self) -> Option<(&'a [f32], f32)> {
        match self {
            Finish::Activate(bias, Activation::Identity) => Some((bias, 1.0)),
            Finish::Activate(bias, Activation::LeakyRelu(slope)) if slope <= 1.0 => {
                Some((bias, slope))
            }
            _ => None,
        }
    }
}

/// Applies bias and activation to a piece of a row, which begins at `column`.
pub(super) fn finish_row(row: &mut [f32], column: usize, finish: Finish<'_>) {
    if let Finish::Activate(bias, f) = finish {
        row.iter_mut().zip(&bias[column..]).for_each(|(x, b)| *x += b);
        f.apply(row);
    }
}
