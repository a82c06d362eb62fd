use super::*;
use crate::kernels::activation::Activation;
use std::cell::Cell;

thread_local! {
    /// The path that this thread took last.
    pub(super) static RAN: Cell<Option<Isa>> = const { Cell::new(None) };
}

/// Numbers of very different sizes, so that the order of additions shows.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    (0..count).map(|_| (next() as f32 / 8_388_608.0 - 1.0) * (1 << (next() % 12)) as f32).collect()
}

/// One chain of fused multiply-adds for each number.
fn naive(a: View<'_>, b: View<'_>, out: &mut [f32], finish: Finish<'_>) {
    for i in 0..a.rows {
        for j in 0..b.columns {
            let at = i * b.columns + j;
            let mut sum = if matches!(finish, Finish::Add) { out[at] } else { 0.0 };
            for k in 0..a.columns {
                let x = a.data[i * a.rows_apart + k * a.columns_apart];
                sum = x.mul_add(b.data[k * b.rows_apart + j * b.columns_apart], sum);
            }
            out[at] = sum;
        }
        if let Finish::Activate(bias, f) = finish {
            let row = &mut out[i * b.columns..(i + 1) * b.columns];
            row.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
            f.apply(row);
        }
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// All transpositions and finishes of one shape.
fn check(isa: Isa, m: usize, k: usize, n: usize) {
    let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
    let (bias, before) = (numbers(n, 3), numbers(m * n, 4));
    // By the kernel (the first two) or after it.
    let [plain, leaky, steep, relu] = [
        Activation::Identity,
        Activation::LeakyRelu(0.125),
        Activation::LeakyRelu(1.5),
        Activation::Relu,
    ]
    .map(|f| Finish::Activate(&bias, f));
    for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
        let a = if ta { View::new(&a, k, m).t() } else { View::new(&a, m, k) };
        let b = if tb { View::new(&b, n, k).t() } else { View::new(&b, k, n) };
        for finish in [Finish::Store, Finish::Add, plain, leaky, steep, relu] {
            let (mut out, mut expected) = (before.clone(), before.clone());
            gemm_on(isa, a, b, &mut out, finish);
            assert_eq!(RAN.take(), (m * k * n > 0).then_some(isa));
            naive(a, b, &mut expected, finish);
            let what = format!("{isa:?} {m}×{k}×{n}, transposed {ta} {tb}, {finish:?}");
            assert!(bits(&out) == bits(&expected), "{what}");
        }
    }
}

/// A matrix times its transpose.
fn check_symmetric(isa: Isa, size: usize, k: usize) {
    let numbers_of_a = numbers(size * k, 5);
    for transposed in [false, true] {
        let a = if transposed {
            View::new(&numbers_of_a, k, size).t()
        } else {
            View::new(&numbers_of_a, size, k)
        };
        let (mut out, mut expected) = (numbers(size * size, 6), vec![0.0; size * size]);
        gemm_on(isa, a, a.t(), &mut out, Finish::Upper);
        mirror(&mut out, size);
        naive(a, a.t(), &mut expected, Finish::Store);
        assert!(bits(&out) == bits(&expected), "{isa:?} {size}×{k}, transposed {transposed}");
    }
}

#[test]
fn symmetric_products_are_the_same_bits() {
    for isa in Isa::available() {
        for size in [0, 1, 2, 7, 15, 16, 17, 23, 24, 25, 31, 33, 48, 65] {
            for k in [0, 1, 5, 33] {
                check_symmetric(isa, size, k);
            }
        }
        for (size, k) in [(192, 200), (200, 192), (97, 600)] {
            check_symmetric(isa, size, k);
        }
    }
    for threads in [2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| check_symmetric(Isa::chosen(), 300, 290));
    }
}

#[test]
fn every_path_is_one_chain() {
    for isa in Isa::available() {
        for m in [0, 1, 2, 3, 5, 6, 7, 11, 12, 13] {
            for n in [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33] {
                for k in [0, 1, 2, 3, 5, 17] {
                    check(isa, m, k, n);
                }
            }
        }
        for (m, k, n) in
            [(97, 255, 67), (5, 256, 3), (95, 257, 16), (13, 600, 31), (103, 31, 521), (1, 511, 1)]
        {
            check(isa, m, k, n);
        }
        // More than one block each way.
        if isa != Isa::Scalar {
            check(isa, 109, 530, 1045);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            for isa in Isa::available().filter(|isa| *isa != Isa::Scalar) {
                for (m, k, n) in [(256, 129, 130), (61, 512, 131), (4099, 33, 17), (16, 300, 517)] {
                    check(isa, m, k, n);
                }
            }
            check(Isa::Scalar, 120, 140, 150);
        });
    }
}

#[test]
fn parts_are_the_whole() {
    let mut out = vec![0.0; 7 * 10];
    for (i, mut part) in
        parts(3, &mut out, 10, PartSize { rows: 4, columns: 6 }).into_iter().enumerate()
    {
        assert_eq!((part.row, part.column), [(3, 0), (3, 6), (7, 0), (7, 6)][i]);
        part.rows.iter_mut().for_each(|row| row.iter_mut().for_each(|x| *x += 1.0));
    }
    assert_eq!(out, [1.0; 70]);
}
