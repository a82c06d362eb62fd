//! Fine units, in which predictions count, in the data's units.

use crate::container::model::{ModelRecord, Value};

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
