//! Same rows and same configuration: same bytes, whatever the threads.

#![cfg(feature = "compress")]

mod oracle;

use aezip::{Config, Fidelity, Matrix, compress};
use oracle::Random;

/// Sensor-like rows with common directions, a few special values, and a counter.
fn rows() -> Matrix {
    let mut random = Random(7);
    let mut values = Vec::new();
    for i in 0..3000 {
        let (a, b) = ((i as f32 * 0.02).sin(), random.unit() as f32);
        values.extend((0..11).map(|j| a * j as f32 + b * (j * j) as f32));
        values.push(if i % 97 == 5 { f32::NAN } else { (i / 7) as f32 * 0.25 });
    }
    Matrix::from_slice(&values, &[12]).unwrap()
}

fn file(rows: &Matrix, fidelity: &Fidelity, level: u8, threads: usize) -> Vec<u8> {
    let mut config = Config::default();
    (config.fidelity, config.level, config.threads) = (fidelity.clone(), level, threads);
    let mut out = Vec::new();
    compress(rows, &config, &mut out).unwrap();
    out
}

#[test]
fn threads_and_repetition_do_not_change_the_file() {
    let rows = rows();
    for (kind, text) in [
        ("max-error", "0.01"),
        ("max-error-rel", "0.001"),
        ("lossless", ""),
        ("nmse", "0.01"),
        ("ratio", "8"),
        ("row-nmse", "0.01"),
        ("row-cosine", "0.999"),
    ] {
        let fidelity = Fidelity::parse(kind, text).unwrap();
        for level in [1, 5] {
            let one = file(&rows, &fidelity, level, 1);
            for threads in [1, 2, 4] {
                let again = file(&rows, &fidelity, level, threads);
                assert!(one == again, "{fidelity}, level {level}, {threads} threads");
            }
        }
    }
}

#[test]
fn a_network_is_trained_to_the_same_bits() {
    let rows = rows();
    let file = |fidelity: &Fidelity, threads: usize, seed: u64| {
        let mut config = Config::default();
        (config.fidelity, config.level, config.threads) = (fidelity.clone(), 3, threads);
        config.seed = seed;
        config.train.hidden = Some(vec![16]);
        config.train.epochs = Some(5);
        let mut out = Vec::new();
        let report = compress(&rows, &config, &mut out).unwrap();
        assert_eq!(report.hidden, [16], "{fidelity}");
        out
    };
    for (kind, text) in [("max-error", "0.01"), ("nmse", "0.01")] {
        let fidelity = Fidelity::parse(kind, text).unwrap();
        let one = file(&fidelity, 1, 0);
        for threads in [1, 2, 4] {
            assert!(one == file(&fidelity, threads, 0), "{fidelity}, {threads} threads");
        }
        assert!(one != file(&fidelity, 2, 1), "{fidelity}: the seed is not used");
    }
}
