//! Codecs that are learned for a use and not for a file.

use super::{cells, spread};
use crate::compress::{Codec, Config};
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::matrix::Rows;

/// Largest error of stored rows, in deviations of the values: nobody stores them, but the
/// decoder's integers are made for it.
const BOUND: f64 = 0.01;
/// Rows that are looked at for it.
const ROWS: usize = 4096;

/// As [`Codec::fit`], but for kinds of networks, which weigh all columns alike, with one bound for
/// all values in place of one for each column: a hundredth of their deviation. With the usual
/// bound, a column that hardly varies would ask the decoder for a precision that no use has.
///
/// # Errors
/// As [`Codec::fit`].
pub fn learn(rows: &dyn Rows, config: &Config) -> Result<Codec> {
    let usual = matches!(&config.fidelity, Fidelity::MaxErrorRel(_));
    if !config.train.is_kind() || !usual || rows.is_empty() {
        return Codec::fit(rows, config);
    }
    let mut config = config.clone();
    let deviation = deviation(rows)?;
    if deviation > 0.0 && deviation.is_finite() {
        let bound = format!("{:e}", BOUND * deviation).parse();
        config.fidelity =
            Fidelity::MaxError(bound.map_err(|_| {
                Error::argument(format!("a deviation of {deviation} is no number"))
            })?);
    }
    Codec::fit(rows, &config)
}

/// The root of the mean over columns of their squared spread.
pub(super) fn deviation(rows: &dyn Rows) -> Result<f64> {
    let width = rows.schema().width();
    let some = (ROWS * 64 / width.max(1)).clamp(256, ROWS).min(rows.len());
    let mut values = Vec::with_capacity(some * width);
    for i in 0..some {
        let row = rows.len() * i / some;
        values.extend(cells::read(rows, row..row + 1)?);
    }
    let spreads = spread::spreads(&values, width, 0.0);
    let most = spreads.iter().fold(f64::MIN_POSITIVE, |m, s| m.max(s.scale));
    let squares: f64 = spreads.iter().map(|s| (s.scale / most).powi(2)).sum();
    Ok(most * (squares / width.max(1) as f64).sqrt())
}
