//! Rows to a file: from the caller's wish to the bytes.

mod codec;
mod config;
mod exact;
mod report;
mod target;
#[cfg(all(test, feature = "formats"))]
mod tests;
mod writer;

pub use crate::fit::config::{Activation, TrainConfig};
pub use crate::fit::corruption::{Denoise, Loss, Patches};
pub use crate::fit::history::{Epoch, History};
pub use codec::Codec;
use codec::Prior;
use config::Coaching;
pub use config::{Config, Estimate, Progress, ProgressFn, Stage};
pub use report::Report;
pub use writer::Writer;

use crate::container::file::FileWriter;
use crate::container::forever::{MAX_DIMENSIONS, MAX_WIDTH};
use crate::encode::blocks::{Totals, block_rows, encode_rows};
use crate::encode::encoder::BlockEncoder;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::candidate::Candidate;
use crate::fit::data::components::Basis;
use crate::fit::data::sample::Sample;
use crate::fit::network::context::TrainingContext;
use crate::fit::search::bounded::{SearchEffort, with_bounds};
use crate::fit::search::rows;
use crate::fit::search::target::Goal;
use crate::matrix::{Rows, Schema};
use crate::quality::bounds;
use std::io::Write;
use std::sync::Mutex;

/// Compresses `rows` into `out` as `config` says; the same input gives the same bytes.
///
/// # Errors
/// `Argument` if the promise makes no sense for these rows or cannot be kept; `Io` if reading or
/// writing fails.
///
/// ```
/// use aezip::{Config, Fidelity, Matrix, Reader, compress};
/// let values: Vec<f32> = (0..3000).map(|i| (i as f32 * 0.01).sin()).collect();
/// let matrix = Matrix::from_slice(&values, &[30])?;
/// let mut config = Config::default();
/// config.fidelity = Fidelity::MaxError("0.001".parse()?);
///
/// let mut bytes = Vec::new();
/// let report = compress(&matrix, &config, &mut bytes)?;
/// assert!(report.bytes_out < report.bytes_in / 4);
///
/// let reader = Reader::new(&bytes)?;
/// let mut row = [0.0_f32; 30];
/// reader.read_row(7, &mut row)?;
/// assert!((row[0] - values[210]).abs() <= 0.001);
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn compress(rows: &dyn Rows, config: &Config, out: &mut (dyn Write + Send)) -> Result<Report> {
    run(rows, config, Given::default(), out)
}

/// What is there before a compression begins.
#[derive(Clone, Copy, Default)]
pub(crate) struct Given<'a> {
    /// A codec's.
    pub(crate) prior: Option<Prior<'a>>,
    /// More rows to train on than are compressed.
    pub(crate) rows: Option<&'a Sample>,
    /// Whether it is a codec that is wanted.
    pub(crate) precise: bool,
    /// How much finer than is best the network's weights are rounded, to see what rounding costs.
    pub(crate) finer: Option<f64>,
}

/// Numbers of the rows that kinds are trained on, most.
pub(crate) const TRAINED_ON: usize = 64 << 20;

/// Compresses with what a codec brings or, without one, with what is fitted.
pub(crate) fn run(
    rows: &dyn Rows,
    config: &Config,
    brought: Given<'_>,
    out: &mut (dyn Write + Send),
) -> Result<Report> {
    config.validate()?;
    check_schema(rows.schema())?;
    if let (Some(patches), None) = (config.train.mask, brought.prior) {
        patches.of(&rows.schema().row_shape)?;
    }
    let history = Mutex::new(History::default());
    let job = Job { rows, config, brought, history: &history };
    let mut report = config.on_threads(move || job.train_and_run(out))??;
    let history = history.into_inner().unwrap_or_default();
    report.training = (!history.epochs.is_empty()).then_some(history);
    Ok(report)
}

/// Refuses rows that no reader would take.
fn check_schema(schema: &Schema) -> Result<()> {
    let width = schema.row_shape.iter().try_fold(1_usize, |w, &n| w.checked_mul(n));
    let dimensions = schema.row_shape.len();
    if dimensions > MAX_DIMENSIONS || !width.is_some_and(|w| (1..=MAX_WIDTH).contains(&w)) {
        return Err(Error::argument(format!(
            "rows of shape {:?} cannot be compressed: they may have 1 to {MAX_WIDTH} numbers in up \
             to {MAX_DIMENSIONS} dimensions",
            schema.row_shape
        )));
    }
    Ok(())
}

/// One compression.
struct Job<'a> {
    rows: &'a dyn Rows,
    config: &'a Config,
    brought: Given<'a>,
    history: &'a Mutex<History>,
}

impl Job<'_> {
    fn basis(&self) -> Option<&Basis> {
        self.brought.prior.and_then(|p| p.basis)
    }

    /// What trains networks, or has one.
    fn with_training<T>(&self, work: impl FnOnce(&TrainingContext<'_>) -> T) -> T {
        let Given { prior, rows, precise, finer } = self.brought;
        let coaching = Coaching { codec: prior.map(|p| p.network), rows, precise, finer };
        let heard = |epoch: Epoch| {
            if let Ok(mut history) = self.history.lock() {
                // What is trained a second time is what is kept.
                if epoch.index == 0 {
                    history.epochs.clear();
                }
                history.epochs.push(epoch);
            }
        };
        self.config.with_training(coaching, &heard, work)
    }

    /// Draws what kinds are trained on, where it is not brought.
    fn train_and_run(&self, out: &mut (dyn Write + Send)) -> Result<Report> {
        let Given { prior, rows, .. } = self.brought;
        if !self.config.train.is_kind() || prior.is_some() || rows.is_some() {
            return self.run(out);
        }
        let rows = Sample::draw(self.rows, TRAINED_ON)?;
        let brought = Given { rows: Some(&rows), ..self.brought };
        Job { brought, ..*self }.run(out)
    }

    fn run(&self, out: &mut (dyn Write + Send)) -> Result<Report> {
        self.config.report(Stage::Scan, 0, 0);
        let fidelity = &self.config.fidelity;
        let bounds = bounds(self.rows, fidelity)?;
        if self.rows.is_empty() {
            let file = FileWriter::begin(out, self.rows.schema(), Some(fidelity), None, None)?;
            return Ok(self.report(file.finish()?, None, &Totals::default()));
        }
        self.config.report(Stage::Fit, 0, 0);
        let level = self.config.effort();
        let sample = Sample::draw(self.rows, level.values)?;
        let goal = match fidelity {
            Fidelity::Nmse(d) => Goal::Nmse(d.floor()),
            Fidelity::Psnr(d) => Goal::Psnr(d.ceil()),
            Fidelity::Cosine(d) => Goal::Cosine(d.ceil()),
            Fidelity::Ratio(d) => Goal::Bytes((self.bytes_in() as f64 / d.ceil()).floor()),
            Fidelity::BytesPerRow(d) => Goal::Bytes((self.rows.len() as f64 * d.floor()).floor()),
            Fidelity::RowNmse(_) | Fidelity::RowCosine(_) => return self.each_row(&sample, out),
            _ => {
                let bounds = bounds.expect("all other promises are bounds");
                return self.bounded(&sample, bounds, out);
            }
        };
        self.toward(goal, &sample, out)
    }

    fn bytes_in(&self) -> u64 {
        self.rows.len() as u64 * self.rows.schema().row_bytes() as u64
    }

    fn report(
        &self,
        bytes: u64,
        encoder: Option<(&BlockEncoder, (usize, usize))>,
        totals: &Totals,
    ) -> Report {
        let row_bytes = self.rows.schema().row_bytes() as u64;
        let rows = (self.rows.len() as u64, row_bytes);
        Report::new(rows, bytes, &self.config.fidelity, encoder, totals)
    }

    /// A bound on each value: fit once, encode once, straight to `out`.
    fn bounded(
        &self,
        sample: &Sample,
        bounds: Vec<f64>,
        out: &mut (dyn Write + Send),
    ) -> Result<Report> {
        let level = self.config.effort();
        let lossless = bounds.iter().all(|&b| b == 0.0);
        if lossless && self.rows.schema().dtype.is_float() {
            // Where a quick look finds nothing to model, a long one is not worth its time.
            let quick = SearchEffort { trials: 0, ..level.search };
            let quick = with_bounds(&sample.thin(1024), bounds.clone(), quick, self.basis(), None)?;
            if exact::is_smaller(sample, 0.85 * quick.fitted_bytes, level.zstd) {
                return self.exact(level.zstd, out);
            }
        }
        let fitted = self.with_training(|training| {
            with_bounds(sample, bounds, level.search, self.basis(), Some(training))
        })?;
        if lossless && exact::is_smaller(sample, fitted.fitted_bytes, level.zstd) {
            return self.exact(level.zstd, out);
        }
        self.write(fitted, out).map(|(report, _)| report)
    }

    /// Every row as it is: shuffled bytes and zstd, in blocks as large as zstd can use.
    fn exact(&self, level: i32, out: &mut (dyn Write + Send)) -> Result<Report> {
        let schema = self.rows.schema();
        let mut file = FileWriter::begin(out, schema, Some(&self.config.fidelity), None, None)?;
        let totals = exact::write(self.rows, level, &mut file, &|done| {
            self.config.report(Stage::Encode, done, self.rows.len() as u64);
        })?;
        Ok(self.report(file.finish()?, None, &totals))
    }

    /// Encodes everything with a fitted codec.
    fn write(&self, fitted: Candidate, out: &mut dyn Write) -> Result<(Report, Totals)> {
        let schema = self.rows.schema();
        let mut encoder = fitted.encoder;
        let row = (fitted.fitted_bytes - fitted.model_bytes as f64) / self.rows.len() as f64;
        encoder.block_rows = block_rows(row, schema.row_bytes(), encoder.program.temporal);
        encoder.exact_level = Some(self.config.effort().zstd);
        let line = schema.row_shape.last().copied().unwrap_or(1);
        let (model, decoder) = encoder.program.record.encode_measured(line);
        let sizes = (model.len(), decoder);
        let promise = Some(&self.config.fidelity);
        let mut file = FileWriter::begin(out, schema, promise, Some(&model), None)?;
        let totals = encode_rows(&encoder, self.rows, &mut file, &|done| {
            self.config.report(Stage::Encode, done, self.rows.len() as u64);
        })?;
        let bytes = file.finish()?;
        Ok((self.report(bytes, Some((&encoder, sizes)), &totals), totals))
    }

    /// A promise about each row by itself.
    fn each_row(&self, sample: &Sample, out: &mut (dyn Write + Send)) -> Result<Report> {
        let fitted = rows::fit(
            self.rows,
            sample,
            &self.config.fidelity,
            self.config.effort().search,
            self.basis(),
        )?;
        let Some(fitted) = fitted else {
            let zeros = vec![0.0; self.rows.schema().width()];
            return self.bounded(sample, zeros, out);
        };
        self.write(fitted, out).map(|(report, _)| report)
    }
}
