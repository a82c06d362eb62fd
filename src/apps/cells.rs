//! Rows of any type as `f64`, and back.

use crate::codec::value::{Cell, with_cell};
use crate::error::Result;
use crate::matrix::{DType, Matrix, Rows, Schema, from_little_endian, to_little_endian};
use std::ops::Range;

/// Numbers that are worked on at once, about.
const CELLS: usize = 1 << 21;

/// Ranges of rows that together are all of `rows`, each small enough to be held as `f64`.
pub(super) fn parts(rows: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    let step = (CELLS / width.max(1)).max(1);
    (0..rows).step_by(step).map(move |first| first..rows.min(first + step))
}

/// Some rows, row-major.
pub(super) fn read(rows: &dyn Rows, range: Range<usize>) -> Result<Vec<f64>> {
    let schema = rows.schema();
    let mut bytes = vec![0; range.len() * schema.row_bytes()];
    rows.read(range.start, &mut bytes)?;
    Ok(doubles(schema.dtype, &bytes))
}

/// All numbers of `rows` as `f64`, row-major.
///
/// # Errors
/// As the rows give them.
pub fn to_doubles(rows: &dyn Rows) -> Result<Vec<f64>> {
    read(rows, 0..rows.len())
}

/// The same rows in another type: the nearest numbers that it has.
///
/// # Errors
/// As the rows give them.
pub fn cast(rows: &dyn Rows, dtype: DType) -> Result<Matrix> {
    matrix(rows.schema(), dtype, &to_doubles(rows)?)
}

/// Little-endian cells as numbers.
fn doubles(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    with_cell!(dtype, T => {
        let mut cells = vec![<T as bytemuck::Zeroable>::zeroed(); bytes.len() / size_of::<T>()];
        from_little_endian(bytes, &mut cells);
        cells.iter().map(|x| x.to_f64()).collect()
    })
}

/// The nearest numbers of `dtype`, as little-endian cells. What is beyond a type's range becomes
/// its end; a NaN stays one in floats and is 0 in integers.
pub(super) fn bytes(dtype: DType, values: &[f64]) -> Vec<u8> {
    if dtype == DType::F64 {
        return to_little_endian(values);
    }
    with_cell!(dtype, T => {
        let cell = |x: &f64| -> T {
            if !dtype.is_float() {
                T::from_float(x.round_ties_even())
            } else if x.is_finite() {
                T::from_float(*x)
            } else {
                special::<T>(*x)
            }
        };
        to_little_endian(&values.iter().map(cell).collect::<Vec<T>>())
    })
}

/// What is not finite, in a float type.
fn special<T: Cell>(x: f64) -> T {
    // Infinities are the places after the largest numbers; a NaN lies beyond.
    let largest = T::from_float(f64::MAX).to_order();
    if x.is_nan() {
        T::from_order(largest + (1 << quiet_bit::<T>()) + 1)
    } else if x > 0.0 {
        T::from_order(largest + 1)
    } else {
        T::from_order(-2 - largest)
    }
}

/// Highest bit of the fraction.
fn quiet_bit<T: Cell>() -> u32 {
    match T::DTYPE {
        DType::F16 => 9,
        _ => 22,
    }
}

/// A matrix of `dtype` whose rows are as `schema` says otherwise.
pub(super) fn matrix(schema: &Schema, dtype: DType, values: &[f64]) -> Result<Matrix> {
    Matrix::new(Schema { dtype, ..schema.clone() }, bytes(dtype, values))
}

/// A type that holds computed values of rows like these: `f64` for those that need it.
pub(super) fn float(dtype: DType) -> DType {
    match dtype {
        DType::F64 | DType::I64 | DType::U64 | DType::I32 | DType::U32 => DType::F64,
        _ => DType::F32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::F16;

    #[test]
    fn numbers_come_back() {
        for dtype in [DType::F16, DType::F32, DType::F64] {
            let values = [0.0, 1.5, -2.25, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
            let back = doubles(dtype, &bytes(dtype, &values));
            assert_eq!(back[..5], values[..5], "{dtype}");
            assert!(back[5].is_nan(), "{dtype}");
        }
        assert_eq!(bytes(DType::U8, &[2.5, 3.5, -1.0, 999.0, f64::NAN]), [2, 4, 0, 255, 0]);
        assert_eq!(doubles(DType::F16, &bytes(DType::F16, &[1e9])), [F16(0x7bff).to_f64()]);
    }

    #[test]
    fn parts_are_all_rows() {
        for (rows, width) in [(0, 5), (1, 5), (10, 1 << 20), (7, 1 << 24)] {
            let all: Vec<usize> = parts(rows, width).flatten().collect();
            assert_eq!(all, (0..rows).collect::<Vec<_>>());
        }
    }
}
