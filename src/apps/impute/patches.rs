//! Gaps of pictures, series and fields by what lies around them: patches that overlap say of their own gaps what the
//! distributions of [a mixture](crate::apps::mixture) make likely, each group by itself, and a gap is the mean of
//! what its patches say, the more the surer they are.
//!
//! To which groups a patch may belong is told by the patch as it was filled before in another way.

use super::gaussian::System;
use super::table::Table;
use crate::apps::cut::{Cut, MOST_PATCHES, PATCHES_AT_ONCE};
use crate::apps::mixture::Mixture;
use crate::matrix::rng::Rng;
use rayon::prelude::*;

/// What is added to the variance of values in patches, as a share of its mean: they were filled, and groups have few.
const RIDGE: f64 = 0.01;
/// The least share of a patch that a group is asked with: others hardly change the mean.
const LEAST_SHARE: f64 = 0.05;

/// Distributions of patches of filled rows.
#[derive(Debug, Clone)]
pub(super) struct Patches {
    cut: Cut,
    mixture: Mixture,
    /// What the mean of each column and its deviation are in the unit of patches.
    scales: Vec<(f64, f64)>,
}

impl Patches {
    /// Learns from the rows of a table whose columns share a unit, `filled` in another way; none where nothing
    /// varies.
    pub(super) fn learn(table: &Table, filled: &[f64], cut: Cut) -> Option<Self> {
        let scales = table.common_scales()?;
        let rows = in_common(filled, &scales);
        let mut seen = Vec::new();
        let own: Vec<&[f64]> = rows.chunks_exact(table.width).collect();
        cut.draw(&own, MOST_PATCHES, &mut Rng::new(0), &mut seen);
        let count = seen.len() as f64;
        let mean = seen.iter().sum::<f64>() / count;
        let variance = seen.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        if !(variance > 0.0 && variance.is_finite()) {
            return None;
        }
        let mixture = Mixture::of_patches(&seen, cut.size(), RIDGE * variance)?;
        Some(Self { cut, mixture, scales })
    }

    /// What belongs into the gaps of those rows of a table that are `wanted`, `filled` in another way, in deviations; other
    /// values are as they are there.
    pub(super) fn guesses(&self, table: &Table, filled: &[f64], wanted: &[bool]) -> Vec<f64> {
        let width = table.width;
        let mut out = in_common(filled, &self.scales);
        let rows = out.par_chunks_exact_mut(width).zip(table.values.par_chunks_exact(width));
        rows.zip(wanted).filter(|(_, wanted)| **wanted).for_each(|((row, known), _)| {
            let gaps: Vec<bool> = known.iter().map(|x| x.is_nan()).collect();
            self.fill(row, &gaps);
        });
        for (x, (offset, scale)) in out.iter_mut().zip(self.scales.iter().cycle()) {
            *x = (*x - offset) / scale;
        }
        out
    }

    /// Fills the gaps of a row anew.
    fn fill(&self, row: &mut [f64], gaps: &[bool]) {
        let size = self.cut.size();
        let is_gap = |start: usize, at: usize| gaps[start + self.cut.offsets[at]];
        let has_gap = |start: &usize| (0..size).any(|at| is_gap(*start, at));
        let starts: Vec<usize> = self.cut.starts.iter().copied().filter(has_gap).collect();
        let mut sums = vec![(0.0, 0.0); row.len()];
        for starts in starts.chunks(PATCHES_AT_ONCE) {
            self.ask(row, starts, &is_gap, &mut sums);
        }
        for ((x, (sum, weight)), _) in row.iter_mut().zip(sums).zip(gaps).filter(|(_, gap)| **gap) {
            *x = if weight > 0.0 { sum / weight } else { *x };
        }
    }

    /// Adds what patches of a row say of their gaps, times its weight, and the weight.
    fn ask(
        &self,
        row: &[f64],
        starts: &[usize],
        is_gap: &dyn Fn(usize, usize) -> bool,
        sums: &mut [(f64, f64)],
    ) {
        let size = self.cut.size();
        let patches: Vec<f64> =
            starts.iter().flat_map(|start| self.cut.patch(row, *start)).collect();
        let shares = self.mixture.own_shares(&patches);
        let (mut system, mut guess) = (System::default(), vec![0.0; size]);
        let patches = patches.chunks_exact(size).zip(shares.chunks_exact(self.mixture.count()));
        for (start, (patch, shares)) in starts.iter().zip(patches) {
            let missing: Vec<usize> = (0..size).filter(|at| is_gap(*start, *at)).collect();
            for (k, share) in shares.iter().enumerate().filter(|(_, s)| **s >= LEAST_SHARE) {
                let (mean, precision) = self.mixture.group(k);
                let away = |at: usize| if is_gap(*start, at) { 0.0 } else { patch[at] - mean[at] };
                let away: Vec<f64> = (0..size).map(away).collect();
                for &at in &missing {
                    let own = &precision[at * size..(at + 1) * size];
                    guess[at] = own.iter().zip(&away).map(|(p, x)| p * x).sum();
                }
                let products = guess.clone();
                if !system.solve(precision, &products, &missing, &mut guess) {
                    continue;
                }
                for (&at, variance) in missing.iter().zip(system.variances(missing.len())) {
                    let (sum, weight) = &mut sums[start + self.cut.offsets[at]];
                    *sum += share / variance * (mean[at] + guess[at]);
                    *weight += share / variance;
                }
            }
        }
    }
}

/// Rows in deviations of their columns, in one unit.
fn in_common(values: &[f64], scales: &[(f64, f64)]) -> Vec<f64> {
    let pairs = values.iter().zip(scales.iter().cycle());
    pairs.map(|(x, (offset, scale))| offset + x * scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures of waves that lie and turn anywhere.
    fn waves(count: usize, side: usize) -> Vec<f64> {
        let mut rng = Rng::new(4);
        let mut out = Vec::new();
        for _ in 0..count {
            let mut draw = || f64::from(rng.unit()) * std::f64::consts::TAU;
            let (turn, shift) = (draw(), draw());
            out.extend((0..side * side).map(|at| {
                let (i, j) = ((at / side) as f64, (at % side) as f64);
                5.0 + (0.8 * (i * turn.sin() + j * turn.cos()) + shift).sin()
            }));
        }
        out
    }

    #[test]
    fn gaps_are_what_lies_around_them_says() {
        let (count, side) = (300, 12);
        let whole = waves(count, side);
        let mut rng = Rng::new(5);
        let gaps: Vec<usize> = (0..whole.len()).filter(|_| rng.below(4) == 0).collect();
        let mut values = whole.clone();
        gaps.iter().for_each(|at| values[*at] = f64::NAN);
        let table = Table::new(values, side * side);
        let means: Vec<f64> =
            table.values.iter().map(|x| if x.is_nan() { 0.0 } else { *x }).collect();
        let own = Patches::learn(&table, &means, Cut::new(&[side, side]).unwrap()).unwrap();
        // Once more from what is better than means.
        let first = own.guesses(&table, &means, &[true; 300]);
        let own = Patches::learn(&table, &first, Cut::new(&[side, side]).unwrap()).unwrap();
        let guesses = own.guesses(&table, &first, &[true; 300]);
        let error = |guesses: &[f64]| {
            let square =
                |at: &usize| (table.in_units(at % table.width, guesses[*at]) - whole[*at]).powi(2);
            (gaps.iter().map(square).sum::<f64>() / gaps.len() as f64).sqrt()
        };
        println!("{:.4} {:.4} {:.4}", error(&means), error(&first), error(&guesses));
        assert!(error(&means) > 0.6 && error(&guesses) < 0.1);
        let is_known = |at: &usize| !table.values[*at].is_nan();
        let stays = |at: usize| (guesses[at] - table.values[at]).abs() < 1e-9;
        assert!((0..whole.len()).filter(is_known).all(stays));
    }

    #[test]
    fn where_nothing_varies_there_is_nothing_to_learn() {
        let table = Table::new(vec![1.0; 40 * 64], 64);
        assert!(Patches::learn(&table, &table.values, Cut::new(&[8, 8]).unwrap()).is_none());
        // Numbers of any size, one column of which does not vary.
        let mut rng = Rng::new(2);
        for size in [1e-12, 1e300] {
            let value = |at: usize| if at % 64 == 5 { 1.0 } else { f64::from(rng.normal()) * size };
            let table = Table::new((0..40 * 64).map(value).collect(), 64);
            let own = Patches::learn(&table, &table.values, Cut::new(&[8, 8]).unwrap()).unwrap();
            assert!(own.scales[7].1 > 0.1);
            let mut gaps = table.clone();
            gaps.values[100] = f64::NAN;
            let guesses = own.guesses(&gaps, &table.values, &[true; 40]);
            assert!(guesses.iter().all(|x| x.is_finite()), "{size}");
        }
    }
}
