//! How far guesses may be from what is missing: as far as those of hidden values are, and together as far as a
//! normal distribution of rows lets values vary that are not known.

use super::estimates::Settings;
use super::gaussian::{Gaussian, System, places};
use super::table::{Table, View};
use crate::matrix::rng::Rng;
use rayon::prelude::*;

/// How many guesses of a column count as much as those of all others.
const PRIOR: f64 = 30.0;
/// The median square of a normal number of variance 1: one column that is far off does not speak for others.
const MEDIAN_SQUARE: f64 = 0.455;

/// How far the guesses of each column are off, as a multiple of what the distribution expects.
pub(super) struct Spread<'a> {
    likeliest: Option<(&'a Gaussian, bool)>,
    scale: Vec<f64>,
}

/// A guess of a hidden value: how far it is off, and how far it was expected to be.
pub(super) struct Miss {
    pub(super) column: usize,
    pub(super) error: f64,
    pub(super) expected: f64,
}

/// How far guesses of `cells`, which are not in `table`, may be off by the distribution, in deviations.
pub(super) fn expected(settings: &Settings, table: &Table, cells: &[usize]) -> Vec<f64> {
    let deviations = |system: &System, count: usize, _: usize| {
        system.variances(count).into_iter().map(f64::sqrt).collect()
    };
    by_row(settings.likeliest(), table, cells, 1.0, deviations)
}

impl<'a> Spread<'a> {
    /// As far as guesses of hidden values missed.
    pub(super) fn new(settings: &'a Settings, misses: &[Miss], columns: usize) -> Self {
        let mut sums = vec![(0.0, 0.0); columns];
        let mut squares = Vec::with_capacity(misses.len());
        for miss in misses {
            let square = (miss.error / miss.expected).powi(2);
            let (sum, count) = &mut sums[miss.column];
            (*sum, *count) = (*sum + square, *count + 1.0);
            squares.push(square);
        }
        squares.sort_unstable_by(f64::total_cmp);
        let common = squares.get(squares.len() / 2).map_or(1.0, |median| median / MEDIAN_SQUARE);
        let of = |(sum, count): &(f64, f64)| ((sum + PRIOR * common) / (count + PRIOR)).sqrt();
        Self { likeliest: settings.likeliest(), scale: sums.iter().map(of).collect() }
    }

    /// What guesses of `cells` of a table may be off by; another seed, another draw.
    pub(super) fn draw(&self, table: &Table, cells: &[usize], seed: u64) -> Vec<f64> {
        let noise = |system: &System, count: usize, row: usize| {
            let mut out = normal(&mut Rng::new(seed ^ Rng::new(row as u64).next_u64()), count);
            system.substitute_back(&mut out);
            out
        };
        let independent = normal(&mut Rng::new(seed), cells.len());
        let mut out = by_row(self.likeliest, table, cells, f64::NAN, noise);
        for ((x, own), cell) in out.iter_mut().zip(independent).zip(cells) {
            *x = self.scale[cell % table.width] * if x.is_nan() { own } else { *x };
        }
        out
    }
}

fn normal(rng: &mut Rng, count: usize) -> Vec<f64> {
    (0..count).map(|_| f64::from(rng.normal())).collect()
}

/// Numbers for cells that are not known, from those that `make` gives for all that is missing of a row; `usual` where
/// there is no distribution or nothing to solve.
fn by_row(
    likeliest: Option<(&Gaussian, bool)>,
    table: &Table,
    cells: &[usize],
    usual: f64,
    make: impl Fn(&System, usize, usize) -> Vec<f64> + Sync,
) -> Vec<f64> {
    let mut out = vec![usual; cells.len()];
    let Some((gaussian, beside)) = likeliest else { return out };
    let view = View { table, beside };
    let width = table.width;
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_unstable_by_key(|&k| cells[k]);
    let rows: Vec<&[usize]> =
        order.chunk_by(|a, b| cells[*a] / width == cells[*b] / width).collect();
    let of_row = |row: &&[usize]| -> Vec<f64> {
        let i = cells[row[0]] / width;
        let gaps: Vec<bool> = view.row(i).iter().map(|x| x.is_nan()).collect();
        let missing = places(&gaps);
        let mut system = System::default();
        if !system.prepare(&gaussian.precision, &missing, view.width()) {
            return vec![usual; row.len()];
        }
        let made = make(&system, missing.len(), i);
        let of =
            |k: &usize| missing.binary_search(&(cells[*k] % width)).map_or(usual, |at| made[at]);
        row.iter().map(of).map(|x| if x.is_finite() { x } else { usual }).collect()
    };
    let found: Vec<Vec<f64>> = rows.par_iter().map(of_row).collect();
    for (row, found) in rows.iter().zip(found) {
        row.iter().zip(found).for_each(|(&k, x)| out[k] = x);
    }
    out
}
