//! What ways to store rows cost.

use crate::options;
use crate::rows::{Input, Watched};
use crate::work::run;
use aezip::apps::plot::{PlotFormat, rates};
use aezip::apps::{self, CompareConfig, Method};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// What was measured, as the library has it.
#[pyclass(frozen, module = "aezip._aezip", name = "Comparison")]
pub(crate) struct PyComparison(apps::Comparison);

/// Compresses rows in several ways: with a kind of promise, its numbers, levels and about how many
/// values.
#[pyfunction]
#[pyo3(signature = (rows, options, how, progress=None))]
pub(crate) fn compare<'py>(
    py: Python<'py>,
    rows: Input<'py>,
    options: &Bound<'py, PyDict>,
    how: (String, Vec<String>, Option<Vec<u8>>, Option<usize>),
    progress: Option<Py<PyAny>>,
) -> PyResult<PyComparison> {
    let (rows, mut config) = (rows.rows()?, options::config(options)?);
    let (kind, numbers, levels, most) = how;
    run(py, progress, |control| {
        let mut how = CompareConfig::of_kind(&kind, &numbers)?;
        how.levels = levels.unwrap_or(how.levels);
        how.most_values = most.unwrap_or(how.most_values);
        control.watch(&mut config);
        apps::compare(&Watched(&rows, control), &config, &how)
    })
    .map(PyComparison)
}

#[pymethods]
impl PyComparison {
    /// How many rows there are, how many of them were measured, and what `error` is.
    fn facts(&self) -> (usize, usize, &str) {
        (self.0.rows, self.0.measured, &self.0.error_name)
    }

    /// A dict for each way.
    fn trials<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let line = |trial: &apps::Trial| {
            let out = PyDict::new(py);
            out.set_item("method", trial.method.to_string())?;
            let is_exact = matches!(trial.method, Method::AsTheyAre | Method::Lossless);
            let promise = if is_exact { String::new() } else { trial.promise.text() };
            out.set_item("promise", promise)?;
            out.set_item("bytes_per_row", trial.bytes_per_row)?;
            out.set_item("error", trial.error)?;
            out.set_item("max_error", trial.max_error)?;
            out.set_item("nmse", trial.nmse)?;
            out.set_item("seconds", trial.seconds)?;
            Ok(out)
        };
        self.0.trials.iter().map(line).collect()
    }

    /// A picture as SVG, PNG or a page.
    fn draw<'py>(&self, py: Python<'py>, title: &str, to: &str) -> PyResult<Bound<'py, PyBytes>> {
        let format: PlotFormat =
            to.parse().map_err(|e: aezip::Error| PyValueError::new_err(e.to_string()))?;
        let drawn = run(py, None, |_| rates(&self.0, title, format))?;
        Ok(PyBytes::new(py, &drawn))
    }
}
