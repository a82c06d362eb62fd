//! Rows that are not like the others.
//!
//! An autoencoder with few latents learns what most rows have in common; a row that it cannot
//! reconstruct has something that others do not (Hawkins et al. 2002, *Outlier detection using
//! replicator neural networks*). `scoring` turns its errors into scores, with `expected_error`
//! where the codec was learned elsewhere; `training` learns the codec from rows that may be
//! anomalies themselves.
//!
//! A row may also be called an anomaly where few others are near it: `density` measures that, among
//! the `points` that ordinary rows are, or those that a codec makes of them (`latents`). By default
//! `either` may say that a row is odd.

mod config;
mod density;
mod either;
mod expected_error;
mod found;
mod latents;
mod points;
mod scoring;
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

/// Scores `rows` by `codec`, or by those that are learned from the rows themselves with `config`, and
/// without a codec by each other, as [`AnomalyScore`] says.
///
/// Columns with units of their own are brought to the same spread first, see
/// [`AnomalyConfig::table`]. Missing values (NaN) do not count. Rows without any value, and those a
/// hundred times as far from all others as those from each other, are flagged and have no part in
/// learning: others are not compared with them. Where a network is to be learned from fewer rows
/// than [`Codec::LEAST_ROWS`], principal components stand for it.
///
/// # Errors
/// `Argument` if the codec is for other rows, has no encoder or is a masked transformer, a number of `how` is out of its
/// range, no row has a value, a network is to be learned from rows that do not differ, or
/// `config` says something of a network although [`AnomalyScore::Density`] learns none; otherwise
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
    if codec.is_none() && how.score == AnomalyScore::Density && config.train != Default::default() {
        return Err(Error::argument(
            "the density of rows is found without a network: leave out what is said of one, or \
             score rows by their error",
        ));
    }
    if rows.is_empty() {
        return Err(Error::argument("there are no rows to judge"));
    }
    let units = how.units(rows)?;
    let how = AnomalyConfig { table: Some(units == ColumnUnits::Own), ..how.clone() };
    let judged = |scores| Judged::new(scores, None, &how);
    let found = match (codec, how.score) {
        (Some(codec), AnomalyScore::Bits) => judged(scoring::by_bits(rows, codec, config)?),
        (Some(codec), AnomalyScore::Density) => judged(latents::scores(rows, codec, config, &how)?),
        (Some(codec), _) => {
            let own = Reconstruction::Model(Box::new(Model::new(codec)?));
            let schema = rows.schema().clone();
            let rows: Arc<dyn Rows> = Arc::new(Described { rows, schema });
            let how = how.with_error_for_auto();
            Scored::new(Box::new(scoring::score(&rows, own, config, &how, None)?))?.judged(&how)
        }
        (None, _) => {
            let rows = Comparable::new(rows, Some(units), config)?;
            rows.expect_ordinary()?;
            if how.score == AnomalyScore::Density {
                by_density(&rows, config, &how)?
            } else {
                learn_and_judge(&rows, config, &how)?
            }
        }
    };
    Ok(Judged { units, ..found })
}

/// Scores `rows` by how few of other rows, which are known to be `ordinary`, lie about each, in nats.
///
/// Rows are flagged whose score lies far above those that ordinary rows have among each other, or the share of
/// them that `how` says; no rounds leave any out. No network is learned: for the error of one, learn a codec from the
/// ordinary rows and judge by it.
///
/// # Errors
/// `Argument` if the rows are not as wide as each other or there are none of either, the score is neither
/// [`AnomalyScore::Auto`] nor [`AnomalyScore::Density`], `config` says something of a network, a number of `how` is out
/// of its range or no ordinary row has a value; otherwise whatever reading the rows fails with.
///
/// ```
/// use aezip::apps::{AnomalyConfig, judge_against};
/// use aezip::{Config, Matrix};
/// let place = |i: i32| [f64::from(i % 10), f64::from(i / 10)];
/// let ordinary: Vec<f64> = (0..100).flat_map(place).collect();
/// let ordinary = Matrix::from_slice(&ordinary, &[2])?;
/// let rows = Matrix::from_slice(&[4.0, 5.0, 7.0, 30.0], &[2])?;
/// let found = judge_against(&rows, &ordinary, &Config::default(), &AnomalyConfig::default())?;
/// assert_eq!(found.flagged, [false, true]);
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn judge_against<'a>(
    rows: &'a dyn Rows,
    ordinary: &dyn Rows,
    config: &Config,
    how: &AnomalyConfig,
) -> Result<Judged<'a>> {
    how.validate()?;
    if !matches!(how.score, AnomalyScore::Auto | AnomalyScore::Density) {
        return Err(Error::argument(
            "rows are compared with ordinary ones by density: for errors or bits, train a codec on the \
             ordinary rows and name it",
        ));
    }
    if config.train != Default::default() {
        return Err(Error::argument(
            "rows are compared with ordinary ones without a network: leave out what is said of one",
        ));
    }
    let (width, other) = (rows.schema().width(), ordinary.schema().width());
    if width != other {
        return Err(Error::argument(format!(
            "rows have {width} columns, the ordinary ones {other}: both need the same"
        )));
    }
    if let (Some(own), Some(others)) = (&rows.schema().columns, &ordinary.schema().columns)
        && let Some((a, b)) = own.iter().zip(others).find(|(a, b)| a != b)
    {
        return Err(Error::argument(format!(
            "column {a:?} of the rows is where the ordinary ones have {b:?}: both need the same columns in the same order"
        )));
    }
    for (rows, what) in [(rows, "rows to judge"), (ordinary, "ordinary rows to compare with")] {
        if rows.is_empty() {
            return Err(Error::argument(format!("there are no {what}")));
        }
    }
    let units = how.units(ordinary)?;
    let own = units == ColumnUnits::Own;
    let how = AnomalyConfig { table: Some(own), score: AnomalyScore::Density, ..how.clone() };
    let mut known = Comparable::new(ordinary, Some(units), config)?;
    known.expect_ordinary()?;
    // The scales are measured of values as they are, for both alike.
    let schema = ordinary.schema().clone();
    known.rows = Arc::new(Described { rows: ordinary, schema });
    let density = Density::of_ordinary(&known, rows.len(), config)?;
    let usual = density.of_each_other(config)?;
    let schema = rows.schema().clone();
    let columns = Differences::new(Arc::new(Described { rows, schema }), density, config);
    let scores = columns.scores()?;
    let by = if how.contamination.is_some() { &scores } else { &usual };
    let threshold = Judged::threshold(by, &how);
    let found = Judged::above(threshold, scores, Some(Box::new(columns)), &how);
    Ok(Judged { units, ..found })
}

/// The same as [`judge_against`] with the contributions of columns in memory.
///
/// # Errors
/// Those of [`judge_against`].
pub fn find_anomalies_against(
    rows: &dyn Rows,
    ordinary: &dyn Rows,
    config: &Config,
    how: &AnomalyConfig,
) -> Result<Anomalies> {
    judge_against(rows, ordinary, config, how)?.collected()
}

/// Finds ordinary rows, to compare all rows with.
fn differences<'a>(
    rows: &Comparable<'a>,
    config: &Config,
    how: &AnomalyConfig,
) -> Result<Differences<'a>> {
    let density = Density::fit(rows, config, how)?;
    Ok(Differences::new(rows.rows.clone(), density, config))
}

/// Scores rows by the density of those that are ordinary.
fn by_density<'a>(
    rows: &Comparable<'a>,
    config: &Config,
    how: &AnomalyConfig,
) -> Result<Judged<'a>> {
    let columns = differences(rows, config, how)?;
    Ok(Judged::new(columns.scores()?, Some(Box::new(columns)), how))
}

/// Scores rows by networks that are learned from those that can be learned from, with
/// [`AnomalyScore::Auto`] by their density, too.
fn learn_and_judge<'a>(
    rows: &Comparable<'a>,
    config: &Config,
    how: &AnomalyConfig,
) -> Result<Judged<'a>> {
    if config.train.transformer.is_some() {
        return Err(Error::argument("a masked transformer scores no rows: leave it out"));
    }
    let mut config = config.clone();
    let is_default =
        !config.train.is_kind() && config.train.epochs.is_none() && config.train.seconds.is_none();
    let by_error = how.score != AnomalyScore::Bits;
    if by_error && !config.train.is_kind() {
        config.train.loss = Loss::SquaredError;
    }
    if config.train.latents.is_none() && config.train.is_kind() {
        config.train.latents = Some(training::default_latents(rows.rows.schema().width()));
    }
    if by_error && is_default && rows.ordinary.len() >= Codec::LEAST_ROWS {
        let by_both = how.score == AnomalyScore::Auto;
        let differences = by_both.then(|| differences(rows, &config, how)).transpose()?;
        let errors = training::two_networks(rows, config, how)?;
        return match differences {
            Some(differences) => either::judged(differences, errors, how),
            None => Ok(errors.judged(how)),
        };
    }
    let how = how.with_error_for_auto();
    Ok(training::trimmed(rows, &config, &how, scoring::LEAST_EXPECTED)?.judged(&how))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;
    use crate::matrix::rng::Rng;

    #[test]
    fn rows_of_which_the_worst_alone_differ_are_judged() {
        let mut rng = Rng::new(3);
        let mut values = vec![0.0_f32; 300 * 4];
        values[..40].iter_mut().for_each(|x| *x = rng.normal());
        let rows = Matrix::from_slice(&values, &[4]).unwrap();
        let how = AnomalyConfig { contamination: Some(0.04), ..Default::default() };
        let found = find_anomalies(&rows, None, &Config::default(), &how).unwrap();
        assert!(found.scores.iter().all(|s| s.is_finite()));
        let odd = &found.scores[..10];
        let most = found.scores[10..].iter().copied().fold(0.0, f64::max);
        assert!(odd.iter().filter(|s| **s > most).count() >= 8, "{odd:?} {most}");
    }

    #[test]
    fn columns_of_a_table_count_alike() {
        let mut rng = Rng::new(4);
        let mut values = Vec::new();
        for i in 0..600 {
            let t = rng.normal();
            let odd = if i % 50 == 7 { rng.normal() } else { -t };
            let noise = 0.02 * rng.normal();
            values.extend([1e6 * rng.normal(), t, odd + noise, 2.0 * t]);
        }
        let rows = Matrix::from_slice(&values, &[4]).unwrap();
        let found = |table| {
            // Rows at the ends of all columns have thin neighbourhoods, too: they are not counted here.
            let (score, contamination) = (AnomalyScore::Error, Some(0.02));
            let how =
                AnomalyConfig { score, contamination, rounds: 1, table, ..Default::default() };
            let found = find_anomalies(&rows, None, &Config::default(), &how).unwrap();
            found.flagged.iter().enumerate().filter(|(i, flagged)| **flagged && i % 50 == 7).count()
        };
        let (judged, as_they_are) = (found(None), found(Some(false)));
        assert!(judged >= 9 && as_they_are <= 4, "of 12: {judged}, {as_they_are}");
    }

    /// Rows of two latents in six columns; those at the places `odd` do not belong to the others.
    fn with_odd(count: usize, odd: &[usize]) -> Vec<f64> {
        let mut rng = Rng::new(9);
        let mut values = Vec::new();
        for i in 0..count {
            let mut normal = || f64::from(rng.normal());
            let (a, b) = (normal(), normal());
            let mut row = [a, b, a + b, a - b, 2.0 * a - b, 0.5 * b].map(|x| x + 0.05 * normal());
            if odd.contains(&i) {
                row[2] = -row[2] + 2.0;
                row[4] += 2.0;
            }
            values.extend(row);
        }
        values
    }

    fn found(values: &[f64], how: &AnomalyConfig) -> Anomalies {
        let rows = Matrix::from_slice(values, &[6]).unwrap();
        find_anomalies(&rows, None, &Config::default(), how).unwrap()
    }

    #[test]
    fn few_rows_are_judged_by_components() {
        let found = found(&with_odd(40, &[7, 23]), &AnomalyConfig::default());
        assert!(found.is_components && found.flagged[7] && found.flagged[23], "{found:?}");
        assert!(found.flagged.iter().filter(|f| **f).count() <= 4, "{found:?}");
        for few in 1..6 {
            let rows = Matrix::from_slice(&with_odd(few, &[]), &[6]).unwrap();
            let how = AnomalyConfig::default();
            let found = find_anomalies(&rows, None, &Config::default(), &how).unwrap();
            assert!(found.scores.iter().all(|s| s.is_finite()), "{few}: {found:?}");
        }
    }

    #[test]
    fn wild_and_empty_rows_are_flagged_and_hide_no_other() {
        let mut values = with_odd(300, &[7, 23]);
        values[60..66].fill(1e20);
        values[120..126].fill(f64::NAN);
        values[190] = f64::NAN;
        values[240] = f64::INFINITY;
        let by_bits = AnomalyConfig { score: AnomalyScore::Bits, ..Default::default() };
        for how in [AnomalyConfig::default(), by_bits] {
            let found = found(&values, &how);
            assert!([10, 20, 40].iter().all(|&i| found.flagged[i]), "{how:?}: {found:?}");
            assert!(found.scores[20].is_nan() && found.scores[31].is_finite());
            if how.score == AnomalyScore::Auto {
                assert!(found.flagged[7] && found.flagged[23] && !found.is_components);
                assert!(found.flagged.iter().filter(|f| **f).count() < 20);
                assert!(found.columns[190].is_nan() && found.columns[191] >= 0.0);
            }
        }
        let nothing = Matrix::from_slice(&[f64::NAN; 60], &[6]).unwrap();
        let how = AnomalyConfig::default();
        assert!(find_anomalies(&nothing, None, &Config::default(), &how).is_err());
    }
}
