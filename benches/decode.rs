//! Decoding of whole files in memory, in bytes of decoded numbers per second.

use aezip::{Reader, Rows};
use aezip_benches::{compressed, sample, size, waves};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for (name, rows) in [("sample", sample()), ("waves", waves())] {
        let reader = Reader::new(compressed(&rows)).expect("a file");
        let mut out = vec![0; rows.bytes().len()];
        group.throughput(Throughput::Bytes(size(&rows)));
        group.bench_function(name, |b| b.iter(|| reader.read(0, &mut out).expect("rows")));
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
