//! Fitting and encoding at level 1, in bytes of numbers per second.

use aezip_benches::{compressed, sample, size, waves};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    group.sample_size(10);
    for (name, rows) in [("sample", sample()), ("waves", waves())] {
        group.throughput(Throughput::Bytes(size(&rows)));
        group.bench_function(name, |b| b.iter(|| compressed(&rows)));
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
