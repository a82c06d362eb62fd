//! Whether a decoded value keeps its bound, in exact arithmetic.

use super::value::Cell;

/// Whether `|x − y| ≤ bound`; what is not finite must be the same bits, and so must
/// everything where the bound is 0.
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
    let wide = |v: T| {
        let k = v.to_integer();
        if T::DTYPE == crate::matrix::DType::U64 { i128::from(k as u64) } else { i128::from(k) }
    };
    // An integer is at most the bound if it is at most the bound's floor; `as` saturates.
    (wide(x) - wide(y)).unsigned_abs() <= bound as u128
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
    // TwoDiff (Knuth, TAOCP 4.2.2, theorem B): the error of d, exactly.
    let back = x - d;
    let error = (x - (d + back)) + (back - y);
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
