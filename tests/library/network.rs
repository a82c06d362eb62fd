//! Networks: smaller files where rows are curved, and never more than a promise or the time given.

use crate::oracle::Random;
use aezip::{Config, ErrorKind, Fidelity, Matrix, Reader, Report, check_promise, compress};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A configuration with a promise.
fn config(kind: &str, text: &str) -> Config {
    let mut config = Config::default();
    config.fidelity = Fidelity::parse(kind, text).unwrap();
    config
}

/// The same with a small network, trained for a short time.
fn forced(kind: &str, text: &str) -> Config {
    let mut config = config(kind, text);
    config.level = 3;
    config.train.hidden = Some(vec![16]);
    config.train.epochs = Some(6);
    config
}

/// Compresses, reads back and checks the promise.
fn kept(rows: &Matrix, config: &Config) -> Report {
    kept_if_taken(rows, config).unwrap()
}

/// The same where the promise may be refused.
fn kept_if_taken(rows: &Matrix, config: &Config) -> aezip::Result<Report> {
    let mut file = Vec::new();
    let report = compress(rows, config, &mut file)?;
    assert_eq!(report.bytes_out, file.len() as u64);
    let reader = Reader::new(file).unwrap();
    reader.verify().unwrap();
    assert_eq!(reader.info().hidden, report.hidden);
    let check = check_promise(rows, &reader, &config.fidelity, report.bytes_out).unwrap();
    assert!(check.held, "{}: {}", config.fidelity, check.detail);
    Ok(report)
}

/// Rows on a curved surface of two parameters: 24 sensors on different waves.
fn curved(rows: usize) -> Matrix {
    let mut random = Random(11);
    let mut values = Vec::with_capacity(rows * 24);
    for _ in 0..rows {
        let (u, v) = (3.0 * random.unit(), 2.0 * random.unit());
        values.extend((0..24).map(|j| {
            let j = f64::from(j);
            (u * (0.3 + j / 24.0) + v * (j * 0.7).cos() + j).sin() as f32
        }));
    }
    Matrix::from_slice(&values, &[24]).unwrap()
}

#[test]
fn curved_rows_become_smaller_than_any_plane_makes_them() {
    let rows = curved(3000);
    let mut linear = config("max-error", "0.02");
    linear.train.hidden = Some(Vec::new());
    let linear = kept(&rows, &linear);
    assert!(linear.hidden.is_empty());
    let mut network = config("max-error", "0.02");
    network.train.hidden = Some(vec![48, 32]);
    network.train.latents = Some(3);
    network.train.epochs = Some(50);
    let network = kept(&rows, &network);
    assert_eq!(network.hidden, [32, 48], "the decoder mirrors the encoder");
    assert_eq!(network.latents, 3);
    let (network, linear) = (network.bytes_out, linear.bytes_out);
    assert!(network < linear * 3 / 4, "{network} bytes with a network, {linear} without");
}

#[test]
fn curved_rows_that_each_keep_a_promise_become_smaller_than_any_plane_makes_them() {
    let rows = curved(3000);
    let mut linear = config("row-nmse", "0.001");
    linear.train.hidden = Some(Vec::new());
    let linear = kept(&rows, &linear);
    let network = kept(&rows, &config("row-nmse", "0.001"));
    assert!(linear.hidden.is_empty() && !network.hidden.is_empty());
    let (network, linear) = (network.bytes_out, linear.bytes_out);
    assert!(network < linear * 9 / 10, "{network} bytes with a network, {linear} without");
}

#[test]
fn a_level_is_never_larger_than_its_linear_codec() {
    let straight = {
        let mut random = Random(5);
        let row = |a: f64, b: f64| (0..12).map(move |j| (a * f64::from(j) + b) as f32);
        let values: Vec<f32> = (0..1000).flat_map(|_| row(random.unit(), random.unit())).collect();
        Matrix::from_slice(&values, &[12]).unwrap()
    };
    for (rows, kind, text) in [
        (&curved(1000), "max-error", "0.02"),
        (&straight, "max-error", "0.01"),
        (&straight, "nmse", "0.01"),
        (&curved(1000), "row-nmse", "0.001"),
        (&straight, "row-cosine", "0.9999"),
    ] {
        let left = config(kind, text);
        let mut linear = left.clone();
        linear.train.hidden = Some(Vec::new());
        let (left, linear) = (kept(rows, &left).bytes_out, kept(rows, &linear).bytes_out);
        assert!(left <= linear, "{kind} {text}: {left} bytes, {linear} with the linear codec");
    }
}

#[test]
fn odd_rows_end_in_a_file_or_an_error() {
    let mut random = Random(3);
    let mut noise = |n: usize| (0..n).map(|_| random.unit() as f32).collect::<Vec<_>>();
    let (many, few) = (noise(300 * 6), noise(70));
    let with = |change: &dyn Fn(usize, usize, f32) -> f32| -> Vec<f32> {
        many.iter().enumerate().map(|(at, &x)| change(at / 6, at % 6, x)).collect()
    };
    let cases: Vec<(&str, Vec<f32>, usize)> = vec![
        ("no row", Vec::new(), 6),
        ("one row", many[..6].to_vec(), 6),
        ("two rows", many[..12].to_vec(), 6),
        ("fewer rows than columns", few, 35),
        ("one column", many[..300].to_vec(), 1),
        ("constant", vec![2.5; 1800], 6),
        ("zeros", vec![0.0; 1800], 6),
        ("constant columns", with(&|_, j, x| if j < 4 { 7.0 } else { x }), 6),
        ("a column of NaNs", with(&|_, j, x| if j == 2 { f32::NAN } else { x }), 6),
        ("all NaN", vec![f32::NAN; 1800], 6),
        ("a few NaNs", with(&|i, j, x| if i % 50 == j { f32::NAN } else { x }), 6),
        ("infinities", with(&|i, j, x| if i % 60 == j { f32::NEG_INFINITY } else { x }), 6),
        ("one row far off", with(&|i, _, x| if i == 150 { 1e30 } else { x }), 6),
        ("huge", with(&|_, _, x| x * 3e38), 6),
        ("tiny", with(&|_, _, x| x * 1e-40), 6),
    ];
    for (name, values, width) in &cases {
        let rows = Matrix::from_slice(values, &[*width]).unwrap();
        for (kind, text, latents) in [
            ("max-error-rel", "0.01", None),
            ("max-error-rel", "0.01", Some(4000)),
            ("nmse", "0.1", None),
            ("nmse", "0.1", Some(4000)),
            ("row-nmse", "0.1", None),
            ("row-cosine", "0.9", Some(4000)),
            ("lossless", "", None),
            ("ratio", "4", None),
        ] {
            let mut config = forced(kind, text);
            (config.level, config.train.latents) = (1, latents);
            config.train.epochs = Some(2);
            if let Err(error) = kept_if_taken(&rows, &config) {
                // Only a size can be out of reach.
                assert_eq!((error.kind(), kind), (ErrorKind::Argument, "ratio"), "{name}: {error}");
            }
        }
    }
}

#[test]
fn integers_and_other_floats_are_trained_on_too() {
    let mut random = Random(8);
    let angles: Vec<f64> = (0..600).map(|_| random.unit() * 6.0).collect();
    let wave = |j: usize, a: f64| ((a + j as f64 * 0.4).sin() * 100.0).round();
    let of = |width: usize| angles.iter().flat_map(move |&a| (0..width).map(move |j| wave(j, a)));
    let integers = of(10).map(|x| x as i16).collect::<Vec<_>>();
    let doubles = of(10).collect::<Vec<f64>>();
    for rows in [
        Matrix::from_slice(&integers, &[10]).unwrap(),
        Matrix::from_slice(&doubles, &[10]).unwrap(),
    ] {
        let report = kept(&rows, &forced("max-error", "3"));
        assert_eq!(report.hidden, [16]);
        kept(&rows, &forced("lossless", ""));
    }
}

#[test]
fn the_time_given_is_kept() {
    // Long beside what is not training, on a busy machine too.
    let given = 2.0;
    let rows = curved(500);
    let mut config = config("max-error", "0.02");
    config.train.hidden = Some(vec![128]);
    config.train.epochs = Some(1_000_000);
    config.train.seconds = Some(given);
    let begun = Instant::now();
    kept(&rows, &config);
    let taken = begun.elapsed().as_secs_f64();
    assert!(taken > 0.5 * given, "{taken} s: training ended by itself, which shows nothing");
    assert!(taken < 3.0 * given, "{taken} s");
}

#[test]
fn with_hardly_any_time_there_is_a_file_and_a_network_where_asked_for() {
    let rows = curved(2000);
    for hidden in [None, Some(vec![32])] {
        for (kind, text) in [("max-error", "0.02"), ("nmse", "0.001"), ("row-nmse", "0.001")] {
            let mut config = config(kind, text);
            config.train.seconds = Some(1e-6);
            config.train.hidden = hidden.clone();
            let report = kept(&rows, &config);
            assert!(hidden.is_none() || report.hidden == [32], "{:?}", report.hidden);
        }
    }
}

#[test]
fn progress_tells_of_training() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut config = forced("max-error", "0.02");
    let log = seen.clone();
    config.progress = Some(Arc::new(move |progress| log.lock().unwrap().push(progress)));
    kept(&curved(800), &config);
    let seen = seen.lock().unwrap();
    let training: Vec<_> = seen.iter().filter(|p| p.stage == aezip::Stage::Train).collect();
    assert!(training.len() >= 6, "once an epoch");
    assert!(training.iter().all(|p| p.done <= p.total && p.total > 0));
    assert!(training.is_sorted_by_key(|p| p.done));
    for progress in training {
        let estimate = progress.estimate.unwrap();
        let shares = [estimate.latent, estimate.residual, estimate.weights, estimate.linear];
        assert!(shares.iter().all(|x| x.is_finite() && *x > 0.0), "{estimate:?}");
    }
}

#[test]
fn wishes_out_of_range_are_refused() {
    let refused = |wish: &dyn Fn(&mut Config), hint: &str| {
        let mut config = config("max-error", "0.1");
        wish(&mut config);
        let error = compress(&curved(100), &config, Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert!(error.to_string().contains(hint), "{error}");
    };
    refused(&|c| c.train.hidden = Some(vec![64, 0]), "hidden layer of 0");
    refused(&|c| c.train.hidden = Some(vec![8193]), "8192");
    refused(&|c| c.train.hidden = Some(vec![1; 9]), "9 hidden layers");
    refused(&|c| c.train.latents = Some(0), "latents");
    refused(&|c| c.train.epochs = Some(0), "epochs");
    refused(&|c| c.train.batch = Some(0), "batch");
    refused(&|c| c.train.rate = Some(f64::NAN), "learning rate");
    refused(&|c| c.train.rate = Some(0.0), "learning rate");
    refused(&|c| c.train.seconds = Some(-1.0), "seconds");
}

#[test]
fn work_ends_where_the_caller_wants_no_more() {
    let mut random = Random(5);
    let values: Vec<f32> = (0..20_000).map(|_| random.unit() as f32).collect();
    let rows = Matrix::from_slice(&values, &[20]).unwrap();
    for (kind, text) in [("max-error-rel", "0.01"), ("nmse", "0.1")] {
        let flag = Arc::new(AtomicBool::new(true));
        let mut config = forced(kind, text);
        config.interrupt = Some(flag.clone());
        let error = compress(&rows, &config, Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
        flag.store(false, Ordering::Relaxed);
        compress(&rows, &config, Vec::new()).unwrap();
    }
}
