//! What a normal distribution says of missing values where rows are so wide that what belongs to the gaps of each of
//! them cannot be inverted.
//!
//! Gaps are filled with what is most likely given the row's other values, the covariance is that of the filled rows, and
//! so on. What is most likely solves a system of as many equations as a row has gaps; it is found by conjugate gradients
//! (Hestenes and Stiefel 1952, *Methods of conjugate gradients for solving linear systems*), for many rows at once, so that
//! all that takes time are products of matrices. That gaps vary beside what is most likely is left out of the covariance;
//! what is added to all variances stands for it.

use super::table::Table;
use crate::linalg::{cross_products, inverse, multiply};
use rayon::prelude::*;

/// Columns, at most: the covariance of all is held.
const MOST_COLUMNS: usize = 2048;
/// Rows to fit to, at most, and at least.
const MOST_ROWS: usize = 4096;
const LEAST_ROWS: usize = 64;
/// What may be added to variances, as shares of their mean: the next for as long as hidden values are guessed better.
const RIDGES: [f64; 4] = [0.1, 0.03, 0.01, 0.003];
/// Rounds of filling and finding, and further ones from a distribution that was there.
const ROUNDS: usize = 6;
const MORE_ROUNDS: usize = 3;
/// Steps towards what is most likely in a round, which the next goes on from, and in the end.
const STEPS: usize = 4;
const LAST_STEPS: usize = 10;
/// Rows whose hidden values are compared, at most.
const COMPARED: usize = 1024;
/// Rows that are worked on at once.
const ROWS_AT_ONCE: usize = 256;

/// A normal distribution of rows, whose columns are multiplied by `units` before.
#[derive(Debug, Clone)]
pub(super) struct WideGaussian {
    units: Vec<f64>,
    ridge: f64,
    /// The inverse of the covariance, width × width.
    precision: Vec<f64>,
}

impl WideGaussian {
    /// Finds the one that guesses the `hidden` values of a table best, which it lacks; none where it is too wide or too
    /// short, or nothing is better than the mean.
    pub(super) fn choose(
        table: &Table,
        units: &[f64],
        (hidden, truth): (&[usize], &[f64]),
    ) -> Option<Self> {
        let sample = Sample::new(table, units).filter(|_| !hidden.is_empty())?;
        let width = table.width;
        let mut rows: Vec<usize> = hidden.iter().map(|at| at / width).collect();
        rows.sort_unstable();
        rows.dedup();
        let every = rows.len().div_ceil(COMPARED).max(1);
        let is_compared =
            |at: &usize| rows.binary_search(&(at / width)).is_ok_and(|k| k % every == 0);
        let pairs = hidden.iter().zip(truth).filter(|(at, _)| is_compared(at));
        let (cells, truth): (Vec<usize>, Vec<f64>) = pairs.map(|(at, x)| (*at, *x)).unzip();
        let mut least: f64 = truth.iter().map(|x| x * x).sum();
        let mut best = None;
        for share in RIDGES {
            let Some(own) = Self::fit(&sample, units, share) else { break };
            let guesses = own.guesses(table, &cells);
            let error = guesses.iter().zip(&truth).map(|(x, y)| (x - y).powi(2)).sum();
            if error >= least {
                break;
            }
            (least, best) = (error, Some(own));
        }
        best
    }

    fn fit(sample: &Sample, units: &[f64], share: f64) -> Option<Self> {
        let width = units.len();
        let mut values = sample.values.clone();
        let mut covariance = covariance(&values, width);
        let mean: f64 = (0..width).map(|j| covariance[j * width + j]).sum::<f64>() / width as f64;
        let ridge = share * mean;
        let gaps = sample.gaps.iter().filter(|gap| **gap).count() as f64;
        let unknown = mean * gaps / values.len() as f64;
        // Gaps are at the mean yet.
        (0..width).for_each(|j| covariance[j * width + j] += ridge + unknown);
        let precision = inverse(&covariance, width)?;
        let mut own = Self { units: units.to_vec(), ridge, precision };
        (0..ROUNDS).try_for_each(|_| own.improve(&mut values, &sample.gaps))?;
        Some(own)
    }

    /// That of a table with other values unknown, from this one on.
    pub(super) fn refitted(&self, table: &Table) -> Option<Self> {
        let mut sample = Sample::new(table, &self.units)?;
        let mut own = self.clone();
        (0..MORE_ROUNDS).try_for_each(|_| own.improve(&mut sample.values, &sample.gaps))?;
        Some(own)
    }

    /// What it makes of cells that a table lacks, in deviations.
    pub(super) fn guesses(&self, table: &Table, cells: &[usize]) -> Vec<f64> {
        let width = table.width;
        let mut rows: Vec<usize> = cells.iter().map(|at| at / width).collect();
        rows.sort_unstable();
        rows.dedup();
        let filled = |rows: &[usize]| -> Vec<f64> {
            let mut part = Sample::of(table, &self.units, rows);
            self.fill(&mut part.values, &part.gaps, LAST_STEPS);
            part.values
        };
        let parts: Vec<Vec<f64>> = rows.par_chunks(ROWS_AT_ONCE).map(filled).collect();
        let guess = |at: &usize| {
            let place = rows.binary_search(&(at / width)).unwrap_or(0);
            let part = &parts[place / ROWS_AT_ONCE];
            part[place % ROWS_AT_ONCE * width + at % width] / self.units[at % width]
        };
        cells.iter().map(guess).collect()
    }

    /// Fills gaps, and takes the covariance of the rows.
    fn improve(&mut self, values: &mut [f64], gaps: &[bool]) -> Option<()> {
        let width = self.units.len();
        let size = ROWS_AT_ONCE * width;
        values
            .par_chunks_mut(size)
            .zip(gaps.par_chunks(size))
            .for_each(|(values, gaps)| self.fill(values, gaps, STEPS));
        let mut covariance = covariance(values, width);
        (0..width).for_each(|j| covariance[j * width + j] += self.ridge);
        self.precision = inverse(&covariance, width)?;
        Some(())
    }

    /// Moves the gaps of rows towards what is most likely, where the precision times the row is 0 in its gaps.
    fn fill(&self, values: &mut [f64], gaps: &[bool], steps: usize) {
        let width = self.units.len();
        // Gradients in gaps, divided by what they change with: each is a guess of what is wrong.
        let in_gaps = |products: &mut [f64]| {
            products.iter_mut().zip(gaps).filter(|(_, gap)| !**gap).for_each(|(x, _)| *x = 0.0);
        };
        let scaled = |gradient: &[f64]| -> Vec<f64> {
            let own = |(at, g): (usize, &f64)| g / self.precision[at % width * (width + 1)];
            gradient.iter().enumerate().map(own).collect()
        };
        let dots = |a: &[f64], b: &[f64]| -> Vec<f64> {
            let rows = a.chunks_exact(width).zip(b.chunks_exact(width));
            rows.map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum()).collect()
        };
        let mut wrong = multiply(values, &self.precision, width);
        wrong.iter_mut().for_each(|x| *x = -*x);
        in_gaps(&mut wrong);
        let mut guess = scaled(&wrong);
        let mut direction = guess.clone();
        let mut size = dots(&wrong, &guess);
        for _ in 0..steps {
            let mut change = multiply(&direction, &self.precision, width);
            in_gaps(&mut change);
            let curvature = dots(&direction, &change);
            for (i, (size, curvature)) in size.iter().zip(curvature).enumerate() {
                let step = if curvature > 0.0 { size / curvature } else { 0.0 };
                for at in i * width..(i + 1) * width {
                    values[at] += step * direction[at];
                    wrong[at] -= step * change[at];
                }
            }
            guess = scaled(&wrong);
            let next = dots(&wrong, &guess);
            for (i, (next, size)) in next.iter().zip(&size).enumerate() {
                let kept = if *size > 0.0 { next / size } else { 0.0 };
                for at in i * width..(i + 1) * width {
                    direction[at] = guess[at] + kept * direction[at];
                }
            }
            size = next;
        }
    }
}

/// The mean product of the columns of rows.
fn covariance(values: &[f64], width: usize) -> Vec<f64> {
    let rows = (values.len() / width).max(1) as f64;
    let part = |values: &[f64]| cross_products(values, width);
    let parts: Vec<Vec<f64>> = values.par_chunks(MOST_ROWS / 4 * width).map(part).collect();
    let mut sum = vec![0.0; width * width];
    for part in parts {
        sum.iter_mut().zip(part).for_each(|(s, p)| *s += p / rows);
    }
    // Both halves, so that rounding leaves it symmetric.
    for i in 0..width {
        for j in 0..i {
            let mean = (sum[i * width + j] + sum[j * width + i]) / 2.0;
            (sum[i * width + j], sum[j * width + i]) = (mean, mean);
        }
    }
    sum
}

/// Rows of a table in the distribution's units, with 0, the mean, in their gaps.
struct Sample {
    values: Vec<f64>,
    gaps: Vec<bool>,
}

impl Sample {
    /// Rows to fit to, evenly spread; none where a table is too wide or too short.
    fn new(table: &Table, units: &[f64]) -> Option<Self> {
        let rows = table.rows();
        let most = rows.min(MOST_ROWS);
        let is_fit = table.width <= MOST_COLUMNS && most >= LEAST_ROWS;
        let which: Vec<usize> = (0..most).map(|k| k * rows / most).collect();
        is_fit.then(|| Self::of(table, units, &which))
    }

    fn of(table: &Table, units: &[f64], rows: &[usize]) -> Self {
        let width = table.width;
        let row = |i: &usize| &table.values[i * width..(i + 1) * width];
        let all: Vec<f64> = rows.iter().flat_map(row).copied().collect();
        let gaps: Vec<bool> = all.iter().map(|x| x.is_nan()).collect();
        let scaled = |(x, unit): (&f64, &f64)| if x.is_nan() { 0.0 } else { x * unit };
        let values = all.iter().zip(units.iter().cycle()).map(scaled).collect();
        Self { values, gaps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    #[test]
    fn rows_of_few_latents_are_filled_but_for_their_noise() {
        let (rows, width) = (600, 120);
        let mut rng = Rng::new(5);
        let mut normal = || f64::from(rng.normal());
        let directions: Vec<f64> = (0..8 * width).map(|_| normal() / 8.0_f64.sqrt()).collect();
        let mut whole = Vec::new();
        for _ in 0..rows {
            let latents: Vec<f64> = (0..8).map(|_| normal()).collect();
            whole.extend((0..width).map(|j| {
                (0..8).map(|k| latents[k] * directions[k * width + j]).sum::<f64>() + 0.1 * normal()
            }));
        }
        let mut rng = Rng::new(6);
        let gaps = whole.iter().map(|x| if rng.unit() < 0.4 { f64::NAN } else { *x }).collect();
        let table = Table::new(gaps, width);
        let at: Vec<usize> = (0..whole.len()).filter(|at| table.values[*at].is_nan()).collect();
        let truth: Vec<f64> =
            at.iter().map(|a| table.in_deviations(a % width, whole[*a])).collect();
        let units = vec![1.0; width];
        let own = WideGaussian::choose(&table, &units, (&at, &truth)).unwrap();
        let error = |own: &WideGaussian| {
            let guesses = own.guesses(&table, &at);
            let squares = guesses.iter().zip(&truth).map(|(x, y)| (x - y).powi(2));
            (squares.sum::<f64>() / truth.len() as f64).sqrt()
        };
        // A tenth of a deviation is noise, which nothing tells.
        assert!(error(&own) < 0.2, "{}", error(&own));
        let again = own.refitted(&table).unwrap();
        assert!(error(&again) < 0.2, "{}", error(&again));
    }

    #[test]
    fn noise_and_what_is_too_short_are_left_alone() {
        let mut rng = Rng::new(7);
        let mut table = |rows: usize| {
            let values = (0..rows * 60).map(|_| f64::from(rng.normal())).collect();
            let whole = Table::new(values, 60);
            let at: Vec<usize> = (0..whole.values.len()).step_by(7).collect();
            let truth: Vec<f64> = at.iter().map(|at| whole.values[*at]).collect();
            (whole.without(&at), at, truth)
        };
        let units = vec![1.0; 60];
        for rows in [3, 400] {
            let (table, at, truth) = table(rows);
            assert!(WideGaussian::choose(&table, &units, (&at, &truth)).is_none(), "{rows}");
        }
    }
}
