//! Fill values that are named, but do not occur.

use crate::cli::io::failure::Failure;
use aezip::apps::to_doubles;
use aezip::{DType, Matrix, Rows};

/// Bytes of rows that are looked at together.
const PIECE: usize = 4 << 20;

/// Returns those of `values` that no number of `rows` is.
pub(crate) fn absent(rows: &dyn Rows, values: &[f64]) -> Result<Vec<f64>, Failure> {
    let schema = rows.schema();
    // A decimal is meant as the number of the type that is nearest to it.
    let share = match schema.dtype {
        DType::F16 => f64::from(f32::EPSILON) * 4096.0,
        DType::F32 => f64::from(f32::EPSILON) / 2.0,
        _ => 0.0,
    };
    let mut left = values.to_vec();
    let step = (PIECE / schema.row_bytes().max(1)).max(1);
    for first in (0..rows.len()).step_by(step) {
        if left.is_empty() {
            break;
        }
        let mut bytes = vec![0; step.min(rows.len() - first) * schema.row_bytes()];
        rows.read(first, &mut bytes)?;
        let numbers = to_doubles(&Matrix::new(schema.clone(), bytes)?)?;
        left.retain(|x| !numbers.iter().any(|y| (y - x).abs() <= x.abs() * share));
    }
    Ok(left)
}
