//! Single rows from a file in memory: with and without the cache, and 64 at once.

use aezip::{Limits, Reader, ReaderOptions, Rows};
use aezip_benches::{compressed, waves};
use criterion::{Criterion, criterion_group, criterion_main};

fn row(c: &mut Criterion) {
    let rows = waves();
    let file = compressed(&rows);
    let width = rows.schema().width();
    // The same jumps from row to row in every run.
    let mut at = 0;
    let mut jump = move || {
        at = (at + 2_654_435) % rows.len();
        at
    };
    let mut group = c.benchmark_group("row");
    let cold = ReaderOptions::new(Limits::default(), 0);
    for (name, options) in [("cold", cold), ("warm", ReaderOptions::default())] {
        let reader = Reader::new_with(&file, options).expect("a file");
        let mut out = vec![0.0_f32; width];
        group.bench_function(name, |b| {
            b.iter(|| reader.read_row(jump(), &mut out).expect("a row"));
        });
        let mut out = vec![0.0_f32; 64 * width];
        group.bench_function(format!("{name}, 64 gathered"), |b| {
            b.iter(|| {
                let wanted: [usize; 64] = std::array::from_fn(|_| jump());
                reader.gather(&wanted, &mut out).expect("rows");
            });
        });
    }
    group.finish();
}

criterion_group!(benches, row);
criterion_main!(benches);
