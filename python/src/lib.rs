//! What the Python package `aezip` takes from the library. What users see is written in Python, in
//! `python/aezip`, upon this.

mod append;
mod codec;
mod compare;
mod error;
mod files;
mod options;
mod pool;
mod reader;
mod rows;
mod uses;
mod work;
mod write;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rows::{About, Input};
use std::path::PathBuf;
use write::Outcome;

/// Compresses rows into `path`, or into bytes where that is None; gives these and what came of it.
/// `about` has names of columns, a format and which part of such a file the rows were, and a name.
#[pyfunction]
#[pyo3(signature = (rows, path, options, progress=None, about=None))]
fn compress<'py>(
    py: Python<'py>,
    rows: Input<'py>,
    path: Option<PathBuf>,
    options: &Bound<'py, PyDict>,
    progress: Option<Py<PyAny>>,
    about: Option<About>,
) -> PyResult<Outcome<'py>> {
    write::compress(py, &rows, None, (path, options, progress), about)
}

/// The part of the package that is written in Rust.
#[pymodule(gil_used = false)]
fn _aezip(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("CorruptError", m.py().get_type::<error::CorruptError>())?;
    m.add_class::<reader::PyReader>()?;
    m.add_class::<codec::PyCodec>()?;
    m.add_class::<codec::PySharedModel>()?;
    m.add_class::<compare::PyComparison>()?;
    m.add_function(wrap_pyfunction!(options::check_options, m)?)?;
    m.add_function(wrap_pyfunction!(append::append, m)?)?;
    m.add_function(wrap_pyfunction!(append::append_file, m)?)?;
    m.add_function(wrap_pyfunction!(compress, m)?)?;
    m.add_function(wrap_pyfunction!(files::compress_file, m)?)?;
    m.add_function(wrap_pyfunction!(files::decompress, m)?)?;
    m.add_function(wrap_pyfunction!(write::write_file, m)?)?;
    m.add_function(wrap_pyfunction!(compare::compare, m)?)?;
    m.add_function(wrap_pyfunction!(uses::anomalies, m)?)?;
    m.add_function(wrap_pyfunction!(uses::impute, m)?)?;
    m.add_function(wrap_pyfunction!(uses::denoise, m)?)?;
    m.add_function(wrap_pyfunction!(uses::embed, m)?)?;
    m.add_function(wrap_pyfunction!(uses::scatter, m)?)
}
