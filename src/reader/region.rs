//! The array as a whole, and any box of it.

use super::read::{Reader, to_native};
use super::source::Source;
use super::wanted::{Region, Wanted};
use crate::error::{Error, Result};
use crate::matrix::{Element, Schema, Tiling};
use std::ops::Range;

/// Bytes of rows that are decoded together where parts of them are wanted.
const ROWS_BYTES: usize = 4 << 20;

impl<S: Source> Reader<S> {
    /// Returns the shape of the whole array: its rows, then [`Reader::row_shape`]; `[]` for a single
    /// number without an axis.
    pub fn shape(&self) -> Vec<usize> {
        match self.tiling() {
            Some(tiling) => tiling.array().to_vec(),
            None => [&[self.rows()], self.row_shape()].concat(),
        }
    }

    /// Says how the array was cut into tiles; `None` where it was not, and the file holds its rows one
    /// after another.
    pub fn tiling(&self) -> Option<&Tiling> {
        self.frame().schema.tiling.as_ref()
    }

    /// Returns how many rows the codec coded: the tiles of an array that was cut into them, otherwise
    /// [`Reader::rows`]. There are latents for each of these.
    pub fn coded_rows(&self) -> usize {
        self.frame().index.total_rows() as usize
    }

    /// Returns what the rows are that the codec coded.
    pub(crate) fn coded_schema(&self) -> Schema {
        Schema { tiling: None, ..self.frame().schema.clone() }
    }

    /// Returns how many rows to read at once so that they take about `bytes` bytes, at least one: as
    /// many as end where tiles do, if so few fit. Who reads all rows of an array that was cut into tiles in
    /// other steps has the tiles decoded again and again.
    pub fn rows_at_once(&self, bytes: usize) -> usize {
        let most = (bytes / self.schema().row_bytes()).max(1);
        let Some(tiling) = self.tiling() else { return most };
        let row = tiling.row_values();
        // Rows that are there fit into memory's numbers.
        (tiling.band(most.min(self.rows()) * row) / row).max(1)
    }

    /// Reads a box of the array into `out`, in the order of memory: `ranges` has a range for each axis
    /// of [`Reader::shape`]. Only tiles or rows that are met are decoded.
    ///
    #[cfg_attr(feature = "compress", doc = "```")]
    #[cfg_attr(not(feature = "compress"), doc = "```ignore")]
    /// use aezip::{Config, Matrix, Reader, Tile, compress};
    /// let field: Vec<i16> = (0..90 * 100).map(|i| i / 100 + i % 100).collect();
    /// let mut config = Config::default();
    /// config.fidelity = aezip::Fidelity::MaxError("0".parse()?);
    /// config.tile = Tile::Shape(vec![10, 10]);
    /// let mut file = Vec::new();
    /// compress(&Matrix::from_slice(&field, &[100])?, &config, &mut file)?;
    ///
    /// let reader = Reader::new(file)?;
    /// assert_eq!(reader.shape(), [90, 100]);
    /// let mut part = [0_i16; 6];
    /// reader.read_region(&[40..43, 7..9], &mut part)?;
    /// assert_eq!(part, [47, 48, 48, 49, 49, 50]);
    /// # Ok::<(), aezip::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Argument` if the array has no such box, or `out` has another type or length than it; `Corrupt`,
    /// `Limit` or `Io` if a block cannot be read.
    pub fn read_region<T: Element>(&self, ranges: &[Range<usize>], out: &mut [T]) -> Result<()> {
        self.expect_type::<T>()?;
        self.read_region_bytes(ranges, bytemuck::cast_slice_mut(out))?;
        to_native(out);
        Ok(())
    }

    /// The same as little-endian bytes of any type.
    ///
    /// # Errors
    /// As [`Reader::read_region`].
    pub fn read_region_bytes(&self, ranges: &[Range<usize>], out: &mut [u8]) -> Result<()> {
        let values = self.region_values(ranges)?;
        if values.checked_mul(self.dtype().size()) != Some(out.len()) {
            return Err(Error::argument(format!(
                "{} bytes of room for a region of {values} numbers of type {}",
                out.len(),
                self.dtype()
            )));
        }
        if out.is_empty() {
            return Ok(());
        }
        match self.tiling() {
            Some(tiling) => self.region_of_tiles(tiling, ranges, out),
            None => self.region_of_rows(ranges, out),
        }
    }

    /// Counts the values of a region, which must lie within the array.
    pub(super) fn region_values(&self, ranges: &[Range<usize>]) -> Result<usize> {
        let shape = self.shape();
        if ranges.len() != shape.len() {
            return Err(Error::argument(format!(
                "a region of {} axes asked for, the array has {}: its shape is {shape:?}",
                ranges.len(),
                shape.len()
            )));
        }
        for (axis, (range, &there)) in ranges.iter().zip(&shape).enumerate() {
            if range.start > range.end || range.end > there {
                return Err(Error::argument(format!(
                    "{range:?} asked for on axis {axis}, which has {there}"
                )));
            }
        }
        // Saturated, it is more than there can be room for.
        Ok(ranges.iter().fold(1, |n: usize, range| n.saturating_mul(range.len())))
    }

    /// Reads a box of rows that follow each other in the file.
    fn region_of_rows(&self, ranges: &[Range<usize>], out: &mut [u8]) -> Result<()> {
        let rows = ranges[0].clone();
        let mut whole = self.row_shape().iter().zip(&ranges[1..]);
        if whole.all(|(&n, range)| *range == (0..n)) {
            return self.read_bytes(rows.start, out);
        }
        let (size, row_bytes) = (self.dtype().size(), self.schema().row_bytes());
        let step = (ROWS_BYTES / row_bytes).max(1).min(rows.len());
        let own_bytes = out.len() / rows.len();
        let mut decoded = vec![0; step * row_bytes];
        for (first, out) in rows.clone().step_by(step).zip(out.chunks_mut(step * own_bytes)) {
            let count = out.len() / own_bytes;
            let decoded = &mut decoded[..count * row_bytes];
            self.read_bytes(first, decoded)?;
            let shape = [&[count], self.row_shape()].concat();
            let mut ranges = ranges.to_vec();
            ranges[0] = 0..count;
            let wanted = Wanted::Region(Region::new(&shape, &ranges));
            wanted.parts(0..count * self.schema().width(), |from, to, n| {
                out[to * size..][..n * size].copy_from_slice(&decoded[from * size..][..n * size]);
            });
        }
        Ok(())
    }
}
