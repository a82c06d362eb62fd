//! Data that the benchmarks share.

use aezip::{Config, Fidelity, Matrix, Rows, compress};

/// The sample that comes with the sources: 1797 images of 8 × 8.
pub fn sample() -> Matrix {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/digits.npy");
    let rows = aezip::input::open(path, &Default::default()).expect("the sample");
    let mut bytes = vec![0; rows.len() * rows.schema().row_bytes()];
    rows.read(0, &mut bytes).expect("the sample");
    Matrix::new(rows.schema().clone(), bytes).expect("the sample")
}

/// 4096 rows of 128 numbers: twelve waves of changing strength, and noise.
pub fn waves() -> Matrix {
    let (rows, width) = (4096, 128);
    let mut state = 1_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 - 0.5
    };
    let mut values = Vec::with_capacity(rows * width);
    for row in 0..rows {
        let strength: [f32; 12] = std::array::from_fn(|k| ((row * (k + 1)) as f32 * 0.003).sin());
        for column in 0..width {
            let wave = |(k, s): (usize, &f32)| s * (column as f32 * 0.05 * (k + 1) as f32).cos();
            let sum: f32 = strength.iter().enumerate().map(wave).sum();
            values.push(sum + 0.02 * noise());
        }
    }
    Matrix::from_slice(&values, &[width]).expect("whole rows")
}

/// Level 1, two threads at most, every value within 0.1 % of its column's range.
pub fn config() -> Config {
    let mut config = Config::default();
    config.fidelity = Fidelity::MaxErrorRel("0.001".parse().expect("a number"));
    config.level = 1;
    config
}

/// `rows` compressed.
pub fn compressed(rows: &dyn Rows) -> Vec<u8> {
    let mut file = Vec::new();
    compress(rows, &config(), &mut file).expect("compressed");
    file
}

/// Bytes of the numbers in memory.
pub fn size(rows: &dyn Rows) -> u64 {
    (rows.len() * rows.schema().row_bytes()) as u64
}
