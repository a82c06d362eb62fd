//! Single rows from a file in memory, with and without the cache, 1,000 at once, and opening the file:
//! one of rows with residuals, and one of a linear codec that has none.

use aezip::{Fidelity, Limits, Matrix, Reader, ReaderOptions, Rows, compress};
use aezip_benches::{compressed, config, waves};
use criterion::{
    BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime,
};

/// Rows that are gathered at once.
const GATHERED: usize = 1000;

fn row(c: &mut Criterion) {
    let rows = waves();
    let mut without = config();
    without.fidelity = Fidelity::Nmse("0.01".parse().expect("a number"));
    let mut file = Vec::new();
    compress(&rows, &without, &mut file).expect("compressed");
    for (name, file) in [("bounded", compressed(&rows)), ("nmse", file)] {
        let mut group = c.benchmark_group(format!("row, {name}"));
        measure(&mut group, &rows, &file);
        group.finish();
    }
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, rows: &Matrix, file: &[u8]) {
    let width = rows.schema().width();
    // The same jumps from row to row in every run.
    let mut at = 0;
    let mut jump = move || {
        at = (at + 2_654_435) % rows.len();
        at
    };
    group.bench_function("open", |b| b.iter(|| Reader::new(file).expect("a file")));
    let cold = ReaderOptions::new(Limits::default(), 0);
    for (name, options) in [("cold", cold), ("warm", ReaderOptions::default())] {
        let reader = Reader::new_with(file, options).expect("a file");
        let mut out = vec![0.0_f32; width];
        group.bench_function(name, |b| {
            b.iter(|| reader.read_row(jump(), &mut out).expect("a row"));
        });
        let mut out = vec![0.0_f32; GATHERED * width];
        group.bench_function(format!("{name}, {GATHERED} gathered"), |b| {
            b.iter(|| {
                let wanted: Vec<usize> = (0..GATHERED).map(|_| jump()).collect();
                reader.gather(&wanted, &mut out).expect("rows");
            });
        });
    }
}

criterion_group!(benches, row);
criterion_main!(benches);
