//! An array's tiles as rows.

use crate::codec::fill::is_ordinary;
use crate::codec::value::{Cell, with_cell};
use crate::encode::project::cells;
use crate::error::{Error, Result};
use crate::matrix::{Rows, Schema, Tiling, check_range, to_little_endian};
use std::borrow::Cow;
use std::ops::Range;

/// The tiles of an array, each a row, in the order of their numbers.
///
/// Cells of a tile beyond the array's ends repeat the value nearest to them in the array, which costs
/// next to nothing; where that is a special one, they repeat an ordinary one before it.
pub(in crate::compress) struct TiledRows<'a> {
    array: &'a Array<'a>,
    schema: Schema,
    tiling: Tiling,
}

/// An array, in memory where it is small enough.
pub(in crate::compress) struct Array<'a> {
    pub(super) rows: &'a dyn Rows,
    bytes: Option<Vec<u8>>,
}

impl<'a> Array<'a> {
    /// The array that `rows` are, held in memory as a whole where it has no more than `most` bytes: its tiles are
    /// asked for in many small reads, each of which takes whole rows of the array.
    ///
    /// # Errors
    /// `Io` if rows cannot be read.
    pub(in crate::compress) fn new(rows: &'a dyn Rows, most: u64) -> Result<Self> {
        let bytes = rows.len().saturating_mul(rows.schema().row_bytes());
        let mut bytes = (bytes as u64 <= most).then(|| vec![0; bytes]);
        if let Some(bytes) = &mut bytes {
            rows.read(0, bytes)?;
        }
        Ok(Self { rows, bytes })
    }

    /// Says whether all of the array is in memory.
    pub(super) fn is_held(&self) -> bool {
        self.bytes.is_some()
    }

    /// Reads the array's values `run`, and others of the rows that they lie in.
    pub(super) fn part(&self, run: Range<usize>) -> Result<Part<'_>> {
        if let Some(bytes) = &self.bytes {
            return Ok(Part { bytes: Cow::Borrowed(bytes), first: 0 });
        }
        let width = self.rows.schema().width();
        let rows = run.start / width..run.end.div_ceil(width);
        let mut bytes = vec![0; rows.len() * self.rows.schema().row_bytes()];
        self.rows.read(rows.start, &mut bytes)?;
        Ok(Part { bytes: Cow::Owned(bytes), first: rows.start * width })
    }
}

/// Some consecutive values of an array.
pub(super) struct Part<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// The first of them, counted in the order of memory.
    pub(super) first: usize,
}

impl<'a> TiledRows<'a> {
    /// Cuts an array into tiles.
    ///
    /// # Errors
    /// `Argument` if the array has not the tiling's number of values.
    pub(in crate::compress) fn new(array: &'a Array<'a>, tiling: Tiling) -> Result<Self> {
        let own = array.rows.schema();
        if array.rows.len().checked_mul(own.width()) != Some(tiling.values()) {
            return Err(Error::argument(format!(
                "{} rows of shape {:?} are no array of shape {:?}",
                array.rows.len(),
                own.row_shape,
                tiling.array()
            )));
        }
        let (row_shape, cut) = (tiling.row_shape(), Some(tiling.clone()));
        let schema = Schema { row_shape, tiling: cut, ..own.clone() };
        Ok(Self { array, schema, tiling })
    }

    /// Returns the run of the array's values in which tiles `numbers` lie.
    fn run(&self, numbers: Range<usize>) -> Range<usize> {
        let (mut start, mut end) = (usize::MAX, 0);
        for number in numbers {
            self.tiling.lines(number, |at, length| {
                (start, end) = (start.min(at), end.max(at + length));
            });
        }
        start.min(end)..end
    }

    /// Fills `out` with tile `number`, all of whose values are in `part`.
    fn fill(&self, number: usize, part: &Part<'_>, out: &mut [u8]) {
        let size = self.schema.dtype.size();
        let line = self.tiling.tile().last().copied().unwrap_or(1) * size;
        let mut out = out.chunks_exact_mut(line);
        self.tiling.lines(number, |at, length| {
            let Some(out) = out.next() else { return };
            let (at, length) = ((at - part.first) * size, length * size);
            let (own, beyond) = out.split_at_mut(length);
            own.copy_from_slice(&part.bytes[at..at + length]);
            let last = &own[length - size..];
            beyond.chunks_exact_mut(size).for_each(|cell| cell.copy_from_slice(last));
        });
    }

    /// Says whether tile `number` reaches beyond the array.
    fn reaches_beyond(&self, number: usize) -> bool {
        let t = &self.tiling;
        let ends = t.place(number).into_iter().zip(t.tile()).map(|(p, n)| (p + 1) * n);
        ends.zip(t.view()).any(|(end, n)| end > *n)
    }

    /// Puts ordinary values in place of special ones in the cells of a tile beyond the array.
    fn calm<T: Cell>(&self, number: usize, out: &mut [u8]) {
        let line = self.tiling.tile().last().copied().unwrap_or(1);
        let mut values = cells::<T>(out);
        let mut lines = values.chunks_exact_mut(line);
        let mut farthest = None;
        let mut last = T::from_float(0.0);
        self.tiling.lines(number, |at, length| {
            let Some(line) = lines.next() else { return };
            // A line beyond the array begins where one within it does.
            let is_own = farthest.is_none_or(|before| at > before);
            farthest = farthest.max(Some(at));
            for (i, value) in line.iter_mut().enumerate() {
                match is_ordinary(*value, &self.schema.fill_values) {
                    true => last = *value,
                    false if is_own && i < length => {}
                    false => *value = last,
                }
            }
        });
        out.copy_from_slice(&to_little_endian(&values));
    }
}

impl Rows for TiledRows<'_> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.tiling.tiles()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let tile = self.schema.row_bytes();
        let numbers = first..first + out.len() / tile;
        if numbers.is_empty() {
            return Ok(());
        }
        let is_held = self.array.bytes.is_some();
        let run = if is_held { 0..0 } else { self.run(numbers.clone()) };
        let part = self.array.part(run)?;
        for (number, out) in numbers.zip(out.chunks_exact_mut(tile)) {
            self.fill(number, &part, out);
            if self.reaches_beyond(number) {
                with_cell!(self.schema.dtype, T => self.calm::<T>(number, out));
            }
        }
        Ok(())
    }
}

/// Returns the shape of the array that rows are.
pub(super) fn array_of(rows: &dyn Rows) -> Vec<usize> {
    let mut shape = vec![rows.len()];
    shape.extend(&rows.schema().row_shape);
    shape
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    fn array(shape: &[usize]) -> Matrix {
        let values: Vec<f32> = (0..shape.iter().product::<usize>()).map(|i| i as f32).collect();
        Matrix::from_slice(&values, &shape[1..]).unwrap()
    }

    fn tiles(rows: &dyn Rows, tiling: &Tiling, held: bool) -> Vec<Vec<f32>> {
        let mut array = Array::new(rows, u64::MAX).unwrap();
        if !held {
            array.bytes = None;
        }
        let tiles = TiledRows::new(&array, tiling.clone()).unwrap();
        let mut bytes = vec![0; tiles.len() * tiles.schema().row_bytes()];
        tiles.read(0, &mut bytes).unwrap();
        let width = tiles.schema().width();
        cells::<f32>(&bytes).chunks_exact(width).map(<[f32]>::to_vec).collect()
    }

    #[test]
    fn every_value_is_in_its_tile_and_the_nearest_beyond_the_ends() {
        for (shape, tile) in
            [(&[37][..], &[8][..]), (&[5, 9], &[2, 4]), (&[3, 5, 7, 2], &[2, 2, 3, 2])]
        {
            let tiling = Tiling::new(shape, shape, tile).unwrap();
            let rows = array(shape);
            let all = tiles(&rows, &tiling, true);
            assert_eq!(all, tiles(&rows, &tiling, false));
            for (number, cells) in all.iter().enumerate() {
                let mut own = Vec::new();
                let line = tile[tile.len() - 1];
                tiling.lines(number, |at, length| {
                    own.extend((0..line).map(|i| (at + i.min(length - 1)) as f32));
                });
                assert_eq!(*cells, own);
            }
        }
    }

    #[test]
    fn special_values_are_not_repeated_beyond_the_ends() {
        let mut values: Vec<f32> = (0..15).map(|i| i as f32).collect();
        (values[4], values[10], values[12]) = (f32::NAN, f32::INFINITY, f32::NAN);
        let rows = Matrix::from_slice(&values, &[5]).unwrap();
        let tiling = Tiling::new(&[3, 5], &[3, 5], &[2, 4]).unwrap();
        let all = tiles(&rows, &tiling, true);
        assert_eq!(all.len(), 4);
        let places = [[0, 0], [0, 1], [1, 0], [1, 1]].map(|place| tiling.number(&place));
        let [_, right, below, corner] = places.map(|n| &all[n]);
        assert!(right[0].is_nan() && right[1..4] == [0.0; 3] && right[4..] == [9.0; 4]);
        assert!(below[0].is_infinite() && below[2].is_nan(), "the array's own");
        assert_eq!(below[4..], [13.0, 11.0, 11.0, 13.0]);
        assert_eq!(corner[..], [14.0; 8]);
    }
}
