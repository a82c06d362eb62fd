//! Files of other kinds: compressed, and written again.

use crate::error::exception;
use crate::options;
use crate::work::{Control, run};
use crate::write::{Outcome, compress_rows, written};
use aezip::input::sink::{RowSink, create_packed_sink, create_pictures};
use aezip::input::{Format, OpenOptions, Packing, Rounding, open};
use aezip::{Error, FileSource, Limits, Reader, ReaderOptions, Result, Rows, Schema, restore};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Bytes of rows that are decoded together.
const PIECE: usize = 4 << 20;
/// Bytes of decoded tiles that are kept: rows of an array reach across many of them.
const CACHE: usize = 256 << 20;

/// Compresses the file `input` into `path`, or into bytes without one. `how` has the name of an array,
/// those of columns, and a format.
#[pyfunction]
#[pyo3(signature = (input, path, options, how, progress=None))]
pub(crate) fn compress_file<'py>(
    py: Python<'py>,
    input: PathBuf,
    path: Option<PathBuf>,
    options: &Bound<'py, PyDict>,
    how: (Option<String>, Option<Vec<String>>, Option<String>),
    progress: Option<Py<PyAny>>,
) -> PyResult<Outcome<'py>> {
    let config = options::config(options)?;
    let (array, columns, format) = how;
    let format = format.map(|name| name.parse()).transpose().map_err(|e| exception(&e))?;
    let rounding = Rounding::for_promise(&config.fidelity);
    let open_options =
        OpenOptions { array, columns, format, rounding, keep_text: true, ..Default::default() };
    let label = input.display().to_string();
    let opened = move |_: &Control| -> Result<Box<dyn Rows>> { open(&input, &open_options) };
    compress_rows(py, opened, None, (path, config, progress)).map_err(|e| named(py, &label, e))
}

/// Says in an error which file it is about.
pub(crate) fn named(py: Python<'_>, label: &str, error: PyErr) -> PyErr {
    let text = error.value(py).to_string();
    if !error.is_instance_of::<pyo3::exceptions::PyValueError>(py) || text.contains(label) {
        return error;
    }
    PyErr::from_type(error.get_type(py), format!("{label}: {text}"))
}

/// Writes the rows of the file `input`, or those of a range, into `output`, a new folder for pictures.
#[pyfunction]
#[pyo3(signature = (input, output, format=None, rows=None))]
pub(crate) fn decompress(
    py: Python<'_>,
    input: PathBuf,
    output: PathBuf,
    format: Option<String>,
    rows: Option<(usize, usize)>,
) -> PyResult<()> {
    let asked = format.map(|name| name.parse()).transpose().map_err(|e| exception(&e))?;
    run(py, None, |control| {
        let reader = Reader::open_with(&input, ReaderOptions::new(Limits::default(), CACHE))?;
        let format = format_of(&output, asked, reader.schema())?;
        let all = 0..reader.shape().first().copied().unwrap_or(1);
        let rows = rows.map_or(all, |(first, end)| first..end);
        let schema = restore::schema(&reader, Some(&output), format);
        let schema = restore::of_rows(schema, &rows);
        let schema = match reader.kept_text()? {
            Some(text) if format == Format::Csv => restore::with_text(schema, text, rows.clone())?,
            _ => schema,
        };
        let count = rows.len() as u64;
        if format == Format::Png {
            let mut sink = create_pictures(&output, &schema, count)?;
            copy(&reader, &schema, rows, &mut *sink, control)?;
            return sink.finish();
        }
        let packing = output.file_name().and_then(|n| Packing::from_name(&n.to_string_lossy()));
        let written = written(Some(&output), control, |out| {
            let mut sink = create_packed_sink(packing, format, &schema, count, Box::new(out))?;
            copy(&reader, &schema, rows, &mut *sink, control)?;
            sink.finish()
        });
        written.map(drop)
    })
}

/// Returns the format that is asked for, or that the name stands for, or that the rows were read from.
fn format_of(output: &Path, asked: Option<Format>, stored: &Schema) -> Result<Format> {
    let own = restore::ending(output) == restore::ending(Path::new(&stored.name));
    let raw = (own && !stored.name.is_empty()).then_some(Format::Raw);
    let named = asked.or_else(|| Format::from_extension(output));
    named.or_else(|| restore::remembered(stored)).or(raw).ok_or_else(|| {
        Error::argument(format!(
            "the name {} stands for no format; give one, as in format=\"npy\"",
            output.display()
        ))
    })
}

/// Decodes rows into `sink`, a piece at a time.
fn copy(
    reader: &Reader<FileSource>,
    schema: &Schema,
    rows: Range<usize>,
    sink: &mut dyn RowSink,
    control: &Control,
) -> Result<()> {
    let short = restore::short_decimals(reader, schema).filter(|_| schema.dtype.is_float());
    let shape = reader.shape();
    let Some(&all) = shape.first() else {
        let mut buffer = vec![0; schema.dtype.size()];
        reader.read_region_bytes(&[], &mut buffer)?;
        return sink.write(&buffer);
    };
    if rows.start > rows.end || rows.end > all {
        return Err(Error::argument(format!("rows {rows:?} asked for, there are {all}")));
    }
    let row_bytes = shape[1..].iter().product::<usize>() * schema.dtype.size();
    let step = reader.rows_at_once(PIECE).max(1);
    let mut buffer = Vec::new();
    for first in rows.clone().step_by(step) {
        control.check()?;
        let end = rows.end.min(first + step);
        let rest = shape[1..].iter().map(|&n| 0..n);
        let ranges: Vec<Range<usize>> = std::iter::once(first..end).chain(rest).collect();
        buffer.resize((end - first) * row_bytes, 0);
        reader.read_region_bytes(&ranges, &mut buffer)?;
        if let Some(short) = &short {
            short.apply(&mut buffer);
        }
        sink.write(&buffer)?;
    }
    Ok(())
}
