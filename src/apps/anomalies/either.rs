//! Rows that lie where few others are, or whose columns do not go together.
//!
//! Neither says it of all anomalies: a row may be near others that it does not belong with, and a
//! network may have learned a group of odd rows. So there are three measures, each counted from the
//! usual row in units of what lies between it and the middle of the upper half: how thinly ordinary
//! rows lie about a row, how thinly all rows do, and how badly networks give it back. The first
//! finds groups of odd rows; the mean of the other two finds single ones among ordinary rows, which
//! the first overlooks. The score is the soft maximum of both: either may say that a row is odd.
//! Sums and maxima of any two, and of all three, suited one of `benches/anomalies.py` and images
//! with parts of others, but not both. Networks that leave out the worst rows by their own errors,
//! which takes three times as long, say no more of what the densities overlook.

use super::config::AnomalyConfig;
use super::density::{Density, Differences};
use super::found::{self, Judged, LEAST_SCORE, lowest, upper_spread};
use super::training;
use crate::apps::comparable::Comparable;
use crate::apps::made::read_found;
use crate::compress::Config;
use crate::error::{Error, Result};
use crate::matrix::{Rows, Schema};
use std::f64::consts::LN_2;

/// Scores rows by the density about them and by the errors of networks, learned with `config` from
/// the rows that are least odd by the density.
pub(super) fn judged<'a>(
    rows: &Comparable<'a>,
    config: &Config,
    how: &AnomalyConfig,
) -> Result<Judged<'a>> {
    let differences = |how: &AnomalyConfig| {
        let density = Density::fit(rows, config, how)?;
        Ok::<_, Error>(Differences::new(rows.rows.clone(), density, config))
    };
    let from_ordinary = differences(how)?;
    let from_all = differences(&AnomalyConfig { rounds: 0, ..how.clone() })?;
    let densities = from_ordinary.scores()?;
    let of_ordinary: Vec<f64> = rows.ordinary.iter().map(|&place| densities[place]).collect();
    let count = ((1.0 - how.trim()) * of_ordinary.len() as f64).ceil() as usize;
    let kept: Vec<usize> =
        lowest(&of_ordinary, count).into_iter().map(|i| rows.ordinary[i]).collect();
    // The worst are left out already.
    let once = AnomalyConfig { rounds: 0, ..how.clone() };
    let errors = training::two_networks(rows, &kept, config.clone(), &once)?;
    let (thin, alone) = (excess(densities), excess(from_all.scores()?));
    // Unlike `max`, `clamp` leaves the scores of rows without values NaN.
    let wrong = excess(errors.scores.iter().map(|s| s.clamp(LEAST_SCORE, f64::MAX).ln()).collect());
    let single: Vec<f64> = alone.iter().zip(&wrong).map(|(a, b)| 0.5 * (a + b)).collect();
    let pairs = || thin.iter().zip(&single);
    let scores = pairs().map(|(a, b)| soft_maximum(*a, *b)).collect();
    let Some(errors) = errors.columns else { return Ok(Judged::new(scores, None, how)) };
    let of_density = pairs().map(|(a, b)| 1.0 / (1.0 + (b - a).exp())).collect();
    let columns = Either { differences: from_ordinary, errors, of_density };
    Ok(Judged::new(scores, Some(Box::new(columns)), how))
}

/// How far scores lie above their median, in units of the median distance of those above it.
fn excess(mut scores: Vec<f64>) -> Vec<f64> {
    let (median, spread) = upper_spread(&scores);
    let unit = if spread.is_normal() { spread } else { 1.0 };
    scores.iter_mut().for_each(|score| *score = (*score - median) / unit);
    scores
}

/// ln of the mean of both exponentials: that of two equal numbers is the number.
fn soft_maximum(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    high + (low - high).exp().ln_1p() - LN_2
}

/// What the columns contribute to the scores of rows: the mean of their differences from ordinary rows and of their
/// errors, with the weights of both in the soft maximum. NaN for missing values.
struct Either<'a> {
    differences: Differences<'a>,
    errors: Box<dyn Rows + 'a>,
    /// The weight of the differences for each row; the rest is that of the errors.
    of_density: Vec<f64>,
}

impl Rows for Either<'_> {
    fn schema(&self) -> &Schema {
        self.differences.schema()
    }

    fn len(&self) -> usize {
        self.differences.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        let width = self.schema().width();
        read_found(self, first, out, |rows| {
            let mut all = found::read(&self.differences, rows.clone())?;
            let errors = found::read(&*self.errors, rows.clone())?;
            let pairs = all.chunks_exact_mut(width).zip(errors.chunks_exact(width));
            for (of_density, (all, errors)) in self.of_density[rows].iter().zip(pairs) {
                for (x, error) in all.iter_mut().zip(errors) {
                    let (x64, error) = (f64::from(*x), f64::from(*error));
                    *x = (of_density * x64 + (1.0 - of_density) * error) as f32;
                }
            }
            Ok(all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_may_say_that_a_row_is_odd() {
        let scores = excess(vec![0.0, 1.0, 2.0, 3.0, 4.0, f64::NAN]);
        assert_eq!(scores[..5], [-2.0, -1.0, 0.0, 1.0, 2.0]);
        assert!(scores[5].is_nan() && soft_maximum(scores[5], 1.0).is_nan());
        assert_eq!(excess(vec![7.0; 3]), [0.0; 3]);
        assert_eq!(soft_maximum(3.0, 3.0), 3.0);
        for (a, b) in [(20.0, -1.0), (-1.0, 20.0), (1e6, 0.0), (20.0, -1e30)] {
            assert!((soft_maximum(a, b) - f64::max(a, b) + LN_2).abs() < 1e-8, "{a} {b}");
        }
    }
}
