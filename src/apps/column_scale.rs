//! Columns of a table have units of their own; divided by their spread, they count alike.

use super::made::Made;
use super::values;
use crate::matrix::{DType, FillValues, Rows, Schema};
use std::sync::Arc;

/// The quantiles whose distance is two standard deviations of a normal distribution. A few wild
/// values do not move them, as they would the deviation itself.
const QUANTILES: (f64, f64) = (0.16, 0.84);

/// What is subtracted from a column's values, and what the difference is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ColumnScale {
    pub(super) centre: f64,
    pub(super) scale: f64,
}

impl ColumnScale {
    /// The median of a column and half the distance of its two [`QUANTILES`]. `constant` is the
    /// scale of a column that does not vary.
    fn of(column: impl Iterator<Item = f64>, constant: f64) -> Self {
        let mut x: Vec<f64> = column.filter(|x| x.is_finite()).collect();
        if x.is_empty() {
            return Self { centre: 0.0, scale: constant };
        }
        x.sort_unstable_by(f64::total_cmp);
        let at = |q: f64| x[(q * (x.len() - 1) as f64).round() as usize];
        let centre = at(0.5);
        let mut scale = (at(QUANTILES.1) - at(QUANTILES.0)) / 2.0;
        if scale <= 0.0 {
            // Nearly all values are alike: take the standard deviation, which the few others make.
            let squares: f64 = x.iter().map(|x| (x - centre).powi(2)).sum();
            scale = (squares / x.len() as f64).sqrt();
        }
        let usable = scale > 0.0 && scale.is_finite();
        Self { centre, scale: if usable { scale } else { constant } }
    }
}

/// The mean and the standard deviation of a column.
pub(super) fn moments(column: impl Iterator<Item = f64> + Clone) -> ColumnScale {
    let n = column.clone().count() as f64;
    let centre = column.clone().sum::<f64>() / n;
    let scale = (column.map(|x| (x - centre).powi(2)).sum::<f64>() / n).sqrt();
    ColumnScale { centre, scale }
}

/// Measures each of the `width` columns of `values`; `constant` is the scale of columns that do
/// not vary.
pub(super) fn column_scales(values: &[f64], width: usize, constant: f64) -> Vec<ColumnScale> {
    let column = |j: usize| values.iter().skip(j).step_by(width).copied();
    (0..width).map(|j| ColumnScale::of(column(j), constant)).collect()
}

/// Brings values, in place, to units of their columns' spread.
pub(super) fn normalise(values: &mut [f64], scales: &[ColumnScale]) {
    for row in values.chunks_exact_mut(scales.len()) {
        row.iter_mut().zip(scales).for_each(|(x, s)| *x = (*x - s.centre) / s.scale);
    }
}

/// Undoes [`normalise`].
pub(super) fn denormalise(values: &mut [f64], scales: &[ColumnScale]) {
    for row in values.chunks_exact_mut(scales.len()) {
        row.iter_mut().zip(scales).for_each(|(x, s)| *x = *x * s.scale + s.centre);
    }
}

/// Rows to learn from: those of a table, which have `scales`, normalised, as `f32`; all others as they are.
pub(super) fn training_rows<'a>(
    rows: &'a dyn Rows,
    scales: Option<Vec<ColumnScale>>,
) -> Arc<dyn Rows + 'a> {
    let given = rows.schema().dtype;
    let dtype = if scales.is_some() { DType::F32 } else { given };
    let fill_values = FillValues::default();
    let schema = Schema { dtype, fill_values, ..rows.schema().clone() };
    let make = move |bytes: Vec<u8>| {
        let mut values = values::doubles(given, &bytes);
        scales.iter().for_each(|scales| normalise(&mut values, scales));
        Ok(values::bytes(dtype, &values))
    };
    Arc::new(Made { rows, schema, make })
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
        let scales = column_scales(&values, 3, 1.0);
        normalise(&mut values, &scales);
        assert!(scales[1].scale == 1.0 && values[1] == 0.0);
        let ratio = scales[0].scale / scales[2].scale;
        assert!(ratio > 0.8e6 && ratio < 1.2e6, "not moved by the wild one: {ratio}");
        denormalise(&mut values, &scales);
        assert!(values.iter().zip(&original).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs()));
    }
}
