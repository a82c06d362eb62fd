//! Rows that are not like the others.
//!
//! An autoencoder with few latents learns what most rows have in common; a row that it cannot
//! reconstruct has something that others do not (Hawkins et al. 2002, *Outlier detection using
//! replicator neural networks*). `scoring` turns its errors into scores, with `expected_error`
//! where the codec was learned elsewhere; `training` learns the codec from rows that may be
//! anomalies themselves.

mod config;
mod expected_error;
mod found;
mod scoring;
mod training;

pub use config::{AnomalyConfig, AnomalyScore};
pub use found::Anomalies;

use super::column_scale;
use super::values;
use crate::compress::{Codec, Config, Loss};
use crate::error::{Error, Result};
use crate::matrix::Rows;

/// Scores `rows` by `codec`, or by one that is learned from the rows themselves with `config`.
///
/// Columns of a table are brought to the same spread first, see [`AnomalyConfig::table`]. Missing
/// values (NaN) do not count.
///
/// # Errors
/// `Argument` if the codec is for other rows or has no encoder, a number of `how` is out of its
/// range, or there are too few rows to learn from; otherwise whatever reading the rows fails with.
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
    how.validate()?;
    if rows.is_empty() {
        return Err(Error::argument("there are no rows to judge"));
    }
    if let Some(codec) = codec {
        return scoring::score(rows, codec, config, how, None);
    }
    let is_table = how.is_table(rows.schema());
    let rows = column_scale::training_rows(rows.schema(), values::to_doubles(rows)?, is_table)?;
    let mut config = config.clone();
    let by_error = how.score == AnomalyScore::Error;
    let is_default =
        !config.train.is_kind() && config.train.epochs.is_none() && config.train.seconds.is_none();
    if by_error && !config.train.is_kind() {
        config.train.loss = Loss::SquaredError;
    }
    if config.train.latents.is_none() && config.train.is_kind() {
        config.train.latents = Some(training::default_latents(rows.schema().width()));
    }
    if by_error && is_default {
        return training::two_networks(&rows, config, how);
    }
    training::trimmed(&rows, &config, how, scoring::LEAST_EXPECTED)
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
            let how =
                AnomalyConfig { contamination: Some(0.02), rounds: 1, table, ..Default::default() };
            let found = find_anomalies(&rows, None, &Config::default(), &how).unwrap();
            found.flagged.iter().enumerate().filter(|(i, flagged)| **flagged && i % 50 == 7).count()
        };
        let (named, plain) = (found(Some(true)), found(None));
        assert!(named >= 9 && plain <= 4, "of 12: {named}, {plain}");
    }
}
