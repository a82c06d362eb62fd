//! Rows without their noise.

use super::{cells, model::Model};
use crate::error::Result;
use crate::matrix::{Matrix, Rows, Schema};

/// What the codec can say of `rows`, in their own type: everything else, noise above all, is left
/// out. Best with a codec that was learned so ([`TrainConfig::denoise`](crate::TrainConfig)); any
/// with few latents does it to some extent, as what rows have in common is all it knows.
///
/// # Errors
/// As [`Model::embed`].
pub fn denoise(model: &Model, rows: &dyn Rows) -> Result<Matrix> {
    model.expect(rows.schema())?;
    let schema = rows.schema();
    let mut bytes = Vec::with_capacity(rows.len() * schema.row_bytes());
    for part in cells::parts(rows.len(), schema.width()) {
        let values = model.reconstructed(&cells::read(rows, part)?, &|_| false)?;
        bytes.extend(cells::bytes(schema.dtype, &values));
    }
    Matrix::new(Schema { ..schema.clone() }, bytes)
}
