//! All 2^32 floats through a file with an absolute bound: every one must come back within it,
//! and every NaN and infinity bit for bit.
//!
//! `cargo run --release --example every_f32 -- BOUND [FIRST [END]]`, in units of 2^24 patterns.

#![allow(missing_docs)]

use aezip::{Config, Fidelity, Matrix, Reader, Writer};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const THREADS: usize = 2;
/// Patterns of one file.
const FILE: usize = 1 << 24;
/// Patterns written and read at once.
const PART: usize = 1 << 20;
const WIDTH: usize = 64;

/// Whether `y` may stand for `x`. For `f32` the difference in `f64` is exact or so far from the
/// bound that rounding does not matter, unless it is the bound itself.
fn holds(x: f32, y: f32, bound: f64) -> bool {
    if x.to_bits() == y.to_bits() {
        return true;
    }
    if !x.is_finite() || !y.is_finite() || bound == 0.0 {
        return false;
    }
    let (x, y) = (f64::from(x), f64::from(y));
    let d = x - y;
    if d.abs() != bound {
        return d.abs() < bound;
    }
    // What rounding lost: the smaller operand less what of it reached the difference.
    let lost = if x.abs() >= y.abs() { (x - d) - y } else { x - (y + d) };
    if d > 0.0 { lost <= 0.0 } else { lost >= 0.0 }
}

fn check(file: u32, config: &Config, bound: f64) -> aezip::Result<(u64, u64)> {
    let part = |i: usize| -> Vec<f32> {
        let first = file * FILE as u32 + (i * PART) as u32;
        (first..=first + (PART as u32 - 1)).map(f32::from_bits).collect()
    };
    // Fitted to the middle; what differs from it is what escapes are for.
    let seen = Matrix::from_slice(&part(FILE / PART / 2)[..1 << 16], &[WIDTH])?;
    let mut writer = Writer::new(Vec::new(), &seen, config)?;
    for i in 0..FILE / PART {
        writer.push(&part(i))?;
    }
    let (bytes, report) = writer.finish()?;
    let reader = Reader::new(bytes)?;
    let mut got = vec![0_f32; PART];
    let mut broken = 0;
    for i in 0..FILE / PART {
        let first = i * PART / WIDTH;
        reader.read_rows(first..first + PART / WIDTH, &mut got)?;
        for (x, y) in part(i).into_iter().zip(&got) {
            if !holds(x, *y, bound) {
                if broken == 0 {
                    println!("{:#010x} {x:e} became {:#010x} {y:e}", x.to_bits(), y.to_bits());
                }
                broken += 1;
            }
        }
    }
    Ok((broken, report.exact_values))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let text = arguments.first().map_or("1e-3", |a| a);
    let number = |i: usize, or: u32| arguments.get(i).map_or(or, |a| a.parse().expect("a number"));
    let (first, end) = (number(1, 0), number(2, 256));
    let fidelity = Fidelity::parse("max-error", text).expect("a bound");
    let Fidelity::MaxError(decimal) = &fidelity else { unreachable!() };
    let bound = decimal.floor();
    let mut config = Config::default();
    (config.fidelity, config.level, config.threads) = (fidelity.clone(), 1, 1);
    let (next, done) = (AtomicU32::new(first), AtomicU32::new(0));
    let (broken, exact) = (AtomicU64::new(0), AtomicU64::new(0));
    let start = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                // Threads inside would only be in each other's way.
                let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
                pool.install(|| {
                    loop {
                        let file = next.fetch_add(1, Ordering::Relaxed);
                        if file >= end {
                            break;
                        }
                        let (own, stored) = check(file, &config, bound).expect("a file");
                        broken.fetch_add(own, Ordering::Relaxed);
                        exact.fetch_add(stored, Ordering::Relaxed);
                        let n = done.fetch_add(1, Ordering::Relaxed) + 1;
                        if n.is_multiple_of(16) {
                            eprintln!("{n} of {} files, {:.0?}", end - first, start.elapsed());
                        }
                    }
                });
            });
        }
    });
    let (broken, exact) = (broken.into_inner(), exact.into_inner());
    println!(
        "bound {text}: {} patterns in {:.0?}, {broken} violations, {exact} stored exactly",
        u64::from(end - first) * FILE as u64,
        start.elapsed()
    );
    std::process::exit(i32::from(broken > 0));
}
