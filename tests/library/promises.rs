//! Promises beside each other: what is weaker takes no more bytes.

use aezip::{Config, Fidelity, Matrix, compress};

/// Fields of 800 values at 36 times: a season, a wave and a ripple. Few rows, so that models weigh
/// more than rows do.
fn fields() -> Matrix {
    let value = |t: f32, j: f32| {
        let season = 8.0 * (t * std::f32::consts::TAU / 12.0).sin() * (j * 0.008).cos();
        let wave = 2.0 * (t * 0.9).sin() * (j * 0.04).sin();
        280.0 + season + wave + 0.7 * (t * 2.1 + j * 0.1).cos()
    };
    let values: Vec<f32> =
        (0..36 * 800).map(|at| value((at / 800) as f32, (at % 800) as f32)).collect();
    Matrix::from_slice(&values, &[800]).unwrap()
}

fn size(rows: &Matrix, promise: Fidelity) -> usize {
    let mut file = Vec::new();
    let mut config = Config::default();
    (config.level, config.fidelity) = (1, promise);
    compress(rows, &config, &mut file).unwrap();
    file.len()
}

#[test]
fn a_weaker_promise_is_no_larger() {
    let rows = fields();
    let psnr = |x: &str| Fidelity::Psnr(x.parse().unwrap());
    let cosine = |x: &str| Fidelity::Cosine(x.parse().unwrap());
    let nmse = |x: &str| Fidelity::Nmse(x.parse().unwrap());
    for promises in [
        ["26", "30", "34", "36"].map(psnr).to_vec(),
        ["0.99", "0.9999", "0.99999"].map(cosine).to_vec(),
        ["0.3", "0.03", "0.01"].map(nmse).to_vec(),
    ] {
        let sizes: Vec<usize> = promises.iter().map(|p| size(&rows, p.clone())).collect();
        for (weaker, stronger) in sizes.iter().zip(&sizes[1..]) {
            assert!(*weaker as f64 <= 1.01 * *stronger as f64, "{}: {sizes:?}", promises[0]);
        }
    }
}

#[test]
fn nearly_exact_whole_numbers_are_no_larger_than_exact_ones() {
    // Images of digits, from 0 to 16.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.npy");
    let bytes = std::fs::read(file).unwrap();
    let first = bytes.len() - 1797 * 64;
    let rows = Matrix::from_slice(&bytes[first..first + 500 * 64], &[64]).unwrap();
    let of = |x: &str| size(&rows, Fidelity::Psnr(x.parse().unwrap()));
    let exact = of("38");
    for promise in ["34", "36"] {
        let weaker = of(promise);
        assert!(weaker as f64 <= 1.01 * exact as f64, "{promise}: {weaker}, exact: {exact}");
    }
}

/// Rows of four columns near 280 that two numbers tell but for some noise; one value of `every` is
/// missing.
fn with_gaps(every: usize) -> Matrix {
    let noise = |at: usize| ((at * 7919 + at * at % 104_729) % 1009) as f32 / 1009.0 - 0.5;
    let value = |at: usize| {
        let (row, column) = ((at / 4) as f32, at % 4);
        let two = [(row * 0.1).sin(), (row * 0.037).cos()];
        280.0 + 5.0 * two[column % 2] + 3.0 * two[column / 2] + noise(at)
    };
    let is_gap = |at: usize| (at * at + at / 7).is_multiple_of(every);
    let values = (0..8000).map(|at| if is_gap(at) { f32::NAN } else { value(at) });
    Matrix::from_slice(&values.collect::<Vec<_>>(), &[4]).unwrap()
}

#[test]
fn missing_numbers_leave_room_for_the_others() {
    // They take less than a byte each, not the five that a number and its place take.
    for (every, ratio, worst) in [(10, "8", 0.02), (2, "14", 1.1)] {
        let mut config = Config::default();
        (config.level, config.fidelity) = (1, Fidelity::Ratio(ratio.parse().unwrap()));
        let report = compress(&with_gaps(every), &config, Vec::new()).unwrap();
        assert!(report.measured.nmse < worst, "{every}: NMSE {}", report.measured.nmse);
    }
}
