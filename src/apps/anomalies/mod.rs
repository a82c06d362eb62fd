//! Rows that are not like the others.
//!
//! A row is an anomaly where few others are near it: `density` measures that, among the `points`
//! that ordinary rows are, or those that a codec makes of them (`latents`). Or it is one where a
//! codec does not give it back: an autoencoder with few latents learns what most rows have in
//! common, and a row that it cannot reconstruct has something that others do not (Hawkins et al.
//! 2002, *Outlier detection using replicator neural networks*). `scoring` turns its errors into
//! scores, with `expected_error` where the codec was learned elsewhere; `training` learns the codec
//! from rows that may be anomalies themselves.

mod config;
mod density;
mod expected_error;
mod found;
mod latents;
mod points;
mod scoring;
#[cfg(test)]
mod tests;
mod training;

pub use config::{AnomalyConfig, AnomalyScore};
pub use found::{Anomalies, Judged, worst_columns};

use super::column_units::ColumnUnits;
use super::comparable::Comparable;
use super::model::Model;
use crate::compress::{Codec, Config, Loss};
use crate::error::{Error, Result};
use crate::matrix::{Described, Rows};
use density::{Density, Differences};
use scoring::Reconstruction;
use std::sync::Arc;
use training::Scored;

/// Scores `rows`, all with each other or by `codec`: by how thinly ordinary rows lie about each, or
/// as [`AnomalyConfig::score`] says.
///
/// Columns with units of their own are brought to the same spread first, see
/// [`AnomalyConfig::table`]. Missing values (NaN) do not count. Rows without any value, and those a
/// hundred times as far from all others as those from each other, are flagged, and others are not
/// compared with them. Where a network is to be learned from fewer rows than
/// [`Codec::LEAST_ROWS`], principal components stand for it.
///
/// # Errors
/// `Argument` if the codec is for other rows or has no encoder, a number of `how` is out of its
/// range, no row has a value, or a network is to be learned from rows that do not differ; otherwise
/// whatever reading the rows fails with.
///
/// ```no_run
/// use aezip::apps::{AnomalyConfig, find_anomalies};
/// use aezip::{Config, input};
/// let rows = input::open("sensors.csv", &Default::default())?;
/// let found = find_anomalies(&*rows, None, &Config::default(), &AnomalyConfig::default())?;
/// for (row, _) in found.flagged.iter().enumerate().filter(|(_, flagged)| **flagged) {
///     println!("{row}: {:?}", found.worst_columns(row, 3));
/// }
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn find_anomalies(
    rows: &dyn Rows,
    codec: Option<&Codec>,
    config: &Config,
    how: &AnomalyConfig,
) -> Result<Anomalies> {
    judge_rows(rows, codec, config, how)?.collected()
}

/// The same as [`find_anomalies`], but for the contributions of columns, which are found when they are read.
///
/// # Errors
/// Those of [`find_anomalies`].
pub fn judge_rows<'a>(
    rows: &'a dyn Rows,
    codec: Option<&Codec>,
    config: &Config,
    how: &AnomalyConfig,
) -> Result<Judged<'a>> {
    how.validate()?;
    if rows.is_empty() {
        return Err(Error::argument("there are no rows to judge"));
    }
    let units = how.units(rows)?;
    let how = AnomalyConfig { table: Some(units == ColumnUnits::Own), ..how.clone() };
    let how = AnomalyConfig { score: how.score(codec.is_some(), config), ..how };
    let judged = |scores| Judged::new(scores, None, &how);
    let found = match (codec, how.score) {
        (Some(codec), AnomalyScore::Bits) => judged(scoring::by_bits(rows, codec, config)?),
        (Some(codec), AnomalyScore::Density) => judged(latents::scores(rows, codec, config, &how)?),
        (Some(codec), _) => {
            let own = Reconstruction::Model(Box::new(Model::new(codec)?));
            let schema = rows.schema().clone();
            let rows: Arc<dyn Rows> = Arc::new(Described { rows, schema });
            Scored::new(Box::new(scoring::score(&rows, own, config, &how, None)?))?.judged(&how)
        }
        (None, _) => {
            let rows = Comparable::new(rows, Some(units), config)?;
            if rows.ordinary.is_empty() {
                let what = "no row has values, so there is nothing to compare with";
                return Err(Error::argument(what));
            }
            match how.score {
                AnomalyScore::Density => by_density(&rows, config, &how)?,
                _ => learn_and_judge(&rows, config, &how)?,
            }
        }
    };
    Ok(Judged { units, ..found })
}

/// Scores rows by the density of those that are ordinary.
fn by_density<'a>(
    rows: &Comparable<'a>,
    config: &Config,
    how: &AnomalyConfig,
) -> Result<Judged<'a>> {
    let density = Density::fit(rows, config, how)?;
    let columns = Differences::new(rows.rows.clone(), density, config);
    Ok(Judged::new(columns.scores()?, Some(Box::new(columns)), how))
}

/// Scores rows by a network that is learned from those that can be learned from.
fn learn_and_judge<'a>(
    rows: &Comparable<'a>,
    config: &Config,
    how: &AnomalyConfig,
) -> Result<Judged<'a>> {
    let mut config = config.clone();
    let by_error = how.score == AnomalyScore::Error;
    let is_default =
        !config.train.is_kind() && config.train.epochs.is_none() && config.train.seconds.is_none();
    if by_error && !config.train.is_kind() {
        config.train.loss = Loss::SquaredError;
    }
    if config.train.latents.is_none() && config.train.is_kind() {
        config.train.latents = Some(training::default_latents(rows.rows.schema().width()));
    }
    if by_error && is_default && rows.ordinary.len() >= Codec::LEAST_ROWS {
        return Ok(training::two_networks(rows, config, how)?.judged(how));
    }
    Ok(training::trimmed(rows, &config, how, scoring::LEAST_EXPECTED)?.judged(how))
}
