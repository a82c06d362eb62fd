//! Packing: a part of a matrix rewritten as panels, in the order in which the micro-kernel reads.

use super::matrix::View;
use std::cell::RefCell;
use std::ops::Range;

/// A cache line, so that panels start at one.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([f32; 16]);

thread_local! {
    static BUFFERS: RefCell<[Vec<Line>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// Calls `work` with two buffers of at least the given lengths, which stay for the next call of
/// this thread; what they hold is of no meaning.
pub(super) fn with_buffers(lengths: [usize; 2], work: impl FnOnce(&mut [f32], &mut [f32])) {
    BUFFERS.with_borrow_mut(|buffers| {
        for (buffer, length) in buffers.iter_mut().zip(lengths) {
            let lines = length.div_ceil(16);
            if buffer.len() < lines {
                buffer.resize(lines, Line([0.0; 16]));
            }
        }
        let [a, b] = buffers;
        work(bytemuck::cast_slice_mut(a), bytemuck::cast_slice_mut(b));
    });
}

/// How many rows of `b` are packed side by side, so that memory is read along its lines.
const STRIPE: usize = 8;

/// Packs columns `from..to` of rows `start..start + k` of `b` as panels of `W` columns: within
/// a panel one row after the other, the last panel filled with 0.
pub(super) fn pack<const W: usize>(
    b: View<'_>,
    start: usize,
    k: usize,
    columns: Range<usize>,
    out: &mut [f32],
) {
    let whole = columns.start..columns.end - columns.len() % W;
    let (panels, rest) = out.split_at_mut(whole.len() * k);
    if b.columns_apart == 1 {
        // A few rows at a time through all panels, so that memory is read along its lines.
        for at in (0..k).step_by(STRIPE) {
            let high = STRIPE.min(k - at);
            for (first, panel) in whole.clone().step_by(W).zip(panels.chunks_exact_mut(k * W)) {
                let rows = panel.as_chunks_mut::<W>().0;
                for (i, row) in rows[at..at + high].iter_mut().enumerate() {
                    let from = (start + at + i) * b.rows_apart + first;
                    *row = *b.data[from..].first_chunk().expect("columns of the matrix");
                }
            }
        }
    } else if b.rows_apart == 1 {
        for (first, panel) in whole.clone().step_by(W).zip(panels.chunks_exact_mut(k * W)) {
            let at = first * b.columns_apart + start;
            transpose::<W>(&b.data[at..], b.columns_apart, panel.as_chunks_mut().0);
        }
    } else {
        for (first, panel) in whole.clone().step_by(W).zip(panels.chunks_exact_mut(k * W)) {
            gather::<W>(b, start, first..first + W, panel);
        }
    }
    if whole.end < columns.end {
        gather::<W>(b, start, whole.end..columns.end, &mut rest[..k * W]);
    }
}

/// Sets `rows[k][j] = columns[j * apart + k]`.
///
/// A line of 16 numbers is used up before the next is begun: columns that are a power of 2 apart
/// share few places of the cache.
fn transpose<const W: usize>(columns: &[f32], apart: usize, rows: &mut [[f32; W]]) {
    let (blocks, rest) = rows.as_chunks_mut::<16>();
    let mut at = 0;
    for rows in blocks {
        let column = |j: usize| -> &[[f32; 4]] { columns[j * apart + at..][..16].as_chunks().0 };
        let mut done = 0;
        while done < W {
            // The last four may overlap those before.
            let j = done.min(W - 4);
            let four = [column(j), column(j + 1), column(j + 2), column(j + 3)];
            for (k, rows) in rows.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let turned = turned([four[0][k], four[1][k], four[2][k], four[3][k]]);
                for (row, four) in rows.iter_mut().zip(turned) {
                    row[j..j + 4].copy_from_slice(&four);
                }
            }
            done = j + 4;
        }
        at += 16;
    }
    for row in rest {
        for (j, x) in row.iter_mut().enumerate() {
            *x = columns[j * apart + at];
        }
        at += 1;
    }
}

#[cfg(target_arch = "x86_64")]
use crate::kernels::x86::transpose::turned;

/// Transposes a square.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn turned(from: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    std::array::from_fn(|i| std::array::from_fn(|j| from[j][i]))
}

/// Packs a panel number by number, for all other arrangements.
fn gather<const W: usize>(b: View<'_>, start: usize, columns: Range<usize>, panel: &mut [f32]) {
    for (k, row) in panel.as_chunks_mut::<W>().0.iter_mut().enumerate() {
        *row = std::array::from_fn(|j| match j < columns.len() {
            true => b.data[(start + k) * b.rows_apart + (columns.start + j) * b.columns_apart],
            false => 0.0,
        });
    }
}
