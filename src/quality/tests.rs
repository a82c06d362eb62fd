use super::check::{FileStats, relative_bound};
use super::*;
use crate::codec::bound::{holds, range_below};
use crate::fidelity::Fidelity;
use crate::matrix::{DType, Decimal, Element, F16, Matrix, Schema};
use proptest::prelude::*;
use std::cmp::Ordering;

#[test]
fn a_relative_bound_is_not_above_the_exact_product() {
    // 0.1 · 3 in f64 is 0.30000000000000004, above the decimal 0.3.
    let bound = relative_bound(&"0.1".parse().unwrap(), 3.0);
    assert!(bound < 0.3 && bound > 0.3 - 1e-15);
    assert_eq!(relative_bound(&"0.1".parse().unwrap(), 0.0), 0.0);
    assert!(relative_bound(&"1".parse().unwrap(), range_below(f64::MIN, f64::MAX)).is_finite());
}

#[test]
fn broken_promises_are_counted() {
    let x = Matrix::from_slice(&[0.0_f32, 1.0, f32::NAN, 3.0], &[2]).unwrap();
    let y = Matrix::from_slice(&[0.05_f32, 1.0, 2.0, 3.2], &[2]).unwrap();
    let check = |kind: &str, text: &str| {
        check_promise(&x, &y, &Fidelity::parse(kind, text).unwrap(), 16).unwrap()
    };
    let bound = check("max-error", "0.1");
    // One value is off by 0.2, one NaN became a number.
    assert_eq!((bound.held, bound.violations), (false, 2));
    assert!((bound.quality.max_error - 0.2).abs() < 1e-6);
    assert!(!check("nmse", "0.5").held);
    let same = check_promise(&x, &x, &Fidelity::Lossless, 16).unwrap();
    assert!(same.held && same.quality.nmse == 0.0 && same.quality.psnr.is_infinite());
    assert!(
        check_promise(&x, &x, &Fidelity::parse("ratio", "1.01").unwrap(), 16)
            .is_ok_and(|c| !c.held)
    );
}

#[test]
fn figures_do_not_depend_on_the_columns_offset() {
    let values =
        |offset: f64| -> Vec<f64> { (0..600).map(|i| offset + f64::from(i * 37 % 101)).collect() };
    let near: Vec<f64> = values(1e6).iter().map(|v| v + 0.5).collect();
    let x = Matrix::from_slice(&values(1e6), &[3]).unwrap();
    let y = Matrix::from_slice(&near, &[3]).unwrap();
    let plain = Matrix::from_slice(&values(0.0), &[3]).unwrap();
    let moved: Vec<f64> = values(0.0).iter().map(|v| v + 0.5).collect();
    let moved = Matrix::from_slice(&moved, &[3]).unwrap();
    let a = Quality::measure(&x, &y).unwrap();
    let b = Quality::measure(&plain, &moved).unwrap();
    assert!((a.nmse / b.nmse - 1.0).abs() < 1e-9);
    assert_eq!(a.max_error, 0.5);
}

/// The number times 2^60, where that is an integer in 128 bits.
fn scaled(x: f64) -> i128 {
    let bits = x.abs().to_bits();
    let (exponent, fraction) = ((bits >> 52) as i32, i128::from(bits & ((1 << 52) - 1)));
    if bits == 0 {
        return 0;
    }
    assert!(exponent > 0, "normal");
    let shift = exponent - 1075 + 60;
    assert!((0..74).contains(&shift), "{x} within reach");
    let magnitude = (fraction + (1 << 52)) << shift;
    if x < 0.0 { -magnitude } else { magnitude }
}

/// Numbers of very different size, all multiples of 2^-60 and below 2^66.
fn numbers() -> impl Strategy<Value = f64> {
    (-(1_i64 << 53)..1_i64 << 53, -7_i32..13).prop_map(|(m, e)| {
        // Whole numbers of 53 bits, so that the scaling is exact.
        (m | 1 << 52) as f64 * f64::powi(2.0, e)
    })
}

proptest! {
    #[test]
    fn bounds_are_judged_as_in_exact_arithmetic(
        x in numbers(), y in numbers(), other in numbers(), ulps in -2_i64..=2,
    ) {
        let near = (x - y).abs();
        let near = f64::from_bits((near.to_bits() as i64 + ulps).max(0) as u64);
        let exact = (scaled(x) - scaled(y)).unsigned_abs();
        for bound in [near, other.abs()] {
            if bound == 0.0 || bound < 1e-3 { continue }
            prop_assert_eq!(holds(x, y, bound), exact <= scaled(bound).unsigned_abs());
        }
    }

    #[test]
    fn narrow_floats_are_judged_like_wide_ones(x: u16, y: u16, bound in 0.0_f64..3.0) {
        let (x, y) = (F16(x), F16(y));
        prop_assume!(x.is_finite() && y.is_finite());
        // Halves are multiples of 2^-24, so their differences are exact.
        let expected = (x.to_f64() - y.to_f64()).abs() <= bound;
        prop_assert_eq!(holds(x, y, bound), expected);
        let as_f32 = |h: F16| h.to_f64() as f32;
        prop_assert_eq!(holds(as_f32(x), as_f32(y), bound), expected);
    }

    #[test]
    fn relative_bounds_are_not_above_the_exact_product(
        digits in 1_u64..1_000_000_000, places in 1_usize..12, low: i64, length in 0_u64..1 << 62,
    ) {
        // share = digits / 10^places, so share · range ≥ bound can be asked in integers.
        let share: Decimal = format!("{digits}e-{places}").parse().unwrap();
        let low = low >> 1;
        let high = low.saturating_add(length as i64);
        let rows = Matrix::from_slice(&[low, high], &[]).unwrap();
        let range = FileStats::scan(&rows).unwrap().ranges[0];
        let exact = (i128::from(high) - i128::from(low)) as u128;
        prop_assert!(range as u128 <= exact);
        prop_assert!(range.next_up() as u128 > exact || range as u128 == exact);
        let bound = relative_bound(&share, range);
        // The bound's floor times 10^places; i128 holds 2^62 · 10^9.
        let floor = bound.floor();
        prop_assume!(floor < 1e24);
        prop_assert!(
            Exact(floor as u128, 10_u128.pow(places as u32)).cmp(u128::from(digits), exact)
                != Ordering::Greater
        );
        let rough = digits as f64 / 10_f64.powi(places as i32) * exact as f64;
        prop_assert!(bound >= rough * (1.0 - 1e-14) - f64::MIN_POSITIVE);
    }

    #[test]
    fn integers_of_64_bits_are_judged_exactly(x: u64, y: u64, bound: u64) {
        let bound = bound as f64;
        prop_assert_eq!(holds(x, y, bound), u128::from(x.abs_diff(y)) <= bound as u128);
        let (x, y) = (x as i64, y as i64);
        prop_assert_eq!(holds(x, y, bound), u128::from(x.abs_diff(y)) <= bound as u128);
    }
}

/// A product of two numbers, compared with another without overflow.
struct Exact(u128, u128);

impl Exact {
    fn cmp(&self, a: u128, b: u128) -> Ordering {
        // Schoolbook multiplication with digits of 64 bits.
        let wide = |a: u128, b: u128| {
            let low = |v: u128| v & u128::from(u64::MAX);
            let (ah, al, bh, bl) = (a >> 64, low(a), b >> 64, low(b));
            let middle = ((al * bl) >> 64) + low(ah * bl) + low(al * bh);
            let high = ah * bh + ((ah * bl) >> 64) + ((al * bh) >> 64) + (middle >> 64);
            (high, (middle << 64) | low(al * bl))
        };
        wide(self.0, self.1).cmp(&wide(a, b))
    }
}

#[test]
fn subnormal_differences_are_exact() {
    let tiny = 5e-324_f64;
    assert!(holds(tiny, -tiny, 2.0 * tiny) && !holds(tiny, -tiny, tiny));
    assert!(holds(tiny, 2.0 * tiny, tiny) && !holds(0.0, 3.0 * tiny, 2.0 * tiny));
    assert!(!holds(1.0, -tiny, 1.0) && holds(1.0, tiny, 1.0));
    let least = f32::from_bits(1);
    assert!(
        holds(least, -least, 2.0 * f64::from(least)) && !holds(least, -least, f64::from(least))
    );
}

#[test]
fn the_bound_of_a_tie_is_kept_to_the_last_bit() {
    // Half of a range of 10 is 5, and integers would lose a whole unit to 4.999….
    let share = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(relative_bound(&share("0.5"), range_below(-5.0, 5.0)), 5.0);
    assert_eq!(relative_bound(&share("3"), f64::MAX), f64::MAX);
    assert_eq!(relative_bound(&share("1e-300"), 1e-300), 0.0);
    assert_eq!(range_below(-1e-30, 1.0), 1.0);
    assert_eq!(range_below(1e-30, 1.0), 1.0_f64.next_down());
    // Nanoseconds since 1970 as f64 are off by up to 128: the range must not be.
    let times = [1_700_000_000_000_000_129_u64, 1_700_000_000_000_001_129];
    let rows = Matrix::from_slice(&times, &[]).unwrap();
    assert_eq!(FileStats::scan(&rows).unwrap().ranges, [1000.0]);
}

fn matrix<T: Element>(values: &[T], width: usize) -> Matrix {
    Matrix::from_slice(values, &[width]).unwrap()
}

#[test]
fn constant_rows_that_come_back_keep_every_promise() {
    let x = matrix(&[7.0_f32; 12], 3);
    for (kind, text) in [
        ("max-error", "0"),
        ("max-error-rel", "0.1"),
        ("nmse", "0.01"),
        ("psnr", "40"),
        ("cosine", "0.999"),
        ("row-nmse", "0.01"),
        ("row-cosine", "0.999"),
        ("ratio", "2"),
        ("bytes-per-row", "6"),
        ("lossless", ""),
    ] {
        let promise = Fidelity::parse(kind, text).unwrap();
        let check = check_promise(&x, &x, &promise, 24).unwrap();
        assert!(check.held, "{}", check.detail);
        let empty = matrix::<f32>(&[], 3);
        let check = check_promise(&empty, &empty, &promise, 200).unwrap();
        assert!(check.held, "no rows: {}", check.detail);
    }
}

#[test]
fn garbage_keeps_no_promise() {
    let x = matrix(&[1.0_f32, 2.0, 3.0, -1.0, 0.5, 0.0], 3);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let y = matrix(&[1.0_f32, 2.0, bad, -1.0, 0.5, 0.0], 3);
        for (kind, text) in [
            ("max-error", "1e30"),
            ("max-error-rel", "1"),
            ("nmse", "1"),
            ("psnr", "0"),
            ("cosine", "0.1"),
            ("row-nmse", "1"),
            ("row-cosine", "0.1"),
            ("lossless", ""),
        ] {
            let promise = Fidelity::parse(kind, text).unwrap();
            let check = check_promise(&x, &y, &promise, 24).unwrap();
            assert!(!check.held, "{bad}: {}", check.detail);
            assert_eq!(check.quality.max_error, f64::INFINITY);
        }
    }
}

#[test]
fn numbers_whose_squares_leave_the_range_have_cosines() {
    for scale in [1e200, 1e-200, 1e-320, 1e30, 1.0] {
        let x = matrix(&[3.0 * scale, 4.0 * scale, 0.0, 0.0, 1.0 * scale, 0.0], 2);
        let y = matrix(&[4.0 * scale, 3.0 * scale, 0.0, 1.0 * scale, 0.0, 0.0], 2);
        let q = Quality::measure(&x, &y).unwrap();
        // 24/25, and a row that became zeros; a row of zeros has no direction.
        let expected = (0.96 + 0.0) / 2.0;
        assert!((q.cosine - expected).abs() < 1e-3, "{scale}: {}", q.cosine);
        assert_eq!((q.worst_row_cosine, q.zero_rows_changed), (0.0, 1));
        assert!(!q.nmse.is_nan() && !q.psnr.is_nan() && q.nmse > 0.0);
        assert_eq!(Quality::measure(&x, &x).unwrap().worst_row_cosine, 1.0);
    }
}

#[test]
fn one_giant_does_not_hide_the_other_columns() {
    let mut values: Vec<f64> = (0..4000).map(|i| f64::from(i % 97)).collect();
    values[0] = 1e30;
    values[2] = f64::NAN;
    let x = matrix(&values, 4);
    let stats = FileStats::scan(&x).unwrap();
    assert!(stats.means.iter().all(|m| m.is_finite()));
    assert!((stats.means[1] - 48.0).abs() < 1.0 && stats.ranges[1] == 96.0);
    assert!((stats.means[2] - 48.0).abs() < 1.0 && stats.ranges[2] == 96.0);
    let q = Quality::measure(&x, &x).unwrap();
    assert_eq!((q.specials, q.specials_changed, q.values), (1, 0, 3999));
}

#[test]
fn a_missing_first_value_does_not_cost_the_rest_its_digits() {
    // The centre of sums would be 0 and the deviation lost in 1e9² · 300.
    let values: Vec<f64> =
        (0..300).map(|i| if i == 0 { f64::NAN } else { 1e9 + f64::from(i % 3) * 1e-3 }).collect();
    let moved: Vec<f64> = values.iter().map(|v| v + 1e-3).collect();
    let q = Quality::measure(&matrix(&values, 1), &matrix(&moved, 1)).unwrap();
    // Deviation of {0, 1, 2} · 1e-3 is 2/3 · 1e-6 per value.
    assert!((q.nmse - 1.5).abs() < 0.01, "{}", q.nmse);
}

#[test]
fn errors_of_large_integers_are_exact() {
    let x = matrix(&[1_700_000_000_000_000_001_i64, 5], 1);
    let y = matrix(&[1_700_000_000_000_000_000_i64, 5], 1);
    let q = Quality::measure(&x, &y).unwrap();
    assert_eq!(q.max_error, 1.0);
    assert!(q.psnr.is_finite());
}

#[test]
fn different_shapes_are_not_compared() {
    let a = matrix(&[1_u8, 2, 3, 4], 2);
    for b in [matrix(&[1_u8, 2, 3, 4], 4), matrix(&[1_u8, 2], 2)] {
        let error = Quality::measure(&a, &b).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Argument);
    }
    let error = Quality::measure(&a, &matrix(&[1_i8, 2, 3, 4], 2)).unwrap_err().to_string();
    assert!(error.contains("u8") && error.contains("i8"), "{error}");
}

#[test]
fn named_columns_have_bounds_of_their_own() {
    let mut schema = Schema::new(DType::F32, &[2]);
    schema.columns = Some(vec!["a".into(), "b".into()]);
    let bytes = |v: [f32; 2]| v.iter().flat_map(|v| v.to_le_bytes()).collect();
    let x = Matrix::new(schema.clone(), bytes([1.0, 1.0])).unwrap();
    let y = Matrix::new(schema, bytes([1.25, 1.25])).unwrap();
    let held = |text: &str| {
        let promise = Fidelity::parse("max-error-columns", text)?;
        check_promise(&x, &y, &promise, 8).map(|c| c.held)
    };
    assert!(held("a=0.25,b=0.25").unwrap() && held("a=1,*=0.25").unwrap());
    assert!(!held("a=1").unwrap() && !held("a=1,*=0.2").unwrap());
    assert!(held("c=1").unwrap_err().to_string().contains("a, b"));
}

#[test]
fn a_column_has_one_bound() {
    let mut schema = Schema::new(DType::F32, &[3]);
    let x = Matrix::new(schema.clone(), vec![0; 12]).unwrap();
    schema.columns = Some(["a", "b", "a"].map(String::from).to_vec());
    let twins = Matrix::new(schema, vec![0; 12]).unwrap();
    let judged = |x: &Matrix, text: &str| {
        let promise = Fidelity::parse("max-error-columns", text)?;
        check_promise(x, x, &promise, 8).map(|c| c.held)
    };
    for text in ["b=1,b=2", "*=1,*=2", "b=1,b=1", "0=1,1=2,0=2"] {
        let error = judged(&twins, text).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Argument);
        assert!(error.to_string().contains("two bounds"), "{error}");
    }
    assert!(judged(&twins, "b=1,1=1").unwrap_err().to_string().contains("two bounds"));
    let error = judged(&twins, "a=1,*=2").unwrap_err().to_string();
    assert!(error.contains("0=") && error.contains("2="), "{error}");
    assert!(judged(&twins, "0=1,2=3,b=2").unwrap() && judged(&x, "0=1,2=3").unwrap());
}

#[test]
fn rows_without_a_direction_are_outside_the_mean_cosine() {
    let nan = f64::NAN;
    let x = matrix(&[3.0, 4.0, 0.0, 0.0, nan, 1.0], 2);
    let y = matrix(&[4.0, 3.0, 0.0, 0.0, nan, -1.0], 2);
    let q = Quality::measure(&x, &y).unwrap();
    assert!((q.cosine - 0.96).abs() < 1e-12, "{}", q.cosine);
    let promise = |text: &str| Fidelity::parse("cosine", text).unwrap();
    let held = |y: &Matrix, text: &str| check_promise(&x, y, &promise(text), 8).unwrap().held;
    assert!(held(&y, "0.95") && !held(&y, "0.97"));
    // Rows of zeros come back as such.
    let changed = matrix(&[3.0, 4.0, 0.0, 1e-9, nan, 1.0], 2);
    assert!(!held(&changed, "0.1"));
    let each = Fidelity::parse("row-cosine", "0.5").unwrap();
    assert!(!check_promise(&x, &changed, &each, 8).unwrap().held);
    let none = matrix(&[0.0, 0.0, nan, 1.0], 2);
    assert_eq!(Quality::measure(&none, &none).unwrap().cosine, 1.0);
}
