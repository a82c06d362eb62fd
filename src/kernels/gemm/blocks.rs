//! The loops around the micro-kernel.
//!
//! ```text
//! 3  rows of the part, MC at a time
//! 4    k, KC at a time:          pack a, MC × KC, which stays in the L2 cache
//! 5      columns, NC at a time:  after the last k, bias and activation
//! 2        NR columns:           pack b, KC × NR, which stays in L1
//! 1          MR rows:            the micro-kernel
//! ```
//!
//! The numbers are those of BLIS, whose order is 5 4 3 2 1. There b is packed once, for all rows,
//! into the L3 cache; here each panel of b is packed when it is needed, again for each MC rows,
//! and never leaves L1. That costs less as long as MC is large, and a batch is seldom larger.

use super::micro::{Micro, Panel, Strip, Tile};
use super::pack::{pack, with_buffers};
use super::{Finish, View};
use std::ops::Range;

/// 784 is two of them. A panel of b, KC × 16, fills most of an L1 cache of 32 KiB; the strips of
/// a stream past it.
const KC: usize = 400;
/// Rows of a, MC × KC, fill most of an L2 cache of 512 KiB.
const MC: usize = 256;
/// Columns that are finished together: long enough that a call for each row is cheap, and few
/// enough that MC × NC are still in L2.
const NC: usize = 128;
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
    let highest = MC.min(out.len()).next_multiple_of(MR);
    let lengths = [if packs_a { highest * deepest } else { 0 }, NR * deepest];
    with_buffers(lengths, |packed_a, packed_b| {
        // Loop 3.
        for rows in pieces(out.len(), MC, MR) {
            let row = row + rows.start;
            let out = &mut out[rows];
            // Loop 4.
            for ks in pieces(a.columns, KC, 4) {
                let k = ks.len();
                if packs_a {
                    pack::<MR>(a.t(), ks.start, k, row..row + out.len(), packed_a);
                }
                let strip = |i: usize| match packs_a {
                    true => Strip::Packed(&packed_a[i * k..][..MR * k]),
                    false => {
                        Strip::Rows(&a.data[(row + i) * a.rows_apart + ks.start..], a.rows_apart)
                    }
                };
                let fresh = ks.start == 0 && !matches!(finish, Finish::Add);
                // Loop 5.
                for columns in pieces(width, NC, NR) {
                    // Loop 2.
                    for at in columns.clone().step_by(NR) {
                        let at = at..columns.end.min(at + NR);
                        let from = column + at.start..column + at.end;
                        let rows = if b.columns_apart == 1 && from.len() == NR {
                            Some(&b.data[ks.start * b.rows_apart + from.start..])
                        } else {
                            pack::<NR>(b, ks.start, k, from, packed_b);
                            None
                        };
                        let panel = (&mut packed_b[..k * NR], rows, b.rows_apart);
                        column_of_tiles(micro, k, strip, panel, out, at, fresh);
                    }
                    if ks.end == a.columns {
                        for row in &mut *out {
                            finish_row(&mut row[columns.clone()], column + columns.start, finish);
                        }
                    }
                }
            }
        }
    });
}

/// Loop 1: all rows with one panel of b, which is packed, or packed with the first rows.
fn column_of_tiles<'a, M: Micro<MR, NR>, const MR: usize, const NR: usize>(
    micro: M,
    k: usize,
    strip: impl Fn(usize) -> Strip<'a>,
    (packed, unpacked, apart): (&mut [f32], Option<&[f32]>, usize),
    out: &mut [&mut [f32]],
    columns: Range<usize>,
    fresh: bool,
) {
    for (i, rows) in out.chunks_mut(MR).enumerate() {
        let a = strip(i * MR);
        let b = match unpacked {
            Some(rows) if i == 0 => Panel::Rows(rows, apart, packed),
            _ => Panel::Packed(packed),
        };
        if columns.len() == NR {
            micro.tile(k, a, b, Tile { rows, column: columns.start, fresh });
        } else {
            at_the_edge::<MR, NR>(rows, columns.clone(), |rows: &mut [&mut [f32]]| {
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
