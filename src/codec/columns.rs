//! Columns kept beside the stream of a block: values in place of decoded ones, or what corrects them.

use super::value::{Cell, with_cell};
use crate::container::columns::{self, Entry, Shape, Way};
use crate::container::model::{Grid, Value};
use crate::container::{numbers, shuffle};
use crate::error::{Error, Result};
use crate::limits;
use crate::matrix::{DType, from_little_endian, to_little_endian};

/// Largest magnitude of a value in units of a decimal that corrections count from; beyond, they
/// count from 0.
const LARGEST_COUNT: f64 = 9_007_199_254_740_992.0;

/// What a block of numbers is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockShape {
    pub(crate) dtype: DType,
    /// Numbers of a row.
    pub(crate) width: usize,
    pub(crate) rows: usize,
    /// Where the block begins in the file.
    pub(crate) at: u64,
}

/// The columns that a block keeps beside its stream, unpacked.
#[derive(Debug)]
pub(crate) struct KeptColumns {
    shape: BlockShape,
    columns: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    column: usize,
    way: Way,
    numbers: Numbers,
}

/// What a column is made of, for all rows of its block.
#[derive(Debug)]
enum Numbers {
    /// Its values, shuffled.
    Shuffled(Vec<u8>),
    /// Its values, little-endian.
    Values(Vec<u8>),
    /// What its values are multiples of, or are corrected by.
    Integers(Vec<i64>),
}

impl KeptColumns {
    /// Unpacks the columns of a block; they may take `room` bytes.
    pub(crate) fn decode(bytes: &[u8], shape: BlockShape, room: u64) -> Result<Self> {
        let BlockShape { dtype, width, rows, at } = shape;
        let entries = columns::decode(bytes, Shape { width, float: dtype.is_float() }, at)?;
        let each = |entry: &Entry<'_>| match entry.way {
            Way::Packed | Way::Numbers => dtype.size() as u64,
            _ => size_of::<i64>() as u64,
        };
        let claimed = entries.iter().map(each).sum::<u64>().saturating_mul(rows as u64);
        limits::check("a block's columns", claimed, room).map_err(|e| e.at(at))?;
        let kept = |entry: &Entry<'_>| {
            let numbers = shape.unpack(entry)?;
            Ok(Kept { column: entry.column, way: entry.way, numbers })
        };
        Ok(Self { shape, columns: entries.iter().map(kept).collect::<Result<_>>()? })
    }

    /// Returns an error unless every column is kept whole.
    pub(crate) fn expect_all(&self) -> Result<()> {
        if self.columns.iter().filter(|c| !c.way.corrects()).count() == self.shape.width {
            return Ok(());
        }
        Err(Error::corrupt("a block without a stream lacks columns").at(self.shape.at))
    }

    /// Puts the columns into `out`, which holds the block's rows from row `first` on as far as they
    /// are decoded.
    pub(crate) fn restore(&self, first: usize, out: &mut [u8]) {
        with_cell!(self.shape.dtype, T => {
            self.columns.iter().for_each(|kept| self.restore_column::<T>(kept, first, out));
        });
    }

    fn restore_column<T: Cell>(&self, kept: &Kept, first: usize, out: &mut [u8]) {
        let (size, width) = (T::DTYPE.size(), self.shape.width);
        let rows = first..first + out.len() / (size * width);
        let mut cells = vec![T::zeroed(); rows.len()];
        match &kept.numbers {
            Numbers::Shuffled(shuffled) => {
                let mut wanted = vec![0; rows.len() * size];
                shuffle::unshuffle(shuffled, size, first, &mut wanted);
                from_little_endian(&wanted, &mut cells);
            }
            Numbers::Values(values) => {
                from_little_endian(&values[rows.start * size..rows.end * size], &mut cells);
            }
            Numbers::Integers(integers) => {
                let integers = &integers[rows];
                if let Way::Multiples { numerator, denominator } = kept.way {
                    let value = Value::Ratio { numerator, denominator };
                    let grid = Grid { value, fraction: 0, step: 1 };
                    cells.iter_mut().zip(integers).for_each(|(cell, &k)| *cell = grid.at(k));
                } else {
                    let column = out.chunks_exact(size).skip(kept.column).step_by(width);
                    let bytes: Vec<u8> = column.flatten().copied().collect();
                    from_little_endian(&bytes, &mut cells);
                    cells.iter_mut().zip(integers).for_each(|(cell, &c)| {
                        *cell = corrected(*cell, c, kept.way);
                    });
                }
            }
        }
        let bytes = to_little_endian(&cells);
        let places = out.chunks_exact_mut(size).skip(kept.column).step_by(width);
        places.zip(bytes.chunks_exact(size)).for_each(|(place, v)| place.copy_from_slice(v));
    }
}

impl BlockShape {
    /// Unpacks one column.
    fn unpack(&self, entry: &Entry<'_>) -> Result<Numbers> {
        let size = self.dtype.size();
        match entry.way {
            Way::Packed => {
                let shuffled = shuffle::decompress(entry.bytes, self.rows * size, self.at)?;
                if shuffled.len() != self.rows * size {
                    let what = "a column has the wrong number of bytes";
                    return Err(Error::corrupt(what).at(self.at));
                }
                Ok(Numbers::Shuffled(shuffled))
            }
            Way::Numbers => {
                let mut values = vec![0; self.rows * size];
                numbers::unpack(entry.bytes, self.dtype, &mut values, self.at)?;
                Ok(Numbers::Values(values))
            }
            _ => numbers::unpack_integers(entry.bytes, self.rows, self.at).map(Numbers::Integers),
        }
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
