//! Integers to values: the last step of decoding, and the same step for the encoder's check.

use crate::container::model::{Grid, Value};
use crate::matrix::{DType, Element, F16};

/// A number of one of the eleven types, as the codec sees it.
pub(crate) trait Cell: Element + PartialEq {
    /// Converts an integer: modulo 2^64 for 64-bit types, saturated for narrower ones.
    fn from_integer(k: i64) -> Self;
    /// Converts an integer of 32 bits in the same way.
    #[inline(always)]
    fn from_short(k: i32) -> Self {
        Self::from_integer(i64::from(k))
    }
    /// Rounds to the nearest value, ties to even, saturated at the largest finite one.
    fn from_float(x: f64) -> Self;
    /// Returns the value whose place in the order of all bit patterns is `k`.
    fn from_order(k: i64) -> Self;
    /// Returns the place in the order of all bit patterns; +0 is 0 and −0 is −1.
    fn to_order(self) -> i64;
    /// Returns the exact value as `f64`; 64-bit integers are rounded.
    fn to_f64(self) -> f64;
    /// Returns the exact integer in 64 bits, wrapping; 0 for floats.
    fn to_integer(self) -> i64;
    /// Says whether a bound applies: neither NaN nor infinite.
    fn is_ordinary(self) -> bool;
    /// Says whether the bits are the same.
    fn same(self, other: Self) -> bool;
}

macro_rules! integer_cells {
    ($($t:ty: $from:expr, $short:expr);* $(;)?) => { $(
        // Written once for types of all widths.
        #[allow(clippy::cast_lossless)]
        impl Cell for $t {
            #[inline(always)]
            fn from_integer(k: i64) -> Self { ($from)(k) }
            #[inline(always)]
            fn from_short(k: i32) -> Self { ($short)(k) }
            #[inline(always)]
            fn from_float(x: f64) -> Self { x as $t }
            #[inline(always)]
            fn from_order(k: i64) -> Self { Self::from_integer(k) }
            #[inline(always)]
            fn to_order(self) -> i64 { self as i64 }
            #[inline(always)]
            fn to_f64(self) -> f64 { self as f64 }
            #[inline(always)]
            fn to_integer(self) -> i64 { self as i64 }
            #[inline(always)]
            fn is_ordinary(self) -> bool { true }
            #[inline(always)]
            fn same(self, other: Self) -> bool { self == other }
        }
    )* };
}

integer_cells! {
    u8: |k: i64| k.clamp(0, 255) as u8, |k: i32| k.clamp(0, 255) as u8;
    i8: |k: i64| k.clamp(-128, 127) as i8, |k: i32| k.clamp(-128, 127) as i8;
    u16: |k: i64| k.clamp(0, 65_535) as u16, |k: i32| k.clamp(0, 65_535) as u16;
    i16: |k: i64| k.clamp(-32_768, 32_767) as i16, |k: i32| k.clamp(-32_768, 32_767) as i16;
    u32: |k: i64| k.clamp(0, 4_294_967_295) as u32, |k: i32| k.max(0) as u32;
    i32: |k: i64| k.clamp(-2_147_483_648, 2_147_483_647) as i32, |k: i32| k;
    u64: |k: i64| k as u64, |k: i32| i64::from(k) as u64;
    i64: |k: i64| k, |k: i32| i64::from(k);
}

macro_rules! float_cells {
    ($($t:ty, $bits:ty, $signed:ty, $to:expr, $to_f64:expr, $round:expr, $max:expr);* $(;)?) => { $(
        impl Cell for $t {
            fn from_integer(_: i64) -> Self { Self::from_order(0) }
            #[inline(always)]
            fn from_float(x: f64) -> Self {
                let y: $t = ($round)(x);
                if y.is_ordinary() { y } else { Self::from_order(if x < 0.0 { -1 - $max } else { $max }) }
            }
            #[inline(always)]
            fn from_order(k: i64) -> Self {
                // Negative places: the magnitude's bits are −1 − k, the sign bit is set.
                let bits = if k < 0 { (-1 - k) as $bits | !(<$bits>::MAX >> 1) } else { k as $bits };
                bytemuck::cast(bits)
            }
            #[inline(always)]
            fn to_order(self) -> i64 {
                let bits: $bits = ($to)(self);
                if (bits as $signed) < 0 {
                    -1 - i64::try_from(bits & (<$bits>::MAX >> 1)).unwrap_or(0)
                } else {
                    i64::try_from(bits).unwrap_or(0)
                }
            }
            #[inline(always)]
            fn to_f64(self) -> f64 { ($to_f64)(self) }
            fn to_integer(self) -> i64 { 0 }
            #[inline(always)]
            fn is_ordinary(self) -> bool { self.is_finite() }
            #[inline(always)]
            fn same(self, other: Self) -> bool { ($to)(self) == ($to)(other) }
        }
    )* };
}

float_cells! {
    F16, u16, i16, |h: F16| h.0, |h: F16| h.to_f64(), F16::from_f64, 0x7bff;
    f32, u32, i32, f32::to_bits, f64::from, |x: f64| x as f32, 0x7f7f_ffff;
    f64, u64, i64, f64::to_bits, |x: f64| x, |x: f64| x, 0x7fef_ffff_ffff_ffff;
}

/// Runs `$body` with `$t` as the Rust type of `$dtype`.
macro_rules! with_cell {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::matrix::DType::F16 => {
                type $t = $crate::matrix::F16;
                $body
            }
            $crate::matrix::DType::F32 => {
                type $t = f32;
                $body
            }
            $crate::matrix::DType::F64 => {
                type $t = f64;
                $body
            }
            $crate::matrix::DType::U8 => {
                type $t = u8;
                $body
            }
            $crate::matrix::DType::I8 => {
                type $t = i8;
                $body
            }
            $crate::matrix::DType::U16 => {
                type $t = u16;
                $body
            }
            $crate::matrix::DType::I16 => {
                type $t = i16;
                $body
            }
            $crate::matrix::DType::U32 => {
                type $t = u32;
                $body
            }
            $crate::matrix::DType::I32 => {
                type $t = i32;
                $body
            }
            $crate::matrix::DType::U64 => {
                type $t = u64;
                $body
            }
            $crate::matrix::DType::I64 => {
                type $t = i64;
                $body
            }
        }
    };
}
pub(crate) use with_cell;

/// Says whether a grid's arithmetic is defined for a type.
pub(crate) fn fits(grid: &Grid, dtype: DType) -> bool {
    matches!(grid.value, Value::Integer { .. }) != dtype.is_float()
}

/// Returns a whole step of the residual, in fine units.
pub(crate) fn whole_step(grid: &Grid) -> i64 {
    match grid.value {
        Value::Ordered { .. } => 1,
        _ => 1 << grid.fraction,
    }
}

/// Returns what of the last row's residual `e` carries over with coefficient `a` in 1/256.
#[inline(always)]
pub(crate) fn carry(a: i64, e: i64) -> i64 {
    match a {
        0 => 0,
        256 => e,
        a => (e.clamp(-1 << 47, 1 << 47) * a + 128) >> 8,
    }
}

impl Grid {
    /// Returns `k` less the column's base, from prediction plus residual `t` in fine units.
    #[inline(always)]
    pub(crate) fn integer(&self, t: i64) -> i64 {
        if self.step == 1 << self.fraction {
            return t;
        }
        let half = (1_i64 << self.fraction) >> 1;
        (self.step as i64).wrapping_mul(t).wrapping_add(half) >> self.fraction
    }

    /// Returns the value of a column with `base`, predicted as `m`, with residual `e`.
    #[inline(always)]
    pub(crate) fn value<T: Cell>(&self, base: i64, m: i32, e: i64) -> T {
        match self.value {
            Value::Ordered { offset, unit } => {
                let predicted = T::from_float(offset + f64::from(m) * unit);
                T::from_order(base.wrapping_add(predicted.to_order()).wrapping_add(e))
            }
            _ => {
                let k = base.wrapping_add(self.integer(i64::from(m).wrapping_add(e)));
                self.at(k)
            }
        }
    }

    /// Returns the value of integer `k`.
    #[inline(always)]
    pub(crate) fn at<T: Cell>(&self, k: i64) -> T {
        match self.value {
            Value::Integer { unit } => T::from_integer(k.wrapping_mul(unit as i64)),
            Value::Linear { offset, unit } => T::from_float(offset + k as f64 * unit),
            Value::Ratio { numerator, denominator } => {
                T::from_float(k.wrapping_mul(numerator as i64) as f64 / denominator as f64)
            }
            Value::Ordered { .. } => T::from_order(k),
        }
    }
}

/// Computes the values of neighbouring columns that share a grid.
pub(crate) fn values<T: Cell>(grid: &Grid, base: &[i64], m: &[i32], e: &[i64], out: &mut [T]) {
    let cells = base.iter().zip(m).zip(e).zip(out);
    // The common case by itself, so that it becomes vector code.
    if let Value::Linear { offset, unit } = grid.value
        && grid.step == 1 << grid.fraction
    {
        for (((&b, &m), &e), out) in cells {
            let k = b.wrapping_add(i64::from(m).wrapping_add(e));
            *out = T::from_float(offset + k as f64 * unit);
        }
        return;
    }
    for (((&b, &m), &e), out) in cells {
        *out = grid.value(b, m, e);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_halves_is_the_order_of_numbers() {
        let mut last = f64::NEG_INFINITY;
        for k in -1 - 0x7bff..=0x7bff_i64 {
            let h = F16::from_order(k);
            assert_eq!(h.to_order(), k);
            let x = h.to_f64();
            assert!(x > last || (x == 0.0 && last == 0.0), "{x} after {last}");
            last = x;
        }
        for bits in 0..=u16::MAX {
            assert_eq!(F16::from_order(F16(bits).to_order()).0, bits);
        }
    }

    #[test]
    fn floats_saturate_and_keep_their_order_at_the_ends() {
        assert_eq!(f32::from_float(1e300), f32::MAX);
        assert_eq!(f32::from_float(-1e300), f32::MIN);
        assert_eq!(f64::from_float(f64::NEG_INFINITY), f64::MIN);
        assert_eq!(F16::from_float(1e9).0, 0x7bff);
        for x in [0.0, -0.0, f64::MIN, f64::MAX, f64::INFINITY, -f64::NAN, 5e-324] {
            assert!(f64::from_order(x.to_order()).same(x));
        }
        assert_eq!(f64::from_order(i64::MIN).to_bits(), u64::MAX);
        assert_eq!((-0.0_f32).to_order(), -1);
    }

    #[test]
    fn integers_wrap_or_saturate_by_width() {
        assert_eq!(u8::from_integer(300), 255);
        assert_eq!(i16::from_integer(-40_000), -32_768);
        assert_eq!(u64::from_integer(-1), u64::MAX);
        assert_eq!(u64::MAX.to_integer(), -1);
    }
}
