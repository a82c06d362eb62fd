//! How codecs are learned that are to be used and not to compress.

use super::column_scale::column_scales;
use super::values;
use crate::compress::Config;
use crate::error::Result;
use crate::fidelity::Fidelity;
use crate::matrix::Rows;

/// The largest error of a stored row, in deviations of the values. Nobody stores such rows, but
/// the decoder's integers are made fine enough for it: a smaller bound makes them finer and the
/// codec larger, and at 0.01 their rounding is far below what any network leaves.
const BOUND: f64 = 0.01;

/// Rows from which the deviation is measured: enough for two digits of it, and read in no time.
/// Of wide rows fewer are read, but no fewer than `LEAST_ROWS`.
const ROWS: usize = 4096;
const LEAST_ROWS: usize = 256;
/// Columns up to which all [`ROWS`] are read.
const COLUMNS: usize = 64;

/// The configuration with which [`Codec::fit`](crate::Codec::fit) learns a codec from `rows` that is to
/// be used for embedding, scoring or drawing rows, and not to compress them.
///
/// It is `config` itself except for networks trained on the squared error (see
/// [`TrainConfig`](crate::TrainConfig)) where `config` promises a bound relative to each column's
/// range, as by default. Such networks weigh all columns alike, so they get one bound for all
/// columns, a hundredth of the values' deviation: else a column that hardly varies would ask the
/// decoder for a precision that no use has.
///
/// ```
/// use aezip::{Codec, Config, Loss, Matrix, apps};
/// let values: Vec<f32> = (0..8000).map(|i| (i as f32 * 0.3).sin()).collect();
/// let rows = Matrix::from_slice(&values, &[8])?;
/// let mut config = Config::default();
/// (config.train.loss, config.train.epochs) = (Loss::SquaredError, Some(2));
/// let codec = Codec::fit(&rows, &apps::config_for_uses(&rows, &config)?)?;
/// assert!(codec.has_network());
/// # Ok::<(), aezip::Error>(())
/// ```
///
/// # Errors
/// Whatever reading the rows fails with.
pub fn config_for_uses(rows: &dyn Rows, config: &Config) -> Result<Config> {
    let mut config = config.clone();
    let is_relative = matches!(&config.fidelity, Fidelity::MaxErrorRel(_));
    if !config.train.is_kind() || !is_relative || rows.is_empty() {
        return Ok(config);
    }
    let deviation = deviation(rows)?;
    if deviation > 0.0 && deviation.is_finite() {
        config.fidelity = Fidelity::MaxError(format!("{:e}", BOUND * deviation).parse()?);
    }
    Ok(config)
}

/// The root of the mean over columns of their squared scale, measured on some of the rows.
pub(super) fn deviation(rows: &dyn Rows) -> Result<f64> {
    let width = rows.schema().width();
    let some = (ROWS * COLUMNS / width.max(1)).clamp(LEAST_ROWS, ROWS).min(rows.len());
    let mut values = Vec::with_capacity(some * width);
    for i in 0..some {
        let row = rows.len() * i / some;
        values.extend(values::read(rows, row..row + 1)?);
    }
    let scales = column_scales(&values, width, 0.0);
    // In units of the largest, so that squares neither overflow nor vanish.
    let largest = scales.iter().fold(f64::MIN_POSITIVE, |m, s| m.max(s.scale));
    let squares: f64 = scales.iter().map(|s| (s.scale / largest).powi(2)).sum();
    Ok(largest * (squares / width.max(1) as f64).sqrt())
}
