//! Packing: a part of a matrix rewritten as panels, in the order in which the micro-kernel reads.

use super::View;
use std::cell::RefCell;

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

/// Packs columns `from..to` of rows `start..start + k` of `b` as panels of `W` columns: within
/// a panel one row after the other, the last panel filled with 0.
pub(super) fn pack<const W: usize>(
    b: View<'_>,
    start: usize,
    k: usize,
    columns: std::ops::Range<usize>,
    out: &mut [f32],
) {
    let panels = out.chunks_exact_mut(k * W);
    for (first, panel) in columns.clone().step_by(W).zip(panels) {
        let width = W.min(columns.end - first);
        let at = start * b.rows_apart + first * b.columns_apart;
        let rows = panel.as_chunks_mut::<W>().0;
        if width < W {
            for (k, row) in rows.iter_mut().enumerate() {
                *row = std::array::from_fn(|j| match j < width {
                    true => b.data[at + k * b.rows_apart + j * b.columns_apart],
                    false => 0.0,
                });
            }
        } else if b.columns_apart == 1 {
            for (k, row) in rows.iter_mut().enumerate() {
                let from = at + k * b.rows_apart;
                *row = *b.data[from..].first_chunk().expect("columns within the matrix");
            }
        } else {
            for j in 0..W {
                let column = &b.data[at + j * b.columns_apart..];
                let column = column.iter().step_by(b.rows_apart.max(1));
                rows.iter_mut().zip(column).for_each(|(row, x)| row[j] = *x);
            }
        }
    }
}
