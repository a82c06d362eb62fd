//! Fitting and encoding at level 1, in bytes of numbers per second.

mod common;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    group.sample_size(10);
    for (name, rows) in [("sample", common::sample()), ("waves", common::waves())] {
        group.throughput(Throughput::Bytes(common::size(&rows)));
        group.bench_function(name, |b| b.iter(|| common::compressed(&rows)));
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
