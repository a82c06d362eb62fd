//! Values of an array that was cut into tiles: each tile that holds some of them is decoded once.

use super::blocks::BlockRows;
use super::read::Reader;
use super::source::Source;
use super::wanted::{Met, Pick, Region, Wanted};
use crate::error::Result;
use crate::matrix::Tiling;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Bytes of tiles that are decoded together where their block is not kept.
const SPAN_BYTES: usize = 4 << 20;

/// Tiles of one block.
struct BlockTiles<'a> {
    block: usize,
    /// The block's rows from the first to the last of them.
    part: BlockRows,
    /// Their numbers, in ascending order.
    tiles: &'a [usize],
}

/// Where decoded tiles go.
struct Output<'a> {
    tiling: &'a Tiling,
    /// Bytes of a value.
    size: usize,
    wanted: Wanted<'a>,
    bytes: Mutex<&'a mut [u8]>,
}

impl Output<'_> {
    /// Copies what is wanted of `tiles` out of decoded rows, of which the first is tile `first`.
    fn copy(&self, tiles: &[usize], first: usize, decoded: &[u8]) {
        let size = self.size;
        let tile_bytes = self.tiling.tile().iter().product::<usize>() * size;
        let mut out = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        for &tile in tiles {
            let from = &decoded[(tile - first) * tile_bytes..][..tile_bytes];
            self.tiling.own_lines(tile, |offset, at, length| {
                self.wanted.parts(at..at + length, |skip, to, n| {
                    out[to * size..][..n * size]
                        .copy_from_slice(&from[(offset + skip) * size..][..n * size]);
                });
            });
        }
    }
}

impl<S: Source> Reader<S> {
    /// Reads a box of the array, which must lie within it.
    pub(super) fn region_of_tiles(
        &self,
        tiling: &Tiling,
        ranges: &[Range<usize>],
        out: &mut [u8],
    ) -> Result<()> {
        let mut met = Met::default();
        met.add(tiling, ranges);
        let wanted = Wanted::Region(Region::new(tiling.array(), ranges));
        self.tiles(tiling, &met.tiles(), wanted, out)
    }

    /// Reads rows of the array that follow each other.
    pub(super) fn run_of_tiles(
        &self,
        tiling: &Tiling,
        rows: Range<usize>,
        out: &mut [u8],
    ) -> Result<()> {
        self.region_of_tiles(tiling, &row_ranges(tiling, rows), out)
    }

    /// Reads rows of the array, given in ascending order of their numbers.
    pub(super) fn rows_of_tiles(
        &self,
        tiling: &Tiling,
        picks: &[Pick],
        out: &mut [u8],
    ) -> Result<()> {
        let rows: Vec<usize> = picks.iter().map(|pick| pick.row).collect();
        let wanted = Wanted::Rows(picks, tiling.row_values());
        self.tiles(tiling, &tiles_of_rows(tiling, &rows), wanted, out)
    }

    /// Decodes tiles, given in ascending order, and copies what is wanted of them.
    fn tiles(
        &self,
        tiling: &Tiling,
        tiles: &[usize],
        wanted: Wanted<'_>,
        out: &mut [u8],
    ) -> Result<()> {
        let index = &self.frame().index;
        let mut tasks = Vec::new();
        let mut rest = tiles;
        while let Some(&tile) = rest.first() {
            let block = index.find(tile as u64);
            let place = index.place(block);
            let first = place.row as usize;
            let (own, tail) = rest.split_at(rest.partition_point(|t| *t < first + place.rows));
            let rows = tile - first..own[own.len() - 1] - first + 1;
            tasks.push(BlockTiles { block, part: BlockRows { place, rows }, tiles: own });
            rest = tail;
        }
        let size = self.dtype().size();
        let out = Output { tiling, size, wanted, bytes: Mutex::new(out) };
        self.blocks.each(tasks, |task| &task.part, |task| self.tiles_of_block(&task, &out))
    }

    fn tiles_of_block(&self, task: &BlockTiles<'_>, out: &Output<'_>) -> Result<()> {
        let BlockTiles { block, part: BlockRows { place, .. }, tiles } = task;
        let first = place.row as usize;
        let is_whole = tiles.len() == place.rows;
        if self.kept_block(*block, is_whole, |decoded| out.copy(tiles, first, decoded))? {
            return Ok(());
        }
        let row_bytes = self.frame().schema.row_bytes();
        let mut cursor = self.blocks.cursor(*place)?;
        let mut decoded = Vec::new();
        let mut rest = *tiles;
        while let Some(&tile) = rest.first() {
            let near = |other: &usize| (other - tile) * row_bytes < SPAN_BYTES;
            let (own, tail) = rest.split_at(rest.partition_point(near));
            let rows = tile - first..own[own.len() - 1] - first + 1;
            decoded.resize(rows.len() * row_bytes, 0);
            cursor.rows(self.frame().program.as_ref(), rows, &mut decoded)?;
            out.copy(own, tile, &decoded);
            rest = tail;
        }
        Ok(())
    }
}

/// Returns the tiles that hold rows of an array, both in ascending order.
pub(super) fn tiles_of_rows(tiling: &Tiling, rows: &[usize]) -> Vec<usize> {
    let mut met = Met::default();
    let mut rest = rows;
    while let Some(&first) = rest.first() {
        // Rows that follow each other are one box.
        let next = |pair: &[usize]| pair[1] - pair[0] > 1;
        let count = rest.windows(2).position(next).map_or(rest.len(), |i| i + 1);
        met.add(tiling, &row_ranges(tiling, first..rest[count - 1] + 1));
        rest = &rest[count..];
    }
    met.tiles()
}

/// Returns the box that rows of an array are.
fn row_ranges(tiling: &Tiling, rows: Range<usize>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = tiling.array().iter().map(|&n| 0..n).collect();
    if let Some(first) = ranges.first_mut() {
        *first = rows;
    }
    ranges
}
