//! Rows that are not like the others.
//!
//! An autoencoder with few latents learns what most rows have in common; a row that it cannot
//! give back has something that others do not (Hawkins et al. 2002, *Outlier detection using
//! replicator neural networks*). The rows that it learns from may hold such rows themselves, and
//! a network has room to learn some of them by heart. So it is trained more than once: each time
//! without the rows that the last one found worst, as in trimmed least squares (Rousseeuw and
//! Van Driessen 1999, *A fast algorithm for the minimum covariance determinant estimator*, whose
//! C-steps these are). How much a network ought to know depends on what is odd: after few passes it
//! finds rows of another sort, after many columns that do not belong together. So there are two.

mod judge;
mod usual;

use super::learn::learn;
use super::{cells, spread};
use crate::compress::{Activation, Codec, Config, Loss};
use crate::error::{Error, ErrorKind, Result};
use crate::matrix::{Matrix, Rows, Schema};
use judge::{AVERAGE, best, found, judged, quantile, row_score, row_scores};

/// What a row is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AnomalyScore {
    /// How far the network's row is from the row: the root of the mean over columns of the
    /// squared error, over what is usual in that column. Where nothing is said of a codec, kind,
    /// passes or time, two networks are learned, their encoders of tanh units unless another
    /// function than the default is asked for, and the score is relative to the median row's.
    #[default]
    Error,
    /// Bits that the row takes in a compressed file: how unlikely it is.
    Bits,
}

/// How to look for anomalies.
///
/// ```
/// let mut how = aezip::AnomalyConfig::default();
/// how.contamination = Some(0.01);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AnomalyConfig {
    /// What to judge by.
    pub score: AnomalyScore,
    /// Share of rows to flag, above 0 and below 0.5. Without, those are flagged whose score's
    /// logarithm lies further above the median than 3.5 standard deviations, estimated by the
    /// median of distances from the median (Iglewicz and Hoaglin 1993).
    pub contamination: Option<f64>,
    /// How many times the worst rows are left out and the codec is learned anew. 2 if not said;
    /// of no effect with a codec that is there.
    pub rounds: usize,
    /// Whether columns have units of their own, as those of a table, and are brought to the same
    /// spread. If not said, they have where they have names.
    pub table: Option<bool>,
    /// Share of rows that is left out. Twice the contamination if not said, at least 0.1.
    pub trim: Option<f64>,
}

impl Default for AnomalyConfig {
    fn default() -> Self {
        Self { score: AnomalyScore::Error, contamination: None, rounds: 2, table: None, trim: None }
    }
}

impl AnomalyConfig {
    /// Checks the wish.
    ///
    /// # Errors
    /// `Argument` if a number is out of its range.
    pub fn validate(&self) -> Result<()> {
        for (what, share) in [("contamination", self.contamination), ("trim", self.trim)] {
            if let Some(x) = share
                && !(x > 0.0 && x < 0.5)
            {
                return Err(Error::argument(format!("{what} {x} is not above 0 and below 0.5")));
            }
        }
        if self.rounds > 20 {
            return Err(Error::argument(format!("{} rounds are more than 20", self.rounds)));
        }
        Ok(())
    }

    fn is_table(&self, schema: &Schema) -> bool {
        self.table.unwrap_or(schema.columns.is_some())
    }

    fn trimmed(&self) -> f64 {
        self.trim.unwrap_or((2.0 * self.contamination.unwrap_or(0.0)).clamp(0.1, 0.45))
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Anomalies {
    /// Of each row; the larger, the less it is like the others.
    pub scores: Vec<f64>,
    /// Whether the row is flagged.
    pub flagged: Vec<bool>,
    /// The score above which rows are flagged.
    pub threshold: f64,
    /// Squared error of each value over what is usual in its column, of two networks a mean by
    /// which the row's score is the root of the mean over columns: rows × columns. Empty for
    /// [`AnomalyScore::Bits`].
    pub columns: Vec<f32>,
}

impl Anomalies {
    /// The `most` columns that `row` differs most in, worst first, with their shares of its
    /// error.
    pub fn worst_columns(&self, row: usize, most: usize) -> Vec<(usize, f64)> {
        let width = self.columns.len() / self.scores.len().max(1);
        let Some(own) = self.columns.get(row * width..(row + 1) * width) else {
            return Vec::new();
        };
        let sum: f64 = own.iter().map(|x| f64::from(*x)).sum();
        let mut order: Vec<usize> = (0..width).filter(|&j| own[j] > 0.0).collect();
        order.sort_by(|a, b| own[*b].total_cmp(&own[*a]));
        order.truncate(most);
        order.into_iter().map(|j| (j, f64::from(own[j]) / sum)).collect()
    }
}

/// Scores `rows` by `codec`, or by one that is learned from the rows themselves with `config`.
///
/// Columns of a table are brought to the same spread first, see [`AnomalyConfig::table`]. Missing
/// values are not judged.
///
/// # Errors
/// `Argument` if the codec is for other rows, a share is out of range, or there are too few rows
/// to learn from; `Io` and others as the rows give them.
///
/// ```no_run
/// use aezip::{AnomalyConfig, Config, find_anomalies, input};
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
        return judged(rows, codec, config, how, None);
    }
    let is_table = how.is_table(rows.schema());
    let rows = spread::learnable(rows.schema(), cells::read(rows, 0..rows.len())?, is_table)?;
    let mut config = config.clone();
    let is_plain = how.score == AnomalyScore::Error
        && !config.train.is_kind()
        && config.train.epochs.is_none()
        && config.train.seconds.is_none();
    if how.score == AnomalyScore::Error && !config.train.is_kind() {
        config.train.loss = Loss::SquaredError;
    }
    if config.train.latents.is_none() && config.train.is_kind() {
        config.train.latents = Some(usual_latents(rows.schema().width()));
    }
    if is_plain {
        return of_two(&rows, config, how);
    }
    trimmed(&rows, &config, how, AVERAGE)
}

/// How far rows are from two networks: one that hardly knows them finds rows of another sort, one
/// that knows them well finds columns that do not belong together. Either may say that a row is
/// odd: the score is the mean of both to the fourth power, each over its median.
fn of_two(rows: &Matrix, mut config: Config, how: &AnomalyConfig) -> Result<Anomalies> {
    if config.train.activation == Activation::default() {
        config.train.activation = Activation::Tanh;
    }
    let width = rows.schema().width();
    let mut one = |(epochs, share): (usize, f64)| {
        config.train.epochs = Some(epochs);
        trimmed(rows, &config, how, share)
    };
    let (mut few, many) = (one(FEW)?, one((passes(rows), AVERAGE))?);
    // Errors of a network that knows rows better are smaller. Where most rows have none at all,
    // there is nothing to compare with.
    let units = [&few, &many].map(|f| quantile(&f.scores, 0.5).powi(2));
    let units = units.map(|u| if u.is_normal() { u } else { 1.0 });
    let mean = |row: &[f32]| row_score(row).powi(2).min(1e100);
    for (few, many) in few.columns.chunks_exact_mut(width).zip(many.columns.chunks_exact(width)) {
        let (a, b) = (mean(few) / units[0], mean(many) / units[1]);
        let square = (0.5 * (a * a + b * b)).sqrt().max(f64::MIN_POSITIVE);
        // Columns' parts, such that their mean is the square of the score.
        let (of_few, of_many) = (0.5 * a / units[0] / square, 0.5 * b / units[1] / square);
        for (c, d) in few.iter_mut().zip(many) {
            *c = (f64::from(*c) * of_few + f64::from(*d) * of_many) as f32;
        }
    }
    Ok(found(row_scores(&few.columns, width), few.columns, how))
}

/// Passes of the network that learns little, and the least error that is usual in a column, as a
/// share of the average: rows of another sort stand out where others hardly vary.
const FEW: (usize, f64) = (5, 0.3);

/// Passes of the network that learns much: with many rows for each column it takes long until odd
/// ones are learned by heart. Of very many rows not as much time is taken.
fn passes(rows: &dyn Rows) -> usize {
    const NUMBERS: f64 = 2e9;
    let (count, width) = (rows.len() as f64, rows.schema().width() as f64);
    let most = (NUMBERS / (count * width)).max(10.0);
    (50.0 * (count / width).sqrt()).clamp(100.0, 300.0).min(most) as usize
}

/// Learns from the rows, and again from those that are not the worst.
fn trimmed(rows: &Matrix, config: &Config, how: &AnomalyConfig, share: f64) -> Result<Anomalies> {
    let mut kept: Vec<usize> = (0..rows.len()).collect();
    let mut last = None;
    for round in 0.. {
        let codec = match (learn(&spread::chosen(rows, &kept)?, config), last) {
            // Without the worst there may be too few rows, or none that differ.
            (Err(e), Some(last)) if e.kind() == ErrorKind::Argument => return Ok(last),
            (codec, _) => codec?,
        };
        let found = judged(rows, &codec, config, how, Some((&kept, share)))?;
        if round >= how.rounds {
            return Ok(found);
        }
        let count = (rows.len() as f64 * (1.0 - how.trimmed())).ceil() as usize;
        kept = best(&found.scores, count);
        last = Some(found);
    }
    unreachable!("the last round returns")
}

/// Fewer than give rows back well: with room to spare, odd rows would be given back too.
fn usual_latents(width: usize) -> usize {
    width.div_ceil(8).clamp(4, 16).min(width.div_ceil(2))
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn shares_out_of_range_are_refused() {
        for share in [0.0, 0.5, -1.0, f64::NAN] {
            let how = AnomalyConfig { contamination: Some(share), ..Default::default() };
            assert!(how.validate().is_err());
        }
    }
}
