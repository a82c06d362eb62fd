//! Compresses rows, writes the file, and reads some rows back.
//!
//! `cargo run --release --example embeddings`

use aezip::{Config, Fidelity, Matrix, Reader, compress};
use std::fs::File;

fn main() -> aezip::Result<()> {
    // 2000 rows of 96 numbers that depend on few.
    let width = 96;
    let value = |i: usize| {
        let (row, column) = ((i / width) as f32, (i % width) as f32);
        (row * 0.01).sin() * (column * 0.1).cos() + (row * 0.003).cos() * (column * 0.3).sin()
    };
    let values: Vec<f32> = (0..2000 * width).map(value).collect();
    let rows = Matrix::from_slice(&values, &[width])?;

    let mut config = Config::default();
    config.fidelity = Fidelity::MaxError("0.001".parse()?);
    let path = std::env::temp_dir().join(format!("embeddings-{}.aez", std::process::id()));
    let report = compress(&rows, &config, &mut File::create(&path)?)?;
    println!(
        "{} rows: {} bytes => {}, {} latents, largest error {:.6}",
        report.rows, report.bytes_in, report.bytes_out, report.latents, report.measured.max_error
    );

    let reader = Reader::open(&path)?;
    let wanted = [3, 1999, 1000];
    let mut some = vec![0.0_f32; wanted.len() * width];
    reader.gather(&wanted, &mut some)?;
    for (row, decoded) in wanted.iter().zip(some.chunks_exact(width)) {
        let original = &values[row * width..(row + 1) * width];
        let worst = original.iter().zip(decoded).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("row {row}: largest error {worst:.6}");
        assert!(worst <= 0.001);
    }
    std::fs::remove_file(&path)?;
    Ok(())
}
