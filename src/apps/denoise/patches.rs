//! Pictures, series and fields in patches: what lies side by side is alike wherever it lies.
//!
//! Patches that overlap are taken from all places of all rows, and a mixture of normal distributions says what each
//! is without noise, as Zoran and Weiss do (2011, *From learning models of natural image patches to whole image
//! restoration*), here with a mixture of the noisy patches themselves; a value is the mean of what patches
//! say of it. How far it is moved there from what the components of whole rows say is what makes Stein's
//! estimate of the risk least, on rows that no patch was learned from. The divergence in it is measured with
//! a probe (Ramani, Blu and Unser 2008, *Monte-Carlo SURE*).

use super::Found;
use super::mixture::Mixture;
use super::shrinkage::Shrunk;
use crate::error::Result;
use crate::linalg::{gram, symmetric_eigen};
use crate::matrix::rng::Rng;
use rayon::prelude::*;

/// The most colours, or other numbers of a point, along the first or the last axis of a picture.
const MOST_COLOURS: usize = 4;
/// The fewest patches of a row.
const FEWEST: usize = 4;
/// Patches that distributions are fitted to, at most, how many of them to each, and distributions at most.
const MOST_PATCHES: usize = 1 << 16;
const PATCHES_PER_GROUP: usize = 250;
const MOST_GROUPS: usize = 64;
/// Pieces of rows that are looked at, and values that risks are estimated from in each, at most.
const PIECES: usize = 4;
const JUDGED_VALUES: usize = 1 << 18;
/// Every how manieth row is judged by, and not learned from.
const JUDGED: usize = 4;
/// The share of the risk that patches must at least save.
const LEAST_SAVED: f64 = 0.02;
/// The deviation of the probe, as a share of the noise.
const PROBE: f64 = 1e-3;
/// Patches that a thread works on at a time, about.
const PATCHES_AT_ONCE: usize = 1024;

/// What patches say of rows, and how far it is believed.
pub(super) struct Patches {
    cut: Cut,
    mixture: Mixture,
    /// How far values are moved towards what whole rows say, and towards what patches say.
    moves: [f64; 2],
}

impl Patches {
    /// Learns from rows whose noise was `found`; `None` where rows have no neighbours, or patches do not help.
    pub(super) fn learn(found: &Found<'_>, row_shape: &[usize]) -> Result<Option<Self>> {
        let Some(cut) = Cut::new(row_shape) else { return Ok(None) };
        let pieces = found.some_pieces(PIECES);
        let mut rng = Rng::new(0);
        let mut seen = Vec::new();
        let mut noise = f64::INFINITY;
        for (block, rows) in &pieces {
            found.with(*block, |shrunk| {
                noise = noise.min(shrunk.noise);
                let values = found.filled(*block, rows, shrunk)?;
                cut.draw(&values, MOST_PATCHES / pieces.len(), &mut rng, &mut seen);
                Ok(())
            })?;
        }
        let noise = noise.min(least_variance(&seen, cut.size()));
        let groups = (seen.len() / cut.size() / PATCHES_PER_GROUP).clamp(1, MOST_GROUPS);
        if seen.is_empty() || noise.is_nan() || noise <= 0.0 {
            return Ok(None);
        }
        let Some(mixture) = Mixture::fit(&seen, cut.size(), noise, groups) else { return Ok(None) };
        drop(seen);
        let mut own = Self { cut, mixture, moves: [0.0, 1.0] };
        let mut risk = Risk::default();
        for (block, rows) in &pieces {
            found.with(*block, |shrunk| {
                let values = found.filled(*block, rows, shrunk)?;
                own.judge(shrunk, &values, noise, &mut rng, &mut risk);
                Ok(())
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
    fn judge(&self, shrunk: &Shrunk, given: &[f64], noise: f64, rng: &mut Rng, risk: &mut Risk) {
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
        let by_rows = by_rows.map(|values| judged(&values));
        let given = [given, &moved].map(judged);
        let by_patches = given.each_ref().map(|values| self.expected(values));
        let signs = judged(&signs);
        risk.add(&given[0], [&by_rows[0], &by_patches[0]]);
        for (divergence, [at, beside]) in risk.divergences.iter_mut().zip([&by_rows, &by_patches]) {
            let along = at.iter().zip(beside).zip(&signs).map(|((a, b), s)| s * (b - a));
            *divergence += along.sum::<f64>() / size;
        }
        risk.values += given[0].len() as f64;
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

/// How rows are cut into patches that overlap.
struct Cut {
    shape: Vec<usize>,
    /// Where the values of a patch lie behind its first.
    offsets: Vec<usize>,
    /// Where patches begin.
    starts: Vec<usize>,
    /// In how many patches each value lies.
    covers: Vec<f64>,
}

impl Cut {
    /// Cuts rows of a shape; `None` where patches would be no less than a row, or far more than two dimensions.
    fn new(row_shape: &[usize]) -> Option<Self> {
        let axes: Vec<usize> = row_shape.iter().copied().filter(|n| *n > 1).collect();
        let sides = match *axes {
            [_] => vec![32],
            [_, _] => vec![6, 6],
            [_, _, c] if c <= MOST_COLOURS => vec![5, 5, c],
            [c, _, _] if c <= MOST_COLOURS => vec![c, 5, 5],
            [_, _, _] => vec![4; 3],
            [_, _, _, _] => vec![3; 4],
            _ => return None,
        };
        let shape: Vec<usize> = sides.iter().zip(&axes).map(|(side, n)| *side.min(n)).collect();
        let (mut starts, mut offsets) = (vec![0], vec![0]);
        for (&n, &side) in axes.iter().zip(&shape) {
            let step = if axes.len() == 1 { side / 8 } else { side / 3 }.max(1);
            let last = n - side;
            let places: Vec<usize> = (0..last).step_by(step).chain([last]).collect();
            let along = |before: &[usize], places: &[usize]| -> Vec<usize> {
                before.iter().flat_map(|at| places.iter().map(move |p| at * n + p)).collect()
            };
            starts = along(&starts, &places);
            offsets = along(&offsets, &(0..side).collect::<Vec<_>>());
        }
        if starts.len() < FEWEST {
            return None;
        }
        let mut own = Self { shape, offsets, starts, covers: Vec::new() };
        let mut covers = vec![0.0; axes.iter().product()];
        own.add(&own.starts, &vec![1.0; own.starts.len() * own.size()], &mut covers);
        own.covers = covers;
        Some(own)
    }

    /// The values of a row.
    fn width(&self) -> usize {
        self.covers.len()
    }

    /// The values of a patch.
    fn size(&self) -> usize {
        self.offsets.len()
    }

    fn patch<'a>(&'a self, row: &'a [f64], start: usize) -> impl Iterator<Item = f64> + 'a {
        self.offsets.iter().map(move |offset| row[start + offset])
    }

    /// Adds the values of patches that begin at `starts`.
    fn add(&self, starts: &[usize], patches: &[f64], sums: &mut [f64]) {
        for (start, patch) in starts.iter().zip(patches.chunks_exact(self.size())) {
            self.offsets.iter().zip(patch).for_each(|(offset, x)| sums[start + offset] += x);
        }
    }

    /// Draws patches, at most so many, of those rows that are not judged by.
    fn draw(&self, rows: &[f64], most: usize, rng: &mut Rng, out: &mut Vec<f64>) {
        let rows = rows.chunks_exact(self.width()).enumerate();
        let own: Vec<&[f64]> = rows.filter(|(i, _)| i % JUDGED != 0).map(|(_, row)| row).collect();
        let all = own.len() * self.starts.len();
        for at in 0..all.min(most) {
            let (row, start) = match all <= most {
                true => (at / self.starts.len(), at % self.starts.len()),
                false => (rng.below(own.len()), rng.below(self.starts.len())),
            };
            out.extend(self.patch(own[row], self.starts[start]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_cover_rows_and_are_the_mean_of_themselves() {
        for (shape, patch) in [
            (&[33][..], &[32][..]),
            (&[180], &[32]),
            (&[28, 28], &[6, 6]),
            (&[1, 9, 7, 1], &[6, 6]),
            (&[4, 50], &[4, 6]),
            (&[9, 11, 3], &[5, 5, 3]),
            (&[3, 9, 11], &[3, 5, 5]),
            (&[7, 8, 9], &[4, 4, 4]),
            (&[5, 6, 7, 8], &[3, 3, 3, 3]),
        ] {
            let Some(cut) = Cut::new(shape) else {
                assert_eq!(shape, [33]);
                continue;
            };
            assert_eq!(cut.shape, patch);
            assert_eq!(cut.width(), shape.iter().product::<usize>());
            assert!(cut.covers.iter().all(|n| *n >= 1.0));
            let row: Vec<f64> = (0..cut.width()).map(|at| (at * at) as f64).collect();
            let patches: Vec<f64> =
                cut.starts.iter().flat_map(|start| cut.patch(&row, *start)).collect();
            let mut sums = vec![0.0; row.len()];
            cut.add(&cut.starts, &patches, &mut sums);
            let means = sums.iter().zip(&cut.covers).map(|(sum, n)| sum / n);
            assert!(means.zip(&row).all(|(mean, x)| (mean - x).abs() < 1e-9 * x.max(1.0)));
        }
        for shape in [&[][..], &[1], &[20], &[6, 6], &[2, 3, 4, 5, 6]] {
            assert!(Cut::new(shape).is_none(), "{shape:?}");
        }
    }

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
