//! Where the latents of rows lie: a mixture of normal distributions, fitted by expectation and maximisation (Dempster,
//! Laird and Rubin 1977).
//!
//! A variational network is trained so that the latents of all rows together are about normally distributed. They are
//! not quite: rows are of kinds, between which there is nothing. New rows are drawn from where rows were.

use crate::container::mixture::MixtureRecord;
use crate::linalg::{cholesky, cross_products, multiply, symmetric_eigen, transposed};
use rayon::prelude::*;

/// Rows whose latents are worth finding: more of them make no better a mixture.
pub(crate) const MOST_ROWS: usize = 20_000;
/// Of how many rows one has no part in fitting: such rows say how many distributions there are to be.
const HELD_OUT: usize = 5;
/// Most distributions. (Of the images of clothes, draws of 64 are found out in 57 % by their nearest neighbours, of 16
/// in 60 %, of one in 80 %; the latents of the rows themselves in 55 %.)
const MOST: usize = 64;
/// Rows of each distribution for each of its latents, at least on average.
const ROWS_PER_LATENT: usize = 4;
/// Rounds of fitting after each halving.
const ROUNDS: usize = 20;
/// Nats by which a row that was held out is to become likelier for twice the distributions.
const LEAST_GAIN: f64 = 0.01;
/// The weight, in rows, of the covariance within all distributions in that of each.
const SHARED_ROWS: f64 = 10.0;
/// Variance that each latent has at least, as a share of the mean variance: a latent that the network makes no use of
/// has none.
const LEAST_VARIANCE: f64 = 1e-4;
/// Products of numbers in a round, at most: some seconds in all.
const MOST_WORK: usize = 1 << 30;
/// How far the halves of a distribution begin from its mean, in deviations along its longest axis.
const APART: f64 = 0.7;
/// Rows below which a distribution is given up.
const FEWEST_ROWS: f64 = 2.0;

/// Fits the mixture of as many distributions as rows that were held out bear out to `outputs`, rows × latents;
/// none where they are too few to tell or have too many latents, or do not differ.
pub(crate) fn fit(outputs: &[f32], latents: usize) -> Option<MixtureRecord> {
    let [mut fitted, mut held_out] = [Vec::new(), Vec::new()];
    for (at, row) in outputs.chunks_exact(latents).enumerate() {
        let part = if at % HELD_OUT == 0 { &mut held_out } else { &mut fitted };
        part.extend(row.iter().map(|y| f64::from(*y)));
    }
    if fitted.iter().chain(&held_out).any(|y| !y.is_finite()) {
        return None;
    }
    let count = fitted.len() / latents;
    let is_told = |distributions: usize| {
        distributions * ROWS_PER_LATENT * latents <= count
            && distributions * count * latents * latents <= MOST_WORK
    };
    if !is_told(1) {
        return None;
    }
    let twice = |mixture: &Mixture| {
        (0..ROUNDS).try_fold(mixture.halved()?, |next, _| next.refitted(&fitted))
    };
    let mut best = Mixture::of_one(&fitted, latents)?;
    let mut said = best.log_likelihood(&held_out);
    while 2 * best.components.len() <= MOST && is_told(2 * best.components.len()) {
        let Some(next) = twice(&best) else { break };
        let now = next.log_likelihood(&held_out);
        // Distributions that were given up may leave fewer than there were.
        let is_better = now >= said + LEAST_GAIN && next.components.len() >= best.components.len();
        if !is_better {
            break;
        }
        (best, said) = (next, now);
    }
    Some(best.record())
}

/// Normal distributions of latents.
struct Mixture {
    components: Vec<Component>,
    latents: usize,
    /// What each latent's variance is at least.
    floor: f64,
}

/// A normal distribution.
struct Component {
    /// Its share of the rows.
    weight: f64,
    mean: Vec<f64>,
    covariance: Vec<f64>,
    /// The lower triangular matrix that times its transpose is the covariance.
    factor: Vec<f64>,
    /// The transpose of that matrix's inverse: rows less the mean, times it, are white.
    whitening: Vec<f64>,
    /// The logarithm of its density at its mean, times the weight.
    log_peak: f64,
}

impl Component {
    /// None where the covariance is not positive definite.
    fn new(weight: f64, mean: Vec<f64>, covariance: Vec<f64>) -> Option<Self> {
        let n = mean.len();
        let factor = cholesky(&covariance, n)?;
        let whitening = transposed(&lower_inverse(&factor, n), n);
        let logs: f64 = (0..n).map(|i| factor[i * (n + 1)].ln()).sum();
        let log_peak = weight.ln() - logs - 0.5 * n as f64 * std::f64::consts::TAU.ln();
        log_peak.is_finite().then_some(Self {
            weight,
            mean,
            covariance,
            factor,
            whitening,
            log_peak,
        })
    }

    /// Returns rows less its mean.
    fn centred<'a>(&'a self, rows: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        rows.chunks_exact(self.mean.len())
            .flat_map(|row| row.iter().zip(&self.mean).map(|(x, m)| x - m))
    }

    /// Returns the logarithm of its density at each row, times its weight.
    fn log_densities(&self, rows: &[f64]) -> Vec<f64> {
        let n = self.mean.len();
        let white = multiply(&self.centred(rows).collect::<Vec<_>>(), &self.whitening, n);
        let square = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>();
        white.chunks_exact(n).map(|row| self.log_peak - 0.5 * square(row)).collect()
    }
}

impl Mixture {
    /// The normal distribution of all rows.
    fn of_one(rows: &[f64], latents: usize) -> Option<Self> {
        let count = rows.len() / latents;
        let moments = Moments::of(rows, &vec![1.0; count], latents)?;
        let variance: f64 = moments.scatter.iter().step_by(latents + 1).sum::<f64>();
        let variance = variance / (count * latents) as f64;
        // What single precision cannot tell apart does not differ.
        let largest = moments.mean.iter().fold(0.0_f64, |most, m| most.max(m.abs()));
        let least = (f64::from(f32::EPSILON) * largest).powi(2);
        if !(variance > least && variance.is_finite()) {
            return None;
        }
        let own = Self { components: Vec::new(), latents, floor: LEAST_VARIANCE * variance };
        own.of_moments(vec![moments], count)
    }

    /// Makes distributions of the moments of `count` rows.
    fn of_moments(&self, moments: Vec<Moments>, count: usize) -> Option<Self> {
        let n = self.latents;
        let mut within = vec![0.0; n * n];
        for own in &moments {
            within.iter_mut().zip(&own.scatter).for_each(|(w, s)| *w += s / count as f64);
        }
        let component = |own: Moments| {
            let shared = |(s, w): (&f64, &f64)| (s + SHARED_ROWS * w) / (own.size + SHARED_ROWS);
            let mut covariance: Vec<f64> = own.scatter.iter().zip(&within).map(shared).collect();
            covariance.iter_mut().step_by(n + 1).for_each(|v| *v += self.floor);
            Component::new(own.size / count as f64, own.mean, covariance)
        };
        let components = moments.into_iter().map(component).collect::<Option<_>>()?;
        Some(Self { components, ..*self })
    }

    /// Divides each distribution in two along its longest axis.
    fn halved(&self) -> Option<Self> {
        let mut components = Vec::new();
        for own in &self.components {
            let longest = symmetric_eigen(&own.covariance, self.latents)?;
            let longest = longest.into_iter().max_by(|a, b| a.value.total_cmp(&b.value))?;
            let far = APART * longest.value.max(0.0).sqrt();
            // What is between the halves is no longer within them.
            let mut covariance = own.covariance.clone();
            for (at, v) in covariance.iter_mut().enumerate() {
                let (i, j) = (at / self.latents, at % self.latents);
                *v -= far * far * longest.vector[i] * longest.vector[j];
            }
            for side in [far, -far] {
                let mean = own.mean.iter().zip(&longest.vector).map(|(m, v)| m + side * v);
                let (mean, covariance) = (mean.collect(), covariance.clone());
                components.push(Component::new(0.5 * own.weight, mean, covariance)?);
            }
        }
        Some(Self { components, ..*self })
    }

    /// One round: rows belong to each distribution by how likely it is that they are of it, and those distributions are
    /// taken for which rows that belong to them so are likeliest.
    fn refitted(&self, rows: &[f64]) -> Option<Self> {
        let count = rows.len() / self.latents;
        let (mut logs, sums) = self.said(rows);
        let moments = logs.par_iter_mut().map(|own| {
            own.iter_mut().zip(&sums).for_each(|(own, sum)| *own = (*own - sum).exp());
            Moments::of(rows, own, self.latents)
        });
        let moments: Vec<Option<Moments>> = moments.collect();
        self.of_moments(moments.into_iter().flatten().collect(), count)
    }

    /// Returns the logarithm of each distribution's density at each row, and that of their sum.
    fn said(&self, rows: &[f64]) -> (Vec<Vec<f64>>, Vec<f64>) {
        let logs: Vec<Vec<f64>> =
            self.components.par_iter().map(|own| own.log_densities(rows)).collect();
        let sum = |at: usize| {
            let most = logs.iter().map(|own| own[at]).fold(f64::NEG_INFINITY, f64::max);
            most + logs.iter().map(|own| (own[at] - most).exp()).sum::<f64>().ln()
        };
        let sums = (0..rows.len() / self.latents).map(sum).collect();
        (logs, sums)
    }

    /// Returns the mean logarithm of the density at rows, in nats.
    fn log_likelihood(&self, rows: &[f64]) -> f64 {
        let (_, sums) = self.said(rows);
        sums.iter().sum::<f64>() / sums.len().max(1) as f64
    }

    /// Returns them as they are stored.
    fn record(&self) -> MixtureRecord {
        let mut record =
            MixtureRecord { weights: Vec::new(), means: Vec::new(), factors: Vec::new() };
        for own in &self.components {
            record.weights.push(own.weight as f32);
            record.means.extend(own.mean.iter().map(|m| *m as f32));
            let rows = own.factor.chunks_exact(self.latents).enumerate();
            record.factors.extend(rows.flat_map(|(i, row)| row[..=i].iter().map(|v| *v as f32)));
        }
        record
    }
}

/// Number, mean and products of rows that belong to a distribution.
struct Moments {
    size: f64,
    mean: Vec<f64>,
    /// Sums of products of what rows differ from the mean by.
    scatter: Vec<f64>,
}

impl Moments {
    /// Of rows with these shares; none where next to none belongs to it.
    fn of(rows: &[f64], shares: &[f64], latents: usize) -> Option<Self> {
        let size: f64 = shares.iter().sum();
        if size < FEWEST_ROWS {
            return None;
        }
        let mut mean = vec![0.0; latents];
        for (row, share) in rows.chunks_exact(latents).zip(shares) {
            mean.iter_mut().zip(row).for_each(|(m, x)| *m += share * x / size);
        }
        let scaled = rows.chunks_exact(latents).zip(shares).flat_map(|(row, share)| {
            let root = share.sqrt();
            row.iter().zip(&mean).map(move |(x, m)| root * (x - m))
        });
        let scatter = cross_products(&scaled.collect::<Vec<_>>(), latents);
        Some(Self { size, mean, scatter })
    }
}

/// Returns the inverse of a lower triangular matrix, `n × n`.
fn lower_inverse(factor: &[f64], n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * n];
    for j in 0..n {
        out[j * (n + 1)] = 1.0 / factor[j * (n + 1)];
        for i in j + 1..n {
            let sum: f64 = (j..i).map(|k| factor[i * n + k] * out[k * n + j]).sum();
            out[i * n + j] = -sum / factor[i * (n + 1)];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    /// Rows of four groups with so many latents each: about ±5 in the first and the second, of which the second is three
    /// times the third; the last is always 0.
    fn groups(count: usize) -> Vec<f32> {
        let mut rng = Rng::new(5);
        let mut out = Vec::new();
        for i in 0..count {
            let [x, y] = [i % 2, i / 2 % 2].map(|side| 10.0 * side as f32 - 5.0);
            let (a, b) = (rng.normal(), rng.normal());
            out.extend([x + a, y + 3.0 * b, b, 0.0]);
        }
        out
    }

    #[test]
    fn groups_are_found_with_their_covariances() {
        let found = fit(&groups(4000), 4).unwrap();
        assert_eq!(found.weights.len(), 4, "{:?}", found.means);
        for (k, weight) in found.weights.iter().enumerate() {
            assert!((weight - 0.25).abs() < 0.05, "{:?}", found.weights);
            let mean = &found.means[4 * k..4 * k + 4];
            assert!(mean[..2].iter().all(|m| (m.abs() - 5.0).abs() < 0.5), "{mean:?}");
            // Deviations of the first and the second latent; the third is known from the second.
            let [first, _, second, .., third, _, _, _, unused] = found.factors[10 * k..10 * k + 10]
            else {
                panic!("a triangle has 10 numbers");
            };
            assert!((first - 1.0).abs() < 0.15 && (second - 3.0).abs() < 0.4, "{first} {second}");
            assert!(third < 0.3 && unused > 0.0 && unused < 0.1, "{third} {unused}");
        }
    }

    #[test]
    fn one_group_stays_one_and_what_does_not_differ_is_none() {
        let mut rng = Rng::new(6);
        let normal: Vec<f32> = (0..6000).map(|_| rng.normal()).collect();
        assert_eq!(fit(&normal, 3).unwrap().weights, [1.0]);
        assert!(fit(&[1.5; 300], 3).is_none());
        assert!(fit(&[], 3).is_none());
        assert!(fit(&[0.5, 1.0, f32::NAN, 2.0, 0.1, 0.2, 0.3, 3.0, 0.7, 0.9], 1).is_none());
    }

    #[test]
    fn inverses_of_triangles_are_inverses() {
        let factor = [2.0, 0.0, 0.0, 1.0, 4.0, 0.0, -3.0, 0.5, 8.0];
        let product = multiply(&factor, &lower_inverse(&factor, 3), 3);
        for (at, x) in product.iter().enumerate() {
            assert!((x - f64::from(u8::from(at % 4 == 0))).abs() < 1e-12, "{product:?}");
        }
    }
}
