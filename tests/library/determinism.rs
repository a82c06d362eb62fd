//! Same rows and same configuration: same bytes, whatever the threads.

use crate::oracle::Random;
use aezip::{Config, Fidelity, Matrix, compress};

/// Sensor-like rows with common directions, a few special values, and a counter.
fn rows(count: usize) -> Matrix {
    let mut random = Random(7);
    let mut values = Vec::new();
    for i in 0..count {
        let (a, b) = ((i as f32 * 0.02).sin(), random.unit() as f32);
        values.extend((0..11).map(|j| a * j as f32 + b * (j * j) as f32));
        values.push(if i % 97 == 5 { f32::NAN } else { (i / 7) as f32 * 0.25 });
    }
    Matrix::from_slice(&values, &[12]).unwrap()
}

fn file(rows: &Matrix, fidelity: &Fidelity, level: u8, threads: usize) -> Vec<u8> {
    let mut config = Config::default();
    (config.fidelity, config.level, config.threads) = (fidelity.clone(), level, threads);
    // Networks take their time, and have a test of their own.
    config.train.hidden = Some(Vec::new());
    let mut out = Vec::new();
    compress(rows, &config, &mut out).unwrap();
    out
}

#[test]
fn threads_and_repetition_do_not_change_the_file() {
    // Level 5 compares so much that a third of the rows takes long enough.
    let levels = [(1, rows(3000)), (5, rows(1000))];
    for (kind, text) in [
        ("max-error", "0.01"),
        ("max-error-rel", "0.001"),
        ("lossless", ""),
        ("nmse", "0.01"),
        ("ratio", "8"),
        ("row-nmse", "0.01"),
        ("row-cosine", "0.999"),
        ("row-l2", "0.3"),
        ("max-error-pointwise-rel", "0.01"),
    ] {
        let fidelity = Fidelity::parse(kind, text).unwrap();
        for (level, rows) in &levels {
            let one = file(rows, &fidelity, *level, 1);
            for threads in [1, 2, 4] {
                let again = file(rows, &fidelity, *level, threads);
                assert!(one == again, "{fidelity}, level {level}, {threads} threads");
            }
        }
    }
}

#[test]
fn a_network_is_trained_to_the_same_bits() {
    let rows = rows(3000);
    let file = |fidelity: &Fidelity, hidden: Option<Vec<usize>>, threads: usize, seed: u64| {
        let mut config = Config::default();
        (config.fidelity, config.level, config.threads) = (fidelity.clone(), 2, threads);
        (config.seed, config.train.hidden, config.train.epochs) = (seed, hidden.clone(), Some(5));
        let mut out = Vec::new();
        let report = compress(&rows, &config, &mut out).unwrap();
        assert!(hidden.is_none_or(|h| report.hidden == h), "{fidelity}");
        out
    };
    for (kind, text) in [("max-error", "0.01"), ("nmse", "0.01"), ("row-nmse", "0.01")] {
        let fidelity = Fidelity::parse(kind, text).unwrap();
        let small = Some(vec![16]);
        let one = file(&fidelity, small.clone(), 1, 0);
        for threads in [1, 2, 4] {
            let again = file(&fidelity, small.clone(), threads, 0);
            assert!(one == again, "{fidelity}, {threads} threads");
        }
        assert!(one != file(&fidelity, small, 2, 1), "{fidelity}: the seed is not used");
        // Left to the level, whatever it chooses.
        let [one, four] = [1, 4].map(|threads| file(&fidelity, None, threads, 0));
        assert!(one == four, "{fidelity}, left to the level");
    }
}
