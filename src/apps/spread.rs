//! Columns of a table have units of their own; brought to the same spread they count alike.

use super::cells;
use crate::error::Result;
use crate::matrix::{DType, Matrix, Rows, Schema};

/// Where a column's values lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) centre: f64,
    pub(super) scale: f64,
}

/// Of each column, where rows are of a table: where their columns have names.
pub(super) fn of_table(schema: &Schema, values: &[f64]) -> Option<Vec<Spread>> {
    schema.columns.as_ref().map(|_| spreads(values, schema.width(), 1.0))
}

/// Median and half the distance of the quantiles that hold 68 % of a column's values, which a
/// few wild ones do not move; `still` for columns that do not vary.
pub(super) fn spreads(values: &[f64], width: usize, still: f64) -> Vec<Spread> {
    let column = |j: usize| {
        let own = values.iter().skip(j).step_by(width);
        let mut x: Vec<f64> = own.copied().filter(|x| x.is_finite()).collect();
        if x.is_empty() {
            return Spread { centre: 0.0, scale: still };
        }
        x.sort_unstable_by(f64::total_cmp);
        let at = |q: f64| x[(q * (x.len() - 1) as f64).round() as usize];
        let centre = at(0.5);
        let mut scale = (at(0.84) - at(0.16)) / 2.0;
        if scale <= 0.0 {
            // Nearly all are alike: the deviation of the few others.
            let squares: f64 = x.iter().map(|x| (x - centre).powi(2)).sum();
            scale = (squares / x.len() as f64).sqrt();
        }
        let usable = scale > 0.0 && scale.is_finite();
        Spread { centre, scale: if usable { scale } else { still } }
    };
    (0..width).map(column).collect()
}

/// Values in units of their columns' spread, in place.
pub(super) fn reduce(values: &mut [f64], spreads: &[Spread]) {
    for row in values.chunks_exact_mut(spreads.len()) {
        row.iter_mut().zip(spreads).for_each(|(x, s)| *x = (*x - s.centre) / s.scale);
    }
}

/// And back.
pub(super) fn restore(values: &mut [f64], spreads: &[Spread]) {
    for row in values.chunks_exact_mut(spreads.len()) {
        row.iter_mut().zip(spreads).for_each(|(x, s)| *x = *x * s.scale + s.centre);
    }
}

/// Rows to learn from: of a table reduced, as `f32`; all others as they are.
pub(super) fn learnable(schema: &Schema, mut values: Vec<f64>, is_table: bool) -> Result<Matrix> {
    if !is_table {
        return cells::matrix(schema, schema.dtype, &values);
    }
    let spreads = spreads(&values, schema.width(), 1.0);
    reduce(&mut values, &spreads);
    cells::matrix(schema, DType::F32, &values)
}

/// The rows with these numbers.
pub(super) fn chosen(rows: &Matrix, which: &[usize]) -> Result<Matrix> {
    let size = rows.schema().row_bytes();
    let mut bytes = Vec::with_capacity(which.len() * size);
    which.iter().for_each(|&i| bytes.extend_from_slice(&rows.bytes()[i * size..(i + 1) * size]));
    Matrix::new(rows.schema().clone(), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_to_the_same_spread_and_back() {
        let original: Vec<f64> = (0..200)
            .flat_map(|i| {
                let x = f64::from(i % 20);
                [x * 1e6, 5.0, if i == 7 { 1e12 } else { -x }]
            })
            .collect();
        let mut values = original.clone();
        let spreads = spreads(&values, 3, 1.0);
        reduce(&mut values, &spreads);
        assert!(spreads[1].scale == 1.0 && values[1] == 0.0);
        let ratio = spreads[0].scale / spreads[2].scale;
        assert!(ratio > 0.8e6 && ratio < 1.2e6, "not moved by the wild one: {ratio}");
        restore(&mut values, &spreads);
        assert!(values.iter().zip(&original).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs()));
    }
}
