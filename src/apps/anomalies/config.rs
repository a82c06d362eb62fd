//! How to look for anomalies.

use crate::apps::column_units::ColumnUnits;
use crate::error::{Error, Result};
use crate::matrix::Rows;

/// Rounds that may be asked for. Each trains networks anew; rows left out hardly change after
/// three.
const MOST_ROUNDS: usize = 20;
/// The share of rows that is left out where none is given: as many again as there are said to be
/// anomalies, since scores of the first round are not sure, within these ends. The lower end
/// costs little training, the upper one leaves a majority to learn from. Of rows that others are
/// only compared with, more can be spared: with 0.1 and 0.3, areas under the curves of sets with known
/// anomalies are smaller by a hundredth.
const TRIM_PER_CONTAMINATION: f64 = 2.0;
const TRIM: (f64, f64) = (0.1, 0.45);
const LEAST_TRIM_OF_DENSITY: f64 = 0.2;

/// What a row's score measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AnomalyScore {
    /// The density or the error, whichever says more of the row, where no codec is given. Both are
    /// counted from the usual row, in units of the median distance of the rows above it (of the
    /// error, of its logarithm); 0.5 is taken off what the error says, which varies more. It has no unit, and may be negative.
    ///
    /// It is the error alone where a codec, a kind of network, a number of passes or a time is
    /// given, or rows are too few for a network.
    #[default]
    Auto,
    /// How far the row is from its reconstruction: the root of the mean over columns of the
    /// squared error, divided by the squared error expected in that column. It has no unit.
    ///
    /// If neither a codec, a kind of network, a number of passes nor a time is given, two networks
    /// are learned and their scores, each relative to its median, combined. Their encoders have
    /// tanh units unless the configuration asks for another function than the default.
    Error,
    /// How unlikely the row is by the density of ordinary rows about it, in nats above the
    /// surprise of the usual row; it may be negative. The density is that of the nearest
    /// neighbours among the rows that are left when the least likely ones are left out. With a
    /// codec, it is that of latents and of the error of what the codec gives back.
    ///
    /// It is for tables of a few tens of columns where anomalies are rows far from all others; the
    /// error is for relations among columns. Without a codec, nothing may be said of a network.
    Density,
    /// How many bits the row takes in a compressed file, that is, how unlikely it is.
    Bits,
}

/// How to look for anomalies.
///
/// ```
/// let mut config = aezip::apps::AnomalyConfig::default();
/// config.contamination = Some(0.01);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AnomalyConfig {
    /// What to score rows by.
    pub score: AnomalyScore,
    /// The share of rows to flag, above 0 and below 0.5. If `None`, it is found from the scores:
    /// rows are flagged whose score (its logarithm, of errors and bits) lies more than
    /// 3.5 standard deviations above the median. The deviation is 1.4826 times the median distance
    /// to the median (Iglewicz and Hoaglin 1993, *How to detect and handle outliers*), except of
    /// errors and bits that of the scores above it.
    pub contamination: Option<f64>,
    /// How many times the worst rows are left out and the others learned from anew, 0 to 20; 2 by
    /// default. It has no effect on errors and bits where a codec is given, nor where rows are
    /// [compared with ordinary ones](super::judge_against).
    pub rounds: usize,
    /// Whether columns have units of their own, as those of a table, and are brought to the same
    /// spread. If `None`, that is [judged](ColumnUnits::of) from the rows.
    pub table: Option<bool>,
    /// The share of rows that each round leaves out, above 0 and below 0.5. If `None`, it is twice
    /// the contamination, at least 0.1, or 0.2 for the density, and at most 0.45.
    pub trim: Option<f64>,
}

impl Default for AnomalyConfig {
    fn default() -> Self {
        Self {
            score: AnomalyScore::default(),
            contamination: None,
            rounds: 2,
            table: None,
            trim: None,
        }
    }
}

impl AnomalyConfig {
    /// Checks that all numbers are within their ranges.
    ///
    /// # Errors
    /// `Argument` if a share is not above 0 and below 0.5, or there are more than 20 rounds.
    pub fn validate(&self) -> Result<()> {
        for (what, share) in [("contamination", self.contamination), ("trim", self.trim)] {
            if let Some(x) = share
                && !(x > 0.0 && x < 0.5)
            {
                return Err(Error::argument(format!("{what} {x:?} is not above 0 and below 0.5")));
            }
        }
        if self.rounds > MOST_ROUNDS {
            let rounds = self.rounds;
            return Err(Error::argument(format!("{rounds} rounds are more than {MOST_ROUNDS}")));
        }
        Ok(())
    }

    /// The units of the columns of `rows`.
    pub(super) fn units(&self, rows: &dyn Rows) -> Result<ColumnUnits> {
        match self.table {
            Some(true) => Ok(ColumnUnits::Own),
            Some(false) => Ok(ColumnUnits::Shared),
            None => ColumnUnits::of(rows),
        }
    }

    /// The same where rows are judged by one network, which is by its error.
    pub(super) fn with_error_for_auto(&self) -> Self {
        let score = match self.score {
            AnomalyScore::Auto => AnomalyScore::Error,
            other => other,
        };
        Self { score, ..self.clone() }
    }

    /// The share of rows that each round of learning leaves out.
    pub(super) fn trim(&self) -> f64 {
        self.trim_of(TRIM.0)
    }

    /// The same where rows are compared with those that are left.
    pub(super) fn trim_of_density(&self) -> f64 {
        self.trim_of(LEAST_TRIM_OF_DENSITY)
    }

    fn trim_of(&self, least: f64) -> f64 {
        let contamination = self.contamination.unwrap_or(0.0);
        self.trim.unwrap_or((TRIM_PER_CONTAMINATION * contamination).clamp(least, TRIM.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_out_of_range_are_refused() {
        for share in [0.0, 0.5, -1.0, f64::NAN] {
            let how = AnomalyConfig { contamination: Some(share), ..Default::default() };
            assert!(how.validate().is_err());
        }
    }
}
