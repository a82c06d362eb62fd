//! A file of rows that come one after another.

use crate::compress::config::Config;
use crate::compress::filled::with_fill_values;
use crate::compress::job::Job;
use crate::compress::pointwise;
use crate::compress::report::Report;
use crate::compress::stream::{Finished, Stream};
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::candidate::Candidate;
use crate::fit::data::sample::Sample;
use crate::fit::search::bounded::with_bounds;
use crate::matrix::{Element, Matrix, Rows, Schema, to_little_endian};
use crate::quality::bounds;
use std::io::Write;

/// Bytes of rows that are encoded together: enough for a block or more on each thread.
const BATCH_BYTES: usize = 8 << 20;

/// Compresses a stream of rows into any [`Write`], knowing only some rows beforehand.
///
/// The promise must be about single values and known without seeing all rows: an absolute bound,
/// one that is a share of the value, bounds per column, or lossless.
///
/// ```
/// use aezip::{Config, Fidelity, Matrix, Reader, Writer};
/// let seen = Matrix::from_slice(&(0..4000).map(|i| (i % 17) as f32).collect::<Vec<_>>(), &[4])?;
/// let mut config = Config::default();
/// config.fidelity = Fidelity::MaxError("0.25".parse()?);
/// let mut writer = Writer::new(Vec::new(), &seen, &config)?;
/// for i in 0..100 {
///     writer.push(&[i as f32, 1.0, 2.0, -3.0])?;
/// }
/// let (file, report) = writer.finish()?;
/// assert_eq!(report.rows, 100);
/// let mut row = [0.0_f32; 4];
/// Reader::new(file)?.read_row(99, &mut row)?;
/// assert!((row[0] - 99.0).abs() <= 0.25);
/// # Ok::<(), aezip::Error>(())
/// ```
#[derive(Debug)]
pub struct Writer<W: Write> {
    stream: Stream<W>,
    schema: Schema,
    config: Config,
    /// Little-endian cells of rows that are not encoded yet.
    pending: Vec<u8>,
}

/// Rows that are yet to come for each that was seen, and the least number of rows in all: nothing
/// seen so far is all there is, and a model is to pay over rows that come.
const ROWS_TO_COME: usize = 16;
const LEAST_ROWS: usize = 1 << 16;

/// Fits to a sample of rows like those to come.
fn fit(job: &Job<'_>, sample: &Sample) -> Result<Candidate> {
    let promise = &job.config.fidelity;
    if let Some(share) = pointwise::share(promise)
        && let Some(fitted) = pointwise::companded(job, sample, share)?
    {
        return Ok(fitted);
    }
    let bounds = match promise {
        Fidelity::MaxErrorRel(_) => None,
        // Scales save nothing: all is kept.
        Fidelity::MaxErrorPointwiseRel(_) => bounds(job.rows, &Fidelity::Lossless)?,
        other => bounds(job.rows, other)?,
    };
    let bounds = bounds.ok_or_else(|| {
        Error::argument(format!(
            "{promise} can only be kept when all rows are known; use compress, or a bound on each value"
        ))
    })?;
    with_bounds(sample, bounds, job.level.search, None, Some(&job.training))
}

impl<W: Write> Writer<W> {
    /// Fits to `seen`, rows like those to come, and writes the beginning of the file.
    ///
    /// # Errors
    /// `Argument` if there are no such rows or the promise is about all rows together; `Io` if
    /// writing fails.
    pub fn new(out: W, seen: &dyn Rows, config: &Config) -> Result<Self> {
        let recorder = config.recorder();
        let seen = &with_fill_values(seen, config)?;
        let job = Job::new(seen, config, &recorder)?;
        if seen.is_empty() {
            return Err(Error::argument("a writer needs some rows to learn from"));
        }
        let (fitted, rows) = config.on_threads(|| {
            let mut sample = Sample::draw(seen, job.level.sample_values)?;
            sample.total = sample.total.saturating_mul(ROWS_TO_COME).max(LEAST_ROWS);
            Result::Ok((fit(&job, &sample)?, sample.total))
        })??;
        let mut schema = seen.schema().clone();
        // What is known of the text of these rows may not be true of those to come.
        if let Some(text) = schema.origin.as_mut().and_then(|origin| origin.text.as_mut()) {
            text.columns.clear();
            text.kept = None;
        }
        let stream = Stream::begin(out, &schema, config, fitted, rows)?;
        Ok(Self { stream, schema, config: config.clone(), pending: Vec::new() })
    }

    /// Takes whole rows.
    ///
    /// # Errors
    /// `Argument` if `T` is not the type or `values` are not whole rows; `Io` if writing fails.
    pub fn push<T: Element>(&mut self, values: &[T]) -> Result<()> {
        let Schema { dtype, .. } = self.schema;
        if T::DTYPE != dtype || !values.len().is_multiple_of(self.schema.width()) {
            return Err(Error::argument(format!(
                "{} numbers of type {} are not whole rows of {} {dtype}",
                values.len(),
                T::DTYPE,
                self.schema.width()
            )));
        }
        self.pending.extend(to_little_endian(values));
        if self.pending.len() >= BATCH_BYTES {
            self.flush(false)?;
        }
        Ok(())
    }

    /// Encodes pending rows: whole blocks only, or at the end all.
    fn flush(&mut self, end: bool) -> Result<()> {
        let block = self.stream.encoder().block_rows * self.schema.row_bytes();
        let whole = if end { self.pending.len() } else { self.pending.len() / block * block };
        let rest = self.pending.split_off(whole);
        let bytes = std::mem::replace(&mut self.pending, rest);
        if bytes.is_empty() {
            return Ok(());
        }
        let rows = Matrix::new(Schema { columns: None, ..self.schema.clone() }, bytes)?;
        self.stream.encode(&rows, &|_| {})
    }

    /// Writes what is pending and the end of the file; gives back the output.
    ///
    /// # Errors
    /// `Io` if writing fails.
    pub fn finish(mut self) -> Result<(W, Report)> {
        self.flush(true)?;
        let Finished { out, report, .. } = self.stream.finish(&self.schema, &self.config)?;
        Ok((out, report))
    }
}
