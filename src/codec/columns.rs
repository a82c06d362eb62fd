//! Columns kept beside the stream of a block: values in place of decoded ones, or what corrects them.

use super::value::{Cell, with_cell};
use crate::container::columns::{Entry, Shape, Way};
use crate::container::model::{Grid, Value};
use crate::container::{numbers, shuffle};
use crate::error::{Error, Result};
use crate::matrix::{DType, from_little_endian, to_little_endian};
use std::ops::Range;

/// Largest magnitude of a value in units of a decimal that corrections count from; beyond, they
/// count from 0.
const LARGEST_COUNT: f64 = 9_007_199_254_740_992.0;

/// Rows of a block that are wanted.
pub(crate) struct Wanted {
    pub(crate) dtype: DType,
    /// Numbers of a row.
    pub(crate) width: usize,
    /// Rows of the block.
    pub(crate) block_rows: usize,
    /// Those of them that are wanted.
    pub(crate) rows: Range<usize>,
    /// Where the block begins in the file.
    pub(crate) at: u64,
}

impl Wanted {
    /// Returns what the block's entries are to fit.
    pub(crate) fn shape(&self) -> Shape {
        Shape { width: self.width, float: self.dtype.is_float() }
    }

    /// Returns an error unless `entries` hold every column.
    pub(crate) fn expect_all(&self, entries: &[Entry<'_>]) -> Result<()> {
        if entries.iter().filter(|e| !e.way.corrects()).count() == self.width {
            return Ok(());
        }
        Err(Error::corrupt("a block without a stream lacks columns").at(self.at))
    }

    /// Puts the columns of `entries` into `out`, the wanted rows as far as they are decoded.
    pub(crate) fn restore(&self, entries: &[Entry<'_>], out: &mut [u8]) -> Result<()> {
        with_cell!(self.dtype, T => {
            entries.iter().try_for_each(|entry| self.restore_column::<T>(entry, out))
        })
    }

    fn restore_column<T: Cell>(&self, entry: &Entry<'_>, out: &mut [u8]) -> Result<()> {
        let integers = || numbers::unpack_integers(entry.bytes, self.block_rows, self.at);
        let mut cells = vec![T::zeroed(); self.rows.len()];
        match entry.way {
            Way::Packed | Way::Numbers => {
                from_little_endian(&self.values(entry)?, &mut cells);
            }
            Way::Multiples { numerator, denominator } => {
                let value = Value::Ratio { numerator, denominator };
                let grid = Grid { value, fraction: 0, step: 1 };
                let counts = &integers()?[self.rows.clone()];
                cells.iter_mut().zip(counts).for_each(|(cell, &k)| *cell = grid.at(k));
            }
            Way::Places | Way::Decimals { .. } => {
                let size = T::DTYPE.size();
                let column = out.chunks_exact(size).skip(entry.column).step_by(self.width);
                let bytes: Vec<u8> = column.flatten().copied().collect();
                from_little_endian(&bytes, &mut cells);
                let corrections = &integers()?[self.rows.clone()];
                cells.iter_mut().zip(corrections).for_each(|(cell, &c)| {
                    *cell = corrected(*cell, c, entry.way);
                });
            }
        }
        let size = T::DTYPE.size();
        let bytes = to_little_endian(&cells);
        let places = out.chunks_exact_mut(size).skip(entry.column).step_by(self.width);
        places.zip(bytes.chunks_exact(size)).for_each(|(place, v)| place.copy_from_slice(v));
        Ok(())
    }

    /// Returns the wanted values of a column that is kept as a whole, little-endian.
    fn values(&self, entry: &Entry<'_>) -> Result<Vec<u8>> {
        let size = self.dtype.size();
        let mut column = vec![0; self.block_rows * size];
        if entry.way == Way::Packed {
            let shuffled = shuffle::decompress(entry.bytes, column.len(), self.at)?;
            if shuffled.len() != column.len() {
                let what = "a column has the wrong number of bytes";
                return Err(Error::corrupt(what).at(self.at));
            }
            let mut wanted = vec![0; self.rows.len() * size];
            shuffle::unshuffle(&shuffled, size, self.rows.start, &mut wanted);
            return Ok(wanted);
        }
        numbers::unpack(entry.bytes, self.dtype, &mut column, self.at)?;
        Ok(column[self.rows.start * size..self.rows.end * size].to_vec())
    }
}

/// Returns the value that a `correction` other than 0 makes of `value`.
pub(crate) fn corrected<T: Cell>(value: T, correction: i64, way: Way) -> T {
    if correction == 0 {
        return value;
    }
    match way {
        Way::Decimals { denominator } => {
            let k = in_units(value.to_f64(), denominator).wrapping_add(correction);
            T::from_float(k as f64 / denominator as f64)
        }
        _ => T::from_order(value.to_order().wrapping_add(correction)),
    }
}

/// Returns `x` in units of `1 / denominator`, rounded to nearest, ties to even; 0 for what is too
/// large or no number.
pub(crate) fn in_units(x: f64, denominator: u64) -> i64 {
    let k = (x * denominator as f64).round_ties_even();
    if k.abs() <= LARGEST_COUNT { k as i64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections_reach_neighbours_zeros_and_specials() {
        let places = |x: f64, c| corrected(x, c, Way::Places).to_bits();
        assert_eq!(places(0.1 + 0.2, -1), 0.3_f64.to_bits());
        assert_eq!(places(0.0, -1), (-0.0_f64).to_bits());
        assert_eq!(places(f64::MAX, 1), f64::INFINITY.to_bits());
        assert_eq!(places(f64::INFINITY, 1), f64::INFINITY.to_bits() + 1);
        assert_eq!(corrected(f64::NAN, 0, Way::Places).to_bits(), f64::NAN.to_bits());
        let thousandths = Way::Decimals { denominator: 1000 };
        assert_eq!(corrected(4.7_f64, -33, thousandths), 4.667);
        assert_eq!(corrected(4.7_f32, -33, thousandths), 4.667);
        assert_eq!(corrected(f64::INFINITY, 5, thousandths), 0.005);
    }
}
