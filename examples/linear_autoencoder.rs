//! A linear autoencoder trained by gradient, from random weights, comes to span the principal
//! components (Baldi and Hornik 1989). How near?
//!
//! `cargo run --release --features internals --example linear_autoencoder -- FILE [SEED]`
//!
//! Rows of bytes, such as images, in any format; without FILE the sample that comes along.

use aezip::internals::{Autoencoder, Training, principal_components};
use std::time::Instant;

fn main() -> aezip::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.npy");
    let path = arguments.next().unwrap_or_else(|| sample.to_string());
    let seed = arguments.next().map_or(1, |s| s.parse().expect("a seed"));
    if !std::path::Path::new(&path).exists() {
        println!("{path} is not there: nothing is measured");
        return Ok(());
    }
    let rows = aezip::input::open(&path, &Default::default())?;
    let width = rows.schema().width();
    let mut bytes = vec![0; rows.len() * rows.schema().row_bytes()];
    rows.read(0, &mut bytes)?;
    assert_eq!(bytes.len(), rows.len() * width, "bytes are wanted, not wider numbers");
    let mut x: Vec<f32> = bytes.iter().map(|b| f32::from(*b)).collect();
    normalise(&mut x, width);
    // Of few rows all at each step.
    let (passes, batch, rate) =
        if rows.len() < 10_000 { (2000, usize::MAX, 0.03) } else { (60, 1024, 0.01) };
    println!("{path}: {} rows of {width}, {passes} passes", rows.len());
    for k in [8, 30] {
        let pca = principal_components(&x, width, k);
        let best = error_of_projection(&x, &pca, width);
        let start = Instant::now();
        let mut net = Autoencoder::new(&[width, k, width], true, seed);
        net.train(&x, Training { passes, batch, rate }, &mut |pass, loss| {
            if (pass + 1).is_power_of_two() {
                println!("  pass {}: {:+.4} %", pass + 1, 100.0 * (loss / best - 1.0));
            }
        });
        let square = |(a, b): (&f32, &f32)| f64::from(a - b) * f64::from(a - b);
        let out = net.reconstruct(&x);
        let found = x.iter().zip(&out).map(square).sum::<f64>() / x.len() as f64;
        println!(
            "{k} latents: error {found:.6}, PCA's {best:.6} ({:+.4} %), largest angle {:.5}, {:.1} s",
            100.0 * (found / best - 1.0),
            largest_angle(net.last_weights(), &pca, width),
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// Centres the columns and makes the mean square of all numbers 1.
fn normalise(x: &mut [f32], width: usize) {
    let mut means = vec![0.0_f64; width];
    for row in x.chunks_exact(width) {
        means.iter_mut().zip(row).for_each(|(m, x)| *m += f64::from(*x));
    }
    let rows = (x.len() / width) as f64;
    for row in x.chunks_exact_mut(width) {
        row.iter_mut().zip(&means).for_each(|(x, m)| *x -= (m / rows) as f32);
    }
    let size = (x.iter().map(|x| f64::from(x * x)).sum::<f64>() / x.len() as f64).sqrt() as f32;
    x.iter_mut().for_each(|x| *x /= size);
}

/// Mean squared error of rows projected onto orthonormal `vectors`.
fn error_of_projection(x: &[f32], vectors: &[f32], width: usize) -> f64 {
    let mut sum = 0.0;
    for row in x.chunks_exact(width) {
        sum += dot(row, row);
        sum -= vectors.chunks_exact(width).map(|v| dot(v, row).powi(2)).sum::<f64>();
    }
    sum / x.len() as f64
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// The largest principal angle between the spans of `found` and of the orthonormal `basis`: its
/// sine is the largest singular value of what of one lies outside the other (Golub and Van Loan
/// 2013, section 6.4.3), found by iteration.
fn largest_angle(found: &[f32], basis: &[f32], width: usize) -> f64 {
    let mut own: Vec<Vec<f64>> = Vec::new();
    for row in found.chunks_exact(width) {
        let mut v: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        for _ in 0..2 {
            own.iter().for_each(|u| remove(&mut v, u));
        }
        scale(&mut v);
        own.push(v);
    }
    let basis: Vec<Vec<f64>> =
        basis.chunks_exact(width).map(|v| v.iter().map(|x| f64::from(*x)).collect()).collect();
    let outside: Vec<Vec<f64>> = own
        .into_iter()
        .map(|mut v| {
            basis.iter().for_each(|u| remove(&mut v, u));
            v
        })
        .collect();
    let mut direction: Vec<f64> = (0..outside.len()).map(|i| 1.0 + i as f64 * 0.1).collect();
    let mut sine = 0.0;
    for _ in 0..1000 {
        scale(&mut direction);
        let mut image = vec![0.0; width];
        for (v, c) in outside.iter().zip(&direction) {
            image.iter_mut().zip(v).for_each(|(i, v)| *i += c * v);
        }
        sine = image.iter().map(|x| x * x).sum::<f64>().sqrt();
        for (v, c) in outside.iter().zip(&mut direction) {
            *c = v.iter().zip(&image).map(|(a, b)| a * b).sum();
        }
    }
    sine.min(1.0).asin()
}

fn remove(v: &mut [f64], unit: &[f64]) {
    let along: f64 = v.iter().zip(unit).map(|(a, b)| a * b).sum();
    v.iter_mut().zip(unit).for_each(|(v, u)| *v -= along * u);
}

fn scale(v: &mut [f64]) {
    let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.iter_mut().for_each(|x| *x /= norm);
}
