//! Single rows from a file in memory, with and without the cache, 1,000 at once, by two threads from one reader, and opening the file:
//! one of rows with residuals, and one of a linear codec that has none.

use aezip::{Bytes, Fidelity, Limits, Matrix, Reader, ReaderOptions, Rows, compress};
use aezip_benches::{compressed, config, waves};
use criterion::{
    BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime,
};
use std::time::{Duration, Instant};

/// Rows that are gathered at once.
const GATHERED: usize = 1000;
/// Threads that read rows of one reader, each as many: with none in the other's way, it takes them as long as one.
const THREADS: [usize; 2] = [1, 2];

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
        for threads in THREADS {
            group.bench_function(format!("{name}, {threads} threads"), |b| {
                b.iter_custom(|times| together(&reader, rows, threads, times));
            });
        }
        group.bench_function(format!("{name}, {GATHERED} gathered"), |b| {
            b.iter(|| {
                let wanted: Vec<usize> = (0..GATHERED).map(|_| jump()).collect();
                reader.gather(&wanted, &mut out).expect("rows");
            });
        });
    }
}

/// Returns how long it takes until each of some threads has read so many rows.
fn together(reader: &Reader<Bytes<&[u8]>>, rows: &Matrix, threads: usize, times: u64) -> Duration {
    let (count, width) = (rows.len(), rows.schema().width());
    let started = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                let mut out = vec![0.0_f32; width];
                for i in 0..times as usize {
                    let row = (i * 2_654_435 + thread * count / 2) % count;
                    reader.read_row(row, &mut out).expect("a row");
                }
            });
        }
    });
    started.elapsed()
}

criterion_group!(benches, row);
criterion_main!(benches);
