//! The likeliest latents of rows of which only some values are known.
//!
//! Given the known values `x` of a row, the decoder `f`, and latents `z` taken to be independent and normal with means
//! `m` and deviations `s`, the posterior is largest where `Σ ((x − f(z))/σ)² + Σ ((z − m)/s)²` is least: the first sum
//! is over known values alone, in steps of each column, the second over latents. Rounds of Gauss and Newton take `f` for
//! straight around the latents of now. A decoder without hidden layers is, so that one round gives the conditional mean.
//! A round that makes the sum larger is halved.

#[cfg(test)]
mod tests;

use crate::apps::model::LatentNetworks;
use crate::interrupt::checkpoint;
use crate::linalg;
use rayon::prelude::*;

/// Rounds, at most, and halvings of one.
const ROUNDS: usize = 6;
const HALVINGS: i32 = 4;
/// A round that saves a smaller share of the sum is the last.
const SAVED: f64 = 1e-3;
/// Rows that are looked at together, at most, and what their slopes may be in all.
const ROWS: usize = 32;
const SLOPES: usize = 1 << 20;
/// How far latents are moved to see what the decoder makes of that, in their deviations: with less, rounding shows.
const MOVED: f64 = 0.1;
/// A latent that deviates by a smaller share of its root mean square never changes.
const CONSTANT: f64 = 1e-6;
/// Variance of what is known, in squared steps, at least: that of rounding.
const LEAST_VARIANCE: f64 = 1.0 / 12.0;
/// Rows by which the means and deviations of latents are known, at least.
const ENOUGH_ROWS: usize = 64;
/// Products for all rows, at most: one to two minutes on two cores.
const MOST_WORK: f64 = 1e12;

/// Says whether so many rows are enough to know how latents lie, and few enough for the latents that there are.
pub(super) fn is_worth_it(networks: &LatentNetworks, rows: usize) -> bool {
    let (width, count) = (networks.decoder.origin.len() as f64, networks.unit.len() as f64);
    let rounds = if networks.record.hidden.is_none() { 1.0 } else { ROUNDS as f64 };
    rows >= ENOUGH_ROWS && rounds * rows as f64 * width * count * count <= MOST_WORK
}

/// Sets values of rows that are `missing` to what the decoder makes of the likeliest latents, which are looked for from
/// those of the rows as they are filled now. Rows for which none are found that are likelier stay as they are.
///
/// How latents lie is what those of these rows say.
pub(super) fn fill(networks: &LatentNetworks, values: &mut [f64], missing: &[bool]) {
    let Some(encoder) = &networks.encoder else { return };
    let (width, count) = (networks.decoder.origin.len(), networks.unit.len());
    let hidden = |at: usize| encoder.record.masked && missing[at];
    let latents = encoder.latents(&encoder.inputs(values, &hidden));
    let prior = Prior::of(&latents, count);
    let mut search = Search { networks, prior, scale: &encoder.record.scale, straight: None };
    if networks.record.hidden.is_none() {
        search.straight = search.slopes_at_means();
    }
    let gaps = missing.chunks_exact(width).enumerate().filter(|(_, gaps)| gaps.contains(&true));
    let with_gaps: Vec<usize> = gaps.map(|(i, _)| i).collect();
    let at_once = (SLOPES / (width * count).max(1)).clamp(1, ROWS);
    let known = |i: usize| Known {
        values: &values[i * width..(i + 1) * width],
        missing: &missing[i * width..(i + 1) * width],
        latents: &latents[i * count..(i + 1) * count],
    };
    let likeliest = |rows: &[usize]| -> Vec<Option<Vec<f64>>> {
        checkpoint();
        search.likeliest(&rows.iter().map(|&i| known(i)).collect::<Vec<_>>())
    };
    let found: Vec<_> = with_gaps.par_chunks(at_once).map(likeliest).collect();
    for (i, found) in with_gaps.iter().zip(found.into_iter().flatten()) {
        let own = i * width..(i + 1) * width;
        let gaps = values[own.clone()].iter_mut().zip(found.into_iter().flatten());
        gaps.zip(&missing[own]).filter(|(_, gap)| **gap).for_each(|((x, found), _)| *x = found);
    }
}

/// How latents lie.
struct Prior {
    means: Vec<f64>,
    /// Those of latents that never change are 0.
    deviations: Vec<f64>,
}

impl Prior {
    /// Finds that of rows of latents, as far as they are finite.
    fn of(latents: &[f32], count: usize) -> Self {
        let rows = || latents.chunks_exact(count).filter(|row| row.iter().all(|z| z.is_finite()));
        let total = rows().count().max(1) as f64;
        let mean = |of: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            let mut sums = vec![0.0; count];
            for row in rows() {
                let own = sums.iter_mut().zip(row).enumerate();
                own.for_each(|(k, (sum, z))| *sum += of(k, f64::from(*z)));
            }
            sums.into_iter().map(|sum| sum / total).collect()
        };
        let means = mean(&|_, z| z);
        let squares = mean(&|_, z| z * z);
        let variances = mean(&|k, z| (z - means[k]).powi(2));
        let deviation = |(variance, square): (f64, f64)| {
            let is_constant = variance.sqrt() <= CONSTANT * square.sqrt();
            if is_constant { 0.0 } else { variance.sqrt() }
        };
        let deviations = variances.into_iter().zip(squares).map(deviation).collect();
        Self { means, deviations }
    }

    /// Returns the sum over latents.
    fn sum(&self, latents: &[f64]) -> f64 {
        let own = latents.iter().zip(&self.means).zip(&self.deviations);
        own.filter(|(_, s)| **s > 0.0).map(|((z, m), s)| ((z - m) / s).powi(2)).sum()
    }
}

/// What is given of a row.
#[derive(Clone, Copy)]
struct Known<'a> {
    values: &'a [f64],
    missing: &'a [bool],
    latents: &'a [f32],
}

/// The latents of a row as far as they were found, and what follows from them.
struct Row {
    latents: Vec<f64>,
    /// What they decode to.
    decoded: Vec<f64>,
    /// What is known less that, in steps; 0 where nothing is known.
    errors: Vec<f64>,
    /// Mean square of the first errors.
    variance: f64,
    /// What is to be least.
    sum: f64,
    has_moved: bool,
}

/// What latents are looked for by.
struct Search<'a> {
    networks: &'a LatentNetworks,
    prior: Prior,
    /// The step of each column; one of 0 is left out.
    scale: &'a [f64],
    /// The slopes of all rows, where the decoder has no hidden layers.
    straight: Option<Vec<f64>>,
}

impl Search<'_> {
    /// Returns what the likeliest latents of some rows decode to; nothing for rows that have none likelier than those
    /// they began with.
    fn likeliest(&self, known: &[Known<'_>]) -> Vec<Option<Vec<f64>>> {
        let start = known.iter().map(|k| k.latents.iter().map(|z| f64::from(*z)).collect());
        let start: Vec<Vec<f64>> = start.collect();
        let decoded = self.decoded(&start).into_iter().zip(start).zip(known);
        let mut rows: Vec<Row> = decoded
            .map(|((decoded, latents), known)| self.begin(decoded, latents, known))
            .collect();
        let mut open: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].sum.is_finite()).collect();
        for _ in 0..if self.straight.is_some() { 1 } else { ROUNDS } {
            let own = if self.straight.is_some() { Vec::new() } else { self.slopes(&rows, &open) };
            let mut steps = Vec::new();
            for (at, &i) in open.iter().enumerate() {
                let slopes = self.straight.as_ref().unwrap_or_else(|| &own[at]);
                steps.extend(self.step(&rows[i], slopes, known[i].missing).map(|step| (i, step)));
            }
            let before: Vec<(usize, f64)> = open.iter().map(|&i| (i, rows[i].sum)).collect();
            self.go(&mut rows, steps, known);
            let goes_on = before.into_iter().filter(|&(i, sum)| rows[i].sum < (1.0 - SAVED) * sum);
            open = goes_on.map(|(i, _)| i).collect();
            if open.is_empty() {
                break;
            }
        }
        rows.into_iter().map(|row| row.has_moved.then_some(row.decoded)).collect()
    }

    fn begin(&self, decoded: Vec<f64>, latents: Vec<f64>, known: &Known<'_>) -> Row {
        let errors = self.errors(known, &decoded);
        let counted = known.missing.iter().zip(self.scale).filter(|(gap, s)| !**gap && **s > 0.0);
        let variance = errors.iter().map(|e| e * e).sum::<f64>() / counted.count().max(1) as f64;
        let variance = variance.max(LEAST_VARIANCE);
        let mut row = Row { latents, decoded, errors, variance, sum: 0.0, has_moved: false };
        row.sum = self.sum(&row);
        row
    }

    /// Goes the steps of some rows, or a part of them, where that makes the sum less.
    fn go(&self, rows: &mut [Row], mut steps: Vec<(usize, Vec<f64>)>, known: &[Known<'_>]) {
        for halving in 0..=HALVINGS {
            let share = 0.5_f64.powi(halving);
            let moved = |(i, step): &(usize, Vec<f64>)| -> Vec<f64> {
                rows[*i].latents.iter().zip(step).map(|(z, d)| z + share * d).collect()
            };
            let moved: Vec<Vec<f64>> = steps.iter().map(moved).collect();
            let decoded = self.decoded(&moved);
            let mut found = decoded.into_iter().zip(moved);
            steps.retain(|(i, _)| {
                let Some((decoded, latents)) = found.next() else { return false };
                let errors = self.errors(&known[*i], &decoded);
                let mut row = Row { latents, decoded, errors, has_moved: true, ..rows[*i] };
                row.sum = self.sum(&row);
                let is_better = row.sum < rows[*i].sum;
                if is_better {
                    rows[*i] = row;
                }
                !is_better
            });
            if steps.is_empty() {
                return;
            }
        }
    }

    fn decoded(&self, latents: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let latents: Vec<f32> = latents.iter().flatten().map(|z| *z as f32).collect();
        let values = self.networks.decoder.values(&latents);
        values.chunks_exact(self.scale.len()).map(<[f64]>::to_vec).collect()
    }

    fn errors(&self, known: &Known<'_>, decoded: &[f64]) -> Vec<f64> {
        let all = known.values.iter().zip(decoded).zip(known.missing).zip(self.scale);
        let error = |(((x, y), gap), s): (((&f64, &f64), &bool), &f64)| {
            if *gap || *s <= 0.0 { 0.0 } else { (x - y) / s }
        };
        all.map(error).collect()
    }

    fn sum(&self, row: &Row) -> f64 {
        row.errors.iter().map(|e| e * e).sum::<f64>() / row.variance + self.prior.sum(&row.latents)
    }

    /// Returns the slopes where latents are as they are on average.
    fn slopes_at_means(&self) -> Option<Vec<f64>> {
        let latents = self.prior.means.clone();
        let decoded = self.decoded(std::slice::from_ref(&latents)).pop()?;
        let (errors, variance) = (Vec::new(), 1.0);
        let row = Row { latents, decoded, errors, variance, sum: 0.0, has_moved: false };
        self.slopes(&[row], &[0]).pop()
    }

    /// Returns how what rows decode to changes with each latent, in steps: of each row, latents × columns.
    fn slopes(&self, rows: &[Row], open: &[usize]) -> Vec<Vec<f64>> {
        let mut out = vec![Vec::new(); open.len()];
        for (k, s) in self.prior.deviations.iter().enumerate() {
            let moved = |&i: &usize| {
                let mut latents = rows[i].latents.clone();
                latents[k] += MOVED * s;
                latents
            };
            let moved: Vec<Vec<f64>> = open.iter().map(moved).collect();
            let decoded = self.decoded(&moved).into_iter().zip(moved);
            for ((out, (decoded, moved)), &i) in out.iter_mut().zip(decoded).zip(open) {
                // As the decoder has them.
                let by = f64::from(moved[k] as f32) - f64::from(rows[i].latents[k] as f32);
                let both = decoded.iter().zip(&rows[i].decoded).zip(self.scale);
                let slope = |((y, x), s): ((&f64, &f64), &f64)| {
                    if *s > 0.0 && by > 0.0 { (y - x) / (by * s) } else { 0.0 }
                };
                out.extend(both.map(slope));
            }
        }
        out
    }

    /// Returns the step of Gauss and Newton.
    fn step(&self, row: &Row, slopes: &[f64], missing: &[bool]) -> Option<Vec<f64>> {
        let Prior { means, deviations } = &self.prior;
        let (width, count) = (missing.len(), means.len());
        // Of each known value its slopes, and its error: all products of these at once.
        let mut known = Vec::with_capacity(width * (count + 1));
        for j in (0..width).filter(|j| !missing[*j] && self.scale[*j] > 0.0) {
            known.extend(slopes.iter().skip(j).step_by(width));
            known.push(row.errors[j]);
        }
        let products = linalg::cross_products(&known, count + 1);
        let (mut matrix, mut right) = (Vec::with_capacity(count * count), Vec::new());
        for (k, own) in products.chunks_exact(count + 1).take(count).enumerate() {
            // One that never changes has no slopes, and stays.
            let weight = if deviations[k] > 0.0 { deviations[k].powi(-2) } else { 1.0 };
            let from_mean = if deviations[k] > 0.0 { row.latents[k] - means[k] } else { 0.0 };
            matrix.extend(own[..count].iter().map(|x| x / row.variance));
            matrix[k * count + k] += weight;
            right.push(own[count] / row.variance - from_mean * weight);
        }
        linalg::solve(&matrix, &right)
    }
}
