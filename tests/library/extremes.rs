//! Every promise with every kind of network, for values as large and as small as numbers get, and for
//! values that hardly differ: files are written that are read and keep the promise, and nothing panics.

use crate::oracle::{Case, Random, Training};
use aezip::{F16, Fidelity, Matrix};

/// From nearly the least to nearly the largest numbers of each type.
const SCALES: [f64; 14] =
    [1e-300, 1e-160, 1e-100, 1e-37, 1e-30, 1e-10, 1e-3, 1.0, 1e10, 1e20, 1e37, 1e100, 1e160, 1e300];

/// Promises, budgets above the size of the values among them.
const PROMISES: [(&str, &str); 22] = [
    ("max-error", "1e-3"),
    ("max-error-rel", "0.01"),
    ("max-error-columns", "0=0,1=1e-3,*=1e300"),
    ("lossless", ""),
    ("nmse", "0.1"),
    ("nmse", "1e-6"),
    ("psnr", "30"),
    ("psnr", "0"),
    ("cosine", "0.9"),
    ("cosine", "0.999999"),
    ("ratio", "0.5"),
    ("ratio", "2"),
    ("ratio", "0.01"),
    ("bytes-per-row", "500"),
    ("bytes-per-row", "8"),
    ("row-nmse", "0.1"),
    ("row-nmse", "1e-6"),
    ("row-cosine", "0.9"),
    ("row-l2", "0.25"),
    ("max-error-pointwise-rel", "0.01"),
    ("max-error-pointwise-rel", "0.999"),
    ("row-cosine", "0.999999"),
];

const WIDTH: usize = 4;
const ROWS: usize = 100;

/// What rows are made of.
#[derive(Debug, Clone, Copy)]
enum Rows {
    Waves,
    Constant,
    TwoValues,
    /// A constant but for the last digits.
    LastDigits,
    OneRow,
    /// Scales of all sizes, column by column.
    Mixed,
}

const KINDS: [Rows; 6] =
    [Rows::Waves, Rows::Constant, Rows::TwoValues, Rows::LastDigits, Rows::OneRow, Rows::Mixed];

fn values(kind: Rows, scale: f64, random: &mut Random) -> Vec<f64> {
    let rows = if matches!(kind, Rows::OneRow) { 1 } else { ROWS };
    let mut value = |at: usize| {
        let (i, j) = (at / WIDTH, at % WIDTH);
        let wave = (i as f64 * 0.11 + j as f64).sin() + 0.1 * random.unit();
        match kind {
            Rows::Waves | Rows::OneRow => wave,
            Rows::Constant => 7.0,
            Rows::TwoValues => [-1.5, 3.25][random.below(2)],
            Rows::LastDigits => 1.0 + f64::EPSILON * random.below(3) as f64,
            Rows::Mixed => wave * [1.0, 1e-30, 1e30, 1e-5][j],
        }
    };
    (0..rows * WIDTH).map(|at| value(at) * scale).collect()
}

fn case(matrix: Matrix, promise: (&str, &str), training: Training) -> Case {
    let fidelity = Fidelity::parse(promise.0, promise.1).unwrap();
    Case { matrix, fidelity, level: 1, training }
}

/// The matrix in the type of number `which`.
fn matrix(values: &[f64], which: usize) -> Matrix {
    let made = match which % 3 {
        0 => Matrix::from_slice(values, &[WIDTH]),
        1 => Matrix::from_slice(&values.iter().map(|x| *x as f32).collect::<Vec<_>>(), &[WIDTH]),
        _ => {
            let halves: Vec<F16> = values.iter().map(|x| F16::from_f64(*x)).collect();
            Matrix::from_slice(&halves, &[WIDTH])
        }
    };
    made.unwrap()
}

#[test]
fn no_scale_no_constant_and_no_single_row_makes_arithmetic_fail() {
    let mut random = Random(16);
    let mut faults = Vec::new();
    let mut turn = 0;
    for training in Training::ALL {
        for promise in PROMISES {
            // All pairs of scale and kind take turns.
            for _ in 0..3 {
                let (scale, kind) = (SCALES[turn % SCALES.len()], KINDS[turn % 5 + turn / 70 % 2]);
                let matrix = matrix(&values(kind, scale, &mut random), turn / 2);
                turn += 1;
                let case = case(matrix, promise, training);
                // Also as a codec that is learned, written and read.
                let outcome = if turn % 3 == 0 { case.check_codec() } else { case.check() };
                if let Err(what) = outcome {
                    faults.push(format!("{training:?} {promise:?} {kind:?} {scale:e}: {what}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn what_once_panicked_is_compressed() {
    let constant = vec![7.0; ROWS * WIDTH];
    for promise in
        [("nmse", "0.1"), ("psnr", "30"), ("cosine", "0.9"), ("ratio", "2"), ("ratio", "0.1")]
    {
        case(matrix(&constant, 1), promise, Training::Bits).check().unwrap();
    }
    for scale in [1e-30, 1e20, 1e37, 1e100] {
        let waves = values(Rows::Waves, scale, &mut Random(1));
        for which in [0, 1] {
            let promise = ("ratio", "0.5");
            case(matrix(&waves, which), promise, Training::SquaredError).check().unwrap();
        }
    }
}

#[test]
fn columns_crowded_at_the_ends_of_their_type_come_back() {
    for end in [f64::MIN, f64::MAX, -f64::from(f32::MAX), f64::from(f32::MAX), -65504.0, 65504.0] {
        for which in 0..3 {
            // Within some units in the last place of each type, and among ordinary values.
            let ulp = [10, 23, 52].map(|bits| 2_f64.powi(-bits));
            let value = |at: usize| match (at % WIDTH, at * 7 % 3) {
                (3, 0) => (at % 13) as f64 * 0.1,
                (3, _) => end,
                (j, steps) => end * (1.0 - ulp[j] * steps as f64),
            };
            let crowd: Vec<f64> = (0..ROWS * WIDTH).map(value).collect();
            for promise in PROMISES {
                let case = case(matrix(&crowd, which), promise, Training::None);
                if let Err(what) = case.check().and_then(|()| case.check_writer()) {
                    panic!("{end:e} of type {which}, {promise:?}: {what}");
                }
            }
        }
    }
}
