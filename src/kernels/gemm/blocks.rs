//! The five loops around the micro-kernel.
//!
//! ```text
//! 5  columns of the part, NC at a time
//! 4    k, KC at a time:          pack b, KC × NC, which stays in the L3 cache
//! 3      rows, MC at a time:     pack a, MC × KC, which stays in L2
//! 2        NR columns:           a panel of b, KC × NR, stays in L1
//! 1          MR rows:            the micro-kernel
//! ```
//!
//! Unlike in BLIS, a panel of b whose rows lie in memory one after the other is packed by the
//! first tile that reads it. By itself, to pack 784 × 512 numbers took 7 % of the time of 256
//! rows: the rows of a panel are a power of 2 apart, which no prefetcher and no cache likes, and
//! beneath a tile that wait costs little.

use super::micro::{Micro, Panel, Strip, Tile};
use super::pack::{pack, with_buffers};
use super::{Finish, View};
use std::ops::Range;

/// Layers of 512 units are one block, and 784 two. A panel of b, KC × NR, is all of an L1 cache of
/// 32 KiB then with NR = 16 (AVX2), and twice that with 32 (AVX-512), but it is read along its lines;
/// blocks of 256 are 1 to 2 % slower, because sums are loaded and stored twice as often.
const KC: usize = 512;
/// MC × KC numbers of a are less than half of an L2 cache of 512 KiB. Where k is smaller, MC is
/// larger: 16 columns of the output are written for all MC rows in turn, and that should be long.
const MC_KC: usize = 96 * KC;
/// Columns of b, KC × NC, are 2 MiB.
const NC: usize = 1024;
/// Columns that get bias and activation together: long enough that a call for each row is cheap,
/// and few enough that they are still in a cache near by.
const FINISHED: usize = 128;
/// From this width on, to pack a saves more than it costs.
const WIDE: usize = 160;

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
    part: Part<'_>,
    finish: Finish<'_>,
) {
    let Part { row, column, rows: mut out } = part;
    let width = out[0].len();
    let packs_a = a.columns_apart != 1 || width >= WIDE;
    let deepest = KC.min(a.columns).next_multiple_of(4);
    let most_a = (MC_KC + MR * deepest).min(out.len().next_multiple_of(MR) * deepest);
    let most_b = NC.min(width).next_multiple_of(NR) * deepest;
    with_buffers([if packs_a { most_a } else { 0 }, most_b], |packed_a, packed_b| {
        // Loop 5.
        for wide in pieces(width, NC, NR) {
            // Loop 4.
            for ks in pieces(a.columns, KC, 4) {
                let k = ks.len();
                let fresh = ks.start == 0 && !matches!(finish, Finish::Add);
                // Loop 3.
                for rows in pieces(out.len(), MC_KC / k, MR) {
                    let packs_b = rows.start == 0;
                    let row = row + rows.start;
                    let out = &mut out[rows];
                    if packs_a {
                        pack::<MR>(a.t(), ks.start, k, row..row + out.len(), packed_a);
                    }
                    let strip = |i: usize| match packs_a {
                        true => Strip::Packed(&packed_a[i * k..][..MR * k]),
                        false => Strip::Rows(
                            &a.data[(row + i) * a.rows_apart + ks.start..],
                            a.rows_apart,
                        ),
                    };
                    // Loop 2.
                    let panels = packed_b.chunks_exact_mut(k * NR);
                    for (at, panel) in wide.clone().step_by(NR).zip(panels) {
                        let at = at..wide.end.min(at + NR);
                        let from = column + at.start..column + at.end;
                        let mut rows = None;
                        if packs_b && b.columns_apart == 1 && from.len() == NR {
                            rows = Some(&b.data[ks.start * b.rows_apart + from.start..]);
                        } else if packs_b {
                            pack::<NR>(b, ks.start, k, from, panel);
                        }
                        let panel = (panel, rows, b.rows_apart);
                        column_of_tiles(micro, k, strip, panel, out, at.clone(), fresh);
                        let done = at.end - wide.start;
                        if ks.end == a.columns && (done % FINISHED == 0 || at.end == wide.end) {
                            let first = wide.start + (done - 1) / FINISHED * FINISHED;
                            for row in &mut *out {
                                finish_row(&mut row[first..at.end], column + first, finish);
                            }
                        }
                    }
                }
            }
        }
    });
}

/// Loop 1: all rows with one panel of b, which is packed, or packed with the first rows.
#[inline(always)]
fn column_of_tiles<'a, M: Micro<MR, NR>, const MR: usize, const NR: usize>(
    micro: M,
    k: usize,
    strip: impl Fn(usize) -> Strip<'a>,
    (packed, unpacked, apart): (&mut [f32], Option<&[f32]>, usize),
    out: &mut [&mut [f32]],
    columns: Range<usize>,
    fresh: bool,
) {
    let mut strips = out.chunks_mut(MR).enumerate();
    if let Some(b) = unpacked {
        let (i, rows) = strips.next().expect("a row at least");
        let tile = Tile { rows, column: columns.start, fresh };
        micro.tile(k, strip(i * MR), Panel::Rows(b, apart, packed), tile);
    }
    for (i, rows) in strips {
        let (a, b) = (strip(i * MR), Panel::Packed(packed));
        if columns.len() == NR {
            micro.tile(k, a, b, Tile { rows, column: columns.start, fresh });
        } else {
            at_the_edge::<MR, NR>(rows, columns.clone(), |rows| {
                micro.tile(k, a, b, Tile { rows, column: 0, fresh });
            });
        }
    }
}

/// A tile of fewer than NR columns: a whole one beside the output, of which a part is copied.
fn at_the_edge<const MR: usize, const NR: usize>(
    out: &mut [&mut [f32]],
    columns: Range<usize>,
    compute: impl FnOnce(&mut [&mut [f32]]),
) {
    let mut tile = [[0.0; NR]; MR];
    for (tile, out) in tile.iter_mut().zip(&*out) {
        tile[..columns.len()].copy_from_slice(&out[columns.clone()]);
    }
    let mut rows = tile.each_mut().map(|row| &mut row[..]);
    compute(&mut rows[..out.len()]);
    for (tile, out) in tile.iter().zip(out) {
        out[columns.clone()].copy_from_slice(&tile[..columns.len()]);
    }
}

/// Bias and activation of a piece of a row, which begins at `column`.
pub(super) fn finish_row(row: &mut [f32], column: usize, finish: Finish<'_>) {
    if let Finish::Activate(bias, f) = finish {
        row.iter_mut().zip(&bias[column..]).for_each(|(x, b)| *x += b);
        f.apply(row);
    }
}
