//! Pictures, series and fields in patches: what lies side by side is alike wherever it lies.
//!
//! Patches that overlap are taken from all places of all rows, and a mixture of normal distributions says what each
//! is without noise, as Zoran and Weiss do (2011, *From learning models of natural image patches to whole image
//! restoration*), here with a mixture of the noisy patches themselves; a value is the mean of what patches
//! say of it. How far it is moved there from what the components of whole rows say is what makes Stein's
//! estimate of the risk least, on rows that no patch was learned from where there are enough. The divergence in it is measured with
//! a probe (Ramani, Blu and Unser 2008, *Monte-Carlo SURE*).

use super::shrinkage::Shrunk;
use crate::apps::cut::{Cut, MOST_PATCHES, PATCHES_AT_ONCE};
use crate::apps::mixture::Mixture;
use crate::error::Result;
use crate::linalg::{gram, symmetric_eigen};
use crate::matrix::rng::Rng;
use rayon::prelude::*;

/// Values of a piece of rows that risks are estimated from, at most.
const JUDGED_VALUES: usize = 1 << 18;
/// Every how manieth row is judged by, and not learned from.
const JUDGED: usize = 4;
/// The share of the risk that patches must at least save.
const LEAST_SAVED: f64 = 0.02;
/// The deviation of the probe, as a share of the noise.
const PROBE: f64 = 1e-3;

/// Who looks at a piece of rows, and at which of its values were gaps.
pub(super) type Visit<'v> = dyn FnMut(&Shrunk, &[f64], &[bool]) + 'v;

/// What patches say of rows, and how far it is believed.
pub(super) struct Patches {
    cut: Cut,
    mixture: Mixture,
    /// How far values are moved towards what whole rows say, and towards what patches say.
    moves: [f64; 2],
}

impl Patches {
    /// Learns from so many pieces of rows; `piece` shows one, its gaps filled, with what takes the noise out of whole
    /// rows. `None` where rows have no neighbours, or patches do not help.
    pub(super) fn learn(
        pieces: usize,
        row_shape: &[usize],
        piece: &dyn Fn(usize, &mut Visit<'_>) -> Result<()>,
    ) -> Result<Option<Self>> {
        let Some(cut) = Cut::new(row_shape) else { return Ok(None) };
        let mut rng = Rng::new(0);
        let mut seen = Vec::new();
        let mut noise = f64::INFINITY;
        for i in 0..pieces {
            piece(i, &mut |shrunk, values, gaps| {
                noise = noise.min(shrunk.noise);
                let width = cut.width();
                let rows = values.chunks_exact(width).zip(gaps.chunks_exact(width)).enumerate();
                let is_learned =
                    |i: usize| !i.is_multiple_of(JUDGED) || values.len() < JUDGED * width;
                let own: Vec<_> =
                    rows.filter(|(i, _)| is_learned(*i)).map(|(_, row)| row).collect();
                // What gaps are filled with has no noise.
                let whole = own.iter().filter(|(_, gaps)| !gaps.contains(&true));
                let whole: Vec<&[f64]> = whole.map(|(row, _)| *row).collect();
                let all = || own.iter().map(|(row, _)| *row).collect();
                let own: Vec<&[f64]> = if whole.is_empty() { all() } else { whole };
                cut.draw(&own, MOST_PATCHES / pieces, &mut rng, &mut seen);
            })?;
        }
        let noise = noise.min(least_variance(&seen, cut.size()));
        if seen.is_empty() || noise.is_nan() || noise <= 0.0 {
            return Ok(None);
        }
        let Some(mixture) = Mixture::of_patches(&seen, cut.size(), noise) else { return Ok(None) };
        drop(seen);
        let mut own = Self { cut, mixture, moves: [0.0, 1.0] };
        let mut risk = Risk::default();
        for i in 0..pieces {
            piece(i, &mut |shrunk, values, gaps| {
                own.judge(shrunk, (values, gaps), noise, &mut rng, &mut risk);
            })?;
        }
        Ok(risk.moves(noise).map(|moves| {
            own.moves = moves;
            own
        }))
    }

    /// The shape of a patch.
    pub(super) fn shape(&self) -> &[usize] {
        &self.cut.shape
    }

    /// Moves `clean`, what whole rows say of the values `given`, to what patches say besides.
    pub(super) fn apply(&self, given: &[f64], clean: &mut [f64]) {
        let [by_rows, by_patches] = self.moves;
        let expected = self.expected(given);
        for ((out, x), patches) in clean.iter_mut().zip(given).zip(expected) {
            *out = x + by_rows * (*out - x) + by_patches * (patches - x);
        }
    }

    /// What patches say of rows.
    fn expected(&self, given: &[f64]) -> Vec<f64> {
        let rows = (PATCHES_AT_ONCE / self.cut.starts.len()).max(1);
        let part = |rows: &[f64]| {
            let mut out = Vec::with_capacity(rows.len());
            for row in rows.chunks_exact(self.cut.width()) {
                // Of large rows, too, a few patches at a time.
                let mut sums = vec![0.0; row.len()];
                for starts in self.cut.starts.chunks(PATCHES_AT_ONCE) {
                    let mut patches = Vec::with_capacity(starts.len() * self.cut.size());
                    starts.iter().for_each(|start| patches.extend(self.cut.patch(row, *start)));
                    let expected = self.mixture.own_expected(&patches);
                    self.cut.add(starts, &expected, &mut sums);
                }
                out.extend(sums.iter().zip(&self.cut.covers).map(|(sum, n)| sum / n));
            }
            out
        };
        given.par_chunks(rows * self.cut.width()).flat_map_iter(part).collect()
    }

    /// Adds what rows say of the risk that patches were not learned from.
    fn judge(
        &self,
        shrunk: &Shrunk,
        (given, gaps): (&[f64], &[bool]),
        noise: f64,
        rng: &mut Rng,
        risk: &mut Risk,
    ) {
        let width = self.cut.width();
        let size = PROBE * noise.sqrt();
        let signs: Vec<f64> =
            given.iter().map(|_| if rng.next_u64() & 1 == 0 { 1.0 } else { -1.0 }).collect();
        let moved: Vec<f64> = given.iter().zip(&signs).map(|(x, s)| x + size * s).collect();
        let by_rows = [given, &moved].map(|values| shrunk.apply(values));
        let most = (JUDGED_VALUES / width).max(1);
        let judged = |values: &[f64]| -> Vec<f64> {
            values.chunks_exact(width).step_by(JUDGED).take(most).flatten().copied().collect()
        };
        let gaps = gaps.chunks_exact(width).step_by(JUDGED).take(most).flatten();
        // What is not there has no noise.
        let there: Vec<usize> =
            gaps.enumerate().filter(|(_, gap)| !**gap).map(|(i, _)| i).collect();
        let known = |values: &[f64]| -> Vec<f64> { there.iter().map(|i| values[*i]).collect() };
        let by_rows = by_rows.map(|values| judged(&values));
        let given = [given, &moved].map(judged);
        let by_patches = given.each_ref().map(|values| self.expected(values));
        let by_rows = by_rows.map(|values| known(&values));
        let by_patches = by_patches.map(|values| known(&values));
        let given = given.map(|values| known(&values));
        let signs = known(&judged(&signs));
        risk.add(&given[0], [&by_rows[0], &by_patches[0]]);
        for (divergence, [at, beside]) in risk.divergences.iter_mut().zip([&by_rows, &by_patches]) {
            let along = at.iter().zip(beside).zip(&signs).map(|((a, b), s)| s * (b - a));
            *divergence += along.sum::<f64>() / size;
        }
        let values = given[0].len() as f64;
        // The mean of all rows moves with each of them, by its share.
        risk.divergences[0] += values / shrunk.rows as f64;
        risk.values += values;
    }
}

/// The least variance of patches in any direction, which that of noise is not above.
fn least_variance(patches: &[f64], size: usize) -> f64 {
    let count = (patches.len() / size) as f64;
    let mut mean = vec![0.0; size];
    for patch in patches.chunks_exact(size) {
        mean.iter_mut().zip(patch).for_each(|(m, x)| *m += x / count);
    }
    let centred: Vec<f64> = patches.iter().enumerate().map(|(at, x)| x - mean[at % size]).collect();
    let pairs = symmetric_eigen(&gram(&centred, size), size);
    // Of few patches the least is smaller than it would be of all.
    let edge = (1.0 - (size as f64 / count).sqrt()).max(0.0).powi(2);
    pairs.and_then(|pairs| pairs.last().map(|p| p.value / count / edge)).unwrap_or(0.0)
}

/// Sums that Stein's estimate of the risk is made of.
#[derive(Debug, Default)]
struct Risk {
    values: f64,
    /// Products of the moves that whole rows and patches say.
    products: [[f64; 2]; 2],
    divergences: [f64; 2],
}

impl Risk {
    fn add(&mut self, given: &[f64], said: [&[f64]; 2]) {
        for (i, x) in given.iter().enumerate() {
            let moves = said.map(|values| values[i] - x);
            for a in 0..2 {
                (0..2).for_each(|b| self.products[a][b] += moves[a] * moves[b]);
            }
        }
    }

    /// The risk of values that are moved so far, times their number.
    fn of(&self, [a, b]: [f64; 2], noise: f64) -> f64 {
        let [[aa, ab], [_, bb]] = self.products;
        let [by_rows, by_patches] = self.divergences.map(|d| d - self.values);
        let squares = a * a * aa + 2.0 * a * b * ab + b * b * bb;
        squares + 2.0 * noise * (a * by_rows + b * by_patches) + noise * self.values
    }

    /// The moves of least risk, if that saves something.
    fn moves(&self, noise: f64) -> Option<[f64; 2]> {
        let [[aa, ab], [_, bb]] = self.products;
        let [x, y] = self.divergences.map(|d| noise * (self.values - d));
        let determinant = aa * bb - ab * ab;
        let both = [(x * bb - y * ab) / determinant, (y * aa - x * ab) / determinant];
        // Neither is moved away from.
        let found = if both.iter().all(|m| *m >= 0.0) { both } else { [0.0, y / bb] };
        let (least, rows) = (self.of(found, noise), self.of([1.0, 0.0], noise));
        let saves = found[1] > 0.0 && least > 0.0 && least < (1.0 - LEAST_SAVED) * rows;
        (saves && found.iter().all(|m| m.is_finite())).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_risk_of_moves_is_least_where_it_is_measured_to_be() {
        // Given values have noise of variance 1 about 0. Whole rows say 0.4 of them, patches 0.1.
        let mut rng = Rng::new(1);
        let given: Vec<f64> = (0..20_000).map(|_| f64::from(rng.normal())).collect();
        let said = [0.4, 0.1].map(|share| given.iter().map(|x| share * x).collect::<Vec<_>>());
        let mut risk = Risk::default();
        risk.add(&given, [&said[0], &said[1]]);
        risk.values = given.len() as f64;
        risk.divergences = [0.4, 0.1].map(|share| share * risk.values);
        // What is left of values that are moved so far is their error.
        let left = |[a, b]: [f64; 2]| 1.0 - 0.6 * a - 0.9 * b;
        for moves in [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]] {
            let found = risk.of(moves, 1.0) / risk.values;
            assert!((found - left(moves).powi(2)).abs() < 0.03, "{moves:?}: {found}");
        }
        risk.products[0][0] *= 1.001;
        let moves = risk.moves(1.0).unwrap();
        assert!(left(moves).abs() < 0.05, "{moves:?}");
        // Patches that say what was given already are no gain.
        let mut none = Risk::default();
        none.add(&given, [&said[0], &given]);
        none.values = given.len() as f64;
        none.divergences = [0.4 * none.values, none.values];
        assert_eq!(none.moves(1.0), None);
    }
}
