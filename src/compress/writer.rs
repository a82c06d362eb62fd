//! Rows written as they come.

use crate::compress::config::Coaching;
use crate::compress::{Config, Report};
use crate::container::file::FileWriter;
use crate::encode::blocks::{Totals, block_rows, encode_rows};
use crate::encode::encoder::BlockEncoder;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::data::sample::Sample;
use crate::fit::search::bounded::with_bounds;
use crate::matrix::{Element, Matrix, Rows, Schema, to_little_endian};
use crate::quality::bounds;
use std::io::Write;

/// Rows that are encoded together.
const BATCH_BYTES: usize = 8 << 20;

/// Compresses a stream of rows into any [`Write`], knowing only some rows beforehand.
///
/// The promise must be about single values and known without seeing all rows: an absolute bound,
/// bounds per column, or lossless.
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
    file: FileWriter<W>,
    encoder: BlockEncoder,
    schema: Schema,
    config: Config,
    /// Bytes of the model, and of the decoder in it.
    sizes: (usize, usize),
    pending: Vec<u8>,
    totals: Totals,
    rows: u64,
}

impl<W: Write> Writer<W> {
    /// Fits to `seen`, rows like those to come, and writes the beginning of the file.
    ///
    /// # Errors
    /// `Argument` if there are no such rows or the promise is about all rows together; `Io` if
    /// writing fails.
    pub fn new(out: W, seen: &dyn Rows, config: &Config) -> Result<Self> {
        config.validate()?;
        super::check_schema(seen.schema())?;
        if seen.is_empty() {
            return Err(Error::argument("a writer needs some rows to learn from"));
        }
        let bounds = match &config.fidelity {
            Fidelity::MaxErrorRel(_) => None,
            other => bounds(seen, other)?,
        };
        let bounds = bounds.ok_or_else(|| {
            Error::argument(format!(
                "{} can only be kept when all rows are known; use compress, or a bound on each \
                 value",
                config.fidelity
            ))
        })?;
        let level = config.effort();
        let fitted = config.on_threads(|| {
            let mut sample = Sample::draw(seen, level.values)?;
            // More rows are to come: nothing seen so far is all there is.
            sample.total = sample.total.saturating_mul(16).max(1 << 16);
            let fitted = config.with_training(Coaching::default(), &|_| {}, |training| {
                with_bounds(&sample, bounds, level.search, None, Some(training))
            });
            fitted.map(|f| (f, sample.total))
        })?;
        let (fitted, total) = fitted?;
        let schema = seen.schema().clone();
        let mut encoder = fitted.encoder;
        let row = (fitted.fitted_bytes - fitted.model_bytes as f64) / total as f64;
        encoder.block_rows = block_rows(row, schema.row_bytes(), encoder.program.temporal);
        encoder.exact_level = Some(level.zstd);
        let line = schema.row_shape.last().copied().unwrap_or(1);
        let (model, decoder) = encoder.program.record.encode_measured(line);
        let sizes = (model.len(), decoder);
        let file = FileWriter::begin(out, &schema, Some(&config.fidelity), Some(&model), None)?;
        Ok(Self {
            file,
            encoder,
            schema,
            config: config.clone(),
            sizes,
            pending: Vec::new(),
            totals: Totals::default(),
            rows: 0,
        })
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
        let block = self.encoder.block_rows * self.schema.row_bytes();
        let whole = if end { self.pending.len() } else { self.pending.len() / block * block };
        let rest = self.pending.split_off(whole);
        let bytes = std::mem::replace(&mut self.pending, rest);
        if bytes.is_empty() {
            return Ok(());
        }
        let rows = Matrix::new(Schema { columns: None, ..self.schema.clone() }, bytes)?;
        let totals = encode_rows(&self.encoder, &rows, &mut self.file, &|_| {})?;
        self.rows += rows.len() as u64;
        self.totals.tally.add(&totals.tally);
        self.totals.escapes += totals.escapes;
        Ok(())
    }

    /// Writes what is pending and the end of the file; gives back the output.
    ///
    /// # Errors
    /// `Io` if writing fails.
    pub fn finish(mut self) -> Result<(W, Report)> {
        self.flush(true)?;
        let row_bytes = self.schema.row_bytes() as u64;
        let (length, out) = self.file.finish_into()?;
        let encoder = Some((&self.encoder, self.sizes));
        let promised = &self.config.fidelity;
        let report = Report::new((self.rows, row_bytes), length, promised, encoder, &self.totals);
        Ok((out, report))
    }
}
