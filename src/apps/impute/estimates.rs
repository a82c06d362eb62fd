//! The ways to guess a missing value, and their settings.

use super::gaussian::{Gaussian, ROWS_AT_ONCE};
use super::neighbours::Neighbours;
use super::patches::Patches;
use super::table::{Table, View, column};
use super::wide::WideGaussian;
use crate::apps::cut::Cut;
use rayon::prelude::*;

/// The ways: by a normal distribution of rows (where these are too wide for it, by an approximate one), by one of three rows in a row, by what neighbours
/// have, by how neighbours differ from the distribution, by a network, and by patches of rows.
pub(super) const WAYS: usize = 6;
const ALONE: usize = 0;
const BESIDE: usize = 1;
const NEIGHBOURS: usize = 2;
pub(super) const NETWORK: usize = 4;
const PATCHES: usize = 5;

/// What may be added to variances, which are 1. The first is nothing but a guard against rounding;
/// the others are for tables with few rows for their columns.
const RIDGES: [f64; 4] = [1e-9, 0.01, 0.1, 0.4];
/// Rows for each column from which nothing need be added.
const ROWS_PER_COLUMN: usize = 50;
/// The width, at most, of three rows in a row, and the correlation of values with those below them
/// from which they are looked at, at least; in deviations of what chance makes it otherwise.
const MOST_BESIDE: usize = 256;
const CORRELATION: f64 = 0.3;
const CHANCE: f64 = 4.0;

/// Settings: the ridges of the two distributions and what was fitted with them, where there are
/// distributions, and which of the two is better.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    fitted: [Option<(f64, Gaussian)>; 2],
    better: usize,
    wide: Option<WideGaussian>,
    patches: Option<Patches>,
}

impl Settings {
    /// Those that guess the values of `table` best that the first of `trials` hides. Columns that share a unit count by their deviations, and
    /// have patches where rows of such a shape do.
    pub(super) fn choose(
        table: &Table,
        (row_shape, shares_unit): (&[usize], bool),
        trials: &[Vec<usize>],
    ) -> Self {
        let hidden = trials.first().map_or(&[][..], |first| first);
        let mut own = Self::default();
        let trial = table.without(hidden);
        let mut least = f64::INFINITY;
        for way in [ALONE, BESIDE] {
            let view = View { table: &trial, beside: way == BESIDE };
            if view.beside && !follows(table) {
                continue;
            }
            let is_long = table.rows() >= ROWS_PER_COLUMN * view.width();
            let mut best = f64::INFINITY;
            for ridge in &RIDGES[..if is_long { 1 } else { RIDGES.len() }] {
                let Some(gaussian) = Gaussian::fit(view, *ridge, None) else { break };
                let guesses = by_distribution(view, &gaussian, hidden);
                let error: f64 =
                    guesses.iter().zip(hidden).map(|(x, at)| (x - table.values[*at]).powi(2)).sum();
                if error >= best {
                    break;
                }
                (best, own.fitted[way]) = (error, Some((*ridge, gaussian)));
                if error < least {
                    (least, own.better) = (error, way);
                }
            }
        }
        if own.fitted[ALONE].is_none() {
            let truth: Vec<f64> = hidden.iter().map(|at| table.values[*at]).collect();
            own.wide = WideGaussian::choose(&trial, &table.units(shares_unit), (hidden, &truth));
        }
        if let Some(cut) = Cut::new(row_shape).filter(|_| shares_unit) {
            // Nothing is learned from what any trial hides.
            let table = table.without(&trials.concat());
            let filled = own.filled(&table, &vec![true; table.rows()]);
            own.patches = Patches::learn(&table, &filled, cut);
        }
        own
    }

    /// The values of a table, the gaps of rows that are `wanted` filled by the best distribution as it was chosen; by the
    /// means where there is none.
    fn filled(&self, table: &Table, wanted: &[bool]) -> Vec<f64> {
        let is_gap = |at: &usize| wanted[at / table.width] && table.values[*at].is_nan();
        let gaps: Vec<usize> = (0..table.values.len()).filter(is_gap).collect();
        let guesses = match (&self.wide, self.likeliest()) {
            (Some(own), _) => own.guesses(table, &gaps),
            (None, Some((own, beside))) => by_distribution(View { table, beside }, own, &gaps),
            (None, None) => vec![0.0; gaps.len()],
        };
        let mut out = table.values.clone();
        for (at, x) in gaps.into_iter().zip(guesses) {
            out[at] = table.limited(at % table.width, x);
        }
        out
    }

    /// The better of the two distributions, and whether it is of three rows in a row; none where there are none.
    pub(super) fn likeliest(&self) -> Option<(&Gaussian, bool)> {
        self.fitted[self.better].as_ref().map(|(_, own)| (own, self.better == BESIDE))
    }

    /// What each way makes of the values of `cells`, sorted by column, in deviations from the mean;
    /// 0, the mean, where a way has nothing to say.
    pub(super) fn estimates(&self, table: &Table, cells: &[usize]) -> Vec<[f64; WAYS]> {
        let mut out = vec![[0.0; WAYS]; cells.len()];
        if let Some(patches) = &self.patches {
            let mut wanted = vec![false; table.rows()];
            cells.iter().for_each(|at| wanted[at / table.width] = true);
            let guesses = patches.guesses(table, &self.filled(table, &wanted), &wanted);
            out.iter_mut().zip(cells).for_each(|(out, cell)| out[PATCHES] = guesses[*cell]);
        }
        if let Some(own) = self.wide.as_ref().and_then(|own| own.refitted(table)) {
            let guesses = own.guesses(table, cells);
            out.iter_mut().zip(guesses).for_each(|(out, x)| out[ALONE] = x);
        }
        for way in [ALONE, BESIDE] {
            let view = View { table, beside: way == BESIDE };
            let Some((ridge, start)) = &self.fitted[way] else { continue };
            let Some(gaussian) = Gaussian::fit(view, *ridge, Some(start)) else { continue };
            let neighbours =
                if way == self.better { Neighbours::new(view, &gaussian) } else { None };
            match neighbours {
                Some(neighbours) => {
                    let found = neighbours.estimates(cells);
                    for ((out, found), cell) in out.iter_mut().zip(found).zip(cells) {
                        out[way] = neighbours.by_distribution(*cell);
                        out[NEIGHBOURS..NEIGHBOURS + 2].copy_from_slice(&found);
                    }
                }
                None => {
                    let guesses = by_distribution(view, &gaussian, cells);
                    out.iter_mut().zip(guesses).for_each(|(out, x)| out[way] = x);
                }
            }
        }
        out
    }
}

/// What a distribution makes of cells.
fn by_distribution(view: View<'_>, gaussian: &Gaussian, cells: &[usize]) -> Vec<f64> {
    let width = view.table.width;
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_unstable_by_key(|&k| cells[k]);
    let rows: Vec<&[usize]> =
        order.chunk_by(|a, b| cells[*a] / width == cells[*b] / width).collect();
    let complete = |part: &[&[usize]]| -> Vec<(usize, f64)> {
        let values: Vec<f64> =
            part.iter().flat_map(|row| view.row(cells[row[0]] / width).into_owned()).collect();
        let complete = gaussian.complete(&values);
        let rows = part.iter().zip(complete.chunks_exact(view.width()));
        rows.flat_map(|(row, x)| row.iter().map(|&k| (k, x[cells[k] % width]))).collect()
    };
    let mut out = vec![0.0; cells.len()];
    let found: Vec<Vec<(usize, f64)>> = rows.par_chunks(ROWS_AT_ONCE).map(complete).collect();
    found.into_iter().flatten().for_each(|(k, x)| out[k] = x);
    out
}

/// Whether the order of rows means something: values are like those above them.
fn follows(table: &Table) -> bool {
    let least = CORRELATION.max(CHANCE / (table.rows().max(1) as f64).sqrt());
    3 * table.width <= MOST_BESIDE
        && (0..table.width).any(|j| {
            let x = column(&table.values, j, table.width);
            let next = x.clone().skip(1);
            let (mut both, mut squares) = (0.0, f64::MIN_POSITIVE);
            for (a, b) in x.zip(next).filter(|(a, b)| !a.is_nan() && !b.is_nan()) {
                both += a * b;
                squares += (a * a + b * b) / 2.0;
            }
            (both / squares).abs() > least
        })
}
