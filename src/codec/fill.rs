//! Values that stand for missing numbers, as numbers of the rows' type.

use crate::codec::value::{Cell, with_cell};
use crate::matrix::{DType, FillValues};
#[cfg(feature = "compress")]
use crate::{
    error::{Error, Result},
    matrix::bits,
};

/// Says whether a bound applies to `x`: it is finite and stands for no missing number.
#[inline(always)]
pub(crate) fn is_ordinary<T: Cell>(x: T, fills: &FillValues) -> bool {
    x.is_ordinary() && !fills.contains(x)
}

/// Makes the fill values of rows of type `dtype`.
///
/// # Errors
/// `Argument` where one is no number of that type.
#[cfg(feature = "compress")]
pub(crate) fn fill_values(dtype: DType, values: &[f64]) -> Result<FillValues> {
    let of = |x: f64| {
        with_cell!(dtype, T => {
            let value = T::from_float(x);
            // A decimal such as 9.97e36 is meant as the number of the type that is nearest to it.
            let near = if dtype.is_float() { nearest::<T>(value, x) } else { value.to_f64() == x };
            near.then(|| bits(value))
        })
        .ok_or_else(|| {
            Error::argument(format!(
                "the fill value {x:e} is no number of type {dtype}, of which these rows are"
            ))
        })
    };
    Ok(FillValues::from_bits(values.iter().map(|x| of(*x)).collect::<Result<_>>()?))
}

/// Says whether `value` is what `x` is rounded to.
#[cfg(feature = "compress")]
fn nearest<T: Cell>(value: T, x: f64) -> bool {
    let k = value.to_order();
    let error = (value.to_f64() - x).abs();
    let step = |to: i64| match T::from_order(to).to_f64() {
        near if near.is_finite() => (near - value.to_f64()).abs(),
        _ => 0.0,
    };
    x.is_finite() && error <= step(k.saturating_sub(1)).max(step(k.saturating_add(1))) / 2.0
}

/// Returns the values as numbers; 64-bit integers are rounded.
pub(crate) fn numbers(dtype: DType, fills: &FillValues) -> Vec<f64> {
    let number = |bits: &u64| {
        with_cell!(dtype, T => {
            let bytes = bits.to_le_bytes();
            let mut cell = [<T as bytemuck::Zeroable>::zeroed()];
            crate::matrix::from_little_endian(&bytes[..size_of::<T>()], &mut cell);
            cell[0].to_f64()
        })
    };
    fills.bits().iter().map(number).collect()
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;
    use crate::matrix::F16;

    #[test]
    fn numbers_of_the_type_alone_are_fill_values() {
        let f = fill_values(DType::F32, &[9.97e36, -999.0]).unwrap();
        assert!(f.contains(9.97e36_f32) && f.contains(-999.0_f32) && !f.contains(-998.0_f32));
        assert!(is_ordinary(1.0_f32, &f) && !is_ordinary(-999.0_f32, &f));
        assert_eq!(numbers(DType::F32, &f).len(), 2);
        let f = fill_values(DType::I16, &[-9999.0]).unwrap();
        assert!(f.contains(-9999_i16) && numbers(DType::I16, &f) == [-9999.0]);
        assert!(fill_values(DType::F16, &[-65504.0]).unwrap().contains(F16::from_f64(-65504.0)));
        for (dtype, x) in [
            (DType::I16, 40_000.0),
            (DType::U8, -1.0),
            (DType::I32, 0.5),
            (DType::F32, 1e39),
            (DType::F16, 1e20),
            (DType::F64, f64::NAN),
        ] {
            assert!(fill_values(dtype, &[x]).is_err(), "{dtype} {x}");
        }
    }
}
