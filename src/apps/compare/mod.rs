//! What each way to store rows costs: bytes, error and time.

mod config;
mod found;
mod sample;
#[cfg(test)]
mod tests;

pub use config::CompareConfig;
pub use found::{Comparison, Method, Trial};

use crate::compress::{Config, Progress, Report, Stage, compress};
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::matrix::{Decimal, Rows};
use crate::quality::Quality;
use std::io;
use std::time::Instant;

/// Compresses `rows` in several ways and says what each costs. `config` says all but levels and
/// promises, which are those of `how`.
///
/// Of many rows some are measured, so that the default takes less than a minute. What a level saves
/// there it saves of all rows, and more where the rows left out let a larger network pay for itself.
/// Bounds relative to a range are relative to the range of the rows that are measured.
///
/// ```
/// use aezip::{Config, Matrix, apps};
/// let wave = |i: i32| (0.1 * f64::from(i / 6)).sin() * f64::from(i % 6);
/// let rows = Matrix::from_slice(&(0..1800).map(wave).collect::<Vec<_>>(), &[6])?;
/// let mut how = apps::CompareConfig::of_kind("nmse", &["0.1".into(), "0.01".into()])?;
/// how.levels = vec![1];
/// let found = apps::compare(&rows, &Config::default(), &how)?;
/// let bytes: Vec<f64> = found.trials.iter().map(|trial| trial.bytes_per_row).collect();
/// assert_eq!(bytes[0], 48.0); // as they are, then lossless, then with more and more precision
/// assert!(bytes[1] < bytes[0] && bytes[2] < bytes[3] && bytes[3] < bytes[1]);
/// # Ok::<(), aezip::Error>(())
/// ```
///
/// # Errors
/// `Argument` if there are no rows, no levels or promises of several kinds, or a promise makes no sense
/// for these rows; otherwise whatever reading the rows fails with.
pub fn compare(rows: &dyn Rows, config: &Config, how: &CompareConfig) -> Result<Comparison> {
    how.validate()?;
    if rows.is_empty() || rows.schema().width() == 0 {
        return Err(Error::argument("there are no rows to compare ways to store them"));
    }
    let sample = sample::of(rows, how.most_values)?;
    let measured = sample.as_ref().map_or(rows, |sample| sample);
    let ways = how.ways();
    let as_they_are = Trial {
        method: Method::AsTheyAre,
        promise: Fidelity::Lossless,
        bytes_per_row: rows.schema().row_bytes() as f64,
        error: 0.0,
        max_error: 0.0,
        nmse: 0.0,
        seconds: 0.0,
    };
    let mut trials = vec![as_they_are];
    for (done, (method, promise)) in ways.iter().enumerate() {
        tell(config, done, ways.len());
        trials.push(trial(measured, rows.len(), &asked(config, how, *method, promise), *method)?);
    }
    tell(config, ways.len(), ways.len());
    Ok(Comparison {
        rows: rows.len(),
        measured: measured.len(),
        error_name: how.promises.first().map_or_else(String::new, error_name),
        trials,
    })
}

/// Says how many ways have been measured.
fn tell(config: &Config, done: usize, total: usize) {
    if let Some(tell) = &config.progress {
        let (done, total) = (done as u64, total as u64);
        tell(Progress { stage: Stage::Measure, done, total, estimate: None, epoch: None });
    }
}

/// The request that a way to store rows stands for.
fn asked(config: &Config, how: &CompareConfig, method: Method, promise: &Fidelity) -> Config {
    let mut asked = Config { fidelity: promise.clone(), progress: None, ..config.clone() };
    match method {
        Method::Level(level) => asked.level = level,
        Method::Linear => {
            asked.level = how.highest();
            asked.train.hidden = Some(Vec::new());
        }
        Method::AsTheyAre | Method::Lossless => asked.level = how.lowest(),
    }
    asked
}

/// Compresses the rows `measured` of `rows` in all as `config` says.
fn trial(measured: &dyn Rows, rows: usize, config: &Config, method: Method) -> Result<Trial> {
    let started = Instant::now();
    let report = compress(measured, config, io::sink())?;
    let seconds = started.elapsed().as_secs_f64();
    let quality = &report.measured;
    Ok(Trial {
        method,
        bytes_per_row: bytes_per_row(&report, rows),
        error: error(&report.promised, quality),
        max_error: quality.max_error,
        nmse: if quality.nmse.is_finite() { quality.nmse } else { 0.0 },
        promise: report.promised,
        seconds,
    })
}

/// Bytes for each of `rows` rows, of which the report is about some.
fn bytes_per_row(report: &Report, rows: usize) -> f64 {
    let own = report.bytes_out.saturating_sub(report.model_bytes) as f64;
    own / report.rows.max(1) as f64 + report.model_bytes as f64 / rows.max(1) as f64
}

/// The figure that tells files with promises of one kind apart: what a bound says of each value or
/// row, else what was reached.
fn error(promise: &Fidelity, reached: &Quality) -> f64 {
    match promise {
        Fidelity::Lossless => 0.0,
        Fidelity::Cosine(_) => 1.0 - reached.cosine,
        Fidelity::RowCosine(_) => 1.0 - reached.worst_row_cosine,
        Fidelity::Nmse(_)
        | Fidelity::Psnr(_)
        | Fidelity::Ratio(_)
        | Fidelity::BytesPerRow(_)
        | Fidelity::MaxErrorColumns(_) => reached.nmse,
        bound => bound.text().parse().map_or(f64::NAN, |bound: Decimal| bound.nearest()),
    }
}

/// What [`error`] returns for promises of this kind.
fn error_name(promise: &Fidelity) -> String {
    match promise {
        Fidelity::MaxError(_) => "bound of each error",
        Fidelity::MaxErrorRel(_) => "bound of each error, as a share of its column's range",
        Fidelity::RowL2(_) => "bound of the length of each row's error",
        Fidelity::RowNmse(_) => "bound of each row's squared error, as a share of the variance",
        Fidelity::Cosine(_) => "1 − mean cosine",
        Fidelity::RowCosine(_) => "1 − cosine of the worst row",
        Fidelity::Nmse(_)
        | Fidelity::Psnr(_)
        | Fidelity::Ratio(_)
        | Fidelity::BytesPerRow(_)
        | Fidelity::MaxErrorColumns(_) => "squared error, as a share of the variance",
        other => return other.name().to_string(),
    }
    .to_string()
}
