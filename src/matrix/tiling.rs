//! Arrays cut into tiles: which tile holds a value, and where in it.

use crate::error::{Error, Result};
use std::ops::Range;

/// Most dimensions of an array.
pub(crate) const MAX_RANK: usize = 32;
/// Tiles of a patch along the last axis, where those of a line are neighbours in any case.
const LAST_AXIS_TILES: usize = 1 << 16;
/// Tiles of a patch along another axis: with more of them, a slice of the array is in more blocks;
/// with fewer, more tiles have none before them.
const OTHER_AXIS_TILES: usize = 32;

/// An array cut into tiles of one shape, each of which is what a codec takes for a row.
///
/// Tiles at the array's far ends may reach beyond it. They are numbered *patch* by patch: a patch is
/// a box of neighbouring tiles, so that tiles with near numbers lie near each other in every
/// direction. Patches follow each other, and tiles each other in their patch, as values do in
/// memory: along the last axis first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiling {
    array: Vec<usize>,
    view: Vec<usize>,
    tile: Vec<usize>,
    patch: Vec<usize>,
    /// Tiles along each axis.
    grid: Vec<usize>,
}

/// Values that follow each other both in the array and in a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The tile's number.
    pub(crate) tile: usize,
    /// Values of the tile before the first of them.
    pub(crate) offset: usize,
    /// How many they are.
    pub(crate) length: usize,
}

impl Tiling {
    /// Cuts an array of shape `array` into tiles of shape `tile`. The tiles are cut in `view`, another
    /// shape of as many values in the same order; usually it is `array` itself.
    ///
    /// # Errors
    /// `Argument` if the shapes have different numbers of values or axes, more than 32 axes or none,
    /// an axis of no values, more values than this machine can count, or a tile is larger than the
    /// array along an axis.
    pub fn new(array: &[usize], view: &[usize], tile: &[usize]) -> Result<Self> {
        let grid = grid(view, tile)?;
        let patch = patch(&grid);
        Self::with_patch(array, view, tile, &patch)
    }

    /// The same with `patch` tiles along each axis of a patch.
    pub(crate) fn with_patch(
        array: &[usize],
        view: &[usize],
        tile: &[usize],
        patch: &[usize],
    ) -> Result<Self> {
        let grid = grid(view, tile)?;
        // Shapes are shown as they are written in Python.
        if array.len() > MAX_RANK || values(array) != values(view) {
            return Err(Error::argument(format!(
                "an array of shape {array:?} has not the values of one of shape {view:?}"
            )));
        }
        if patch.len() != grid.len() || patch.iter().zip(&grid).any(|(p, g)| !(1..=*g).contains(p))
        {
            return Err(Error::argument(format!(
                "patches of {patch:?} tiles do not divide a grid of {grid:?}"
            )));
        }
        let [array, view, tile, patch] = [array, view, tile, patch].map(<[usize]>::to_vec);
        Ok(Self { array, view, tile, patch, grid })
    }

    /// Returns the same for an array whose first axis has become `length` long: none where tiles would
    /// have other numbers or values than before.
    pub(crate) fn with_first_axis(&self, length: usize) -> Option<Self> {
        let own = *self.array.first()?;
        if length <= own || own % self.rows_at_a_time()? != 0 {
            return None;
        }
        let (mut array, mut view) = (self.array.clone(), self.view.clone());
        array[0] = length;
        let behind: usize = view[1..].iter().product();
        let values = length.checked_mul(self.row_values())?;
        view[0] = values.is_multiple_of(behind).then_some(values / behind)?;
        Self::with_patch(&array, &view, &self.tile, &self.patch).ok()
    }

    /// Returns of how many rows of the array there must be a multiple so that others can follow: those
    /// of whole patches along the first axis; none where patches do not end between rows.
    pub(crate) fn rows_at_a_time(&self) -> Option<usize> {
        let behind: usize = self.view[1..].iter().product();
        // Patches that are all of the other axes follow each other as tiles would without them.
        let is_line = self.patch[1..] == self.grid[1..];
        let patch = if is_line { self.tile[0] } else { self.patch[0] * self.tile[0] };
        // The fewest lines of the view that are whole rows.
        let row = self.row_values();
        let (mut a, mut b) = (row, patch.checked_mul(behind)?);
        let multiple = a.checked_mul(b)?;
        while b > 0 {
            (a, b) = (b, a % b);
        }
        (row > 0 && !self.array.is_empty()).then_some(multiple / a / row)
    }

    /// Returns the array's shape; `[]` for a single number.
    pub fn array(&self) -> &[usize] {
        &self.array
    }

    /// Returns the shape in which tiles are cut: the array's, or another of as many values.
    pub fn view(&self) -> &[usize] {
        &self.view
    }

    /// Returns the shape of a tile: as many axes as [`Tiling::view`].
    pub fn tile(&self) -> &[usize] {
        &self.tile
    }

    /// Returns how many tiles there are along each axis.
    pub fn grid(&self) -> &[usize] {
        &self.grid
    }

    /// Returns how many tiles a patch has along each axis, where it is whole.
    pub(crate) fn patch(&self) -> &[usize] {
        &self.patch
    }

    /// Returns how many tiles there are.
    pub fn tiles(&self) -> usize {
        self.grid.iter().product()
    }

    /// Returns how many values the array has.
    pub fn values(&self) -> usize {
        self.view.iter().product()
    }

    /// Returns how many values a row of the array has: what follows its first axis.
    pub(crate) fn row_values(&self) -> usize {
        self.array.iter().skip(1).product()
    }

    /// Returns the most values, `most` or fewer, after which tiles end that begin before: whole patches
    /// of them if so few fit; `most` itself where not even tiles do.
    pub(crate) fn band(&self, most: usize) -> usize {
        let mut behind = self.values();
        for k in 0..self.view.len() {
            behind /= self.view[k];
            for thick in [(self.patch[k] * self.tile[k]).min(self.view[k]), self.tile[k]] {
                let band = thick * behind;
                if band <= most {
                    return most / band * band;
                }
            }
            // Further axes have no end of a tile where it is more than one thick.
            if self.tile[k] > 1 {
                break;
            }
        }
        most
    }

    /// Returns a tile's shape as that of a row: without axes of one value before the others.
    pub fn row_shape(&self) -> Vec<usize> {
        self.tile.iter().copied().skip_while(|&n| n == 1).collect()
    }

    /// Returns the place of tile `number` in the grid.
    pub(crate) fn place(&self, mut number: usize) -> Vec<usize> {
        let mut corner = vec![0; self.grid.len()];
        let mut extent = vec![0; self.grid.len()];
        // Tiles of the patch so far, and of all of the grid behind an axis.
        let (mut before, mut behind) = (1, self.tiles());
        for (k, (&grid, &patch)) in self.grid.iter().zip(&self.patch).enumerate() {
            behind /= grid;
            let line = before * behind;
            corner[k] = number / (line * patch) * patch;
            extent[k] = patch.min(grid - corner[k]);
            number -= corner[k] * line;
            before *= extent[k];
        }
        for (corner, extent) in corner.iter_mut().zip(extent).rev() {
            *corner += number % extent;
            number /= extent;
        }
        corner
    }

    /// Returns the number of the tile at a place in the grid.
    pub(crate) fn number(&self, place: &[usize]) -> usize {
        let (mut before, mut behind) = (1, self.tiles());
        let (mut first, mut within) = (0, 0);
        for ((&grid, &patch), &at) in self.grid.iter().zip(&self.patch).zip(place) {
            behind /= grid;
            let corner = at / patch * patch;
            let extent = patch.min(grid - corner);
            first += corner * before * behind;
            within = within * extent + at - corner;
            before *= extent;
        }
        first + within
    }

    /// Puts rows of `width` numbers, one for each tile by its number, into the order of the grid: along
    /// its last axis first.
    #[cfg(any(feature = "apps", test))]
    pub(crate) fn in_grid_order<T: Copy>(&self, rows: &[T], width: usize) -> Vec<T> {
        let mut out = rows.to_vec();
        for number in 0..self.tiles() {
            let place = self.place(number);
            let at = place.iter().zip(&self.grid).fold(0, |at, (place, n)| at * n + place);
            out[at * width..][..width].copy_from_slice(&rows[number * width..][..width]);
        }
        out
    }

    /// Visits the array's values `run`, counted in the order of memory, tile by tile as they come.
    pub(crate) fn segments(&self, run: Range<usize>, mut visit: impl FnMut(Segment)) {
        let last = self.view.len() - 1;
        let (line, width) = (self.view[last], self.tile[last]);
        let mut place = vec![0; self.view.len()];
        let mut at = run.start;
        while at < run.end {
            let mut rest = at / line;
            let (mut offset, mut size) = (0, width);
            for k in (0..last).rev() {
                let here = rest % self.view[k];
                rest /= self.view[k];
                place[k] = here / self.tile[k];
                offset += here % self.tile[k] * size;
                size *= self.tile[k];
            }
            let end = run.end.min(at - at % line + line);
            let mut x = at % line;
            while at < end {
                place[last] = x / width;
                let length = (end - at).min(width - x % width);
                let tile = self.number(&place);
                visit(Segment { tile, offset: offset + x % width, length });
                at += length;
                x += length;
            }
        }
    }

    /// Visits the lines of a tile, along its last axis, in order: where the first value of each lies
    /// in the array, and how many of its values the array has. Of a line beyond the array, the values
    /// nearest to it are given, so that no line is without any.
    pub(crate) fn lines(&self, number: usize, mut visit: impl FnMut(usize, usize)) {
        let last = self.view.len() - 1;
        let place = self.place(number);
        let first = place[last] * self.tile[last];
        let length = self.tile[last].min(self.view[last] - first);
        let lines: usize = self.tile[..last].iter().product();
        for line in 0..lines {
            let (mut rest, mut at, mut size) = (line, first, self.view[last]);
            for k in (0..last).rev() {
                let own = place[k] * self.tile[k] + rest % self.tile[k];
                rest /= self.tile[k];
                at += own.min(self.view[k] - 1) * size;
                size *= self.view[k];
            }
            visit(at, length);
        }
    }

    /// Visits the lines of a tile that the array has, along its last axis, in order: how many values
    /// of the tile are before a line's first, where that lies in the array, and how many the array has.
    pub(crate) fn own_lines(&self, number: usize, mut visit: impl FnMut(usize, usize, usize)) {
        let place = self.place(number);
        let mut axes = Vec::with_capacity(place.len());
        let (mut at, mut size, mut tile_size) = (0, 1, 1);
        for (k, place) in place.into_iter().enumerate().rev() {
            let first = place * self.tile[k];
            at += first * size;
            // How many there are, and how far apart in the array and in the tile.
            axes.push((self.tile[k].min(self.view[k] - first), size, tile_size));
            size *= self.view[k];
            tile_size *= self.tile[k];
        }
        let length = axes.remove(0).0;
        let mut index = vec![0; axes.len()];
        let mut offset = 0;
        let mut left = axes.iter().map(|axis| axis.0).product::<usize>();
        while left > 0 {
            visit(offset, at, length);
            left -= 1;
            for (index, &(count, far, tile_far)) in index.iter_mut().zip(&axes) {
                *index += 1;
                at += far;
                offset += tile_far;
                if *index < count {
                    break;
                }
                at -= count * far;
                offset -= count * tile_far;
                *index = 0;
            }
        }
    }
}

/// Returns the product of a shape, if there are that many numbers.
fn values(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |n, &m| n.checked_mul(m))
}

/// Returns how many tiles there are along each axis.
fn grid(view: &[usize], tile: &[usize]) -> Result<Vec<usize>> {
    let fits = view.len() == tile.len() && (1..=MAX_RANK).contains(&view.len());
    if !fits || values(view).is_none() || tile.iter().zip(view).any(|(t, v)| !(1..=*v).contains(t))
    {
        return Err(Error::argument(format!(
            "tiles of shape {tile:?} cannot be cut from an array of shape {view:?}: as many axes, and \
             along each 1 to as many values as the array has are needed"
        )));
    }
    Ok(view.iter().zip(tile).map(|(v, t)| v.div_ceil(*t)).collect())
}

/// Returns a patch of tiles in a line: along the last axis of the grid that has several.
fn patch(grid: &[usize]) -> Vec<usize> {
    let along = grid.iter().rposition(|&n| n > 1).unwrap_or(0);
    patch_along(grid, along)
}

/// Returns a patch of tiles in a line along axis `along` of a grid.
pub(crate) fn patch_along(grid: &[usize], along: usize) -> Vec<usize> {
    let mut patch = vec![1; grid.len()];
    let is_last = grid[along + 1..].iter().all(|&n| n == 1);
    patch[along] = grid[along].min(if is_last { LAST_AXIS_TILES } else { OTHER_AXIS_TILES });
    patch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tilings() -> Vec<Tiling> {
        let shapes: [(&[usize], &[usize], &[usize]); 7] = [
            (&[1000], &[1000], &[64]),
            (&[7], &[7], &[7]),
            (&[], &[1], &[1]),
            (&[35, 50], &[35, 50], &[4, 8]),
            (&[350, 5], &[10, 35, 5], &[1, 4, 5]),
            (&[3, 19, 23, 2], &[3, 19, 23, 2], &[2, 5, 4, 1]),
            (&[600, 60], &[600, 60], &[1, 3]),
        ];
        shapes.iter().map(|(a, v, t)| Tiling::new(a, v, t).unwrap()).collect()
    }

    #[test]
    fn every_tile_has_one_number_and_one_place() {
        for t in tilings() {
            let mut seen = vec![false; t.tiles()];
            for (number, seen) in seen.iter_mut().enumerate() {
                let place = t.place(number);
                assert!(place.iter().zip(t.grid()).all(|(p, g)| p < g), "{t:?}: {place:?}");
                assert_eq!(t.number(&place), number, "{t:?}");
                assert!(!std::mem::replace(seen, true));
            }
        }
        let t = Tiling::with_patch(&[4, 6], &[4, 6], &[1, 1], &[2, 4]).unwrap();
        let order: Vec<usize> = (0..24).map(|i| t.number(&[i / 6, i % 6])).collect();
        let by_hand = [
            0, 1, 2, 3, 8, 9, //
            4, 5, 6, 7, 10, 11, //
            12, 13, 14, 15, 20, 21, //
            16, 17, 18, 19, 22, 23,
        ];
        assert_eq!(order, by_hand);
        let numbers: Vec<usize> = (0..24).flat_map(|i| [i, 100 + i]).collect();
        let ordered = t.in_grid_order(&numbers, 2);
        assert!(ordered.chunks(2).zip(by_hand).all(|(a, b)| a == [b, 100 + b]));
    }

    #[test]
    fn segments_and_lines_agree_on_where_values_are() {
        for t in tilings() {
            let width: usize = t.tile().iter().product();
            // Which value of the array each cell of each tile is, or is filled with.
            let mut cells = vec![Vec::new(); t.tiles()];
            for (number, cells) in cells.iter_mut().enumerate() {
                let line = t.tile()[t.tile().len() - 1];
                t.lines(number, |at, length| {
                    cells.extend((0..line).map(|i| at + i.min(length - 1)));
                });
                assert_eq!(cells.len(), width, "{t:?}");
            }
            let mut own = 0;
            for (number, cells) in cells.iter().enumerate() {
                t.own_lines(number, |offset, at, length| {
                    assert_eq!(cells[offset..offset + length], Vec::from_iter(at..at + length));
                    own += length;
                });
            }
            assert_eq!(own, t.values(), "{t:?}");
            for run in
                [0..t.values(), 0..0, t.values() / 3..t.values() / 2, t.values() - 1..t.values()]
            {
                let mut at = run.start;
                t.segments(run.clone(), |s| {
                    for i in 0..s.length {
                        assert_eq!(cells[s.tile][s.offset + i], at + i, "{t:?}: {s:?}");
                    }
                    at += s.length;
                });
                assert_eq!(at, run.end);
            }
        }
    }

    #[test]
    fn shapes_that_make_no_sense_are_refused() {
        let refused = |a: &[usize], v: &[usize], t: &[usize]| Tiling::new(a, v, t).is_err();
        assert!(refused(&[4, 4], &[4, 4], &[4, 5]), "larger than the array");
        assert!(refused(&[4, 4], &[4, 4], &[4]), "fewer axes");
        assert!(refused(&[4, 4], &[3, 5], &[1, 1]), "another number of values");
        assert!(refused(&[4, 4], &[4, 4], &[0, 1]), "no values");
        assert!(refused(&[], &[], &[]), "no axes");
        assert!(refused(&[usize::MAX, 2], &[usize::MAX, 2], &[1, 1]), "too many values");
        assert!(Tiling::with_patch(&[4, 4], &[4, 4], &[2, 2], &[3, 1]).is_err(), "a large patch");
    }

    #[test]
    fn tiles_keep_their_numbers_where_the_first_axis_grows() {
        for (t, step) in [
            (Tiling::with_patch(&[8, 6], &[8, 6], &[2, 3], &[2, 1]).unwrap(), 4),
            (Tiling::with_patch(&[6, 6], &[6, 6], &[2, 3], &[3, 2]).unwrap(), 2),
            (Tiling::with_patch(&[40, 6], &[4, 10, 6], &[1, 5, 3], &[2, 1, 2]).unwrap(), 20),
            (Tiling::with_patch(&[4, 6, 3], &[4, 6, 3], &[2, 3, 2], &[1, 2, 2]).unwrap(), 2),
        ] {
            assert_eq!(t.rows_at_a_time(), Some(step), "{t:?}");
            let longer = t.with_first_axis(t.array()[0] + step).unwrap();
            for number in 0..t.tiles() {
                assert_eq!(longer.place(number), t.place(number), "{t:?}");
                let mut lines = Vec::new();
                t.own_lines(number, |offset, at, length| lines.push((offset, at, length)));
                let mut same = Vec::new();
                longer.own_lines(number, |offset, at, length| same.push((offset, at, length)));
                assert_eq!(lines, same);
            }
            assert!(t.with_first_axis(t.array()[0]).is_none());
        }
        let cut = Tiling::new(&[7, 5], &[7, 5], &[2, 5]).unwrap();
        assert!(cut.with_first_axis(9).is_none());
    }

    #[test]
    fn patches_are_lines() {
        assert_eq!(patch(&[145, 145, 1]), [1, 145, 1]);
        assert_eq!(patch(&[100_000]), [65_536]);
        assert_eq!(patch(&[1, 1]), [1, 1]);
        assert_eq!(patch_along(&[744, 3, 5], 0), [32, 1, 1]);
    }
}
