//! A hint for those who compress embeddings with a promise made for measurements.

use aezip::{DType, F16, Rows};

/// How many rows are looked at: enough that no chance makes them all have length 1.
const ROWS: usize = 100;
/// Rows with fewer numbers are hardly embeddings.
const WIDTH: usize = 16;
/// How far a length may be from 1, as that of rounded halves is.
const TOLERANCE: f64 = 1e-3;

/// The hint where rows are [`has_unit_rows`].
pub(crate) const UNIT_ROWS: &str = "hint: the rows have length 1, as embeddings do; --cosine 0.99 \
     or so may be the promise you want, and gives far smaller files";

/// Says whether the first rows are long vectors of length 1.
pub(crate) fn has_unit_rows(rows: &dyn Rows) -> bool {
    let schema = rows.schema();
    let count = rows.len().min(ROWS);
    if !schema.dtype.is_float() || schema.width() < WIDTH || count == 0 {
        return false;
    }
    let mut bytes = vec![0; count * schema.row_bytes()];
    // Whoever compresses the rows will report what cannot be read.
    rows.read(0, &mut bytes).is_ok()
        && bytes
            .chunks_exact(schema.row_bytes())
            .all(|row| (norm(schema.dtype, row) - 1.0).abs() <= TOLERANCE)
}

fn norm(dtype: DType, row: &[u8]) -> f64 {
    let squares = row.chunks_exact(dtype.size()).map(|bytes| {
        let x = match *bytes {
            [a, b] => F16(u16::from_le_bytes([a, b])).to_f64(),
            [a, b, c, d] => f32::from_le_bytes([a, b, c, d]).into(),
            [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => f64::NAN,
        };
        x * x
    });
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aezip::{Element, Matrix, Schema};

    fn hinted<T: Element>(values: &[T], width: usize) -> bool {
        has_unit_rows(&Matrix::from_slice(values, &[width]).unwrap())
    }

    #[test]
    fn only_long_float_rows_of_length_one_are_embeddings() {
        assert!(hinted(&[0.25_f32; 48], 16));
        assert!(hinted(&[0.25_f64; 16], 16));
        assert!(hinted(&[F16::from_f64(0.25); 32], 16));
        assert!(!hinted(&[0.26_f32; 48], 16));
        assert!(!hinted(&[0.5_f32; 48], 4));
        assert!(!hinted(&[f32::NAN; 16], 16));
        assert!(!hinted(&[1_u8; 16], 16));
        assert!(!has_unit_rows(&Matrix::new(Schema::new(DType::F32, &[16]), vec![]).unwrap()));
    }
}
