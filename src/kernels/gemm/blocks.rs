//! The five loops.
//!
//! ```text
//! 5  columns of the part, NC at a time
//! 4    k, KC at a time:                     pack b: KC × NC, stays in the L3 cache
//! 3      rows of the part, MC at a time:    a: MC × KC, stays in L2
//! 2        NR columns:                      a panel of b: KC × NR, stays in L1
//! 1          MR rows:                       the micro-kernel
//! ```

use super::micro::{Micro, Strip};
use super::pack::{pack, with_buffers};
use super::{Finish, View};
use std::ops::Range;

/// A panel of b, KC × NR, fills half of an L1 cache of 32 KiB.
const KC: usize = 256;
/// Rows of a, MC × KC, with those of the output, MC × NC, stay in an L2 cache of 512 KiB.
const MC: usize = 96;
const NC: usize = 512;

/// A part of the output: pieces of neighbouring rows.
pub(super) struct Part<'o> {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) rows: Vec<&'o mut [f32]>,
}

/// Equal pieces of at most `most`, each but the last a multiple of `unit`.
fn pieces(length: usize, most: usize, unit: usize) -> impl Iterator<Item = Range<usize>> {
    let each = length.div_ceil(length.div_ceil(most).max(1)).next_multiple_of(unit).max(unit);
    (0..length).step_by(each).map(move |start| start..length.min(start + each))
}

/// Computes a part.
pub(super) fn product<M: Micro<MR, NR>, const MR: usize, const NR: usize>(
    micro: M,
    a: View<'_>,
    b: View<'_>,
    mut part: Part<'_>,
    finish: Finish<'_>,
) {
    let width = part.rows[0].len();
    if a.columns == 0 {
        if !matches!(finish, Finish::Add) {
            part.rows.iter_mut().for_each(|row| row.fill(0.0));
        }
        part.rows.iter_mut().for_each(|row| finish_row(row, part.column, finish));
        return;
    }
    // Rows of a are read where they lie, unless that would be from line to line.
    let packs_a = a.columns_apart != 1;
    let lengths = [if packs_a { MC.next_multiple_of(MR) * KC } else { 0 }, NC * KC];
    with_buffers(lengths, |packed_a, packed_b| {
        for columns in pieces(width, NC, NR) {
            for ks in pieces(a.columns, KC, 4) {
                let (k, from) = (ks.len(), part.column + columns.start);
                pack::<NR>(b, ks.start, k, from..from + columns.len(), packed_b);
                let fresh = ks.start == 0 && !matches!(finish, Finish::Add);
                for rows in pieces(part.rows.len(), MC, MR) {
                    let row = part.row + rows.start;
                    if packs_a {
                        pack::<MR>(a.t(), ks.start, k, row..row + rows.len(), packed_a);
                    }
                    let strip = |i: usize| match packs_a {
                        true => Strip { data: &packed_a[i * k..][..MR * k], row: 1, step: MR },
                        false => Strip {
                            data: &a.data[(row + i) * a.rows_apart + ks.start..],
                            row: a.rows_apart,
                            step: 1,
                        },
                    };
                    let block = &mut part.rows[rows];
                    macro_kernel(micro, k, strip, packed_b, block, columns.clone(), fresh);
                    if ks.end == a.columns {
                        for row in block {
                            finish_row(&mut row[columns.clone()], from, finish);
                        }
                    }
                }
            }
        }
    });
}

/// Loops 2 and 1.
fn macro_kernel<'a, M: Micro<MR, NR>, const MR: usize, const NR: usize>(
    micro: M,
    k: usize,
    strip: impl Fn(usize) -> Strip<'a>,
    packed_b: &[f32],
    out: &mut [&mut [f32]],
    columns: Range<usize>,
    fresh: bool,
) {
    for (at, b) in columns.clone().step_by(NR).zip(packed_b.chunks_exact(k * NR)) {
        let width = NR.min(columns.end - at);
        for (i, out) in out.chunks_mut(MR).enumerate() {
            let a = strip(i * MR);
            if width == NR {
                micro.tile(k, a, b, out, at, fresh);
            } else {
                at_the_edge(micro, k, a, b, out, at..at + width, fresh);
            }
        }
    }
}

/// A tile of fewer than NR columns: a whole one beside the output, of which a part is copied.
fn at_the_edge<M: Micro<MR, NR>, const MR: usize, const NR: usize>(
    micro: M,
    k: usize,
    a: Strip<'_>,
    b: &[f32],
    out: &mut [&mut [f32]],
    columns: Range<usize>,
    fresh: bool,
) {
    let mut tile = [[0.0; NR]; MR];
    for (tile, out) in tile.iter_mut().zip(&*out) {
        tile[..columns.len()].copy_from_slice(&out[columns.clone()]);
    }
    let mut rows = tile.each_mut().map(|row| &mut row[..]);
    micro.tile(k, a, b, &mut rows[..out.len()], 0, fresh);
    for (tile, out) in tile.iter().zip(out) {
        out[columns.clone()].copy_from_slice(&tile[..columns.len()]);
    }
}

/// Bias and activation of a piece of a row, which begins at `column`.
fn finish_row(row: &mut [f32], column: usize, finish: Finish<'_>) {
    if let Finish::Activate(bias, f) = finish {
        row.iter_mut().zip(&bias[column..]).for_each(|(x, b)| *x += b);
        f.apply(row);
    }
}
