//! A box of an array in pieces that follow each other, so that little of it is in memory.

use crate::cli::io::failure::Failure;
use aezip::{FileSource, Reader};
use std::ops::Range;

/// Bytes decoded at a time, or one row: enough that blocks are decoded in parallel, and little
/// memory.
const ROWS_BYTES: usize = 4 << 20;
/// The same where tiles are cut across rows: pieces that end where tiles do have none decoded twice.
const TILES_BYTES: usize = 32 << 20;

/// What is done with a piece.
type Visit<'a> = dyn FnMut(&[Range<usize>]) -> Result<(), Failure> + 'a;

/// How a box is cut into pieces.
pub(crate) struct Pieces<'a> {
    reader: &'a Reader<FileSource>,
    /// Bytes of a piece, about.
    most: usize,
    /// Only whole rows are taken.
    whole_rows: bool,
}

impl<'a> Pieces<'a> {
    /// Cuts the array of `reader` between its rows. Where it is in tiles and not `whole_rows` are needed,
    /// rows are cut, too: of those that are not in tiles, each part takes as long to decode as all.
    pub(crate) fn new(reader: &'a Reader<FileSource>, whole_rows: bool) -> Self {
        let in_tiles = reader.tiling().is_some();
        let most = if in_tiles { TILES_BYTES } else { ROWS_BYTES };
        Self { reader, most, whole_rows: whole_rows || !in_tiles }
    }

    /// Visits the pieces of a box, in the order of memory.
    pub(crate) fn each(
        &self,
        ranges: &[Range<usize>],
        visit: &mut Visit<'_>,
    ) -> Result<(), Failure> {
        if ranges.iter().any(Range::is_empty) {
            return Ok(());
        }
        self.cut(ranges.to_vec(), 0, visit)
    }

    /// The same for a box that has one place on each axis before `axis`.
    fn cut(
        &self,
        mut ranges: Vec<Range<usize>>,
        axis: usize,
        visit: &mut Visit<'_>,
    ) -> Result<(), Failure> {
        let Some(whole) = ranges.get(axis).cloned() else { return visit(&ranges) };
        let one = bytes(&ranges[axis + 1..], self.reader.dtype().size());
        if one.saturating_mul(whole.len()) <= self.most {
            return visit(&ranges);
        }
        let is_last = axis + 1 == ranges.len() || (self.whole_rows && axis == 0);
        let step = self.step(axis, one);
        let mut start = whole.start;
        while start < whole.end {
            // Where tiles end, not where the box begins.
            let end = (start / step + 1).saturating_mul(step).min(whole.end);
            ranges[axis] = start..end;
            if one > self.most && !is_last {
                self.cut(ranges.clone(), axis + 1, visit)?;
            } else {
                visit(&ranges)?;
            }
            start = end;
        }
        Ok(())
    }

    /// Returns how many places of an axis are taken at once, of which each has `one` bytes.
    fn step(&self, axis: usize, one: usize) -> usize {
        if one > self.most {
            return 1;
        }
        if axis == 0 {
            let row = self.reader.schema().row_bytes() as u128;
            let bytes = self.most as u128 * row / one as u128;
            return self.reader.rows_at_once(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        let most = (self.most / one).max(1);
        let tiling = self.reader.tiling().filter(|tiling| tiling.view() == tiling.array());
        let tile = tiling.map_or(1, |tiling| tiling.tile()[axis]);
        if tile <= most { most / tile * tile } else { most }
    }
}

/// Returns the bytes of a box of numbers of so many bytes each.
pub(crate) fn bytes(ranges: &[Range<usize>], size: usize) -> usize {
    ranges.iter().fold(size, |product, range| product.saturating_mul(range.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aezip::{Config, Matrix, ReaderOptions, compress};

    #[test]
    fn pieces_are_the_whole_box_in_order() {
        let rows = Matrix::from_slice(&vec![0_u8; 30_000], &[3, 5]).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        compress(&rows, &Config::default(), &mut file).unwrap();
        let reader = Reader::from_file(file, ReaderOptions::default()).unwrap();
        for (most, whole_rows) in [(1, false), (1, true), (4, false), (37, true), (700, false)] {
            let pieces = Pieces { reader: &reader, most, whole_rows };
            let mut seen = Vec::new();
            let of = |ranges: &[Range<usize>]| -> Vec<[usize; 3]> {
                let [a, b, c] = ranges else { panic!() };
                (a.clone().flat_map(|i| b.clone().map(move |j| (i, j))))
                    .flat_map(|(i, j)| c.clone().map(move |k| [i, j, k]))
                    .collect()
            };
            let all = [7..90, 1..3, 2..5];
            let mut visit = |ranges: &[Range<usize>]| {
                assert!(!whole_rows || ranges[1..] == all[1..]);
                assert!(bytes(ranges, 1) <= most.max(if whole_rows { 6 } else { 1 }));
                seen.extend(of(ranges));
                Ok(())
            };
            pieces.each(&all, &mut visit).unwrap();
            assert_eq!(seen, of(&all), "{most}");
        }
    }
}
