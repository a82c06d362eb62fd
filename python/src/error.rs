//! Errors of the library as Python's.

use aezip::ErrorKind;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use std::error::Error as _;

pyo3::create_exception!(
    aezip,
    CorruptError,
    PyValueError,
    "A file that is damaged, ends early, or is no file of aezip."
);

/// The exception for `error`, with the library's own sentence.
pub(crate) fn exception(error: &aezip::Error) -> PyErr {
    exception_in(None, error)
}

/// The same of a file, whose name stands before what is wrong in it.
pub(crate) fn exception_in(place: Option<&str>, error: &aezip::Error) -> PyErr {
    let is_of_file = !matches!(error.kind(), ErrorKind::Argument);
    let what = match (place, error.to_string()) {
        (Some(place), what) if is_of_file && !what.contains(place) => format!("{place}: {what}"),
        (_, what) => what,
    };
    match error.kind() {
        ErrorKind::Corrupt | ErrorKind::Truncated => CorruptError::new_err(what),
        ErrorKind::Io => {
            let source = error.source().and_then(|e| e.downcast_ref::<std::io::Error>());
            if let Some(raised) = source.and_then(|e| e.get_ref()?.downcast_ref::<PyErr>()) {
                // What a function of Python raised stays what it was.
                return Python::attach(|py| raised.clone_ref(py));
            }
            // With its number, Python chooses the kind: FileNotFoundError, PermissionError, …
            match source.and_then(std::io::Error::raw_os_error) {
                Some(number) => PyOSError::new_err((number, what)),
                None => PyOSError::new_err(what),
            }
        }
        _ => PyValueError::new_err(what),
    }
}
