//! What the principal components of rows say of missing values, for rows that are too wide for the covariance of all
//! their columns.
//!
//! Gaps are filled from components, components are found of the filled rows, and so on (regularised iterative principal
//! components; Josse and Husson 2012, *Handling missing values in exploratory multivariate data analysis methods*):
//! what a component says counts by the share of its variance that is more than noise, so that a row's gaps have what
//! is most likely given its latents, and these what is most likely given what is known of it.

use super::table::Table;
use crate::linalg::{
    cross_products, gram, multiply, multiply_rows, orthonormal_basis, symmetric_eigen, transposed,
};
use rayon::prelude::*;

/// Columns, at most: the covariance of all is held.
const MOST_COLUMNS: usize = 2048;
/// Rows to fit to, at most.
const MOST_ROWS: usize = 4096;
/// Columns and rows for each component, at least.
const COLUMNS_EACH: usize = 5;
const ROWS_EACH: usize = 8;
/// Components that are tried: more of them for as long as hidden values are guessed better.
const COUNTS: [usize; 4] = [10, 30, 70, 140];
/// Rounds of filling and finding, at most, and those between which it is seen whether hidden values are guessed better.
const ROUNDS: usize = 24;
const ROUNDS_BETWEEN: usize = 4;
/// Rounds in which gaps are filled from components that stay, and further rounds of both from such as were there.
const FILLINGS: usize = 12;
const MORE_ROUNDS: usize = 4;
/// By how much gaps are moved, as a multiple of what is wrong with them: each round mends a part of it only.
const STEP: f64 = 1.5;
/// Rows that are worked on at once.
const ROWS_AT_ONCE: usize = 256;

/// Principal components, and what columns are multiplied by before.
#[derive(Debug, Clone)]
pub(super) struct Components {
    units: Vec<f64>,
    /// Components × columns.
    directions: Vec<f64>,
    /// The share of each that is more than noise.
    shares: Vec<f64>,
}

impl Components {
    /// Finds as many components as guess the `hidden` values of a table best, which it lacks; none where it is too
    /// wide or too short, or nothing is better than the mean.
    pub(super) fn choose(
        table: &Table,
        units: &[f64],
        (hidden, truth): (&[usize], &[f64]),
    ) -> Option<Self> {
        let sample = Sample::new(table, units)?;
        let (rows, width) = (sample.rows(), table.width);
        let most = (width / COLUMNS_EACH).min(rows / ROWS_EACH);
        let error = |own: &Self| -> f64 {
            let guesses = own.guesses(table, hidden);
            guesses.iter().zip(truth).map(|(x, y)| (x - y).powi(2)).sum()
        };
        let mut least: f64 = truth.iter().map(|x| x * x).sum();
        let mut best = None;
        let first = symmetric_eigen(&gram(&sample.values, width), width)?;
        for count in COUNTS.into_iter().filter(|count| *count <= most) {
            let mut values = sample.values.clone();
            let directions = first[..count].iter().flat_map(|pair| &pair.vector).copied().collect();
            let mut own = Self { units: units.to_vec(), directions, shares: vec![1.0; count] };
            let before = least;
            for _ in 0..ROUNDS / ROUNDS_BETWEEN {
                (0..ROUNDS_BETWEEN).try_for_each(|_| own.improve(&mut values, &sample.gaps))?;
                let error = error(&own);
                if error >= least {
                    break;
                }
                (least, best) = (error, Some(own.clone()));
            }
            if least >= before {
                break;
            }
        }
        best
    }

    /// The same number of components of a table, from these on.
    pub(super) fn refitted(&self, table: &Table) -> Option<Self> {
        let sample = Sample::new(table, &self.units)?;
        let mut own = self.clone();
        let mut values = sample.values;
        for _ in 0..FILLINGS {
            own.fill(&mut values, &sample.gaps);
        }
        (0..MORE_ROUNDS).try_for_each(|_| own.improve(&mut values, &sample.gaps))?;
        Some(own)
    }

    /// What components make of cells that a table lacks, in deviations.
    pub(super) fn guesses(&self, table: &Table, cells: &[usize]) -> Vec<f64> {
        let width = table.width;
        let mut rows: Vec<usize> = cells.iter().map(|at| at / width).collect();
        rows.sort_unstable();
        rows.dedup();
        let filled = |rows: &[usize]| -> Vec<f64> {
            let part = Sample::of(table, &self.units, rows);
            let mut values = part.values;
            for _ in 0..FILLINGS {
                self.fill(&mut values, &part.gaps);
            }
            values
        };
        let parts: Vec<Vec<f64>> = rows.par_chunks(ROWS_AT_ONCE).map(filled).collect();
        let guess = |at: &usize| {
            let place = rows.binary_search(&(at / width)).unwrap_or(0);
            let part = &parts[place / ROWS_AT_ONCE];
            part[place % ROWS_AT_ONCE * width + at % width] / self.units[at % width]
        };
        cells.iter().map(guess).collect()
    }

    /// Moves the gaps of rows to where components say that they lie.
    fn fill(&self, values: &mut [f64], gaps: &[bool]) {
        let (width, count) = (self.units.len(), self.shares.len());
        let back = transposed(&self.directions, width);
        let size = ROWS_AT_ONCE * width;
        values.par_chunks_mut(size).zip(gaps.par_chunks(size)).for_each(|(values, gaps)| {
            let mut latents = multiply(values, &back, width);
            for row in latents.chunks_exact_mut(count) {
                row.iter_mut().zip(&self.shares).for_each(|(z, share)| *z *= share);
            }
            let given = multiply(&latents, &self.directions, count);
            for ((x, given), _) in values.iter_mut().zip(given).zip(gaps).filter(|(_, gap)| **gap) {
                *x += STEP * (given - *x);
            }
        });
    }

    /// Fills gaps once, and finds the components of the rows anew: the old ones, turned towards those that have most
    /// of the variance. None where they are not finite.
    fn improve(&mut self, values: &mut [f64], gaps: &[bool]) -> Option<()> {
        let (width, count) = (self.units.len(), self.shares.len());
        self.fill(values, gaps);
        let rows = values.len() / width;
        let mut covariance = vec![0.0; width * width];
        let parts: Vec<Vec<f64>> = values
            .par_chunks(MOST_ROWS / 4 * width)
            .map(|part| cross_products(part, width))
            .collect();
        for part in parts {
            covariance.iter_mut().zip(part).for_each(|(c, p)| *c += p / rows as f64);
        }
        let turned = multiply_rows(&self.directions, &covariance, width);
        let basis = orthonormal_basis(&turned, width);
        if basis.len() != count * width {
            return None;
        }
        let within = multiply_rows(&basis, &covariance, width);
        let within = multiply(&within, &transposed(&basis, width), width);
        let pairs = symmetric_eigen(&within, count)?;
        let turn: Vec<f64> = pairs.iter().flat_map(|pair| &pair.vector).copied().collect();
        self.directions = multiply(&turn, &basis, count);
        let whole: f64 = (0..width).map(|j| covariance[j * width + j]).sum();
        let told: f64 = pairs.iter().map(|pair| pair.value).sum();
        let noise = (whole - told).max(0.0) / (width - count).max(1) as f64;
        let share = |variance: f64| if variance > noise { 1.0 - noise / variance } else { 0.0 };
        self.shares = pairs.iter().map(|pair| share(pair.value)).collect();
        Some(())
    }
}

/// Rows of a table in the units of components, with 0, the mean, in their gaps.
struct Sample {
    values: Vec<f64>,
    gaps: Vec<bool>,
    width: usize,
}

impl Sample {
    /// Rows to fit to, evenly spread; none where components cannot be found.
    fn new(table: &Table, units: &[f64]) -> Option<Self> {
        let rows = table.rows();
        let most = rows.min(MOST_ROWS);
        let is_fit = table.width <= MOST_COLUMNS && most >= ROWS_EACH * COUNTS[0];
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
        Self { values, gaps, width }
    }

    fn rows(&self) -> usize {
        self.values.len() / self.width.max(1)
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
        let own = Components::choose(&table, &units, (&at, &truth)).unwrap();
        let error = |own: &Components| {
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
    fn noise_and_what_is_too_short_have_no_components() {
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
            assert!(Components::choose(&table, &units, (&at, &truth)).is_none(), "{rows}");
        }
    }
}
