use super::*;
use crate::error::ErrorKind;
use crate::matrix::Matrix;
use std::sync::{Arc, Mutex};

/// Rows of eight numbers that depend on two.
fn rows(count: usize) -> Matrix {
    let value = |i: usize| ((i / 8) as f64 * 0.37).sin() * (i % 8) as f64 + (i % 13) as f64 * 0.01;
    Matrix::from_slice(&(0..8 * count).map(value).collect::<Vec<_>>(), &[8]).unwrap()
}

fn of_level_1() -> CompareConfig {
    CompareConfig { levels: vec![1], ..CompareConfig::default() }
}

#[test]
fn every_way_is_measured_with_every_promise() {
    let how = CompareConfig { levels: vec![2, 1, 2], ..CompareConfig::default() };
    let mut config = Config::default();
    config.train.epochs = Some(2);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    config.progress = Some(Arc::new(move |p| tell.lock().unwrap().push((p.done, p.total))));
    let found = compare(&rows(300), &config, &how).unwrap();
    assert_eq!((found.rows, found.measured), (300, 300));
    let names: Vec<String> = found.trials.iter().map(|t| t.method.to_string()).collect();
    let mut expected = vec!["as they are", "lossless"];
    for name in ["linear", "level 1", "level 2"] {
        expected.extend([name; 3]);
    }
    assert_eq!(names, expected);
    assert_eq!(*told.lock().unwrap(), (0..=10).map(|i| (i, 10)).collect::<Vec<_>>());
    for trial in &found.trials[2..] {
        assert!(trial.error >= 0.001 && trial.max_error > 0.0 && trial.seconds > 0.0, "{trial:?}");
        assert!(trial.bytes_per_row < found.trials[1].bytes_per_row, "{trial:?}");
    }
    for pair in found.trials[2..5].windows(2) {
        assert!(pair[0].error > pair[1].error && pair[0].bytes_per_row < pair[1].bytes_per_row);
    }
    assert!(found.error_name.contains("range"));
}

#[test]
fn bytes_are_those_of_the_file() {
    let rows = rows(500);
    let found = compare(&rows, &Config::default(), &of_level_1()).unwrap();
    for trial in &found.trials[1..] {
        let config = Config { level: 1, fidelity: trial.promise.clone(), ..Config::default() };
        let mut file = Vec::new();
        let report = compress(&rows, &config, &mut file).unwrap();
        assert!((trial.bytes_per_row - file.len() as f64 / 500.0).abs() < 1e-9, "{trial:?}");
        assert_eq!(trial.max_error, report.measured.max_error);
    }
}

#[test]
fn of_many_rows_some_are_measured_from_all_parts() {
    let rows = rows(5000);
    let sample = sample::of(&rows, 8 * 1000).unwrap().unwrap();
    assert_eq!(sample.len(), 1000);
    let row = |m: &Matrix, i: usize| m.bytes()[i * 64..][..64].to_vec();
    assert_eq!(row(&sample, 0), row(&rows, 0));
    assert_eq!(row(&sample, 999), row(&rows, 4999));
    assert_eq!(row(&sample, 1), row(&rows, 1));
    let odd = sample::of(&rows, 8 * 1003).unwrap().unwrap();
    assert_eq!((odd.len(), row(&odd, 1002)), (1003, row(&rows, 4999)));
    assert!(sample::of(&rows, 8 * 5000).unwrap().is_none());
    assert_eq!(sample::of(&rows, 0).unwrap().unwrap().len(), 16);
    let how = CompareConfig { most_values: 8 * 1000, ..of_level_1() };
    let found = compare(&rows, &Config::default(), &how).unwrap();
    assert_eq!((found.rows, found.measured), (5000, 1000));
}

#[test]
fn the_figure_is_that_of_the_kind() {
    for (kind, number, least, most) in [
        ("nmse", "0.1", 0.0, 0.1),
        ("psnr", "20", 1e-6, 0.5),
        ("cosine", "0.99", 0.0, 0.01),
        ("row-cosine", "0.9", 0.0, 0.1),
        ("max-error", "0.25", 0.25, 0.25),
        ("row-l2", "0.5", 0.5, 0.5),
    ] {
        let how = CompareConfig {
            levels: vec![1],
            ..CompareConfig::of_kind(kind, &[number.to_string()]).unwrap()
        };
        let found = compare(&rows(400), &Config::default(), &how).unwrap();
        let last = found.trials.last().unwrap();
        assert!((least..=most + 1e-12).contains(&last.error), "{kind}: {last:?}");
        assert!(!found.error_name.is_empty());
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let kind = |name: &str, numbers: &[&str]| {
        let numbers: Vec<String> = numbers.iter().map(|n| n.to_string()).collect();
        CompareConfig::of_kind(name, &numbers).unwrap_err().to_string()
    };
    assert!(kind("nmes", &[]).contains("nmes"));
    assert!(kind("max-error", &[]).contains("say which bounds of max-error"));
    assert!(kind("lossless", &[]).contains("allows errors"));
    assert!(kind("nmse", &["2"]).contains("at most 1"));
    let refused = |how: &CompareConfig, rows: &Matrix| {
        let error = compare(rows, &Config::default(), how).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        error.to_string()
    };
    let some = rows(50);
    let with = |levels: &[u8], promises: &[(&str, &str)]| CompareConfig {
        levels: levels.to_vec(),
        promises: promises.iter().map(|(k, n)| Fidelity::parse(k, n).unwrap()).collect(),
        most_values: 1000,
    };
    assert!(refused(&with(&[0], &[("nmse", "0.1")]), &some).contains("level 0"));
    assert!(refused(&with(&[], &[("nmse", "0.1")]), &some).contains("no levels"));
    assert!(refused(&with(&[1], &[]), &some).contains("no promises"));
    assert!(refused(&with(&[1], &[("nmse", "0.1"), ("psnr", "30")]), &some).contains("axis"));
    assert!(refused(&with(&[1], &[("lossless", "")]), &some).contains("allows errors"));
    let none = Matrix::from_slice::<f64>(&[], &[8]).unwrap();
    assert!(refused(&of_level_1(), &none).contains("no rows"));
}
