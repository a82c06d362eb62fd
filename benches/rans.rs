//! The entropy coder alone: numbers per second with one table.

use aezip::internals::Ladder;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const COUNT: usize = 1 << 16;

fn rans(c: &mut Criterion) {
    let mut group = c.benchmark_group("rans");
    group.throughput(Throughput::Elements(COUNT as u64));
    // Laplace, scales 1, 8 and 1024; the last sends raw bits besides.
    for (name, scale) in [("narrow", 16), ("medium", 28), ("wide", 56)] {
        let table = Ladder::new(2, scale);
        let spread = 2_f64.powf(f64::from(scale) / 4.0 - 4.0);
        let mut state = 7_u32;
        let numbers: Vec<i64> = (0..COUNT)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let u = f64::from(state >> 8) / 8_388_608.0 - 1.0;
                (-spread * (1.0 - u.abs()).ln() * u.signum()) as i64
            })
            .collect();
        let stream = table.encode(&numbers);
        assert_eq!(table.sum(&stream, COUNT), numbers.iter().sum::<i64>());
        group.bench_function(format!("encode, {name}"), |b| b.iter(|| table.encode(&numbers)));
        group.bench_function(format!("decode, {name}"), |b| b.iter(|| table.sum(&stream, COUNT)));
    }
    group.finish();
}

criterion_group!(benches, rans);
criterion_main!(benches);
