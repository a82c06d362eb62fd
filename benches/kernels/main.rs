//! Products of matrices on one thread, as parts of what the CPU could do at most.
//!
//! The peak, the kernels and a peer take turns, so that a change of the machine's speed meets
//! all; medians are shown. `--table` leaves out criterion's times of the kernels. With
//! `RAYON_NUM_THREADS` more threads can be tried, to be compared with as many peaks.

#![allow(unsafe_code)]

mod peak;

use aezip::internals::{DenseLayer, cpu_family, gemm, gemm_activated};
use criterion::{Criterion, Throughput};
use std::cell::RefCell;
use std::time::Instant;

/// Rows, inner size and columns: layers of networks forwards, and squares.
const SHAPES: [[usize; 3]; 8] = [
    [512, 512, 512],
    [256, 784, 512],
    [256, 512, 784],
    [256, 384, 512],
    [256, 512, 32],
    [256, 32, 512],
    [1024, 1024, 1024],
    [64, 64, 64],
];

/// Rows, inputs and outputs of integer layers.
const LAYERS: [[usize; 3]; 4] = [[256, 512, 384], [48, 512, 384], [1, 512, 384], [256, 48, 384]];

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 7919 % 1000) as f32 / 1000.0 - 0.5).collect()
}

/// A product and what it needs.
struct Product {
    sizes: [usize; 3],
    a: Vec<f32>,
    b: Vec<f32>,
    bias: Vec<f32>,
    out: Vec<f32>,
}

impl Product {
    fn new(sizes: [usize; 3]) -> Self {
        let [m, k, n] = sizes;
        let (a, b, bias) = (numbers(m * k), numbers(k * n), numbers(n));
        Self { sizes, a, b, bias, out: vec![0.0; m * n] }
    }

    fn operations(&self) -> f64 {
        self.sizes.iter().product::<usize>() as f64 * 2.0
    }

    fn run(&mut self, transposed: [bool; 2]) {
        gemm(self.sizes, (&self.a, &self.b), transposed, &mut self.out);
    }

    fn activated(&mut self) {
        gemm_activated(self.sizes, (&self.a, &self.b), &self.bias, &mut self.out);
    }

    /// The crate `gemm`, which faer uses.
    fn peer(&mut self) {
        let [m, k, n] = self.sizes;
        let threads = rayon::current_num_threads();
        let parallelism = match threads {
            1 => ::gemm::Parallelism::None,
            _ => ::gemm::Parallelism::Rayon(threads),
        };
        let (out, a, b) = (self.out.as_mut_ptr(), self.a.as_ptr(), self.b.as_ptr());
        let (k_apart, n_apart) = (k as isize, n as isize);
        // SAFETY: the slices have as many elements as the sizes and strides say.
        unsafe {
            ::gemm::gemm(
                m,
                n,
                k,
                out,
                1,
                n_apart,
                false,
                a,
                1,
                k_apart,
                b,
                1,
                n_apart,
                0.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
    }
}

/// Operations per nanosecond of works that take turns, each a number of operations and what does
/// them.
fn take_turns(works: &mut [(f64, &mut dyn FnMut())]) -> Vec<f64> {
    let mut times = vec![Vec::new(); works.len()];
    for _ in 0..41 {
        for ((operations, work), times) in works.iter_mut().zip(&mut times) {
            let repeats = (5e7 / *operations).ceil() as usize;
            // The caches are as this work leaves them, not as the one before did.
            work();
            let start = Instant::now();
            (0..repeats).for_each(|_| work());
            times.push(start.elapsed().as_nanos() as f64 / repeats as f64);
        }
    }
    works
        .iter()
        .zip(times)
        .map(|((operations, _), mut times)| {
            times.sort_by(f64::total_cmp);
            operations / times[times.len() / 2]
        })
        .collect()
}

fn table() {
    println!("kernels for {}; billions of operations per second, part of the peak", cpu_family());
    let share = |value: f64, peak: f64| format!("{value:7.1} {:5.1} %", value / peak * 100.0);
    println!(
        "{:16}{:>7}{:>16}{:>16}{:>16}{:>16}{:>16}",
        "rows×inner×cols", "peak", "a·b", "a·bᵀ", "aᵀ·b", "bias, leaky", "crate gemm"
    );
    for sizes in SHAPES {
        let product = RefCell::new(Product::new(sizes));
        let operations = product.borrow().operations();
        let steps = 50_000;
        let rates = take_turns(&mut [
            (peak::float(steps), &mut || _ = peak::float(steps)),
            (operations, &mut || product.borrow_mut().run([false, false])),
            (operations, &mut || product.borrow_mut().run([false, true])),
            (operations, &mut || product.borrow_mut().run([true, false])),
            (operations, &mut || product.borrow_mut().activated()),
            (operations, &mut || product.borrow_mut().peer()),
        ]);
        let [m, k, n] = sizes;
        print!("{:16}{:7.1}", format!("{m}×{k}×{n}"), rates[0]);
        rates[1..].iter().for_each(|rate| print!("  {}", share(*rate, rates[0])));
        println!();
    }
    println!("{:16}{:>7}{:>16}", "rows×in→out, i16", "peak", "sums");
    for [rows, inputs, width] in LAYERS {
        let (layer, x, mut sums) = layer(rows, inputs, width);
        let steps = 100_000;
        let operations = (2 * rows * inputs * width) as f64;
        let rates = take_turns(&mut [
            (peak::integer(steps).max(1.0), &mut || _ = peak::integer(steps)),
            (operations, &mut || layer.sums(&x, &mut sums)),
        ]);
        let name = format!("{rows}×{inputs}→{width}");
        println!("{name:16}{:7.1}  {}", rates[0], share(rates[1], rates[0]));
    }
}

fn layer(rows: usize, inputs: usize, width: usize) -> (DenseLayer, Vec<i16>, Vec<i32>) {
    let layer = DenseLayer::new(inputs, width, |i, j| ((i * 31 + j * 17) % 200) as i16 - 100);
    let (padded_inputs, padded_width) = layer.padded();
    let x = (0..rows * padded_inputs).map(|i| (i * 7919 % 2000) as i16 - 1000).collect();
    (layer, x, vec![0; rows * padded_width])
}

fn times(c: &mut Criterion) {
    let mut group = c.benchmark_group("gemm");
    for sizes in SHAPES {
        let mut product = Product::new(sizes);
        group.throughput(Throughput::Elements(product.operations() as u64));
        group.bench_function(format!("{sizes:?}"), |b| b.iter(|| product.run([false, false])));
    }
    group.finish();
    let mut group = c.benchmark_group("dense");
    for [rows, inputs, width] in LAYERS {
        let (layer, x, mut sums) = layer(rows, inputs, width);
        group.throughput(Throughput::Elements((2 * rows * inputs * width) as u64));
        group.bench_function(format!("{:?}", [rows, inputs, width]), |b| {
            b.iter(|| layer.sums(&x, &mut sums));
        });
    }
    group.finish();
}

fn main() {
    let threads = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("the first pool");
    // `cargo test --benches` only wants to know that it runs.
    if !std::env::args().any(|arg| arg == "--test") {
        table();
    }
    if !std::env::args().any(|arg| arg == "--table") {
        let mut criterion = Criterion::default().configure_from_args();
        times(&mut criterion);
        criterion.final_summary();
    }
}
