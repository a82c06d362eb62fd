//! Products of `f32` matrices.
//!
//! Built as in BLIS (van Zee and van de Geijn, 2015): five loops around a micro-kernel. `blocks`
//! is the loops, `micro` the kernel, `pack` what is rewritten for it; here the product is shared
//! between threads.

mod blocks;
mod matrix;
pub(crate) mod micro;
mod pack;
mod scalar;
#[cfg(test)]
mod tests;

use super::isa::Isa;
use blocks::{Part, product};
use matrix::finish_row;
pub(crate) use matrix::{Finish, View};
use micro::Micro;
use rayon::prelude::*;

/// Fewer multiply-adds than this (40 to 80 µs) are not worth waking another thread for.
/// (With a quarter of it, training small networks took 6 % more time and a fifth more CPU time.)
const WORTH_A_THREAD: usize = 1 << 22;

/// The most rows that are handed out at once: many for each thread, and a list of few parts.
const BAND: usize = 4096;

/// Computes the product `a·b` into row-major `out`.
///
/// Every number of it is one chain of fused multiply-adds, `k` ascending, so that its bits do not
/// depend on the CPU family, on the blocks or on the number of threads. (Those of a NaN may.)
pub(crate) fn gemm(a: View<'_>, b: View<'_>, out: &mut [f32], finish: Finish<'_>) {
    gemm_on(Isa::chosen(), a, b, out, finish);
}

/// Computes a product that is a symmetric matrix, with little more than half of the work: what is below the diagonal
/// is what is above it.
pub(crate) fn symmetric(a: View<'_>, b: View<'_>, out: &mut [f32]) {
    assert_eq!(a.rows, b.columns, "a square");
    gemm(a, b, out, Finish::Upper);
    mirror(out, a.rows);
}

/// Rows and columns that [`mirror`] takes at once, so that lines of the cache are used wholly.
const MIRRORED: usize = 16;

/// Writes what is above the diagonal of a square matrix below it.
fn mirror(square: &mut [f32], size: usize) {
    for first in (0..size).step_by(MIRRORED) {
        let rows = first..size.min(first + MIRRORED);
        for column in (0..=first).step_by(MIRRORED) {
            let mut above = [[0.0; MIRRORED]; MIRRORED];
            let columns = column..size.min(column + MIRRORED);
            for (j, above) in columns.clone().zip(&mut above) {
                above[..rows.len()].copy_from_slice(&square[j * size..][rows.clone()]);
            }
            for (at, i) in rows.clone().enumerate() {
                let below = &mut square[i * size..][column..i.min(columns.end)];
                below.iter_mut().zip(&above).for_each(|(x, above)| *x = above[at]);
            }
        }
    }
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
        let size = PartSize::for_threads(rows, b.columns, threads, [MR, NR]);
        let parts = parts(first, band, b.columns, size);
        match parts.len() {
            1 => parts.into_iter().for_each(|part| product(micro, a, b, part, finish)),
            _ => parts.into_par_iter().for_each(|part| product(micro, a, b, part, finish)),
        }
    }
}

/// To pack a part's a costs as much as this many more columns, to pack its b as this many rows.
const PACKING: usize = 10;

/// Size of the parts that threads compute.
#[derive(Debug, Clone, Copy)]
struct PartSize {
    rows: usize,
    columns: usize,
}

impl PartSize {
    /// Chooses the size with which `threads` threads are done soonest; a tile has `mr` rows and
    /// `nr` columns.
    fn for_threads(rows: usize, columns: usize, threads: usize, [mr, nr]: [usize; 2]) -> Self {
        let cut = |length: usize, pieces: usize, unit: usize| {
            length.div_ceil(pieces).next_multiple_of(unit).min(length)
        };
        let threads = threads.max(1);
        let cost = |size: &Self| {
            let parts = rows.div_ceil(size.rows) * columns.div_ceil(size.columns);
            parts.div_ceil(threads) * (size.rows + PACKING) * (size.columns + PACKING)
        };
        (1..=threads)
            .map(|across| {
                let down = threads.div_ceil(across);
                Self { rows: cut(rows, down, mr), columns: cut(columns, across, nr) }
            })
            .min_by_key(cost)
            .expect("one thread at least")
    }
}

/// Cuts `out`, whose first row is the product's `first`, into parts of a size.
fn parts(first: usize, out: &mut [f32], columns: usize, size: PartSize) -> Vec<Part<'_>> {
    let PartSize { rows: high, columns: wide } = size;
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
