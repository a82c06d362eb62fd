//! Whether a decoded value keeps its bound, in exact arithmetic.

use crate::codec::value::Cell;

/// Says whether `|x − y| ≤ bound`; what is not finite must be the same bits, and so must everything
/// where the bound is 0.
pub(crate) fn holds<T: Cell>(x: T, y: T, bound: f64) -> bool {
    if x.same(y) {
        return true;
    }
    if bound == 0.0 || !x.is_ordinary() || !y.is_ordinary() {
        return false;
    }
    if T::DTYPE.is_float() {
        return float_holds(x.to_f64(), y.to_f64(), bound);
    }
    // An integer is at most the bound if it is at most the bound's floor; `as` saturates.
    (wide(x) - wide(y)).unsigned_abs() <= bound as u128
}

/// Returns the integer itself; 0 for floats.
#[inline]
pub(crate) fn wide<T: Cell>(v: T) -> i128 {
    let k = v.to_integer();
    if T::DTYPE == crate::matrix::DType::U64 { i128::from(k as u64) } else { i128::from(k) }
}

/// Returns `x − y`, rounded once; infinite if `y` is no number where `x` is one.
#[inline]
pub(crate) fn difference<T: Cell>(x: T, y: T) -> f64 {
    if T::DTYPE.is_float() {
        return not_nan(x.to_f64() - y.to_f64());
    }
    (wide(x) - wide(y)) as f64
}

/// Whether `f64` may round numbers of the type: integers of 64 bits.
#[inline(always)]
pub(crate) fn may_round<T: Cell>() -> bool {
    !T::DTYPE.is_float() && T::DTYPE.size() == 8
}

/// Returns `x − c`, rounded once, for a finite `c`.
#[inline(always)]
pub(crate) fn distance_from<T: Cell>(x: T, c: f64) -> f64 {
    if may_round::<T>() { (wide(x) - c as i128) as f64 } else { x.to_f64() - c }
}

/// Returns how far `x` may be from the integer that was rounded to it.
#[inline(always)]
pub(crate) fn rounding<T: Cell>(x: f64) -> f64 {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if may_round::<T>() && x.abs() >= EXACT { x.abs() * f64::EPSILON } else { 0.0 }
}

/// Returns a difference from a finite number; what is not a number is as far from it as can be.
#[inline]
pub(crate) fn not_nan(d: f64) -> f64 {
    if d.is_nan() { f64::INFINITY } else { d }
}

/// Returns the largest `f64` not above `max − min`, for finite numbers.
pub(crate) fn range_below(min: f64, max: f64) -> f64 {
    let d = max - min;
    if d.is_infinite() {
        f64::MAX
    } else if lost(max, min, d) < 0.0 {
        d.next_down()
    } else {
        d
    }
}

/// Returns `x − y − d`, where `d` is the rounded `x − y`, exactly: TwoDiff (Knuth, TAOCP 4.2.2,
/// theorem B).
fn lost(x: f64, y: f64, d: f64) -> f64 {
    let back = x - d;
    (x - (d + back)) + (back - y)
}

fn float_holds(x: f64, y: f64, bound: f64) -> bool {
    let d = x - y;
    if d.is_infinite() {
        // Halves are exact here: such numbers are nowhere near subnormal.
        return float_holds(x / 2.0, y / 2.0, bound / 2.0);
    }
    if d.abs() != bound {
        // Rounding is monotonic, so an inexact difference is on the right side of the bound.
        return d.abs() < bound;
    }
    let error = lost(x, y, d);
    if d > 0.0 { error <= 0.0 } else { error >= 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_with_the_bound_are_decided_by_what_rounding_lost() {
        assert!(!holds(1.0, -1e-30, 1.0));
        assert!(holds(1.0, 1e-30, 1.0));
        assert!(!holds(-1.0, 1e-30, 1.0));
        assert!(holds(-1.0_f64, -1e-30, 1.0));
        assert!(holds(0.3, 0.2, 0.3 - 0.2));
        assert!(!holds(f64::MAX, f64::MIN, f64::MAX));
        assert!(!holds(0.0, -0.0, 0.0) && holds(0.0, -0.0, 5e-324));
        assert!(!holds(f32::NAN, f32::from_bits(0x7fc0_0001), 1e30));
        assert!(!holds(f32::INFINITY, f32::MAX, 1e38));
    }

    #[test]
    fn integers_are_compared_as_integers() {
        assert!(holds(u64::MAX, u64::MAX - 2, 2.9) && !holds(u64::MAX, u64::MAX - 3, 2.9));
        assert!(!holds(i64::MIN, i64::MAX, 1.8e19) && holds(i64::MIN, i64::MAX, 1.9e19));
        assert!(holds(7_u8, 5, 2.0) && !holds(7_u8, 5, 1.999));
    }
}
