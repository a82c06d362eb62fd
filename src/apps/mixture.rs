//! Rows, or patches of them, that lie in groups, or along a curve: each group has components of its own.
//!
//! A mixture of normal distributions is fitted to noisy rows, whose noise is known (Bovy, Hogg and
//! Roweis 2011, *Extreme deconvolution*); what rows are without noise is then expected to be near
//! the groups that they may belong to. Whether that is nearer than one distribution for all is told
//! by Stein's unbiased estimate of the risk (Stein 1981) on rows that had no part in the fit.

use crate::linalg::{gram, multiply, symmetric_eigen, transposed};
use crate::matrix::rng::Rng;
use rayon::prelude::*;

/// Numbers of groups that are tried.
const GROUPS: [usize; 2] = [4, 12];
/// The fewest rows for each group.
const ROWS_PER_GROUP: usize = 50;
/// The same of patches, and the most groups of these.
const PATCHES_PER_GROUP: usize = 250;
const MOST_GROUPS: usize = 64;
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
/// The least share of a row that a group is told of: most rows belong to few of many groups.
const LEAST_SHARE: f64 = 1e-3;
/// Rows whose distances to all groups are computed together, which stay in the cache.
const DISTANCES_AT_ONCE: usize = 64;
/// Rows that a thread works on at a time.
const ROWS_AT_ONCE: usize = 1024;

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
#[derive(Debug, Clone)]
pub(super) struct Mixture {
    groups: Vec<Group>,
    width: usize,
    noise: f64,
    /// What makes of rows of a group independent numbers of variance 1, group beside group:
    /// width × (groups · width). Below it, what it makes of the groups' means.
    whitening: Vec<f64>,
    whitened_means: Vec<f64>,
}

/// A normal distribution of noisy rows.
#[derive(Debug, Clone)]
struct Group {
    /// The logarithm of the share of rows, over the root of the determinant of the covariance.
    log_weight: f64,
    mean: Vec<f64>,
    /// The inverse of the covariance.
    precision: Vec<f64>,
    trace: f64,
    /// As in [`Mixture`], width × width.
    whitening: Vec<f64>,
}

impl Group {
    /// A group with `share` of the rows; its covariance without noise is made to be one.
    fn new(share: f64, mean: Vec<f64>, covariance: &[f64], noise: f64) -> Option<Self> {
        let width = mean.len();
        let pairs = symmetric_eigen(covariance, width)?;
        let values: Vec<f64> =
            pairs.iter().map(|p| p.value.max(LEAST_VARIANCE * noise) + noise).collect();
        let scaled =
            pairs.iter().zip(&values).flat_map(|(p, v)| p.vector.iter().map(|x| x / v.sqrt()));
        let scaled: Vec<f64> = scaled.collect();
        let whitening = transposed(&scaled, width);
        let precision = multiply(&whitening, &scaled, width);
        let log_weight = share.ln() - 0.5 * values.iter().map(|v| v.ln()).sum::<f64>();
        let trace = values.iter().map(|v| 1.0 / v).sum();
        Some(Self { log_weight, mean, precision, trace, whitening })
    }

    /// The gradients of the logarithmic density at rows.
    fn gradients<'a>(&self, rows: impl Iterator<Item = &'a [f64]>) -> Vec<f64> {
        let distances = rows.flat_map(|row| self.mean.iter().zip(row).map(|(m, x)| m - x));
        multiply(&distances.collect::<Vec<_>>(), &self.precision, self.mean.len())
    }
}

impl Mixture {
    /// Fits groups to noisy patches, as many as these are enough for.
    pub(super) fn of_patches(patches: &[f64], size: usize, noise: f64) -> Option<Self> {
        let groups = (patches.len() / size / PATCHES_PER_GROUP).clamp(1, MOST_GROUPS);
        Self::fit(patches, size, noise, groups)
    }

    /// Fits so many groups to noisy rows.
    fn fit(rows: &[f64], width: usize, noise: f64, groups: usize) -> Option<Self> {
        let mut shares = nearest_shares(rows, width, groups);
        let mut found = None;
        for _ in 0..ROUNDS {
            let next = Self::from_shares(rows, width, noise, &shares, found.as_ref())?;
            shares = next.shares(rows);
            found = Some(next);
        }
        found
    }

    /// The number of groups.
    pub(super) fn count(&self) -> usize {
        self.groups.len()
    }

    /// The mean of a group, and the inverse of its covariance, noise among it.
    pub(super) fn group(&self, k: usize) -> (&[f64], &[f64]) {
        (&self.groups[k].mean, &self.groups[k].precision)
    }

    fn new(groups: Vec<Group>, width: usize, noise: f64) -> Self {
        let row = |j: usize| {
            groups.iter().flat_map(move |g| &g.whitening[j * width..(j + 1) * width]).copied()
        };
        let whitening = (0..width).flat_map(row).collect();
        let whitened = |g: &Group| multiply(&g.mean, &g.whitening, width);
        let whitened_means = groups.iter().flat_map(whitened).collect();
        Self { groups, width, noise, whitening, whitened_means }
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
        let part = |k: usize| {
            let (own, weights) = members(rows, width, shares, groups, k);
            let size = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            let mut clean: Vec<f64> = own.iter().copied().flatten().copied().collect();
            // What rows are expected to be, if of this group, and how sure that is.
            let before = before.map(|b| &b.groups[k]);
            if let Some(group) = before {
                let gradients = group.gradients(own.iter().copied());
                clean.iter_mut().zip(gradients).for_each(|(x, g)| *x += noise * g);
            }
            let (mean, mut scatter) = weighted(&clean, width, &weights, size);
            for (at, s) in scatter.iter_mut().enumerate() {
                let diagonal = if at % (width + 1) == 0 { 1.0 } else { 0.0 };
                *s += match before {
                    Some(group) => size * noise * (diagonal - noise * group.precision[at]),
                    None => -size * noise * diagonal,
                };
            }
            (size, mean, scatter)
        };
        let parts: Vec<_> = (0..groups).into_par_iter().map(part).collect();
        let mut within = vec![0.0; width * width];
        for (_, _, scatter) in &parts {
            within.iter_mut().zip(scatter).for_each(|(w, s)| *w += s / count as f64);
        }
        let group = |(size, mean, scatter): (f64, Vec<f64>, Vec<f64>)| {
            let covariance: Vec<f64> = scatter
                .iter()
                .zip(&within)
                .map(|(s, w)| (s + PRIOR_ROWS * w) / (size + PRIOR_ROWS))
                .collect();
            Group::new(size / count as f64, mean, &covariance, noise)
        };
        let groups = parts.into_par_iter().map(group).collect::<Option<Vec<_>>>()?;
        Some(Self::new(groups, width, noise))
    }

    /// How likely each row is in each group, rows × groups.
    fn shares(&self, rows: &[f64]) -> Vec<f64> {
        rows.par_chunks(ROWS_AT_ONCE * self.width)
            .flat_map_iter(|part| self.own_shares(part))
            .collect()
    }

    /// The same on this thread.
    pub(super) fn own_shares(&self, rows: &[f64]) -> Vec<f64> {
        let count = self.groups.len();
        let mut shares = Vec::with_capacity(rows.len() / self.width * count);
        for part in rows.chunks(DISTANCES_AT_ONCE * self.width) {
            let whitened = multiply(part, &self.whitening, self.width);
            for row in whitened.chunks_exact(self.whitened_means.len()) {
                let own = row.chunks_exact(self.width);
                let pairs = own.zip(self.whitened_means.chunks_exact(self.width));
                let from = shares.len();
                shares.extend(
                    pairs.zip(&self.groups).map(|((x, m), g)| g.log_weight - 0.5 * square(x, m)),
                );
                let row = &mut shares[from..];
                let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                row.iter_mut().for_each(|s| *s = (*s - most).exp());
                let sum: f64 = row.iter().sum();
                row.iter_mut().for_each(|s| *s /= sum);
            }
        }
        shares
    }

    /// The rows as they are expected to be without noise: a step of the noise's variance along the
    /// gradient of the logarithmic density (Tweedie's formula).
    pub(super) fn expected(&self, rows: &[f64]) -> Vec<f64> {
        let parts = rows.par_chunks(ROWS_AT_ONCE * self.width);
        parts.flat_map_iter(|part| self.own_expected(part)).collect()
    }

    /// The same on this thread.
    pub(super) fn own_expected(&self, rows: &[f64]) -> Vec<f64> {
        let (gradient, _) = self.gradient(rows);
        rows.iter().zip(gradient).map(|(x, g)| x + self.noise * g).collect()
    }

    /// The gradient of the logarithmic density, rows × columns, and the sum over rows of its Laplacian over the
    /// density, twice.
    fn gradient(&self, rows: &[f64]) -> (Vec<f64>, f64) {
        let shares = self.own_shares(rows);
        let (width, count) = (self.width, self.groups.len());
        let (mut sum, mut curvature) = (vec![0.0; rows.len()], 0.0);
        for (k, group) in self.groups.iter().enumerate() {
            let own = || {
                let shares = shares.iter().skip(k).step_by(count).enumerate();
                shares.filter(|(_, share)| **share >= LEAST_SHARE)
            };
            let gradients = group.gradients(own().map(|(i, _)| &rows[i * width..(i + 1) * width]));
            for ((i, share), gradient) in own().zip(gradients.chunks_exact(width)) {
                let sum = &mut sum[i * width..(i + 1) * width];
                sum.iter_mut().zip(gradient).for_each(|(s, g)| *s += share * g);
                let squares: f64 = gradient.iter().map(|g| g * g).sum();
                curvature += 2.0 * share * (squares - group.trace);
            }
        }
        (sum, curvature)
    }

    /// Stein's estimate of the mean squared error that expected rows have; `None` if it is not one.
    fn risk(&self, rows: &[f64]) -> Option<f64> {
        let part = |part: &[f64]| {
            let (gradient, curvature) = self.gradient(part);
            curvature - gradient.iter().map(|x| x * x).sum::<f64>()
        };
        let parts: Vec<f64> = rows.par_chunks(ROWS_AT_ONCE * self.width).map(part).collect();
        let sum: f64 = parts.iter().sum();
        let risk = self.noise + self.noise * self.noise * sum / rows.len() as f64;
        (risk > 0.0).then_some(risk)
    }
}

/// The rows that belong to group `k` of so many, and by which shares.
fn members<'a>(
    rows: &'a [f64],
    width: usize,
    shares: &[f64],
    groups: usize,
    k: usize,
) -> (Vec<&'a [f64]>, Vec<f64>) {
    let own = rows.chunks_exact(width).zip(shares.iter().skip(k).step_by(groups));
    own.filter(|(_, share)| **share >= LEAST_SHARE).map(|(row, share)| (row, *share)).unzip()
}

/// The square of the distance of two rows.
fn square(a: &[f64], b: &[f64]) -> f64 {
    // Eight sums do not wait for each other.
    let mut sums = [0.0; 8];
    let ((a, rest), (b, other)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        (0..8).for_each(|i| sums[i] += (a[i] - b[i]) * (a[i] - b[i]));
    }
    let rest: f64 = rest.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum();
    sums.iter().sum::<f64>() + rest
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
    // Each centre is drawn with a probability by the square of the distance from those before it.
    let mut rng = Rng::new(0);
    let mut centres: Vec<Vec<f64>> = vec![all[0].to_vec()];
    let mut squares = vec![f64::INFINITY; all.len()];
    while centres.len() < groups {
        let last = &centres[centres.len() - 1];
        squares.par_iter_mut().zip(&all).for_each(|(s, row)| *s = s.min(square(row, last)));
        let mut left = f64::from(rng.unit()) * squares.iter().sum::<f64>();
        let drawn = squares.iter().position(|s| {
            left -= s;
            left <= 0.0
        });
        centres.push(all[drawn.unwrap_or(0)].to_vec());
    }
    let mut nearest = vec![0; all.len()];
    for _ in 0..START_ROUNDS {
        nearest.par_iter_mut().zip(&all).for_each(|(own, row)| {
            let to = centres.iter().map(|centre| square(row, centre)).enumerate();
            *own = to.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(k, _)| k);
        });
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
