//! Products of `f32` matrices.

use super::activation::Activation;

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
    /// A row-major matrix.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns);
        Self { data, rows, columns, rows_apart: columns, columns_apart: 1 }
    }

    /// The transposed matrix, without a copy.
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
    /// `out += a·b`
    Add,
    /// `out = f(a·b + bias)`, `bias` one number per column.
    Activate(&'a [f32], Activation),
}

/// The product `a·b` into row-major `out`.
pub(crate) fn gemm(a: View<'_>, b: View<'_>, out: &mut [f32], finish: Finish<'_>) {
    for i in 0..a.rows {
        for j in 0..b.columns {
            let at = i * b.columns + j;
            let mut sum = if matches!(finish, Finish::Add) { out[at] } else { 0.0 };
            for k in 0..a.columns {
                let x = a.data[i * a.rows_apart + k * a.columns_apart];
                sum = x.mul_add(b.data[k * b.rows_apart + j * b.columns_apart], sum);
            }
            out[at] = sum;
        }
        if let Finish::Activate(bias, f) = finish {
            let row = &mut out[i * b.columns..(i + 1) * b.columns];
            row.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
            f.apply(row);
        }
    }
}
