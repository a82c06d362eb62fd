//! Rows that somebody else holds in memory.

use super::dtype::Element;
use super::rows::{Rows, Schema, check_range, copy_little_endian};
use crate::error::{Error, Result};

/// Rows of numbers in a slice, which are not copied.
///
#[cfg_attr(feature = "compress", doc = "```")]
#[cfg_attr(not(feature = "compress"), doc = "```ignore")]
/// use aezip::{Config, SliceRows, compress};
/// let values: Vec<f32> = (0..6000).map(|i| (i as f32 * 0.01).sin()).collect();
/// let rows = SliceRows::new(&values, &[60])?;
/// let mut file = Vec::new();
/// assert_eq!(compress(&rows, &Config::default(), &mut file)?.rows, 100);
/// # Ok::<(), aezip::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SliceRows<'a, T> {
    schema: Schema,
    values: &'a [T],
}

impl<'a, T: Element> SliceRows<'a, T> {
    /// Takes `values` as rows of shape `row_shape` one after another, row-major.
    ///
    /// # Errors
    /// `Argument` if the values are not a whole number of rows, or a row has no numbers.
    pub fn new(values: &'a [T], row_shape: &[usize]) -> Result<Self> {
        let schema = Schema::new(T::DTYPE, row_shape);
        let width = schema.width();
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(Error::argument(format!(
                "{} numbers are not a whole number of rows of shape {row_shape:?}",
                values.len()
            )));
        }
        Ok(Self { schema, values })
    }
}

impl<T: Element> Rows for SliceRows<'_, T> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.values.len() / self.schema.width()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let start = first * self.schema.width();
        copy_little_endian(&self.values[start..start + out.len() / T::DTYPE.size()], out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    #[test]
    fn borrowed_rows_read_as_copied_ones() {
        let values: Vec<u16> = (0..60).map(|i| i * 1001).collect();
        let (slice, matrix) = (
            SliceRows::new(&values, &[2, 3]).unwrap(),
            Matrix::from_slice(&values, &[2, 3]).unwrap(),
        );
        assert!(slice.len() == 10 && slice.schema() == matrix.schema());
        let (mut a, mut b) = (vec![0; 48], vec![0; 48]);
        slice.read(3, &mut a).unwrap();
        matrix.read(3, &mut b).unwrap();
        assert_eq!(a, b);
        assert!(slice.read(7, &mut a).is_err() && slice.read(0, &mut a[..13]).is_err());
        assert!(SliceRows::new(&values, &[7]).is_err() && SliceRows::new(&values, &[0]).is_err());
    }
}
