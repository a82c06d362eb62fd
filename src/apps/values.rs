//! Rows of any type as `f64` values, and back.

use crate::codec::value::{Cell, with_cell};
use crate::error::{Error, Result};
use crate::matrix::{
    DType, FillValues, Matrix, Rows, Schema, from_little_endian, to_little_endian,
};
use std::ops::Range;

/// Values that are worked on at once: 16 MiB as `f64`, little beside the rows themselves, and
/// enough rows at a time that products of matrices run at full speed.
pub(super) const VALUES_AT_ONCE: usize = 1 << 21;

/// Splits `rows` rows of `width` values into ranges about as large as each other, each small enough to be held as `f64`.
pub(super) fn parts(rows: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    let most = (VALUES_AT_ONCE / width.max(1)).max(1);
    let step = rows.div_ceil(rows.div_ceil(most).max(1)).max(1);
    (0..rows).step_by(step).map(move |first| first..rows.min(first + step))
}

/// Values of a sample that spreads and distances are measured on: 128 MiB as `f64`. They are all values of
/// rows that have no more, and enough of others for three digits.
const SAMPLE_VALUES: usize = 1 << 24;
/// Bytes that each of them takes with what is made of it.
const BYTES_PER_SAMPLED: u64 = 32;
/// Rows of a sample that lie next to each other: compressed ones are decoded many at a time.
const RUN: usize = 32;

/// All values of `rows`, or where they are many, or `memory` is little, those of rows spread evenly over them.
pub(super) fn sample(rows: &dyn Rows, memory: u64) -> Result<Vec<f64>> {
    let width = rows.schema().width();
    let most = usize::try_from(memory / BYTES_PER_SAMPLED).unwrap_or(usize::MAX);
    let most = (SAMPLE_VALUES.min(most) / width.max(1)).max(RUN);
    if rows.len() <= most {
        let mut all = Vec::with_capacity(rows.len() * width);
        parts(rows.len(), width).try_for_each(|part| read(rows, part).map(|x| all.extend(x)))?;
        return Ok(all);
    }
    let runs = most / RUN;
    let mut some = Vec::with_capacity(runs * RUN * width);
    for i in 0..runs {
        let first = (rows.len() - RUN) / RUN * i / runs * RUN;
        some.extend(read(rows, first..first + RUN)?);
    }
    Ok(some)
}

/// Reads a range of rows, row-major.
pub(super) fn read(rows: &dyn Rows, range: Range<usize>) -> Result<Vec<f64>> {
    let schema = rows.schema();
    let mut bytes = vec![0; range.len() * schema.row_bytes()];
    rows.read(range.start, &mut bytes)?;
    Ok(doubles(schema.dtype, &bytes))
}

/// Says of each row, `width` values, whether all of it is missing (NaN).
pub(super) fn empty_rows(values: &[f64], width: usize) -> impl Iterator<Item = bool> {
    values.chunks_exact(width.max(1)).map(|row| row.iter().all(|x| x.is_nan()))
}

/// Counts the rows without any value: of which all are missing (NaN).
///
/// # Errors
/// Whatever reading the rows fails with, `Io` for files.
pub fn count_empty_rows(rows: &dyn Rows) -> Result<usize> {
    let width = rows.schema().width();
    if !rows.schema().dtype.is_float() {
        return Ok(0);
    }
    let count = |part| Ok(empty_rows(&read(rows, part)?, width).filter(|empty| *empty).count());
    parts(rows.len(), width).map(count).sum()
}

/// Fails unless rows of `schema` have `own` values, as a codec's rows have.
pub(super) fn expect_width(own: usize, schema: &Schema) -> Result<()> {
    let given = schema.width();
    if own == given {
        return Ok(());
    }
    Err(Error::argument(format!("the codec is for rows of {own} numbers, these have {given}")))
}

/// All values of `rows` as `f64`: rows × columns, row-major. Whole numbers beyond 2^53 are rounded.
///
/// # Errors
/// Whatever reading the rows fails with, `Io` for files.
pub fn to_doubles(rows: &dyn Rows) -> Result<Vec<f64>> {
    read(rows, 0..rows.len())
}

/// The same rows in another type. Each value becomes the nearest that `dtype` has: values beyond
/// its range become the range's end, and a NaN becomes 0 in types of whole numbers.
///
/// # Errors
/// Whatever reading the rows fails with, `Io` for files.
pub fn cast(rows: &dyn Rows, dtype: DType) -> Result<Matrix> {
    matrix(rows.schema(), dtype, &to_doubles(rows)?)
}

/// The same rows in another type, if it holds each of their numbers; none if not.
///
/// # Errors
/// As [`cast`].
pub fn cast_exactly(rows: &dyn Rows, dtype: DType) -> Result<Option<Matrix>> {
    let mut given = vec![0; rows.len() * rows.schema().row_bytes()];
    rows.read(0, &mut given)?;
    let cast = cast(rows, dtype)?;
    let back = self::cast(&cast, rows.schema().dtype)?;
    Ok((back.bytes() == given).then_some(cast))
}

/// Decodes little-endian cells.
pub(super) fn doubles(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    with_cell!(dtype, T => {
        let mut cells = vec![<T as bytemuck::Zeroable>::zeroed(); bytes.len() / size_of::<T>()];
        from_little_endian(bytes, &mut cells);
        cells.iter().map(|x| x.to_f64()).collect()
    })
}

/// Encodes the nearest values of `dtype` as little-endian cells. What is beyond a type's range
/// becomes its end; a NaN stays one in floats and is 0 in integers.
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
                not_finite::<T>(*x)
            }
        };
        to_little_endian(&values.iter().map(cell).collect::<Vec<T>>())
    })
}

/// An infinity or a NaN in a float type.
fn not_finite<T: Cell>(x: f64) -> T {
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

/// The highest bit of the fraction, which tells quiet NaNs from signalling ones.
fn quiet_bit<T: Cell>() -> u32 {
    match T::DTYPE {
        DType::F16 => 9,
        _ => 22,
    }
}

/// A matrix of `values` in type `dtype`; names and shape are those of `schema`.
pub(super) fn matrix(schema: &Schema, dtype: DType, values: &[f64]) -> Result<Matrix> {
    Matrix::new(
        Schema { dtype, fill_values: FillValues::default(), ..schema.clone() },
        bytes(dtype, values),
    )
}

/// The rows at the places `which`, in memory.
pub(super) fn select(rows: &Matrix, which: &[usize]) -> Result<Matrix> {
    let size = rows.schema().row_bytes();
    let mut bytes = Vec::with_capacity(which.len() * size);
    which.iter().for_each(|&i| bytes.extend_from_slice(&rows.bytes()[i * size..(i + 1) * size]));
    Matrix::new(rows.schema().clone(), bytes)
}

/// The float type for values computed from rows of `dtype`: `f64` where `f32` has too few bits.
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
        // The last one is not what is left over.
        let of = |rows: usize| parts(rows, 1 << 11).map(|part| part.len()).collect::<Vec<_>>();
        assert_eq!((of(1024), of(1025)), (vec![1024], vec![513, 512]));
    }
}
