//! What the library writes is what its reader gives back.
#![cfg(feature = "compress")]

use aezip::{Config, Fidelity, Matrix, Reader, compress};

#[test]
fn what_was_written_is_read() {
    for (width, rows) in [(1, 700), (9, 333), (700, 5)] {
        let values: Vec<i32> = (0..rows * width).map(|i| (i * 7919 % 1801) as i32 - 900).collect();
        let matrix = Matrix::from_slice(&values, &[width]).unwrap();
        let mut config = Config::default();
        config.fidelity = Fidelity::Lossless;
        let mut bytes = Vec::new();
        compress(&matrix, &config, &mut bytes).unwrap();
        let reader = Reader::new(&bytes).unwrap();
        reader.verify().unwrap();
        let mut out = vec![0; values.len()];
        reader.read_rows(0..rows, &mut out).unwrap();
        assert_eq!(out, values);
        let mut row = vec![0; width];
        for i in (0..rows).rev().step_by(3) {
            reader.read_row(i, &mut row).unwrap();
            assert_eq!(row, values[i * width..(i + 1) * width]);
        }
    }
}
