//! What predictions count from, and in: origins and fine units, in the data's units.

use crate::codec::value::{Cell, with_cell};
use crate::container::model::{ModelRecord, Value};
use crate::matrix::DType;

/// Returns one fine unit of each column in the data's units: what 1 of its prediction adds to a
/// value. For columns that count representable numbers, it is that near their centre. `docs/units.md`
/// lists all units.
pub(crate) fn units(record: &ModelRecord) -> Vec<f64> {
    let unit = |&g: &usize| {
        let grid = &record.grids[g];
        let per_integer = match grid.value {
            Value::Integer { unit } => unit as f64,
            Value::Linear { unit, .. } => unit,
            Value::Ratio { numerator, denominator } => numerator as f64 / denominator as f64,
            Value::Ordered { unit, .. } => return unit,
        };
        per_integer * grid.step as f64 / f64::from(1_u32 << grid.fraction.min(31))
    };
    record.grid_of.iter().map(unit).collect()
}

/// Returns the value of each column, of type `dtype`, where its prediction is 0.
pub(crate) fn origins(record: &ModelRecord, dtype: DType) -> Vec<f64> {
    let grids = record.grid_of.iter().map(|&g| &record.grids[g]);
    with_cell!(dtype, T => {
        grids.zip(&record.base).map(|(g, &base)| g.value::<T>(base, 0, 0).to_f64()).collect()
    })
}
