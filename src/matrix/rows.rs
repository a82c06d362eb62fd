//! What rows are, and rows in memory.

use super::dtype::{DType, Element};
use super::fill::FillValues;
use super::kept::KeptText;
use super::origin::Origin;
use super::tiling::Tiling;
use crate::error::{Error, Result};

/// What the rows are: element type, shape of one row, and optional column names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Type of every number in a row.
    pub dtype: DType,
    /// Shape of one row: `[]` for one number per row, `[28, 28]` for images.
    pub row_shape: Vec<usize>,
    /// Names of the columns, where the source has them; one per number of a row.
    pub columns: Option<Vec<String>>,
    /// Name of the file that the rows came from, without its folder; empty if none.
    pub name: String,
    /// Values that stand for missing numbers, as far as they are known: of an `.aez` file those that
    /// it was compressed with.
    pub fill_values: FillValues,
    /// What the rows were read from, where the name does not tell it.
    pub origin: Option<Origin>,
    /// How an array was cut, where a row is a tile of it; `None` where rows are what they were.
    pub tiling: Option<Tiling>,
}

impl Schema {
    /// Makes a schema without names.
    pub fn new(dtype: DType, row_shape: &[usize]) -> Self {
        Self {
            dtype,
            row_shape: row_shape.to_vec(),
            columns: None,
            name: String::new(),
            origin: None,
            tiling: None,
            fill_values: FillValues::default(),
        }
    }

    /// Returns the columns of text that the rows have beside them, where they are known.
    pub fn kept_text(&self) -> Option<&KeptText> {
        self.origin.as_ref()?.text.as_ref()?.kept.as_deref()
    }

    /// Returns what the rows of the array are, of which these rows are tiles; the same where they are
    /// not.
    pub fn of_array(&self) -> Self {
        let mut schema = self.clone();
        if let Some(tiling) = schema.tiling.take() {
            schema.row_shape = tiling.array().get(1..).unwrap_or(&[]).to_vec();
        }
        schema
    }

    /// Returns how many numbers a row has: the product of the row's shape, 1 for `[]`.
    pub fn width(&self) -> usize {
        self.row_shape.iter().product()
    }

    /// Returns how many numbers lie side by side in a row: its last dimension, 1 for `[]`. One line
    /// further, at the same place, is the neighbour in the dimension before.
    pub fn line_width(&self) -> usize {
        self.row_shape.last().copied().unwrap_or(1)
    }

    /// Returns how many bytes a row takes.
    pub fn row_bytes(&self) -> usize {
        self.width() * self.dtype.size()
    }
}

/// A source of rows that can be read more than once and from anywhere.
///
/// Fitting looks at a sample, encoding reads every row once or a few times, so sources
/// convert block by block and need not hold the data in memory.
pub trait Rows: Send + Sync {
    /// Returns what the rows are: type, shape, names.
    fn schema(&self) -> &Schema;

    /// Returns how many rows there are.
    fn len(&self) -> usize;

    /// Says whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `out` with whole rows from `first` on: row-major, little-endian bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::ErrorKind::Argument) if `out` is not a whole number of
    /// rows or reaches past the end; `Io` if the source cannot be read.
    fn read(&self, first: usize, out: &mut [u8]) -> Result<()>;
}

/// Rows held in memory, row-major.
///
/// ```
/// use aezip::{Matrix, Rows};
/// let m = Matrix::from_slice(&[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0], &[3])?;
/// assert_eq!((m.len(), m.schema().width()), (2, 3));
/// # Ok::<(), aezip::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    schema: Schema,
    rows: usize,
    bytes: Vec<u8>,
}

impl Matrix {
    /// Takes row-major little-endian `bytes` of rows described by `schema`.
    ///
    /// # Errors
    /// `Argument` if the bytes are not a whole number of rows, a row has no numbers while
    /// there are bytes, or the number of names differs from the number of columns.
    pub fn new(schema: Schema, bytes: Vec<u8>) -> Result<Self> {
        let row = schema.row_bytes();
        if row == 0 || !bytes.len().is_multiple_of(row) {
            return Err(Error::argument(format!(
                "{} bytes are not a whole number of rows of shape {:?} and type {}, {row} bytes each",
                bytes.len(),
                schema.row_shape,
                schema.dtype,
            )));
        }
        if let Some(names) = &schema.columns
            && names.len() != schema.width()
        {
            return Err(Error::argument(format!(
                "{} column names for {} columns",
                names.len(),
                schema.width()
            )));
        }
        Ok(Self { rows: bytes.len() / row, schema, bytes })
    }

    /// Reads all of `rows` into memory.
    ///
    /// # Errors
    /// Those of reading them.
    pub fn of(rows: &dyn Rows) -> Result<Self> {
        let mut bytes = vec![0; rows.len() * rows.schema().row_bytes()];
        rows.read(0, &mut bytes)?;
        Self::new(rows.schema().clone(), bytes)
    }

    /// Copies `values`, rows of shape `row_shape` one after another.
    ///
    /// # Errors
    /// `Argument` if the values are not a whole number of rows, or a row has no numbers.
    pub fn from_slice<T: Element>(values: &[T], row_shape: &[usize]) -> Result<Self> {
        let bytes = to_little_endian(values);
        Self::new(Schema::new(T::DTYPE, row_shape), bytes)
    }

    /// Returns the numbers as a vector of their own type, row after row.
    ///
    /// # Errors
    /// `Argument` if `T` is not the matrix's type.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        if T::DTYPE != self.schema.dtype {
            return Err(Error::argument(format!(
                "asked for {} but the numbers are {}",
                T::DTYPE,
                self.schema.dtype
            )));
        }
        let mut out = vec![T::zeroed(); self.bytes.len() / T::DTYPE.size()];
        from_little_endian(&self.bytes, &mut out);
        Ok(out)
    }

    /// Returns the rows' bytes: row-major, little-endian.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Rows for Matrix {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let start = first * self.schema.row_bytes();
        out.copy_from_slice(&self.bytes[start..start + out.len()]);
        Ok(())
    }
}

/// Checks a [`Rows::read`] of `bytes` bytes from row `first`: whole rows, all of them there.
pub(crate) fn check_range(rows: &(impl Rows + ?Sized), first: usize, bytes: usize) -> Result<()> {
    let row = rows.schema().row_bytes();
    if row == 0 || !bytes.is_multiple_of(row) {
        return Err(Error::argument(format!(
            "a buffer of {bytes} bytes does not hold whole rows of {row}"
        )));
    }
    let count = bytes / row;
    if first.checked_add(count).is_none_or(|end| end > rows.len()) {
        return Err(Error::argument(format!(
            "rows {first}..{} asked for, but there are {}",
            first.saturating_add(count),
            rows.len()
        )));
    }
    Ok(())
}

/// Returns the values' bytes, least significant first on every machine.
pub(crate) fn to_little_endian<T: Element>(values: &[T]) -> Vec<u8> {
    let mut bytes = vec![0; size_of_val(values)];
    copy_little_endian(values, &mut bytes);
    bytes
}

/// Copies the values' bytes, least significant first, into bytes that are there; the lengths must
/// agree.
pub(super) fn copy_little_endian<T: Element>(values: &[T], out: &mut [u8]) {
    out.copy_from_slice(bytemuck::cast_slice(values));
    swap_if_big_endian(out, T::DTYPE.size());
}

/// Reverses [`to_little_endian`]; the lengths must agree.
pub(crate) fn from_little_endian<T: Element>(bytes: &[u8], out: &mut [T]) {
    let target: &mut [u8] = bytemuck::cast_slice_mut(out);
    target.copy_from_slice(bytes);
    swap_if_big_endian(target, T::DTYPE.size());
}

fn swap_if_big_endian(bytes: &mut [u8], size: usize) {
    if cfg!(target_endian = "big") {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
}
