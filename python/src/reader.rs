//! Files to arrays.

use crate::error::{exception, exception_in};
use crate::pool;
use crate::rows::{new_array, swap};
use crate::write::promise;
use aezip::{Bytes, DType, Fetched, FileSource, Info, Limits, Reader, ReaderOptions, Result};
use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

/// What brings bytes of a file: a function of Python.
type Fetch = Box<dyn Fn(u64, &mut [u8]) -> io::Result<()> + Send + Sync>;

/// A reader of whatever source.
enum AnyReader {
    File(Reader<FileSource>),
    Bytes(Reader<Bytes<PyBackedBytes>>),
    Fetched(Reader<Fetched<Fetch>>),
}

/// Calls the same method of either.
macro_rules! either {
    ($reader:expr, $r:ident => $call:expr) => {
        match $reader {
            AnyReader::File($r) => $call,
            AnyReader::Bytes($r) => $call,
            AnyReader::Fetched($r) => $call,
        }
    };
}

/// An open file.
#[pyclass(frozen, module = "aezip._aezip", name = "Reader")]
pub(crate) struct PyReader {
    reader: AnyReader,
    dtype: DType,
    shape: Vec<usize>,
    /// Whether rows are tiles, so that one row may take many blocks.
    is_tiled: bool,
    /// Where the file is, for errors.
    place: Option<String>,
}

impl PyReader {
    fn new(reader: AnyReader) -> Self {
        let (dtype, shape) = either!(&reader, r => (r.dtype(), r.shape()));
        let is_tiled = either!(&reader, r => r.tiling().is_some());
        Self { reader, dtype, shape, is_tiled, place: None }
    }

    fn failed(&self, error: &aezip::Error) -> PyErr {
        exception_in(self.place.as_deref(), error)
    }

    /// An array of `shape` that `fill` writes.
    fn array<'py>(
        &self,
        py: Python<'py>,
        shape: &[usize],
        fill: impl FnOnce(&mut [u8]) -> Result<()> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        new_array(py, (self.dtype, shape), fill, |error| self.failed(error))
    }

    fn fill(&self, ranges: &[Range<usize>], out: &mut [u8]) -> Result<()> {
        pool::install(|| either!(&self.reader, r => r.read_region_bytes(ranges, out)))
    }

    /// The shape of `rows` rows.
    fn shape_of(&self, rows: usize) -> Vec<usize> {
        [&[rows], self.shape.get(1..).unwrap_or(&[])].concat()
    }
}

#[pymethods]
impl PyReader {
    /// Opens the file at `path`; decoded blocks of so many bytes are kept.
    #[staticmethod]
    #[pyo3(signature = (path, cache_bytes=None))]
    fn open(py: Python<'_>, path: PathBuf, cache_bytes: Option<usize>) -> PyResult<Self> {
        let options = options(cache_bytes);
        let place = path.display().to_string();
        let reader = py.detach(|| Reader::open_with(path, options));
        let reader = reader.map_err(|e| exception_in(Some(&place), &e))?;
        Ok(Self { place: Some(place), ..Self::new(AnyReader::File(reader)) })
    }

    /// Opens a file of `length` bytes that `fetch` brings: it is called with the first byte that is
    /// needed and how many, by any thread, and returns these bytes.
    #[staticmethod]
    #[pyo3(signature = (length, fetch, cache_bytes=None))]
    fn fetching(
        py: Python<'_>,
        length: u64,
        fetch: Py<PyAny>,
        cache_bytes: Option<usize>,
    ) -> PyResult<Self> {
        let (fetch, options) = (fetching(fetch), options(cache_bytes));
        let reader = py.detach(|| Reader::fetch(length, fetch, options));
        Ok(Self::new(AnyReader::Fetched(reader.map_err(|e| exception(&e))?)))
    }

    /// Opens a file that is in memory, and is not copied.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: PyBackedBytes) -> PyResult<Self> {
        let reader = py.detach(|| Reader::new(bytes)).map_err(|e| exception(&e))?;
        Ok(Self::new(AnyReader::Bytes(reader)))
    }

    #[getter]
    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    /// The name of the type of the numbers: f32, u8, …
    #[getter]
    fn dtype(&self) -> &'static str {
        self.dtype.name()
    }

    /// Row `index`, counted from the end if negative, of an array with an axis.
    fn row<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyAny>> {
        let count = self.shape.first().copied().unwrap_or(0);
        let row = if index < 0 { index.wrapping_add_unsigned(count) } else { index };
        let row = usize::try_from(row).ok().filter(|row| *row < count).ok_or_else(|| {
            let what = format!("row {index} asked for, there are {count}");
            pyo3::exceptions::PyIndexError::new_err(what)
        })?;
        let read = |out: &mut [u8]| either!(&self.reader, r => r.gather_bytes(&[row], out));
        self.array(py, &self.shape[1..], |out| match self.is_tiled {
            true => pool::install(|| read(out)),
            // One block, on this thread: handing it over would take as long as decoding.
            false => read(out),
        })
    }

    /// The box of the array between `start` and `stop` on each axis.
    fn region<'py>(
        &self,
        py: Python<'py>,
        start: Vec<usize>,
        stop: Vec<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let ranges: Vec<_> = start.iter().zip(&stop).map(|(a, b)| *a..*b).collect();
        let shape: Vec<usize> = ranges.iter().map(ExactSizeIterator::len).collect();
        self.array(py, &shape, |out| self.fill(&ranges, out))
    }

    /// The same into the bytes of an array that is there.
    fn region_into(
        &self,
        py: Python<'_>,
        start: Vec<usize>,
        stop: Vec<usize>,
        mut out: PyReadwriteArray1<'_, u8>,
    ) -> PyResult<()> {
        let ranges: Vec<_> = start.iter().zip(&stop).map(|(a, b)| *a..*b).collect();
        let out = out.as_slice_mut()?;
        py.detach(|| self.fill(&ranges, out)).map_err(|e| self.failed(&e))?;
        swap(out, self.dtype);
        Ok(())
    }

    /// The rows with these numbers, in their order.
    fn take<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray1<'py, u64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let rows = rows.as_slice()?;
        self.array(py, &self.shape_of(rows.len()), |out| {
            let rows = numbers(rows);
            pool::install(|| either!(&self.reader, r => r.gather_bytes(&rows, out)))
        })
    }

    /// Where in the file these rows are: the first byte of each range, and the one behind its last.
    fn bytes_of_rows(&self, rows: PyReadonlyArray1<'_, u64>) -> PyResult<Vec<(u64, u64)>> {
        let rows: Vec<usize> = numbers(rows.as_slice()?);
        let found = either!(&self.reader, r => r.bytes_of_rows(&rows));
        Ok(pairs(found.map_err(|e| self.failed(&e))?))
    }

    /// The same for a box of the array.
    fn bytes_of_region(&self, start: Vec<usize>, stop: Vec<usize>) -> PyResult<Vec<(u64, u64)>> {
        let ranges: Vec<_> = start.iter().zip(&stop).map(|(a, b)| *a..*b).collect();
        let found = either!(&self.reader, r => r.bytes_of_region(&ranges));
        Ok(pairs(found.map_err(|e| self.failed(&e))?))
    }

    /// Reads everything and checks every checksum.
    fn verify(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| pool::install(|| either!(&self.reader, r => r.verify())))
            .map_err(|e| self.failed(&e))
    }

    /// Rows to read at once so that they take about so many bytes.
    fn rows_at_once(&self, bytes: usize) -> usize {
        either!(&self.reader, r => r.rows_at_once(bytes))
    }

    /// The promise: its name as a keyword argument, and its number as text.
    #[getter]
    fn promise(&self) -> Option<(String, String)> {
        either!(&self.reader, r => r.promise()).map(promise)
    }

    /// What the array was read from: the name of the file, its format and which part of it the array
    /// was, where these are known.
    #[getter]
    fn origin(&self) -> (String, Option<String>, Option<String>) {
        let schema = either!(&self.reader, r => r.schema());
        let origin = schema.origin.as_ref();
        let (format, part) =
            (origin.map(|o| o.format.clone()), origin.and_then(|o| o.part.clone()));
        (schema.name.clone(), format, part)
    }

    /// Names of the columns, where they have some.
    #[getter]
    fn columns(&self) -> Option<Vec<String>> {
        either!(&self.reader, r => r.schema().columns.clone())
    }

    /// What the file is made of.
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let info: Info = either!(&self.reader, r => r.info());
        let out = PyDict::new(py);
        out.set_item("version", info.version)?;
        out.set_item("codec", info.codec)?;
        out.set_item("rows", info.rows)?;
        out.set_item("shape", info.shape)?;
        out.set_item("tile", info.tile)?;
        out.set_item("dtype", info.dtype.name())?;
        out.set_item("fill_values", info.fill_values)?;
        out.set_item("file_bytes", info.file_bytes)?;
        out.set_item("model_bytes", info.model_bytes)?;
        out.set_item("index_bytes", info.index_bytes)?;
        out.set_item("blocks", info.blocks)?;
        out.set_item("rows_per_block", info.rows_per_block)?;
        out.set_item("latents", info.latents)?;
        out.set_item("hidden", info.hidden)?;
        out.set_item("classes", info.classes)?;
        Ok(out)
    }
}

fn options(cache_bytes: Option<usize>) -> ReaderOptions {
    let usual = ReaderOptions::default();
    ReaderOptions::new(Limits::default(), cache_bytes.unwrap_or(usual.cache_bytes))
}

/// Makes a function of Python, which returns bytes, one that fills a slice.
fn fetching(fetch: Py<PyAny>) -> Fetch {
    Box::new(move |offset, out| {
        Python::attach(|py| {
            let found = fetch.call1(py, (offset, out.len()))?;
            let bytes: PyBackedBytes = found.extract(py)?;
            if bytes.len() != out.len() {
                let what = format!("{} bytes came, {} were asked for", bytes.len(), out.len());
                return Err(pyo3::exceptions::PyOSError::new_err(what));
            }
            out.copy_from_slice(&bytes);
            Ok(())
        })
        .map_err(|error: PyErr| io::Error::other(error))
    })
}

/// Numbers of rows; those larger than any file stay so, and are reported as what they are.
fn numbers(rows: &[u64]) -> Vec<usize> {
    rows.iter().map(|&row| usize::try_from(row).unwrap_or(usize::MAX)).collect()
}

fn pairs(ranges: Vec<Range<u64>>) -> Vec<(u64, u64)> {
    ranges.into_iter().map(|range| (range.start, range.end)).collect()
}
