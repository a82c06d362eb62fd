//! More rows into a file that is there.

use crate::error::exception;
use crate::files::named;
use crate::rows::{About, Input, Watched};
use crate::work::{Control, run};
use aezip::apps::cast_exactly;
use aezip::input::{OpenOptions, Rounding, open};
use aezip::{Appended, Config, Limits, Reader, ReaderOptions, Result, Rows};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::{Path, PathBuf};

/// Adds rows to the file `path`; gives what came of it. `about` has names of columns, a format and which part of
/// such a file the rows were, and a name.
#[pyfunction]
#[pyo3(signature = (path, rows, threads=0, progress=None, about=None))]
pub(crate) fn append<'py>(
    py: Python<'py>,
    path: PathBuf,
    rows: Input<'py>,
    threads: usize,
    progress: Option<Py<PyAny>>,
    about: Option<About>,
) -> PyResult<Bound<'py, PyDict>> {
    let (mut rows, label) = (rows.rows()?, path.display().to_string());
    about.map_or(Ok(()), |about| rows.describe(about))?;
    let open = |_: &Control| Ok(&rows as &dyn Rows);
    added(py, &path, open, (threads, progress)).map_err(|error| named(py, &label, error))
}

/// Adds the rows of the file `input` to the file `path`. `how` has the name of an array, those of columns, and a
/// format.
#[pyfunction]
#[pyo3(signature = (path, input, how, threads=0, progress=None))]
pub(crate) fn append_file<'py>(
    py: Python<'py>,
    path: PathBuf,
    input: PathBuf,
    how: (Option<String>, Option<Vec<String>>, Option<String>),
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let (array, columns, format) = how;
    let format = format.map(|name| name.parse()).transpose().map_err(|e| exception(&e))?;
    let options = OpenOptions { array, columns, format, keep_text: true, ..Default::default() };
    let open = |_: &Control| like_those_of(&path, &input, options);
    let label = format!("{}, {}", path.display(), input.display());
    added(py, &path, open, (threads, progress)).map_err(|error| named(py, &label, error))
}

/// The rows of the file `input`, as those of the file `path` are kept where they are text, which does not say
/// which type its numbers have.
fn like_those_of(path: &Path, input: &Path, mut options: OpenOptions) -> Result<Box<dyn Rows>> {
    let file = Reader::open_with(path, ReaderOptions::new(Limits::default(), 0))?.info();
    if let Some(promise) = &file.fidelity {
        options.rounding = Rounding::for_promise(promise);
    }
    let rows = open(input, &options)?;
    let schema = rows.schema();
    let is_text = schema.origin.as_ref().is_some_and(|origin| origin.text.is_some());
    if schema.dtype == file.dtype || !is_text {
        return Ok(rows);
    }
    let cast = cast_exactly(&*rows, file.dtype)?;
    Ok(cast.map_or(rows, |cast| Box::new(cast)))
}

/// Adds rows that are opened when the interpreter has been left.
fn added<'py, 'r, R: std::ops::Deref<Target = dyn Rows + 'r>>(
    py: Python<'py>,
    path: &Path,
    open: impl FnOnce(&Control) -> Result<R> + Send,
    (threads, progress): (usize, Option<Py<PyAny>>),
) -> PyResult<Bound<'py, PyDict>> {
    let added = run(py, progress, |control| {
        let mut config = Config::default();
        config.threads = threads;
        control.watch(&mut config);
        let rows = open(control)?;
        aezip::append(path, &Watched(&*rows, control), &config)
    })?;
    described(py, &added)
}

fn described<'py>(py: Python<'py>, added: &Appended) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("rows_before", added.rows_before)?;
    out.set_item("rows", added.rows)?;
    out.set_item("bytes_before", added.bytes_before)?;
    out.set_item("bytes", added.bytes)?;
    out.set_item("unfinished_bytes", added.unfinished_bytes)?;
    let quality = &added.measured;
    out.set_item("max_error", quality.max_error)?;
    out.set_item("nmse", quality.nmse)?;
    out.set_item("psnr", quality.psnr)?;
    out.set_item("cosine", quality.cosine)?;
    out.set_item("exact_values", added.exact_values)?;
    Ok(out)
}
