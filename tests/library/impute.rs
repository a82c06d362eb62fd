//! Filling gaps: what is filled, how well, and what stays.

use aezip::apps::{ColumnUnits, Imputed, cast, impute, impute_draws, missing_values, to_doubles};
use aezip::{Config, DType, Matrix, Rows};
use std::f64::consts::TAU;

/// A sequence that looks random and is the same everywhere.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Box and Muller's normal numbers.
    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (TAU * self.unit()).cos()
    }
}

/// Rows of `latents` normal numbers in ten columns, and noise.
fn low_rank(rows: usize, latents: usize, noise: f64) -> Vec<f64> {
    let mut random = Random(1);
    let directions: Vec<f64> = (0..latents * 10).map(|_| random.normal()).collect();
    let row = |random: &mut Random| -> Vec<f64> {
        let z: Vec<f64> = (0..latents).map(|_| random.normal()).collect();
        let sum = |j: usize| (0..latents).map(|k| z[k] * directions[10 * k + j]).sum::<f64>();
        (0..10).map(|j| sum(j) + noise * random.normal()).collect()
    };
    (0..rows).flat_map(|_| row(&mut random)).collect()
}

/// The values with a share of them hidden.
fn with_gaps(whole: &[f64], share: f64) -> Vec<f64> {
    let mut random = Random(2);
    whole.iter().map(|x| if random.unit() < share { f64::NAN } else { *x }).collect()
}

fn fill(gaps: &[f64], width: usize) -> Imputed {
    let rows = Matrix::from_slice(gaps, &[width]).unwrap();
    impute(&rows, &missing_values(&rows, &[]).unwrap(), None, &Config::default()).unwrap()
}

/// The root mean square error of each column's gaps, in deviations of the whole column.
fn errors(whole: &[f64], gaps: &[f64], filled: &Imputed, width: usize) -> Vec<f64> {
    let filled = to_doubles(&filled.rows).unwrap();
    let of_column = |j: usize| {
        let all: Vec<f64> = whole.iter().skip(j).step_by(width).copied().collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64;
        let own = (j..whole.len()).step_by(width).filter(|at| gaps[*at].is_nan());
        let squares: Vec<f64> = own.map(|at| (filled[at] - whole[at]).powi(2)).collect();
        (squares.iter().sum::<f64>() / squares.len() as f64 / variance).sqrt()
    };
    (0..width).map(of_column).collect()
}

#[test]
fn what_follows_from_the_rest_of_the_row_is_filled_in_almost_exactly() {
    for rows in [40, 500] {
        let whole = low_rank(rows, 3, 0.0);
        let gaps = with_gaps(&whole, 0.1);
        let found = errors(&whole, &gaps, &fill(&gaps, 10), 10);
        println!("{rows} rows: {found:.6?}");
        assert!(found.iter().all(|e| *e < 0.005), "{rows}: {found:?}");
    }
}

#[test]
fn columns_of_different_units_are_filled_alike_with_names_and_without() {
    let mut random = Random(3);
    let whole: Vec<f64> = (0..1000)
        .flat_map(|_| {
            let z = random.normal();
            let pressure = 101_325.0 - 900.0 * z + 150.0 * random.normal();
            [288.0 + 8.0 * z, pressure, 1.0 / (1.0 + (-0.8 * z).exp()), 0.008 + 0.002 * z]
        })
        .collect();
    let gaps = with_gaps(&whole, 0.1);
    let plain = fill(&gaps, 4);
    assert_eq!(plain.units, Some(ColumnUnits::Own));
    let found = errors(&whole, &gaps, &plain, 4);
    println!("{found:.4?}");
    // The noise of pressure is a sixth of a deviation; nothing else has any.
    assert!(found[0] < 0.1 && found[1] < 0.25 && found[2] < 0.1 && found[3] < 0.1, "{found:?}");
    let mut schema = plain.rows.schema().clone();
    schema.columns = Some(["T", "p", "rh", "q"].map(str::to_string).to_vec());
    let bytes: Vec<u8> = gaps.iter().flat_map(|x| x.to_le_bytes()).collect();
    let named = Matrix::new(schema, bytes).unwrap();
    let missing = missing_values(&named, &[]).unwrap();
    let named = impute(&named, &missing, None, &Config::default()).unwrap();
    assert_eq!(named.rows.bytes(), plain.rows.bytes());
}

#[test]
fn wild_rows_and_cells_do_not_change_how_others_are_filled() {
    let whole = low_rank(500, 3, 0.1);
    let gaps: Vec<f64> = (0..5000)
        .map(|at| if (50..90).contains(&(at / 10)) && at % 10 == 1 { f64::NAN } else { whole[at] })
        .collect();
    let plain = errors(&whole, &gaps, &fill(&gaps, 10), 10)[1];
    for (name, factor, columns) in [
        ("row", 1e8, 0..10),
        ("some", 30.0, 0..10),
        ("cell", 1e20, 4..5),
        ("infinity", f64::INFINITY, 2..3),
    ] {
        let mut wild = gaps.clone();
        columns.for_each(|j| wild[30 + j] *= factor);
        let filled = fill(&wild, 10);
        let found = errors(&whole, &wild, &filled, 10)[1];
        println!("{name}: {found:.4}, {plain:.4} without");
        // A third more than noise leaves, at most, where the wild row is near enough to be believed.
        assert!(found < 1.4 * plain && found < 0.2, "{name}: {found} {plain}");
        // What is there stays, infinities included.
        let filled = filled.rows.to_vec::<f64>().unwrap();
        let same = |(a, b): (&f64, &f64)| a.is_nan() || a.to_bits() == b.to_bits();
        assert!(wild.iter().zip(&filled).all(same), "{name}");
    }
}

#[test]
fn gaps_in_series_are_filled_from_the_rows_before_and_after() {
    let mut random = Random(4);
    let wave = |i: usize, f: f64| (i as f64 * f).sin();
    let whole: Vec<f64> =
        (0..600).flat_map(|i| [wave(i, 0.1), wave(i, 0.07) + 0.5, random.normal()]).collect();
    let gaps = with_gaps(&whole, 0.1);
    let found = errors(&whole, &gaps, &fill(&gaps, 3), 3);
    println!("{found:.4?}");
    assert!(found[0] < 0.1 && found[1] < 0.1 && found[2] < 1.15, "{found:?}");
    // A series of one number a row, too.
    let alone: Vec<f64> = (0..600).map(|i| wave(i, 0.1)).collect();
    let gaps = with_gaps(&alone, 0.1);
    let found = errors(&alone, &gaps, &fill(&gaps, 1), 1);
    assert!(found[0] < 0.1, "{found:?}");
}

#[test]
fn nothing_is_worse_than_the_mean_where_there_is_nothing_to_go_by() {
    let mut random = Random(5);
    for rows in [12, 60, 1000] {
        let whole: Vec<f64> = (0..rows * 5).map(|_| random.normal()).collect();
        let gaps = with_gaps(&whole, 0.2);
        let found = errors(&whole, &gaps, &fill(&gaps, 5), 5);
        let total = (found.iter().map(|e| e * e).sum::<f64>() / 5.0).sqrt();
        println!("{rows} rows: {total:.3}");
        assert!(total < if rows < 100 { 1.4 } else { 1.05 }, "{rows}: {found:?}");
    }
}

#[test]
fn columns_without_a_value_stay_and_rows_without_one_are_told() {
    let mut gaps = low_rank(30, 3, 0.1);
    gaps.iter_mut().skip(4).step_by(10).for_each(|x| *x = f64::NAN);
    gaps[70..80].fill(f64::NAN);
    gaps[5] = f64::NAN;
    let filled = fill(&gaps, 10);
    assert_eq!((&filled.empty_columns[..], &filled.empty_rows[..]), (&[4][..], &[7][..]));
    assert_eq!(filled.filled, 10);
    let values = filled.rows.to_vec::<f64>().unwrap();
    assert!(values.iter().enumerate().all(|(at, x)| x.is_nan() == (at % 10 == 4)));
    // Infinities stay, and are nothing to go by.
    let infinite = fill(&[1.0, f64::INFINITY, 2.0, f64::NAN, f64::NAN, f64::NEG_INFINITY], 2);
    assert_eq!((infinite.filled, &infinite.empty_columns[..]), (1, &[1][..]));
    // Single rows, empty ones, and none.
    let one = fill(&[1.0, f64::NAN, 3.0], 3);
    assert_eq!((one.filled, &one.empty_columns[..]), (0, &[1][..]));
    assert_eq!(fill(&[], 3).filled, 0);
}

#[test]
fn several_codes_stand_for_missing_values_in_the_type_of_the_rows() {
    let values = [1.0, 1e20, -999.9, f64::NAN, f64::INFINITY, 0.1];
    for dtype in [DType::F32, DType::F64] {
        let rows = cast(&Matrix::from_slice(&values, &[2]).unwrap(), dtype).unwrap();
        let missing = missing_values(&rows, &[1e20, -999.9]).unwrap();
        assert_eq!(missing, [false, true, true, true, false, false], "{dtype}");
        let infinite = missing_values(&rows, &[f64::INFINITY]).unwrap();
        assert_eq!(infinite, [false, false, false, true, true, false], "{dtype}");
    }
    // A code that a type of whole numbers does not have is no value of it.
    let bytes = Matrix::from_slice(&[0_u8, 255, 7, 9], &[2]).unwrap();
    assert_eq!(missing_values(&bytes, &[-999.0, 255.0]).unwrap(), [false, true, false, false]);
}

#[test]
fn whole_numbers_near_a_code_are_not_missing() {
    // All of these are the same number as `f64`.
    let largest = Matrix::from_slice(&[u64::MAX, u64::MAX - 1, u64::MAX - 500, 0], &[2]).unwrap();
    let missing = missing_values(&largest, &[u64::MAX as f64]).unwrap();
    assert_eq!(missing, [true, false, false, false]);
    let least = Matrix::from_slice(&[i64::MIN, i64::MIN + 1, i64::MAX, -1], &[2]).unwrap();
    let missing = missing_values(&least, &[i64::MIN as f64, -1.0, -1.5]).unwrap();
    assert_eq!(missing, [true, false, false, true]);
    let filled = impute(&largest, &[true, false, false, false], None, &Config::default()).unwrap();
    assert_eq!(filled.rows.to_vec::<u64>().unwrap()[1..], [u64::MAX - 1, u64::MAX - 500, 0]);
}

#[test]
fn what_is_filled_in_does_not_depend_on_threads() {
    let whole = low_rank(700, 4, 0.3);
    let rows = Matrix::from_slice(&with_gaps(&whole, 0.2), &[10]).unwrap();
    let missing = missing_values(&rows, &[]).unwrap();
    let filled = |threads: usize| {
        let mut config = Config::default();
        config.threads = threads;
        impute(&rows, &missing, None, &config).unwrap().rows
    };
    let one = filled(1);
    assert!([2, 3, 8].iter().all(|threads| filled(*threads) == one));
}

/// The root of the mean square.
fn root_mean_square(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    values.for_each(|x| (sum, count) = (sum + x * x, count + 1.0));
    (sum / f64::max(count, 1.0)).sqrt()
}

#[test]
fn draws_spread_as_far_as_guesses_are_off_alone_and_together() {
    let draws = 20;
    // Two latents that five known columns do not tell exactly, so that gaps of a row are off together.
    let whole = low_rank(1200, 2, 0.7);
    let mut random = Random(3);
    let mut gaps = whole.clone();
    for row in gaps.chunks_mut(10).filter(|_| random.unit() < 0.3) {
        row[5..].fill(f64::NAN);
    }
    let rows = Matrix::from_slice(&gaps, &[10]).unwrap();
    let missing = missing_values(&rows, &[]).unwrap();
    let config = Config::default();
    let guessed = impute(&rows, &missing, None, &config).unwrap();
    let found = impute_draws(&rows, &missing, draws, &config).unwrap();
    assert!(found.len() == draws && found.iter().all(|own| own.filled == guessed.filled));
    let guessed = to_doubles(&guessed.rows).unwrap();
    let drawn: Vec<Vec<f64>> = found.iter().map(|own| to_doubles(&own.rows).unwrap()).collect();
    for (at, x) in gaps.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
        assert!(drawn.iter().all(|own| own[at].to_bits() == x.to_bits()));
    }
    let at = || (0..whole.len()).filter(|at| gaps[*at].is_nan());
    let error = root_mean_square(at().map(|at| guessed[at] - whole[at]));
    let moved = |own: &Vec<f64>| root_mean_square(at().map(|at| own[at] - guessed[at]));
    let spread = root_mean_square(drawn.iter().map(moved));
    println!("values: error {error:.3}, spread {spread:.3}");
    assert!((spread / error - 1.0).abs() < 0.1, "{spread} {error}");
    // Sums over the gaps of a row, as means of what was filled in are.
    let sums = |values: &[f64]| -> Vec<f64> {
        values
            .chunks(10)
            .zip(gaps.chunks(10))
            .filter(|(_, gaps)| gaps[5].is_nan())
            .map(|(row, _)| row[5..].iter().sum())
            .collect()
    };
    let (right, middle) = (sums(&whole), sums(&guessed));
    let apart = |a: &[f64], b: &[f64]| root_mean_square(a.iter().zip(b).map(|(a, b)| a - b));
    let error = apart(&right, &middle);
    let spread = root_mean_square(drawn.iter().map(|own| apart(&sums(own), &middle)));
    println!("sums: error {error:.3}, spread {spread:.3}");
    assert!((spread / error - 1.0).abs() < 0.15, "{spread} {error}");
    // Nine of ten values lie between the ends of as many draws.
    let inside = at().filter(|&at| {
        let mut own: Vec<f64> = drawn.iter().map(|drawn| drawn[at]).collect();
        own.sort_by(f64::total_cmp);
        own[0] < whole[at] && whole[at] < own[draws - 1]
    });
    let share = inside.count() as f64 / at().count() as f64;
    assert!((share - 19.0 / 21.0).abs() < 0.04, "{share}");
    // The same with any number of threads, another with another seed.
    let mut one = config.clone();
    one.threads = 1;
    assert!(impute_draws(&rows, &missing, draws, &one).unwrap() == found);
    one.seed = 5;
    assert!(impute_draws(&rows, &missing, draws, &one).unwrap() != found);
}

#[test]
fn draws_of_whole_numbers_are_whole_and_senseless_requests_are_refused() {
    let whole: Vec<f64> = low_rank(300, 2, 1.0).iter().map(|x| (3.0 * x).round()).collect();
    let rows = cast(&Matrix::from_slice(&whole, &[10]).unwrap(), DType::I16).unwrap();
    let mut missing = vec![false; whole.len()];
    (0..whole.len()).step_by(13).for_each(|at| missing[at] = true);
    let config = Config::default();
    let found = impute_draws(&rows, &missing, 3, &config).unwrap();
    assert!(found[0].rows != found[1].rows && found[0].rows.schema() == rows.schema());
    // Nothing is missing: all are alike.
    let none = vec![false; whole.len()];
    assert!(impute_draws(&rows, &none, 2, &config).unwrap().iter().all(|own| own.rows == rows));
    for draws in [0, 1001] {
        impute_draws(&rows, &missing, draws, &config).unwrap_err();
    }
    let mut network = config.clone();
    network.train.epochs = Some(3);
    assert!(
        impute_draws(&rows, &missing, 2, &network).unwrap_err().to_string().contains("network")
    );
    let mut little = config;
    little.memory = 1 << 16;
    impute_draws(&rows, &missing, 2, &little).unwrap_err();
}

#[test]
fn a_column_that_is_exact_but_for_a_few_rows_does_not_speak_for_others() {
    let mut random = Random(8);
    let mut whole = Vec::new();
    for i in 0..2000 {
        let x: [f64; 3] = std::array::from_fn(|_| random.normal());
        let slip = if i % 200 == 7 { 3.0 } else { 0.0 };
        whole.extend([x[0], x[1], x[0] + x[1] + slip, x[2]]);
    }
    let mut gaps = whole.clone();
    for row in gaps.chunks_mut(4) {
        row.iter_mut().skip(2).filter(|_| random.unit() < 0.2).for_each(|x| *x = f64::NAN);
    }
    let rows = Matrix::from_slice(&gaps, &[4]).unwrap();
    let missing = missing_values(&rows, &[]).unwrap();
    let config = Config::default();
    let found = impute_draws(&rows, &missing, 5, &config).unwrap();
    let own = found.iter().map(|own| to_doubles(&own.rows).unwrap());
    let moved = own.flat_map(|own| {
        let at = (3..gaps.len()).step_by(4).filter(|at| missing[*at]);
        at.map(|at| own[at]).collect::<Vec<f64>>()
    });
    // Nothing says what belongs into the last column, so that draws are as its values are.
    let spread = root_mean_square(moved);
    assert!((0.8..1.3).contains(&spread), "{spread}");
}
