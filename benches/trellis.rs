//! Dependent quantisation alone: latents per second.

use aezip::internals::Paths;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// As many as embeddings of 384 numbers have at a tenth of their variance.
const LATENTS: usize = 200;

fn trellis(c: &mut Criterion) {
    let mut group = c.benchmark_group("trellis");
    group.throughput(Throughput::Elements((LATENTS * Paths::ROWS) as u64));
    // Latents that are mostly 0, and those of some bits.
    for deviation in [0.3_f32, 4.0] {
        let mut state = 7_u32;
        let mut uniform = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let latents: Vec<[f32; Paths::ROWS]> = (0..LATENTS)
            .map(|_| std::array::from_fn(|_| deviation * 3.0_f32.sqrt() * uniform()))
            .collect();
        let mut paths = Paths::new(LATENTS, deviation);
        group.bench_function(format!("latents of deviation {deviation}"), |b| {
            b.iter(|| paths.search(&latents));
        });
    }
    group.finish();
}

criterion_group!(benches, trellis);
criterion_main!(benches);
