//! Arrays to files.

use crate::error::exception;
use crate::options;
use crate::rows::{About, Input, Watched};
use crate::work::{Control, WatchedWriter, run};
use aezip::{Codec, Config, Error, Fidelity, Report, Result, Rows};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// What the name of an unfinished file begins and ends with, as for the program, which removes those
/// that a killed process left.
const PREFIX: &str = ".aezip-";
const SUFFIX: &str = ".tmp";

/// A file beside `path` that becomes it when it is complete; it is locked so that nobody takes it
/// for a remnant.
struct Pending(NamedTempFile, PathBuf);

impl Pending {
    fn beside(path: &Path) -> Result<Self> {
        // Through a link to the file that is meant.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let mut reason = None;
        let file = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).make_in(folder, |path| {
            // Unlike other temporary files, those who may are to read it.
            let file = File::options().read(true).write(true).create_new(true).open(path);
            file.inspect_err(|e| reason = e.raw_os_error())
        });
        let file = file.map_err(|e| {
            let e = reason.map_or(e, io::Error::from_raw_os_error);
            Error::io(format!("cannot create {}", path.display()), e)
        })?;
        if let Ok(old) = std::fs::metadata(&path) {
            // The new contents are for the same eyes as the old.
            let set = file.as_file().set_permissions(old.permissions());
            set.map_err(|e| Error::io(format!("cannot create {}", path.display()), e))?;
        }
        // Some file systems have no locks; then a run of the program is not to be told.
        let _ = file.as_file().lock();
        Ok(Self(file, path))
    }

    fn commit(self) -> Result<()> {
        let Self(file, path) = self;
        let failed = |e| Error::io(format!("cannot write {}", path.display()), e);
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|e| failed(e.error))?;
        Ok(())
    }
}

/// Writes into a file at `path`, or into memory where there is none.
pub(crate) fn written<T>(
    path: Option<&Path>,
    control: &Control,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<T>,
) -> Result<(Vec<u8>, T)> {
    let Some(path) = path else {
        let mut bytes = Vec::new();
        let done = write(&mut WatchedWriter(&mut bytes, control))?;
        return Ok((bytes, done));
    };
    let failed = |e| Error::io(format!("cannot write {}", path.display()), e);
    if is_stream(path) {
        let file = File::options().write(true).open(path).map_err(failed)?;
        let mut out = BufWriter::new(WatchedWriter(file, control));
        let done = write(&mut out)?;
        out.flush().map_err(failed)?;
        return Ok((Vec::new(), done));
    }
    let pending = Pending::beside(path)?;
    let file: &File = pending.0.as_file();
    let mut out = BufWriter::new(WatchedWriter(file, control));
    let done = write(&mut out)?;
    out.flush().map_err(failed)?;
    drop(out);
    control.check()?;
    pending.commit()?;
    Ok((Vec::new(), done))
}

/// Says whether something is there that takes bytes and is no file, a device or a pipe: what is written to it is
/// written, and no file takes its place.
fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// The bytes, where there is no file, and what came of it.
pub(crate) type Outcome<'py> = (Bound<'py, PyBytes>, Bound<'py, PyDict>);

/// Compresses rows into the file `path`, or into bytes without one.
pub(crate) fn compress<'py>(
    py: Python<'py>,
    input: &Input<'py>,
    codec: Option<&Codec>,
    (path, options, progress): (Option<PathBuf>, &Bound<'py, PyDict>, Option<Py<PyAny>>),
    about: Option<About>,
) -> PyResult<Outcome<'py>> {
    let (mut rows, config) = (input.rows()?, options::config(options)?);
    about.map_or(Ok(()), |about| rows.describe(about))?;
    compress_rows(py, |_| Ok(&rows as &dyn Rows), codec, (path, config, progress))
}

/// The same of rows that are opened when the interpreter has been left.
pub(crate) fn compress_rows<'py, 'r, R: std::ops::Deref<Target = dyn Rows + 'r>>(
    py: Python<'py>,
    open: impl FnOnce(&Control) -> Result<R> + Send,
    codec: Option<&Codec>,
    (path, mut config, progress): (Option<PathBuf>, Config, Option<Py<PyAny>>),
) -> PyResult<Outcome<'py>> {
    let (bytes, report) = run(py, progress, |control| {
        control.watch(&mut config);
        let rows = open(control)?;
        let rows = Watched(&*rows, control);
        written(path.as_deref(), control, |out| match codec {
            Some(codec) => codec.compress(&rows, &config, out),
            None => aezip::compress(&rows, &config, out),
        })
    })?;
    Ok((PyBytes::new(py, &bytes), described(py, &report)?))
}

/// Learns a codec from rows; `for_uses` for embedding and the like instead of files.
pub(crate) fn train(
    py: Python<'_>,
    input: &Input<'_>,
    for_uses: bool,
    (options, progress): (&Bound<'_, PyDict>, Option<Py<PyAny>>),
) -> PyResult<Codec> {
    let (rows, mut config) = (input.rows()?, options::config(options)?);
    run(py, progress, |control| {
        control.watch(&mut config);
        learned(&Watched(&rows, control), &config, for_uses)
    })
}

fn learned(rows: &dyn Rows, config: &Config, for_uses: bool) -> Result<Codec> {
    match for_uses {
        true => Codec::fit(rows, &aezip::apps::config_for_uses(rows, config)?),
        false => Codec::fit(rows, config),
    }
}

/// Writes bytes beside `path` and renames them.
#[pyfunction]
pub(crate) fn write_file(py: Python<'_>, path: PathBuf, bytes: &[u8]) -> PyResult<()> {
    py.detach(|| {
        let control = Arc::new(Control::default());
        written(Some(&path), &control, |out| {
            out.write_all(bytes)
                .map_err(|e| Error::io(format!("cannot write {}", path.display()), e))
        })
    })
    .map(drop)
    .map_err(|e| exception(&e))
}

/// A promise as a keyword argument: its name and its number, text where columns have their own.
pub(crate) fn promise(fidelity: &Fidelity) -> (String, String) {
    (fidelity.name().replace('-', "_"), fidelity.text())
}

fn described<'py>(py: Python<'py>, report: &Report) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("rows", report.rows)?;
    out.set_item("bytes_in", report.bytes_in)?;
    out.set_item("bytes_out", report.bytes_out)?;
    out.set_item("model_bytes", report.model_bytes)?;
    out.set_item("promise", promise(&report.promised))?;
    let quality = &report.measured;
    out.set_item("max_error", quality.max_error)?;
    out.set_item("max_error_pointwise_rel", quality.max_error_pointwise_rel)?;
    out.set_item("nmse", quality.nmse)?;
    out.set_item("psnr", quality.psnr)?;
    out.set_item("cosine", quality.cosine)?;
    out.set_item("fill_values", report.fill_values.clone())?;
    out.set_item("latents", report.latents)?;
    out.set_item("hidden", report.hidden.clone())?;
    Ok(out)
}
