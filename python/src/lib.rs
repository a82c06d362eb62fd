//! What the Python package `aezip` takes from the library. What users see is written in Python, in
//! `python/aezip`, upon this.

mod codec;
mod error;
mod options;
mod pool;
mod reader;
mod rows;
mod uses;
mod work;
mod write;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rows::Input;
use std::path::PathBuf;

/// Compresses rows into `path`, or into bytes where that is None; gives these and what came of it.
#[pyfunction]
#[pyo3(signature = (rows, path, options, progress=None))]
fn compress<'py>(
    py: Python<'py>,
    rows: Input<'py>,
    path: Option<PathBuf>,
    options: &Bound<'py, PyDict>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyDict>)> {
    write::compress(py, &rows, None, (path, options, progress))
}

/// The part of the package that is written in Rust.
#[pymodule(gil_used = false)]
fn _aezip(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("CorruptError", m.py().get_type::<error::CorruptError>())?;
    m.add_class::<reader::PyReader>()?;
    m.add_class::<codec::PyCodec>()?;
    m.add_function(wrap_pyfunction!(compress, m)?)?;
    m.add_function(wrap_pyfunction!(write::write_file, m)?)?;
    m.add_function(wrap_pyfunction!(uses::anomalies, m)?)?;
    m.add_function(wrap_pyfunction!(uses::impute, m)?)?;
    m.add_function(wrap_pyfunction!(uses::denoise, m)?)?;
    m.add_function(wrap_pyfunction!(uses::embed, m)?)?;
    m.add_function(wrap_pyfunction!(uses::scatter, m)?)
}
