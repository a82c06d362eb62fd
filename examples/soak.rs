//! Compresses random matrices and judges what comes back, for as long as one likes.
//!
//! `cargo run --release --example soak -- MATRICES SEED [FIRST]`

#![allow(missing_docs)]

#[path = "../tests/oracle/mod.rs"]
mod oracle;

use oracle::{Case, Random, Recipe};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

const THREADS: u64 = 2;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<u64>().expect("a number"));
    let count = arguments.next().unwrap_or(10_000);
    let seed = arguments.next().unwrap_or(1);
    let first = arguments.next().unwrap_or(0);
    let (done, broken) = (AtomicU64::new(0), AtomicU64::new(0));
    let start = std::time::Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (done, broken) = (&done, &broken);
            scope.spawn(move || {
                for i in (first + thread..first + count).step_by(THREADS as usize) {
                    let own = seed.wrapping_mul(0x1_0000_0000).wrapping_add(i);
                    let recipe = Recipe::random(&mut Random(own));
                    let case = recipe.case();
                    // By compress mostly, and by the other two ways to make a file.
                    let check = match own % 8 {
                        0 => Case::check_codec,
                        1 => Case::check_writer,
                        _ => Case::check,
                    };
                    let outcome = catch_unwind(AssertUnwindSafe(|| check(&case)));
                    let outcome = outcome.unwrap_or_else(|_| Err("a panic".into()));
                    if let Err(what) = outcome {
                        broken.fetch_add(1, Ordering::Relaxed);
                        println!("matrix {i}: {what}\n  {recipe:?}, {}", case.fidelity);
                    }
                    let n = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if n.is_multiple_of(10_000) {
                        eprintln!("{n} matrices, {:.1?}", start.elapsed());
                    }
                }
            });
        }
    });
    let broken = broken.into_inner();
    println!("{count} matrices in {:.1?}, {broken} broken promises or panics", start.elapsed());
    std::process::exit(i32::from(broken > 0));
}
