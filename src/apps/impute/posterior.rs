//! The likeliest latents of rows of which only some values are known.
//!
//! Given the known values `x` of a row, the decoder `f` and latents `z` that are about normal with means `m` and
//! deviations `s`, the posterior is largest where `Σ ((x − f(z))/σ)² + Σ ((z − m)/s)²` is least, the first sum over
//! known values alone, in steps of each column. Rounds of Gauss and Newton take `f` for straight around the latents of
//! now: for a decoder without hidden layers that is exact, and what it gives the conditional mean. A round that makes
//! the sum larger is halved.

use crate::apps::model::LatentNetworks;
use crate::linalg;
use rayon::prelude::*;

/// Rounds, at most, and halvings of one.
const ROUNDS: usize = 6;
const HALVINGS: i32 = 4;
/// A round that saves a smaller share of the sum is the last.
const SAVED: f64 = 1e-3;
/// Rows that are looked at together.
const ROWS: usize = 32;
/// How far latents are moved to see what the decoder makes of that, in their deviations.
const MOVED: f64 = 0.02;
/// Variance of what is known, in squared steps, at least: that of rounding.
const LEAST_VARIANCE: f64 = 1.0 / 12.0;
/// Rows by which the means and deviations of latents are known, at least.
const ENOUGH_ROWS: usize = 64;

/// Sets the values of rows that are `missing` to what the decoder makes of the likeliest latents, which are looked for
/// from those of the rows as they are filled now. Where there are few rows, nothing is changed.
pub(super) fn fill(networks: &LatentNetworks, values: &mut [f64], missing: &[bool]) {
    let Some(encoder) = &networks.encoder else { return };
    let (width, count) = (networks.decoder.origin.len(), networks.unit.len());
    if width == 0 || values.len() < ENOUGH_ROWS * width {
        return;
    }
    let hidden = |at: usize| encoder.record.masked && missing[at];
    let latents = encoder.latents(&encoder.inputs(values, &hidden));
    let Some(prior) = Prior::of(&latents, count) else { return };
    let mut search = Search { networks, prior, scale: &encoder.record.scale, straight: None };
    if networks.record.hidden.is_none() {
        search.straight = search.slopes_at_means();
    }
    let parts = values.par_chunks_mut(ROWS * width).zip(missing.par_chunks(ROWS * width));
    parts.zip(latents.par_chunks(ROWS * count)).for_each(|((values, missing), latents)| {
        if missing.contains(&true) {
            let found = search.likeliest(values, missing, latents);
            let gaps = values.iter_mut().zip(found).zip(missing).filter(|(_, gap)| **gap);
            gaps.for_each(|((x, found), _)| *x = found);
        }
    });
}

/// How latents lie.
struct Prior {
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Prior {
    /// That of rows of latents; none where one of these never changes, or is not finite.
    fn of(latents: &[f32], count: usize) -> Option<Self> {
        let rows = (latents.len() / count) as f64;
        let mean = |of: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            let mut sums = vec![0.0; count];
            for row in latents.chunks_exact(count) {
                let own = sums.iter_mut().zip(row).enumerate();
                own.for_each(|(k, (sum, z))| *sum += of(k, f64::from(*z)));
            }
            sums.into_iter().map(|sum| sum / rows).collect()
        };
        let means = mean(&|_, z| z);
        let squares = mean(&|k, z| (z - means[k]).powi(2));
        let deviations: Vec<f64> = squares.into_iter().map(f64::sqrt).collect();
        let is_known = deviations.iter().all(|s| s.is_finite() && *s > 0.0);
        is_known.then_some(Self { means, deviations })
    }

    /// The second sum.
    fn sum(&self, latents: &[f64]) -> f64 {
        let own = latents.iter().zip(&self.means).zip(&self.deviations);
        own.map(|((z, m), s)| ((z - m) / s).powi(2)).sum()
    }
}

/// A row on its way.
#[derive(Clone)]
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
    /// Returns what the likeliest latents of some rows decode to.
    fn likeliest(&self, values: &[f64], missing: &[bool], latents: &[f32]) -> Vec<f64> {
        let (width, count) = (self.scale.len(), self.prior.means.len());
        let known: Vec<(&[f64], &[bool])> =
            values.chunks_exact(width).zip(missing.chunks_exact(width)).collect();
        let start: Vec<Vec<f64>> = latents
            .chunks_exact(count)
            .map(|own| own.iter().map(|z| f64::from(*z)).collect())
            .collect();
        let mut rows: Vec<Row> = self
            .decoded(&start)
            .into_iter()
            .zip(start)
            .zip(&known)
            .map(|((decoded, latents), known)| self.begin(decoded, latents, *known))
            .collect();
        let mut open: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].sum.is_finite()).collect();
        for _ in 0..if self.straight.is_some() { 1 } else { ROUNDS } {
            let own = if self.straight.is_some() { Vec::new() } else { self.slopes(&rows, &open) };
            let mut steps = Vec::new();
            for (at, &i) in open.iter().enumerate() {
                let slopes = self.straight.as_ref().unwrap_or_else(|| &own[at]);
                steps.extend(self.step(&rows[i], slopes, known[i].1).map(|step| (i, step)));
            }
            let before: Vec<(usize, f64)> = open.iter().map(|&i| (i, rows[i].sum)).collect();
            self.go(&mut rows, steps, &known);
            let goes_on = before.into_iter().filter(|&(i, sum)| rows[i].sum < (1.0 - SAVED) * sum);
            open = goes_on.map(|(i, _)| i).collect();
            if open.is_empty() {
                break;
            }
        }
        rows.into_iter().flat_map(|row| row.decoded).collect()
    }

    fn begin(
        &self,
        decoded: Vec<f64>,
        latents: Vec<f64>,
        (values, missing): (&[f64], &[bool]),
    ) -> Row {
        let errors = self.errors(values, missing, &decoded);
        let known = missing.iter().filter(|gap| !**gap).count().max(1);
        let variance = errors.iter().map(|e| e * e).sum::<f64>() / known as f64;
        let mut row =
            Row { latents, decoded, errors, variance: variance.max(LEAST_VARIANCE), sum: 0.0 };
        row.sum = self.sum(&row);
        row
    }

    /// Goes the steps of some rows, or a part of them, where that makes the sum less.
    fn go(&self, rows: &mut [Row], mut steps: Vec<(usize, Vec<f64>)>, known: &[(&[f64], &[bool])]) {
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
                let (values, missing) = known[*i];
                let errors = self.errors(values, missing, &decoded);
                let mut row = Row { latents, decoded, errors, ..rows[*i] };
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

    fn errors(&self, values: &[f64], missing: &[bool], decoded: &[f64]) -> Vec<f64> {
        let all = values.iter().zip(decoded).zip(missing).zip(self.scale);
        let error = |(((x, y), gap), s): (((&f64, &f64), &bool), &f64)| {
            if *gap || *s <= 0.0 { 0.0 } else { (x - y) / s }
        };
        all.map(error).collect()
    }

    fn sum(&self, row: &Row) -> f64 {
        row.errors.iter().map(|e| e * e).sum::<f64>() / row.variance + self.prior.sum(&row.latents)
    }

    /// The slopes where latents are as they are on average.
    fn slopes_at_means(&self) -> Option<Vec<f64>> {
        let latents = self.prior.means.clone();
        let decoded = self.decoded(std::slice::from_ref(&latents)).pop()?;
        let row = Row { latents, decoded, errors: Vec::new(), variance: 1.0, sum: 0.0 };
        self.slopes(&[row], &[0]).pop()
    }

    /// How what rows decode to changes with each latent, in steps: of each row, latents × columns.
    fn slopes(&self, rows: &[Row], open: &[usize]) -> Vec<Vec<f64>> {
        let mut out = vec![Vec::new(); open.len()];
        for (k, s) in self.prior.deviations.iter().enumerate() {
            let by = MOVED * s;
            let moved = |&i: &usize| {
                let mut latents = rows[i].latents.clone();
                latents[k] += by;
                latents
            };
            let moved: Vec<Vec<f64>> = open.iter().map(moved).collect();
            for ((out, decoded), &i) in out.iter_mut().zip(self.decoded(&moved)).zip(open) {
                let both = decoded.iter().zip(&rows[i].decoded).zip(self.scale);
                out.extend(both.map(|((y, x), s)| if *s > 0.0 { (y - x) / (by * s) } else { 0.0 }));
            }
        }
        out
    }

    /// The step of Gauss and Newton.
    fn step(&self, row: &Row, slopes: &[f64], missing: &[bool]) -> Option<Vec<f64>> {
        let Prior { means, deviations } = &self.prior;
        let (width, count) = (missing.len(), means.len());
        // Of each known value its slopes, and its error: all products of these at once.
        let mut known = Vec::with_capacity(width * (count + 1));
        for j in (0..width).filter(|j| !missing[*j]) {
            known.extend(slopes.iter().skip(j).step_by(width));
            known.push(row.errors[j]);
        }
        let products = linalg::cross_products(&known, count + 1);
        let (mut matrix, mut right) = (Vec::with_capacity(count * count), Vec::new());
        for (k, own) in products.chunks_exact(count + 1).take(count).enumerate() {
            let weight = deviations[k].powi(-2);
            matrix.extend(own[..count].iter().map(|x| x / row.variance));
            matrix[k * count + k] += weight;
            right.push(own[count] / row.variance - (row.latents[k] - means[k]) * weight);
        }
        linalg::solve(&matrix, &right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::impute::network;
    use crate::apps::model::Model;
    use crate::compress::{Codec, Config};
    use crate::fidelity::Fidelity;
    use crate::matrix::Matrix;
    use crate::matrix::rng::Rng;

    const WIDTH: usize = 12;

    /// Rows on a line, or waves of any phase, and noise.
    fn rows(count: usize, waves: bool) -> Vec<f32> {
        let mut rng = Rng::new(7);
        let mut out = Vec::new();
        for _ in 0..count {
            let (z, phase) = (rng.normal(), 6.3 * rng.unit());
            let value = |j: usize| match waves {
                true => 2.0 * (j as f32 * 0.5 + phase).sin() + (j as f32 + 2.0 * phase).sin(),
                false => (j as f32 * 0.7).cos() * z,
            };
            out.extend((0..WIDTH).map(|j| value(j) + 0.3 * rng.normal()));
        }
        out
    }

    /// The squared errors of values that were hidden, three in four of all: by reconstruction, and by the likeliest
    /// latents.
    fn errors(config: &Config, waves: bool) -> [f64; 2] {
        let rows = rows(2000, waves);
        let matrix = Matrix::from_slice(&rows, &[WIDTH]).unwrap();
        let model = Model::new(&Codec::fit(&matrix, config).unwrap()).unwrap();
        let missing: Vec<bool> =
            (0..rows.len()).map(|at| !(at * 7 + at / WIDTH).is_multiple_of(4)).collect();
        let gap = |(x, gap): (&f32, &bool)| if *gap { f64::NAN } else { f64::from(*x) };
        let mut values: Vec<f64> = rows.iter().zip(&missing).map(gap).collect();
        let error = |values: &[f64]| -> f64 {
            assert!(values.iter().all(|x| x.is_finite()));
            values.iter().zip(&rows).map(|(x, y)| (x - f64::from(*y)).powi(2)).sum()
        };
        network::by_reconstruction(&model, &mut values, &missing).unwrap();
        let before = error(&values);
        let mut few = values[..10 * WIDTH].to_vec();
        fill(model.latent_networks().unwrap(), &mut few, &missing[..10 * WIDTH]);
        assert_eq!(few, values[..10 * WIDTH], "of few rows nothing is known");
        fill(model.latent_networks().unwrap(), &mut values, &missing);
        [before, error(&values)]
    }

    #[test]
    fn the_likeliest_latents_are_nearer_than_reconstructions_to_what_is_hidden() {
        let config = Config {
            fidelity: Fidelity::Nmse("0.1".parse().unwrap()),
            level: 1,
            ..Config::default()
        };
        let [before, after] = errors(&config, false);
        assert!(after < 0.9 * before, "{before} {after}");
        let mut config = Config { level: 2, ..config };
        config.train.hidden = Some(vec![16]);
        config.train.latents = Some(5);
        let [before, after] = errors(&config, true);
        assert!(after < 0.8 * before, "{before} {after}");
    }
}
