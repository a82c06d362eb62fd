//! Noise is taken out about as well as can be, and nothing else is.

use super::*;
use crate::linalg::{gram, multiply_rows, symmetric_eigen};
use crate::matrix::rng::Rng;
use crate::matrix::{DType, Schema};
use std::fs;
use std::path::Path;

/// Images of 8 × 8 pixels from 0 to 16.
fn digits() -> Vec<f64> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/digits.npy");
    let bytes = fs::read(file).unwrap();
    bytes[bytes.len() - 1797 * 64..].iter().map(|x| f64::from(*x)).collect()
}

/// Rows of `latents` numbers, seen in `width` columns.
fn low_rank(count: usize, latents: usize, width: usize) -> Vec<f64> {
    let mut rng = Rng::new(5);
    let mut normal = |n: usize| (0..n).map(|_| f64::from(rng.normal())).collect::<Vec<_>>();
    let (latent, seen) = (normal(count * latents), normal(latents * width));
    multiply_rows(&latent, &seen, latents)
}

fn with_noise(clean: &[f64], deviation: f64) -> Vec<f64> {
    let mut rng = Rng::new(6);
    clean.iter().map(|x| x + deviation * f64::from(rng.normal())).collect()
}

fn rms(a: &[f64], b: &[f64]) -> f64 {
    (a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / a.len() as f64).sqrt()
}

/// The least error that any number of principal components leaves.
fn best_truncation(noisy: &[f64], clean: &[f64], width: usize) -> f64 {
    let count = (noisy.len() / width) as f64;
    let mean: Vec<f64> =
        (0..width).map(|j| noisy.iter().skip(j).step_by(width).sum::<f64>() / count).collect();
    let centred: Vec<f64> = noisy.iter().enumerate().map(|(at, x)| x - mean[at % width]).collect();
    let pairs = symmetric_eigen(&gram(&centred, width), width).unwrap();
    let mut given: Vec<f64> = (0..noisy.len()).map(|at| mean[at % width]).collect();
    let mut best = rms(&given, clean);
    for pair in pairs {
        let along = multiply_rows(&centred, &pair.vector, width);
        let part = multiply_rows(&along, &pair.vector, 1);
        given.iter_mut().zip(part).for_each(|(x, y)| *x += y);
        best = best.min(rms(&given, clean));
    }
    best
}

fn cleaned(values: &[f64], width: usize) -> (Denoised, Vec<f64>) {
    let found =
        remove_noise(&Matrix::from_slice(values, &[width]).unwrap(), None, &Config::default())
            .unwrap();
    let values = values::to_doubles(&found.rows).unwrap();
    (found, values)
}

#[test]
fn rows_of_few_latents_are_as_near_as_the_best_components() {
    for (count, width) in [(500, 10), (200, 30), (30, 200), (8000, 10), (120, 120)] {
        let clean = low_rank(count, 3, width);
        for deviation in [0.01, 0.1, 0.5] {
            let noisy = with_noise(&clean, deviation);
            let (found, given) = cleaned(&noisy, width);
            let (error, best) = (rms(&given, &clean), best_truncation(&noisy, &clean, width));
            assert!(error <= 1.05 * best, "{count} × {width}, {deviation}: {error}, best {best}");
            assert!((3..=4).contains(&found.components));
            let noise = found.noise.unwrap() / deviation;
            assert!(noise > 0.9 && noise < 1.1, "{count} × {width}, {deviation}: {noise}");
        }
    }
}

#[test]
fn noisy_images_are_nearer_than_with_the_best_components() {
    let clean = digits();
    for share in [0.01, 0.05, 0.1, 0.3] {
        let noisy = with_noise(&clean, 16.0 * share);
        let (_, given) = cleaned(&noisy, 64);
        let (error, best) = (rms(&given, &clean), best_truncation(&noisy, &clean, 64));
        println!("{share}: {error:.4}, best components {best:.4}");
        let most = if share >= 0.1 { 0.85 } else { 1.0 };
        assert!(
            error < most * best && best <= rms(&noisy, &clean),
            "{share}: {error}, best {best}"
        );
    }
    // As a camera has them: whole numbers from 0 to 16.
    let noisy: Vec<u8> = with_noise(&clean, 1.6).iter().map(|x| x.clamp(0.0, 16.0) as u8).collect();
    let rows = Matrix::from_slice(&noisy, &[8, 8]).unwrap();
    let found = remove_noise(&rows, None, &Config::default()).unwrap();
    assert_eq!(found.rows.schema(), rows.schema());
    let given = values::to_doubles(&found.rows).unwrap();
    let noisy = values::to_doubles(&rows).unwrap();
    let (error, best) = (rms(&given, &clean), best_truncation(&noisy, &clean, 64));
    assert!(error < 1.05 * best, "{error}, best {best}");
}

#[test]
fn rows_along_a_curve_are_nearer_than_any_components_bring_them() {
    // A closed curve that winds through ten dimensions, seen in 30 columns.
    let mut rng = Rng::new(8);
    let seen: Vec<f64> = (0..300).map(|_| f64::from(rng.normal())).collect();
    let turn = |_| f64::from(rng.unit()) * std::f64::consts::TAU;
    let places: Vec<f64> = (0..1500).map(turn).collect();
    let curve = places
        .iter()
        .flat_map(|t| (0..10).map(move |k| (t * f64::from(k / 2 + 1) + f64::from(k)).sin()));
    let clean = multiply_rows(&curve.collect::<Vec<_>>(), &seen, 10);
    let noisy = with_noise(&clean, 1.0);
    let (found, given) = cleaned(&noisy, 30);
    let (error, best) = (rms(&given, &clean), best_truncation(&noisy, &clean, 30));
    println!("{error:.4}, best components {best:.4}");
    assert!(found.is_grouped && error < 0.85 * best, "{error}, best {best}");
}

#[test]
fn rows_without_noise_stay_as_they_are() {
    let falling: Vec<f64> =
        (0..4000).map(|at| f64::sin(0.01 * f64::from(at)) * 0.5_f64.powi(at % 20)).collect();
    let independent = with_noise(&[0.0; 2000], 1.0);
    // One row in ten is not zero.
    let some: Vec<f64> = with_noise(&vec![0.0; 48_000], 1.0)
        .chunks(24)
        .enumerate()
        .flat_map(|(i, row)| row.iter().map(move |x| if i % 10 == 0 { *x } else { 0.0 }))
        .collect();
    for (values, width) in [
        (digits(), 64),
        (low_rank(500, 3, 10), 10),
        (falling, 20),
        (some, 24),
        (independent.clone(), 20),
        (independent, 1),
    ] {
        let rows = Matrix::from_slice(&values, &[width]).unwrap();
        let found = remove_noise(&rows, None, &Config::default()).unwrap();
        assert_eq!((found.noise, found.components), (None, 0), "{width}");
        assert_eq!(found.rows.bytes(), rows.bytes());
    }
    let none = Matrix::new(Schema::new(DType::F32, &[4]), Vec::new()).unwrap();
    assert!(remove_noise(&none, None, &Config::default()).unwrap().rows.is_empty());
}

#[test]
fn wild_rows_and_gaps_stay_and_change_little_else() {
    let clean = low_rank(500, 3, 10);
    let noisy = with_noise(&clean, 0.1);
    let (_, plain) = cleaned(&noisy, 10);
    let mut wild = noisy.clone();
    wild[30..40].fill(1e20);
    wild[77] = f64::INFINITY;
    wild[100..110].fill(f64::NAN);
    (0..500).step_by(7).for_each(|at| wild[1000 + at] = f64::NAN);
    let (found, given) = cleaned(&wild, 10);
    assert_eq!(found.wild_rows, 2);
    let is_same = |at: usize| given[at].to_bits() == wild[at].to_bits();
    assert!((30..40).chain(70..80).chain(100..110).all(is_same));
    assert!(wild.iter().enumerate().all(|(at, x)| !x.is_nan() || is_same(at)));
    let rest = |all: &[f64]| -> Vec<f64> {
        let left =
            |at: &usize| (30..40).contains(at) || (70..80).contains(at) || wild[*at].is_nan();
        (0..5000).filter(|at| !left(at)).map(|at| all[at]).collect()
    };
    let (error, usual) = (rms(&rest(&given), &rest(&clean)), rms(&rest(&plain), &rest(&clean)));
    assert!(error < 1.1 * usual, "{error}, without them {usual}");
}

#[test]
fn columns_of_their_own_units_lose_their_own_noise() {
    let clean = low_rank(600, 2, 8);
    let unit = |at: usize| 10_f64.powi(2 * (at % 8) as i32 - 6);
    let spread = |values: &[f64], j: usize| {
        values.iter().skip(j).step_by(8).map(|x| x * x).sum::<f64>().sqrt() / 600_f64.sqrt()
    };
    let mut rng = Rng::new(6);
    let noisy: Vec<f64> = clean
        .iter()
        .enumerate()
        .map(|(at, x)| unit(at) * (x + 0.2 * spread(&clean, at % 8) * f64::from(rng.normal())))
        .collect();
    let (found, given) = cleaned(&noisy, 8);
    assert_eq!((found.units, found.components), (ColumnUnits::Own, 2));
    for j in 0..8 {
        let of = |all: &[f64]| -> Vec<f64> { all.iter().skip(j).step_by(8).copied().collect() };
        let truth: Vec<f64> = of(&clean).iter().map(|x| x * unit(j)).collect();
        let (after, before) = (rms(&of(&given), &truth), rms(&of(&noisy), &truth));
        assert!(after < 0.75 * before, "column {j}: {after}, before {before}");
    }
}

#[test]
fn one_pattern_under_noise_is_found() {
    let pattern = |at: usize| 5.0 * f64::sin(0.3 * (at % 40) as f64);
    let clean: Vec<f64> = (0..100 * 40).map(pattern).collect();
    let (found, given) = cleaned(&with_noise(&clean, 1.0), 40);
    assert_eq!(found.components, 0);
    assert!(rms(&given, &clean) < 0.2);
}

#[test]
fn any_scale_and_any_type_will_do() {
    let noisy = with_noise(&low_rank(200, 2, 9), 0.1);
    for scale in [1e-300, 1e-30, 1.0, 1e30, 1e300] {
        let scaled: Vec<f64> = noisy.iter().map(|x| x * scale).collect();
        let (found, given) = cleaned(&scaled, 9);
        assert_eq!(found.components, 2, "{scale}");
        assert!(given.iter().all(|x| x.is_finite()));
    }
    for dtype in [DType::F16, DType::F32, DType::I16, DType::U8, DType::I64] {
        let values: Vec<f64> = noisy.iter().map(|x| 100.0 + 20.0 * x).collect();
        let rows = values::matrix(&Schema::new(dtype, &[9]), dtype, &values).unwrap();
        assert_eq!(
            remove_noise(&rows, None, &Config::default()).unwrap().rows.schema(),
            rows.schema()
        );
    }
    for values in [vec![f64::MAX; 50], vec![f64::NAN; 50], vec![f64::MIN, f64::MAX, 0.0, 1.0, 2.0]]
    {
        let (found, _) = cleaned(&values, 5);
        assert_eq!(found.noise, None);
    }
}

#[test]
fn whole_numbers_without_noise_stay_as_they_are() {
    // Rounding is all that looks like noise.
    let rounded: Vec<i16> =
        low_rank(1000, 3, 20).iter().map(|x| (10.0 * x).round() as i16).collect();
    let rows = Matrix::from_slice(&rounded, &[20]).unwrap();
    let found = remove_noise(&rows, None, &Config::default()).unwrap();
    assert_eq!((&found.rows, found.noise), (&rows, None));
    // Dice: columns of the same numbers whose measured spreads differ by chance.
    let mut rng = Rng::new(3);
    let dice: Vec<i32> = (0..20_000).map(|_| rng.below(6) as i32).collect();
    let rows = Matrix::from_slice(&dice, &[10]).unwrap();
    let found = remove_noise(&rows, None, &Config::default()).unwrap();
    assert_eq!((&found.rows, found.noise), (&rows, None));
    // Noise beyond rounding is taken out of whole numbers too.
    let clean: Vec<f64> = low_rank(1000, 3, 20).iter().map(|x| (10.0 * x).round()).collect();
    let noisy: Vec<i16> = with_noise(&clean, 2.0).iter().map(|x| x.round() as i16).collect();
    let found = remove_noise(&Matrix::from_slice(&noisy, &[20]).unwrap(), None, &Config::default())
        .unwrap();
    let given = values::to_doubles(&found.rows).unwrap();
    assert!(rms(&given, &clean) < 1.0, "{}", rms(&given, &clean));
}

/// Pictures of 16 × 16, of two levels on the sides of a line that lies anywhere.
fn halves(count: usize) -> Vec<f64> {
    let mut rng = Rng::new(9);
    let mut out = Vec::new();
    for _ in 0..count {
        let mut draw = |most: f64| f64::from(rng.unit()) * most;
        let (turn, across) = (draw(std::f64::consts::TAU), draw(12.0) - 6.0);
        let (one, other) = (draw(4.0), draw(4.0));
        let side = |i: i32, j: i32| {
            let place = f64::from(2 * i - 15) * turn.sin() + f64::from(2 * j - 15) * turn.cos();
            if place / 2.0 > across { one } else { other }
        };
        out.extend((0..16).flat_map(|i| (0..16).map(move |j| (i, j))).map(|(i, j)| side(i, j)));
    }
    out
}

#[test]
fn pictures_are_nearer_by_patches_and_columns_in_any_order_no_farther() {
    let clean = halves(400);
    let noisy = with_noise(&clean, 0.4);
    let pictures = Matrix::from_slice(&noisy, &[16, 16]).unwrap();
    let found = remove_noise(&pictures, None, &Config::default()).unwrap();
    let error = rms(&values::to_doubles(&found.rows).unwrap(), &clean);
    let best = best_truncation(&noisy, &clean, 256);
    println!("{error:.4}, best components {best:.4}");
    assert_eq!(found.patches, Some(vec![6, 6]));
    assert!(error < 0.7 * best, "{error}, best {best}");

    // Rows that are read alone are the same.
    let learned = learn_noise(&pictures, None, &Config::default()).unwrap();
    for row in [0, 7, 399] {
        let mut own = vec![0; 256 * 8];
        learned.read(row, &mut own).unwrap();
        assert_eq!(own, found.rows.bytes()[row * 2048..(row + 1) * 2048], "row {row}");
    }

    // The same values where nothing lies side by side.
    let mut order: Vec<usize> = (0..256).collect();
    Rng::new(3).shuffle(&mut order);
    let shuffled = |values: &[f64]| -> Vec<f64> {
        values.chunks_exact(256).flat_map(|row| order.iter().map(|j| row[*j])).collect()
    };
    let rows = Matrix::from_slice(&shuffled(&noisy), &[16, 16]).unwrap();
    let found = remove_noise(&rows, None, &Config::default()).unwrap();
    let error = rms(&values::to_doubles(&found.rows).unwrap(), &shuffled(&clean));
    assert!(error < 1.02 * best, "{error}, best {best}");
}

#[test]
fn noise_that_is_known_is_taken_out_where_none_could_be_told() {
    let noisy = with_noise(&[0.0; 2000], 1.0);
    let rows = Matrix::from_slice(&noisy, &[20]).unwrap();
    assert_eq!(remove_noise(&rows, None, &Config::default()).unwrap().rows, rows);
    let found = remove_noise(&rows, Some(1.0), &Config::default()).unwrap();
    assert!((found.noise.unwrap() - 1.0).abs() < 1e-9);
    assert!(rms(&values::to_doubles(&found.rows).unwrap(), &[0.0; 2000]) < 0.2);

    let clean = low_rank(500, 3, 10);
    let rows = Matrix::from_slice(&with_noise(&clean, 0.5), &[10]).unwrap();
    let found = remove_noise(&rows, Some(0.5), &Config::default()).unwrap();
    assert_eq!(found.components, 3);
    assert!(rms(&values::to_doubles(&found.rows).unwrap(), &clean) < 0.3);

    // Nothing is lost whatever is said of it; all of it is noise where that is said.
    for noise in [1e-300, 1e-90, 1e-9] {
        let found = remove_noise(&rows, Some(noise), &Config::default()).unwrap();
        let given = values::to_doubles(&found.rows).unwrap();
        assert!(rms(&given, &values::to_doubles(&rows).unwrap()) < 1e-6, "{noise}");
    }
    let found = remove_noise(&rows, Some(1e300), &Config::default()).unwrap();
    assert!(values::to_doubles(&found.rows).unwrap().iter().all(|x| x.is_finite()));

    // A single picture has patches; half of the values missing hides nothing of what is there.
    let clean = halves(40);
    let noisy = with_noise(&clean, 0.4);
    let one = Matrix::from_slice(&noisy, &[160, 64]).unwrap();
    let found = remove_noise(&one, Some(0.4), &Config::default()).unwrap();
    let error = rms(&values::to_doubles(&found.rows).unwrap(), &clean);
    assert!(found.patches.is_some() && error < 0.3, "{error}");
    let mut gaps = noisy.clone();
    gaps.iter_mut().step_by(2).for_each(|x| *x = f64::NAN);
    let rows_with_gaps = Matrix::from_slice(&gaps, &[16, 16]).unwrap();
    let found = remove_noise(&rows_with_gaps, Some(0.4), &Config::default()).unwrap();
    let given = values::to_doubles(&found.rows).unwrap();
    let known = |all: &[f64]| -> Vec<f64> { all.iter().skip(1).step_by(2).copied().collect() };
    let (error, before) =
        (rms(&known(&given), &known(&clean)), rms(&known(&noisy), &known(&clean)));
    assert!(error < 1.01 * before, "{error} {before}");

    for noise in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = remove_noise(&rows, Some(noise), &Config::default()).unwrap_err();
        assert!(error.to_string().contains("number above 0"), "{error}");
    }
}
