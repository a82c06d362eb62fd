//! Every promise holds for every kind of number, judged by arithmetic of the test's own.

use crate::oracle::{Case, Judge, Noise, Recipe, SHAPES, Training, Wish};
use aezip::{Config, DType, Fidelity, Matrix, Reader, Rows, Schema, compress};
use proptest::prelude::*;

fn recipes() -> impl Strategy<Value = Recipe> {
    let dtype = prop::sample::select(DType::ALL.to_vec());
    let noise = prop::sample::select(vec![Noise::None, Noise::Few, Noise::Many, Noise::Columns]);
    let wish = prop::sample::select(Wish::ALL.to_vec());
    let level = prop_oneof![3 => Just(1_u8), 1 => Just(5)];
    let width = prop_oneof![4 => 1_usize..10, 1 => 10_usize..65];
    let rows = prop_oneof![3 => 0_usize..60, 1 => 60_usize..501];
    (any::<u64>(), dtype, width, rows, 0..SHAPES, noise, wish, level).prop_map(
        |(seed, dtype, width, rows, shape, noise, wish, level)| Recipe {
            seed,
            dtype,
            width,
            rows,
            shape,
            noise,
            wish,
            level,
            scale: None,
            training: Training::None,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn promises_hold_for_random_matrices(recipe in recipes()) {
        let case = recipe.case();
        if let Err(what) = case.check() {
            prop_assert!(false, "{}: {what}", case.fidelity);
        }
    }
}

/// Doubles that lie half of all integers from their prediction.
#[test]
fn the_farthest_residual_is_no_symbol() {
    let recipe = Recipe {
        seed: 2038070593160687120,
        dtype: DType::F64,
        width: 46,
        rows: 440,
        shape: 3,
        noise: Noise::Many,
        wish: Wish::Columns,
        level: 1,
        scale: None,
        training: Training::None,
    };
    if let Err(what) = recipe.case().check() {
        panic!("{what}");
    }
}

fn case<T: aezip::Element>(values: &[T], width: usize, kind: &str, text: &str) -> Case {
    let matrix = Matrix::from_slice(values, &[width]).unwrap();
    let fidelity = Fidelity::parse(kind, text).unwrap();
    Case { matrix, fidelity, level: 1, training: Training::None }
}

fn check<T: aezip::Element>(values: &[T], width: usize, kind: &str, text: &str) {
    let case = case(values, width, kind, text);
    if let Err(what) = case.check() {
        panic!("{kind} {text}: {what}");
    }
}

/// The judge itself must notice what is wrong.
#[test]
fn the_judge_finds_what_is_broken() {
    let judged = |x: &[f64], y: &[f64], kind: &str, text: &str| {
        let case = case(x, 1, kind, text);
        let decoded = Matrix::from_slice(y, &[1]).unwrap();
        Judge::new(&case.matrix, &case.fidelity).compare(&decoded, 1000)
    };
    assert!(judged(&[1.0], &[1.5], "max-error", "0.5").is_ok());
    assert!(judged(&[1.0], &[1.5_f64.next_up()], "max-error", "0.5").is_err());
    // 0.1 as f64 is above the decimal 0.1.
    assert!(judged(&[0.0], &[0.1], "max-error", "0.1").is_err());
    assert!(judged(&[0.0], &[0.1_f64.next_down()], "max-error", "0.1").is_ok());
    assert!(judged(&[0.0], &[-0.0], "max-error", "0").is_err());
    assert!(judged(&[f64::NAN], &[-f64::NAN], "max-error", "1e30").is_err());
    assert!(judged(&[f64::MIN, f64::MAX], &[0.0, f64::MAX], "max-error-rel", "0.5").is_ok());
    assert!(judged(&[f64::MIN, f64::MAX], &[1.0, f64::MAX], "max-error-rel", "0.5").is_err());
    assert!(judged(&[5e-324], &[0.0], "max-error", "5e-324").is_ok());
    assert!(judged(&[5e-324], &[0.0], "max-error", "4e-324").is_err());
    assert!(judged(&[1.0, -1.0], &[1.0, 1.0], "row-cosine", "0.5").is_err());
    assert!(judged(&[1e-200, 2e-200], &[0.0, 0.0], "nmse", "0.5").is_err());
}

#[test]
fn relative_bounds_of_64_bit_integers_use_the_exact_range() {
    // As f64 these are 1024 apart, in truth 3.
    let base = (1_i64 << 62) + 511;
    let values: Vec<i64> = (0..400).map(|i| base + i % 4).collect();
    check(&values, 1, "max-error-rel", "0.5");
    let values: Vec<u64> = (0..400).map(|i| u64::MAX - 1025 + i % 3).collect();
    check(&values, 2, "max-error-rel", "0.4");
}

/// As `f64` all of these are 2^64, or 2^60, and so would be their errors 0.
#[test]
fn figures_of_integers_beyond_two_to_the_53rd_are_those_of_the_integers() {
    let above = |i: usize| (i * i % 7) as u64;
    let highest: Vec<u64> = (0..600).map(|i| u64::MAX - above(i)).collect();
    let signed: Vec<i64> = (0..600).map(|i| (1 << 60) + above(i) as i64).collect();
    for (kind, text) in
        [("nmse", "0.5"), ("nmse", "1"), ("psnr", "20"), ("row-nmse", "1"), ("row-nmse", "0.1")]
    {
        check(&highest, 5, kind, text);
        check(&signed, 3, kind, text);
    }
}

#[test]
fn sums_of_squares_that_vanish_or_overflow_prove_nothing() {
    let wave = |i: u32, scale: f64| f64::from(i * 37 % 101 + 1) * scale;
    for scale in [1e-320, 1e-170, 1e-150, 1e150, 1e200, 1e306] {
        let values: Vec<f64> = (0..600).map(|i| wave(i, scale)).collect();
        for (kind, text) in [
            ("nmse", "0.01"),
            ("psnr", "60"),
            ("cosine", "0.999"),
            ("row-nmse", "0.01"),
            ("row-cosine", "0.999"),
            ("row-l2", "0.02"),
            ("max-error-pointwise-rel", "0.01"),
        ] {
            check(&values, 3, kind, text);
        }
    }
}

#[test]
fn odd_rows_are_compressed() {
    for (kind, text) in [
        ("max-error", "0.1"),
        ("max-error", "0"),
        ("max-error-rel", "0.1"),
        ("lossless", ""),
        ("nmse", "0.01"),
        ("psnr", "40"),
        ("cosine", "0.99"),
        ("row-nmse", "0.01"),
        ("row-cosine", "0.99"),
        ("row-l2", "0.5"),
        ("max-error-pointwise-rel", "0.01"),
    ] {
        check(&[1.5_f32], 1, kind, text);
        check(&[f32::NAN; 64], 1, kind, text);
        check(&[f64::INFINITY; 90], 3, kind, text);
        check(&[f64::MIN, f64::MAX, 0.0, -0.0], 1, kind, text);
        check(&[i64::MIN, i64::MAX, 0, -1], 1, kind, text);
        check(&[u64::MAX; 32], 4, kind, text);
        check(&[5e-324_f64; 32], 4, kind, text);
        check(&vec![7_u8; 10_000], 5000, kind, text);
        let wide: Vec<f32> = (0..15_000).map(|i| (i as f32 * 0.01).sin()).collect();
        check(&wide, 5000, kind, text);
    }
}

#[test]
fn a_wild_value_never_touches_its_neighbours() {
    let mut values: Vec<f32> = (0..4000).map(|i| (i as f32 * 0.013).sin()).collect();
    for (at, wild) in [f32::NAN, f32::INFINITY, -1e30, f32::MAX, -f32::NAN].iter().enumerate() {
        values[at * 777 + 5] = *wild;
    }
    for text in ["0.5", "1e-3", "1e-6", "1e-9"] {
        check(&values, 8, "max-error", text);
    }
}

#[test]
fn a_sample_of_all_floats_keeps_its_bound() {
    let values: Vec<f32> = (0..1_u32 << 20).map(|i| f32::from_bits(i * 4096 + i % 4096)).collect();
    let matrix = Matrix::from_slice(&values, &[64]).unwrap();
    for (text, bound) in [("0.125", 0.125), ("1e30", 1e30)] {
        let mut config = Config::default();
        config.fidelity = Fidelity::parse("max-error", text).unwrap();
        config.level = 1;
        config.threads = 2;
        let mut file = Vec::new();
        compress(&matrix, &config, &mut file).unwrap();
        let mut got = vec![0_f32; values.len()];
        Reader::new(file).unwrap().read_rows(0..matrix.len(), &mut got).unwrap();
        for (x, y) in values.iter().zip(&got) {
            // The difference of two f32 is rounded in f64 only where it is far from the bound.
            let near = (f64::from(*x) - f64::from(*y)).abs() <= bound;
            assert!(x.to_bits() == y.to_bits() || (x.is_finite() && near), "{x:e} became {y:e}");
        }
    }
}

#[test]
fn a_promise_that_cannot_be_written_down_is_refused() {
    let schema =
        |name: &str| Schema { columns: Some(vec![name.into()]), ..Schema::new(DType::F32, &[1]) };
    let compressed = |name: &str, fidelity: Fidelity| {
        let matrix = Matrix::new(schema(name), vec![0; 64]).unwrap();
        let mut config = Config::default();
        config.fidelity = fidelity.clone();
        let mut file = Vec::new();
        let outcome = compress(&matrix, &config, &mut file).map(drop);
        outcome.map(|()| assert_eq!(Reader::new(file).unwrap().promise(), Some(&fidelity)))
    };
    let named = |name: &str| {
        Fidelity::MaxErrorColumns(vec![(name.into(), "0.1".parse().expect("a number"))])
    };
    // The closure checks that the promise is read back as it was given.
    for name in ["plain=", "a,b", "back\\slash", ""] {
        compressed(name, named(name)).unwrap();
    }
    let error = compressed("a,b", Fidelity::MaxErrorColumns(Vec::new())).unwrap_err();
    assert_eq!(error.kind(), aezip::ErrorKind::Argument, "{error}");
    for bound in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let error = aezip::Decimal::try_from(bound).unwrap_err();
        assert_eq!(error.kind(), aezip::ErrorKind::Argument, "{error}");
    }
}

#[test]
fn a_bound_given_as_f64_is_that_number_exactly() {
    let fidelity = Fidelity::MaxError(0.1.try_into().unwrap());
    let Fidelity::MaxError(d) = &fidelity else { unreachable!() };
    assert_eq!((d.floor(), d.ceil()), (0.1, 0.1));
    assert_eq!(Fidelity::parse("max-error", &fidelity.text()).unwrap(), fidelity);
}

/// The mean of numbers near the end of the range lies among them.
#[test]
fn columns_at_the_end_of_the_range_can_be_read_back() {
    for rows in [1, 7, 39, 100] {
        let matrix = Matrix::from_slice(&vec![f64::MIN; rows * 2], &[2]).unwrap();
        for promise in ["psnr 10", "max-error 1e300", "nmse 0.5", "lossless "] {
            let (kind, text) = promise.split_once(' ').unwrap();
            let mut config = Config::default();
            config.fidelity = Fidelity::parse(kind, text).unwrap();
            let mut file = Vec::new();
            aezip::compress(&matrix, &config, &mut file).unwrap();
            Reader::new(&file).unwrap().verify().unwrap();
        }
    }
}

/// Half of the smallest number is 0, and its square too.
#[test]
fn the_smallest_numbers_have_a_peak_and_an_error() {
    let matrix = Matrix::from_slice(&[5e-324, 5e-324, 1e-323], &[1]).unwrap();
    let mut config = Config::default();
    config.fidelity = Fidelity::parse("psnr", "30").unwrap();
    let mut file = Vec::new();
    aezip::compress(&matrix, &config, &mut file).unwrap();
    let mut back = [0.0; 3];
    Reader::new(&file).unwrap().read_rows(0..3, &mut back).unwrap();
    assert_eq!(back, [5e-324, 5e-324, 1e-323]);
}

/// A size that no file can have is refused with the size that one can.
#[test]
fn an_impossible_size_is_answered_with_what_is_possible() {
    let matrix = Matrix::from_slice(&(0..4000_u16).collect::<Vec<_>>(), &[4]).unwrap();
    let mut config = Config::default();
    config.fidelity = Fidelity::parse("ratio", "100000").unwrap();
    let mut file = Vec::new();
    let error = aezip::compress(&matrix, &config, &mut file).unwrap_err();
    assert_eq!(error.kind(), aezip::ErrorKind::Argument);
    assert!(error.to_string().contains("these rows take"), "{error}");
    assert!(file.is_empty());
}
