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

use super::matrix::{Finish, View, finish_row};
use super::micro::{Ending, Lines, Micro, Panel, Strip, Tile};
use super::pack::{pack, with_buffers};
use std::ops::Range;

/// The most of k at once. Layers of 512 units are one block, and 784 two. A panel of b, KC × NR, is
/// all of an L1 cache of 32 KiB then with NR = 16 (AVX2), and twice that with 32 (AVX-512), but it
/// is read along its lines; blocks of 256 are 1 to 2 % slower, because sums are loaded and stored
/// twice as often.
const KC: usize = 512;
/// MC × KC numbers of a are less than half of an L2 cache of 512 KiB. Where k is smaller, MC is
/// larger: 16 columns of the output are written for all MC rows in turn, and that should be long.
const MC_KC: usize = 96 * KC;
/// The most columns of b at once: KC × NC numbers are 2 MiB.
const NC: usize = 1024;
/// How many columns get bias and activation together: long enough that a call for each row is
/// cheap, and few enough that they are still in a cache near by.
const FINISHED: usize = 128;
/// The width from which on to pack a saves more than it costs.
const WIDE: usize = 160;

/// A part of the output: pieces of neighbouring rows.
pub(super) struct Part<'o> {
    /// The product's row that is its first.
    pub(super) row: usize,
    /// The product's column that is its first.
    pub(super) column: usize,
    pub(super) rows: Vec<&'o mut [f32]>,
}

/// Cuts a length into equal pieces of at most `most`, each but the last a multiple of `unit`.
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
    let in_lines = a.columns_apart == 1 || a.rows_apart == 1;
    let packs_a = !in_lines || width >= WIDE;
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
                        true => {
                            let data = &packed_a[i * k..][..MR * k];
                            Strip::Columns(Lines { data, apart: MR })
                        }
                        false => strip(a, row + i, ks.start),
                    };
                    let ends = ks.end == a.columns;
                    // The first column that is not complete.
                    let mut first = wide.start;
                    // Loop 2.
                    let panels = packed_b.chunks_exact_mut(k * NR);
                    for (at, panel) in wide.clone().step_by(NR).zip(panels) {
                        let at = at..wide.end.min(at + NR);
                        let from = column + at.start..column + at.end;
                        let panel = match packs_b {
                            true => packing::<NR>(b, &ks, from.clone(), panel),
                            false => Packing { packed: panel, unpacked: None },
                        };
                        let end = if ends { ending::<NR>(finish, from.clone()) } else { None };
                        let out = match finish {
                            // No row that is below the diagonal in all of these columns.
                            Finish::Upper => {
                                let rows = from.end.saturating_sub(row).min(out.len());
                                &mut out[..rows]
                            }
                            _ => &mut *out,
                        };
                        let tiles = Tiles { out, columns: at.clone(), fresh, end };
                        column_of_tiles(micro, k, strip, panel, tiles);
                        if end.is_some() {
                            first = at.end;
                        } else if ends && (at.end - first >= FINISHED || at.end == wide.end) {
                            finish_rows(out, first..at.end, column, finish);
                            first = at.end;
                        }
                    }
                }
            }
        }
    });
}

/// Returns what tiles make of their complete sums in the product's `columns`; none where that is left to
/// [`finish_rows`].
fn ending<const NR: usize>(finish: Finish<'_>, columns: Range<usize>) -> Option<Ending<'_>> {
    let (bias, slope) = finish.by_slope()?;
    (columns.len() == NR).then(|| Ending { bias: &bias[columns], slope })
}

/// Returns rows of a from `row` on, from column `k` on, where they lie.
fn strip(a: View<'_>, row: usize, k: usize) -> Strip<'_> {
    let data = &a.data[row * a.rows_apart + k * a.columns_apart..];
    match a.columns_apart {
        1 => Strip::Rows(Lines { data, apart: a.rows_apart }),
        apart => Strip::Columns(Lines { data, apart }),
    }
}

/// A panel of b, and where it lies if it is still to be packed there.
struct Packing<'a> {
    packed: &'a mut [f32],
    unpacked: Option<Lines<'a>>,
}

/// Packs columns `from` of a block of k of b, or leaves that to the first tile that reads them.
fn packing<'a, const NR: usize>(
    b: View<'a>,
    ks: &Range<usize>,
    from: Range<usize>,
    packed: &'a mut [f32],
) -> Packing<'a> {
    if b.columns_apart == 1 && from.len() == NR {
        let data = &b.data[ks.start * b.rows_apart + from.start..];
        return Packing { packed, unpacked: Some(Lines { data, apart: b.rows_apart }) };
    }
    pack::<NR>(b, ks.start, ks.len(), from, packed);
    Packing { packed, unpacked: None }
}

/// Applies bias and activation to columns of a part whose first is the product's `column`.
fn finish_rows(out: &mut [&mut [f32]], columns: Range<usize>, column: usize, finish: Finish<'_>) {
    for row in out {
        finish_row(&mut row[columns.clone()], column + columns.start, finish);
    }
}

/// What a column of tiles computes: some columns of all rows.
struct Tiles<'c, 'o> {
    out: &'c mut [&'o mut [f32]],
    columns: Range<usize>,
    /// Whether sums start at 0.
    fresh: bool,
    /// What follows the last of them, in whole columns of tiles.
    end: Option<Ending<'c>>,
}

/// Runs loop 1: all rows with one panel of b, which is packed, or packed with the first rows.
#[inline(always)]
fn column_of_tiles<'a, M: Micro<MR, NR>, const MR: usize, const NR: usize>(
    micro: M,
    k: usize,
    strip: impl Fn(usize) -> Strip<'a>,
    Packing { packed, unpacked }: Packing<'_>,
    Tiles { out, columns, fresh, end }: Tiles<'_, '_>,
) {
    let mut strips = out.chunks_mut(MR).enumerate();
    if let Some((b, (i, rows))) = unpacked.and_then(|b| Some((b, strips.next()?))) {
        let tile = Tile { rows, column: columns.start, fresh, end };
        micro.tile(k, strip(i * MR), Panel::Rows(b, packed), tile);
    }
    for (i, rows) in strips {
        let (a, b) = (strip(i * MR), Panel::Packed(packed));
        if columns.len() == NR {
            micro.tile(k, a, b, Tile { rows, column: columns.start, fresh, end });
        } else {
            at_the_edge::<MR, NR>(rows, columns.clone(), |rows| {
                micro.tile(k, a, b, Tile { rows, column: 0, fresh, end: None });
            });
        }
    }
}

/// Computes a tile of fewer than NR columns: a whole one beside the output, of which a part is
/// copied.
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
