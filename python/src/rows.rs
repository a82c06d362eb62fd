//! Rows that a NumPy array holds, and arrays of rows.

use crate::error::exception;
use crate::work::Control;
use aezip::{DType, Error, Matrix, Origin, Result, Rows, Schema};
use numpy::{PyArrayDyn, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// What Python hands over: the bytes of a contiguous array, not copied, the name of its type and its
/// shape.
#[derive(FromPyObject)]
pub(crate) struct Input<'py>(PyReadonlyArray1<'py, u8>, String, Vec<usize>);

impl Input<'_> {
    /// Lends the rows in it.
    pub(crate) fn rows(&self) -> PyResult<BorrowedRows<'_>> {
        let Self(bytes, dtype, shape) = self;
        let dtype: DType = dtype.parse().map_err(|e| exception(&e))?;
        let schema = Schema::new(dtype, shape.get(1..).unwrap_or(&[]));
        let count = shape.first().copied().unwrap_or(1);
        let bytes = bytes.as_slice()?;
        if schema.width() == 0 || count.checked_mul(schema.row_bytes()) != Some(bytes.len()) {
            return Err(PyValueError::new_err(format!(
                "an array of shape {shape:?} has no rows of numbers"
            )));
        }
        Ok(BorrowedRows { schema, count, bytes })
    }
}

/// What is known of an array besides: names of columns, its format and which part of such a file it
/// was, and its name.
pub(crate) type About = (Option<Vec<String>>, Option<(String, Option<String>)>, String);

/// Rows in memory that belongs to Python.
pub(crate) struct BorrowedRows<'a> {
    schema: Schema,
    count: usize,
    bytes: &'a [u8],
}

impl BorrowedRows<'_> {
    /// Adds what is known of the rows besides.
    pub(crate) fn describe(&mut self, (columns, origin, name): About) -> PyResult<()> {
        if columns.as_ref().is_some_and(|columns| columns.len() != self.schema.width()) {
            let what = format!("not {} names of columns", self.schema.width());
            return Err(PyValueError::new_err(what));
        }
        self.schema.columns = columns;
        self.schema.name = name;
        self.schema.origin = origin.map(|(format, part)| Origin { part, ..Origin::new(format) });
        Ok(())
    }
}

impl Rows for BorrowedRows<'_> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.count
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        let row = self.schema.row_bytes();
        let start = first.saturating_mul(row);
        let there = self.bytes.get(start..start.saturating_add(out.len()));
        let whole = out.len().is_multiple_of(row);
        let Some(bytes) = there.filter(|_| whole) else {
            let what = format!("{} bytes of rows from {first} asked for", out.len());
            return Err(Error::argument(format!("{what}, there are {} rows", self.count)));
        };
        out.copy_from_slice(bytes);
        swap(out, self.schema.dtype);
        Ok(())
    }
}

/// Rows whose reading ends where the caller wants no more.
pub(crate) struct Watched<'a>(pub(crate) &'a dyn Rows, pub(crate) &'a Control);

impl Rows for Watched<'_> {
    fn schema(&self) -> &Schema {
        self.0.schema()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        self.1.check()?;
        self.0.read(first, out)
    }
}

/// A new array of a type and shape whose little-endian bytes `fill` writes, without the lock of the
/// interpreter; `failed` makes an exception of its error.
pub(crate) fn new_array<'py>(
    py: Python<'py>,
    (dtype, shape): (DType, &[usize]),
    fill: impl FnOnce(&mut [u8]) -> Result<()> + Send,
    failed: impl Fn(&Error) -> PyErr,
) -> PyResult<Bound<'py, PyAny>> {
    macro_rules! typed {
        ($($d:ident => $t:ty),*) => { match dtype { $(
            DType::$d => filled::<$t>(py, (dtype, shape), fill, failed),
        )* } };
    }
    typed!(F16 => half::f16, F32 => f32, F64 => f64, U8 => u8, I8 => i8, U16 => u16, I16 => i16,
           U32 => u32, I32 => i32, U64 => u64, I64 => i64)
}

fn filled<'py, T: numpy::Element + bytemuck::Pod>(
    py: Python<'py>,
    (dtype, shape): (DType, &[usize]),
    fill: impl FnOnce(&mut [u8]) -> Result<()> + Send,
    failed: impl Fn(&Error) -> PyErr,
) -> PyResult<Bound<'py, PyAny>> {
    let array = PyArrayDyn::<T>::zeros(py, shape, false);
    let mut numbers = array.readwrite();
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(numbers.as_slice_mut()?);
    py.detach(|| {
        fill(bytes)?;
        swap(bytes, dtype);
        Ok(())
    })
    .map_err(|e: Error| failed(&e))?;
    drop(numbers);
    Ok(array.into_any())
}

/// Turns bytes between the file's order, least significant first, and the machine's.
pub(crate) fn swap(bytes: &mut [u8], dtype: DType) {
    if cfg!(target_endian = "big") {
        bytes.chunks_exact_mut(dtype.size()).for_each(<[u8]>::reverse);
    }
}

/// The array of a matrix's numbers.
pub(crate) fn array<'py>(py: Python<'py>, matrix: &Matrix) -> PyResult<Bound<'py, PyAny>> {
    let schema = matrix.schema();
    let shape = [&[matrix.len()], &schema.row_shape[..]].concat();
    let fill = |out: &mut [u8]| {
        out.copy_from_slice(matrix.bytes());
        Ok(())
    };
    new_array(py, (schema.dtype, &shape), fill, exception)
}
