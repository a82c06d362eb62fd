//! What is asked for: rows with gaps.

use super::filled::Imputed;
use crate::apps::values;
use crate::compress::Config;
use crate::error::{Error, Result};
use crate::matrix::{Matrix, Rows};

/// Bytes that filling gaps without a codec takes for each value: the rows, and copies of them as `f64`.
const BYTES_PER_VALUE: u64 = 80;
/// The same for each draw: the result.
const BYTES_PER_DRAWN: u64 = 8;

/// Rows with gaps, as they are worked on.
pub(super) struct Given {
    /// All values, whatever they are.
    pub(super) values: Vec<f64>,
    /// The same, NaN where missing.
    pub(super) known: Vec<f64>,
    /// The rows as they are, and what of them is to be filled.
    pub(super) out: Imputed,
}

impl Given {
    pub(super) fn read(rows: &dyn Rows, missing: &[bool]) -> Result<Self> {
        let schema = rows.schema();
        let mut original = vec![0; rows.len() * schema.row_bytes()];
        rows.read(0, &mut original)?;
        let values = values::to_doubles(rows)?;
        let known = values.iter().zip(missing).map(|(x, m)| if *m { f64::NAN } else { *x });
        let known: Vec<f64> = known.collect();
        let out = Imputed::unchanged(Matrix::new(schema.clone(), original)?, missing, &known);
        Ok(Self { values, known, out })
    }
}

/// Fails if filling the gaps of `rows` without a codec takes too much, `draws` more results among it.
pub(super) fn check_memory(rows: &dyn Rows, draws: usize, config: &Config) -> Result<()> {
    let values = (rows.len() as u64).saturating_mul(rows.schema().width() as u64);
    let each = BYTES_PER_VALUE + draws as u64 * BYTES_PER_DRAWN;
    let (rows, bytes, most) = (rows.len(), values.saturating_mul(each), config.memory);
    if bytes > most {
        return Err(Error::limit(format!(
            "filling the gaps of {rows} rows by what they say themselves takes about {bytes} bytes of memory, \
             {most} are allowed: allow more, or fill them by a codec, which takes little"
        )));
    }
    Ok(())
}

/// Fails unless `missing` has as many entries as there are values, and something is there.
pub(super) fn check(rows: &dyn Rows, missing: &[bool]) -> Result<()> {
    let width = rows.schema().width();
    if Some(missing.len()) != rows.len().checked_mul(width) {
        return Err(Error::argument(format!(
            "{} values are said to be missing or not, but there are {} rows of {width}",
            missing.len(),
            rows.len()
        )));
    }
    if !missing.is_empty() && !missing.contains(&false) {
        return Err(Error::argument("every value is missing, so there is nothing to learn from"));
    }
    Ok(())
}
