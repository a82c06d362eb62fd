//! Rows that lie in groups, or along a curve: each group has components of its own.
//!
//! A mixture of normal distributions is fitted to noisy rows, whose noise is known (Bovy, Hogg and
//! Roweis 2011, *Extreme deconvolution*); what rows are without noise is then expected to be near
//! the groups that they may belong to. Whether that is nearer than one distribution for all is told
//! by Stein's unbiased estimate of the risk (Stein 1981) on rows that had no part in the fit.

use crate::linalg::{gram, multiply_rows, symmetric_eigen, transposed};
use crate::matrix::rng::Rng;

/// Numbers of groups that are tried.
const GROUPS: [usize; 2] = [4, 12];
/// The fewest rows for each group.
const ROWS_PER_GROUP: usize = 50;
/// The share of the risk of one distribution that groups must at least save.
const LEAST_SAVED: f64 = 0.02;
/// Rows, at most, that groups are fitted to, and products of numbers in a fit to half of them, at
/// most: some seconds.
const MOST_ROWS: usize = 4096;
const MOST_WORK: f64 = 2e9;
/// Rounds of k-means, from where fitting starts, and of fitting.
const START_ROUNDS: usize = 10;
const ROUNDS: usize = 15;
/// The weight, in rows, of the distribution of all groups in that of each.
const PRIOR_ROWS: f64 = 20.0;
/// The least variance of a distribution without noise, as a share of the noise.
const LEAST_VARIANCE: f64 = 1e-6;

/// Every how manieth of `count` rows groups are fitted to.
pub(super) fn every(count: usize) -> usize {
    count.div_ceil(MOST_ROWS).max(1)
}

/// The groups that noisy rows, `rows × width` with noise of variance `noise`, lie in; `None` where groups do
/// not help.
pub(super) fn found(rows: &[f64], width: usize, noise: f64) -> Option<Mixture> {
    let part = |k: usize| -> Vec<f64> {
        rows.chunks_exact(width).skip(k).step_by(2).flatten().copied().collect()
    };
    let (fitted, held_out) = (part(0), part(1));
    let half = held_out.len() / width;
    let work = |groups: usize| (groups * ROUNDS * half * width * width) as f64;
    let risk = |groups: usize| Mixture::fit(&fitted, width, noise, groups)?.risk(&held_out);
    let tried = GROUPS.iter().filter(|g| **g * ROWS_PER_GROUP <= half && work(**g) <= MOST_WORK);
    let mut best = None;
    let mut least = (1.0 - LEAST_SAVED) * tried.clone().next().and_then(|_| risk(1))?;
    for &groups in tried {
        match risk(groups) {
            Some(risk) if risk < least => (best, least) = (Some(groups), risk),
            _ => {}
        }
    }
    Mixture::fit(rows, width, noise, best?)
}

/// Distributions of noisy rows.
pub(super) struct Mixture {
    groups: Vec<Group>,
    width: usize,
    noise: f64,
}

/// A normal distribution of noisy rows.
struct Group {
    /// The logarithm of the share of rows, over the root of the determinant of the covariance.
    log_weight: f64,
    mean: Vec<f64>,
    /// The inverse of the covariance.
    precision: Vec<f64>,
    trace: f64,
}

/// What a mixture says of rows.
struct Said {
    /// How likely each row is in each group, rows × groups.
    shares: Vec<f64>,
    /// For each group the gradients of its logarithmic density, rows × columns.
    gradients: Vec<Vec<f64>>,
}

impl Group {
    /// A group with `share` of the rows; its covariance without noise is made to be one.
    fn new(share: f64, mean: Vec<f64>, covariance: &[f64], noise: f64) -> Option<Self> {
        let width = mean.len();
        let pairs = symmetric_eigen(covariance, width)?;
        let values: Vec<f64> =
            pairs.iter().map(|p| p.value.max(LEAST_VARIANCE * noise) + noise).collect();
        let vectors: Vec<f64> = pairs.iter().flat_map(|p| p.vector.iter().copied()).collect();
        let scaled =
            pairs.iter().zip(&values).flat_map(|(p, v)| p.vector.iter().map(move |x| x / v));
        let precision =
            multiply_rows(&transposed(&vectors, width), &scaled.collect::<Vec<_>>(), width);
        let log_weight = share.ln() - 0.5 * values.iter().map(|v| v.ln()).sum::<f64>();
        Some(Self { log_weight, mean, precision, trace: values.iter().map(|v| 1.0 / v).sum() })
    }
}

impl Mixture {
    fn fit(rows: &[f64], width: usize, noise: f64, groups: usize) -> Option<Self> {
        let mut shares = nearest_shares(rows, width, groups);
        let mut found = None;
        for _ in 0..ROUNDS {
            let next = Self::from_shares(rows, width, noise, &shares, found.as_ref())?;
            shares = next.say(rows).shares;
            found = Some(next);
        }
        found
    }

    /// The mixture that is most likely where rows belong to groups by `shares`, and are without noise
    /// what the mixture `before`, if there is one, expects.
    fn from_shares(
        rows: &[f64],
        width: usize,
        noise: f64,
        shares: &[f64],
        before: Option<&Self>,
    ) -> Option<Self> {
        let count = rows.len() / width;
        let groups = shares.len() / count;
        let said = before.map(|b| b.say(rows));
        let mut parts = Vec::new();
        let mut within = vec![0.0; width * width];
        for k in 0..groups {
            let own: Vec<f64> = shares.iter().skip(k).step_by(groups).copied().collect();
            let size = own.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            // What rows are expected to be, if of this group, and how sure that is.
            let clean: Vec<f64> = match &said {
                Some(said) => {
                    rows.iter().zip(&said.gradients[k]).map(|(x, g)| x + noise * g).collect()
                }
                None => rows.to_vec(),
            };
            let (mean, mut scatter) = weighted(&clean, width, &own, size);
            for (at, s) in scatter.iter_mut().enumerate() {
                let diagonal = if at % (width + 1) == 0 { 1.0 } else { 0.0 };
                *s += match before {
                    Some(b) => size * noise * (diagonal - noise * b.groups[k].precision[at]),
                    None => -size * noise * diagonal,
                };
            }
            within.iter_mut().zip(&scatter).for_each(|(w, s)| *w += s / count as f64);
            parts.push((size, mean, scatter));
        }
        let group = |(size, mean, scatter): (f64, Vec<f64>, Vec<f64>)| {
            let covariance: Vec<f64> = scatter
                .iter()
                .zip(&within)
                .map(|(s, w)| (s + PRIOR_ROWS * w) / (size + PRIOR_ROWS))
                .collect();
            Group::new(size / count as f64, mean, &covariance, noise)
        };
        let groups = parts.into_iter().map(group).collect::<Option<_>>()?;
        Some(Self { groups, width, noise })
    }

    fn say(&self, rows: &[f64]) -> Said {
        let count = self.groups.len();
        let mut shares = vec![0.0; rows.len() / self.width * count];
        let mut gradients = Vec::new();
        for (k, group) in self.groups.iter().enumerate() {
            let distances: Vec<f64> =
                rows.iter().enumerate().map(|(at, x)| group.mean[at % self.width] - x).collect();
            let gradient = multiply_rows(&distances, &group.precision, self.width);
            let pairs = distances.chunks_exact(self.width).zip(gradient.chunks_exact(self.width));
            for (i, (d, g)) in pairs.enumerate() {
                let square: f64 = d.iter().zip(g).map(|(d, g)| d * g).sum();
                shares[i * count + k] = group.log_weight - 0.5 * square;
            }
            gradients.push(gradient);
        }
        for row in shares.chunks_exact_mut(count) {
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row.iter_mut().for_each(|s| *s = (*s - most).exp());
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|s| *s /= sum);
        }
        Said { shares, gradients }
    }

    /// The rows as they are expected to be without noise: a step of the noise's variance along the
    /// gradient of the logarithmic density (Tweedie's formula).
    pub(super) fn expected(&self, rows: &[f64]) -> Vec<f64> {
        let mut out = Vec::with_capacity(rows.len());
        for part in rows.chunks(MOST_ROWS * self.width) {
            let gradient = self.gradient(&self.say(part));
            out.extend(part.iter().zip(gradient).map(|(x, g)| x + self.noise * g));
        }
        out
    }

    /// The gradient of the logarithmic density: rows × columns.
    fn gradient(&self, said: &Said) -> Vec<f64> {
        let count = self.groups.len();
        let mut sum = vec![0.0; said.gradients[0].len()];
        for (k, gradients) in said.gradients.iter().enumerate() {
            for (at, (sum, g)) in sum.iter_mut().zip(gradients).enumerate() {
                *sum += said.shares[at / self.width * count + k] * g;
            }
        }
        sum
    }

    /// Stein's estimate of the mean squared error that expected rows have; `None` if it is not one.
    fn risk(&self, rows: &[f64]) -> Option<f64> {
        let said = self.say(rows);
        let count = self.groups.len();
        let squares = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        // The Laplacian of the density over the density, twice, less the square of the gradient.
        let mut sum = -squares(&self.gradient(&said));
        for (k, (group, gradients)) in self.groups.iter().zip(&said.gradients).enumerate() {
            for (i, g) in gradients.chunks_exact(self.width).enumerate() {
                sum += 2.0 * said.shares[i * count + k] * (squares(g) - group.trace);
            }
        }
        let risk = self.noise + self.noise * self.noise * sum / rows.len() as f64;
        (risk > 0.0).then_some(risk)
    }
}

/// The mean of rows by their weights, whose sum is `size`, and the weighted sum of squares from it.
fn weighted(rows: &[f64], width: usize, weights: &[f64], size: f64) -> (Vec<f64>, Vec<f64>) {
    let mut mean = vec![0.0; width];
    for (row, w) in rows.chunks_exact(width).zip(weights) {
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += w * x / size);
    }
    let scaled: Vec<f64> = rows
        .chunks_exact(width)
        .zip(weights)
        .flat_map(|(row, w)| row.iter().zip(&mean).map(move |(x, m)| w.sqrt() * (x - m)))
        .collect();
    let scatter = gram(&scaled, width);
    (mean, scatter)
}

/// The group of each row by k-means, as shares of 0 and 1: rows × groups.
fn nearest_shares(rows: &[f64], width: usize, groups: usize) -> Vec<f64> {
    let all: Vec<&[f64]> = rows.chunks_exact(width).collect();
    let distance =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    // Each centre is drawn with a probability by the square of the distance from those before it.
    let mut rng = Rng::new(0);
    let mut centres: Vec<Vec<f64>> = vec![all[0].to_vec()];
    let mut squares = vec![f64::INFINITY; all.len()];
    while centres.len() < groups {
        let last = &centres[centres.len() - 1];
        squares.iter_mut().zip(&all).for_each(|(s, row)| *s = s.min(distance(row, last)));
        let mut left = f64::from(rng.unit()) * squares.iter().sum::<f64>();
        let drawn = squares.iter().position(|s| {
            left -= s;
            left <= 0.0
        });
        centres.push(all[drawn.unwrap_or(0)].to_vec());
    }
    let mut nearest = vec![0; all.len()];
    for _ in 0..START_ROUNDS {
        for (own, row) in nearest.iter_mut().zip(&all) {
            let to = |k: usize| distance(row, &centres[k]);
            *own = (0..groups).min_by(|a, b| to(*a).total_cmp(&to(*b))).unwrap_or(0);
        }
        let mut sums = vec![(vec![0.0; width], 0.0); groups];
        for (own, row) in nearest.iter().zip(&all) {
            sums[*own].0.iter_mut().zip(*row).for_each(|(s, x)| *s += x);
            sums[*own].1 += 1.0;
        }
        for (centre, (sum, n)) in centres.iter_mut().zip(sums).filter(|(_, (_, n))| *n > 0.0) {
            *centre = sum.iter().map(|s| s / n).collect();
        }
    }
    nearest
        .iter()
        .flat_map(|own| (0..groups).map(move |k| f64::from(u8::from(k == *own))))
        .collect()
}
