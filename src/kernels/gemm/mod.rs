//! Products of `f32` matrices.
//!
//! Built as in BLIS (van Zee and van de Geijn, 2015): five loops around a micro-kernel. `blocks`
//! is the loops, `micro` the kernel, `pack` what is rewritten for it; here the product is shared
//! between threads.

mod blocks;
pub(crate) mod micro;
mod pack;
mod scalar;
#[cfg(test)]
mod tests;

use super::activation::Activation;
use super::isa::Isa;
use blocks::{Part, finish_row, product};
use micro::Micro;
use rayon::prelude::*;

/// A matrix in somebody's slice: element `(i, j)` is `data[i * rows_apart + j * columns_apart]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) rows_apart: usize,
    pub(crate) columns_apart: usize,
}

impl<'a> View<'a> {
    /// A row-major matrix.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns);
        Self { data, rows, columns, rows_apart: columns, columns_apart: 1 }
    }

    /// The transposed matrix, without a copy.
    pub(crate) fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            rows_apart: self.columns_apart,
            columns_apart: self.rows_apart,
            ..self
        }
    }
}

/// What becomes of a product.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Finish<'a> {
    /// `out = a·b`
    Store,
    /// `out += a·b`
    Add,
    /// `out = f(a·b + bias)`, `bias` one number per column.
    Activate(&'a [f32], Activation),
}

/// Fewer multiply-adds than this (about 20 µs) are not worth waking another thread for.
const WORTH_A_THREAD: usize = 1 << 20;

/// Most rows that are handed out at once.
const BAND: usize = 4096;

/// The product `a·b` into row-major `out`.
///
/// Every number of it is one chain of fused multiply-adds, `k` ascending, so that its bits do not
/// depend on the CPU family, on the blocks or on the number of threads. (Those of a NaN may.)
pub(crate) fn gemm(a: View<'_>, b: View<'_>, out: &mut [f32], finish: Finish<'_>) {
    gemm_on(Isa::chosen(), a, b, out, finish);
}

fn gemm_on(isa: Isa, a: View<'_>, b: View<'_>, out: &mut [f32], finish: Finish<'_>) {
    assert_eq!(a.columns, b.rows, "inner sizes");
    assert_eq!(out.len(), a.rows * b.columns, "size of the product");
    if let Finish::Activate(bias, _) = finish {
        assert_eq!(bias.len(), b.columns, "a bias for each column");
    }
    if out.is_empty() {
        return;
    }
    if a.columns == 0 {
        for row in out.chunks_exact_mut(b.columns) {
            if !matches!(finish, Finish::Add) {
                row.fill(0.0);
            }
            finish_row(row, 0, finish);
        }
        return;
    }
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => share(super::x86::Avx2::new().expect("AVX2"), a, b, out, finish),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => share(super::x86::Avx512::new().expect("AVX-512"), a, b, out, finish),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => share(super::neon::Neon::new().expect("Neon"), a, b, out, finish),
        _ => share(scalar::Scalar, a, b, out, finish),
    }
}

/// Cuts `out` into parts and gives them to threads. Sums are never shared between parts.
fn share<M: Micro<MR, NR>, const MR: usize, const NR: usize>(
    micro: M,
    a: View<'_>,
    b: View<'_>,
    out: &mut [f32],
    finish: Finish<'_>,
) {
    #[cfg(test)]
    tests::RAN.set(Some(M::ISA));
    for (first, band) in (0..a.rows).step_by(BAND).zip(out.chunks_mut(BAND * b.columns)) {
        let rows = band.len() / b.columns;
        let work = rows * b.columns * a.columns;
        let threads = rayon::current_num_threads().min(work / WORTH_A_THREAD);
        let (high, wide) = grid(rows, b.columns, threads, MR, NR);
        let parts = parts(first, band, b.columns, high, wide);
        match parts.len() {
            1 => parts.into_iter().for_each(|part| product(micro, a, b, part, finish)),
            _ => parts.into_par_iter().for_each(|part| product(micro, a, b, part, finish)),
        }
    }
}

/// Rows and columns of a part, such that `threads` threads are done soonest.
fn grid(rows: usize, columns: usize, threads: usize, mr: usize, nr: usize) -> (usize, usize) {
    let cut = |length: usize, pieces: usize, unit: usize| {
        length.div_ceil(pieces).next_multiple_of(unit).min(length)
    };
    // To pack a part's a costs as much as PACKING more columns, to pack its b as that many rows.
    const PACKING: usize = 10;
    let cost = |&(high, wide): &(usize, usize)| {
        let parts = rows.div_ceil(high) * columns.div_ceil(wide);
        parts.div_ceil(threads.max(1)) * (high + PACKING) * (wide + PACKING)
    };
    (1..=threads.max(1))
        .map(|across| {
            let down = threads.max(1).div_ceil(across);
            (cut(rows, down, mr), cut(columns, across, nr))
        })
        .min_by_key(cost)
        .expect("one thread at least")
}

/// Parts of `high` rows and `wide` columns of `out`, whose first row is the product's `first`.
fn parts(first: usize, out: &mut [f32], columns: usize, high: usize, wide: usize) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (band, out) in out.chunks_mut(high * columns).enumerate() {
        let row = first + band * high;
        let start = parts.len();
        let height = out.len() / columns;
        parts.extend((0..columns).step_by(wide).map(|column| Part {
            row,
            column,
            rows: Vec::with_capacity(height),
        }));
        for out in out.chunks_mut(columns) {
            for (part, piece) in parts[start..].iter_mut().zip(out.chunks_mut(wide)) {
                part.rows.push(piece);
            }
        }
    }
    parts
}
