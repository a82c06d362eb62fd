//! How thinly rows lie about a row.
//!
//! Where a row's nearest neighbours are at the distance r, the density of rows there is about
//! 1/r^d in d dimensions, so that −ln of it is d·ln r and a constant (Loftsgaarden and Quesenberry
//! 1965, *A nonparametric estimate of a multivariate density function*): the row's surprise, in
//! nats. A group of anomalies lies densely, too. So distances are to ordinary rows only: those that
//! are left, as in trimmed least squares (Rousseeuw and Van Driessen 1999), when the rows farthest
//! from shares of all, a few hundredths to a half, are left out, twice.
//!
//! Scores were compared on 32 sets of rows with known anomalies, and the constants below chosen by
//! these labels. In place of these, neighbours in
//! whitened units, mixtures of normal distributions, tails of single columns, random parts of the
//! columns, and means or maxima with any of these were no better on the whole.

use super::config::AnomalyConfig;
use super::found::{lowest, quantile};
use super::points::{PointScales, Points, nearest};
use super::scoring::{LEAST_EXPECTED, at_least};
use crate::apps::comparable::Comparable;
use crate::apps::made::{Selected, read_found};
use crate::apps::values;
use crate::compress::Config;
use crate::error::Result;
use crate::matrix::rng::Rng;
use crate::matrix::{DType, Rows, Schema};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Neighbours whose mean distances tell a density, and the least number of rows for each of them.
/// With 5 or 40, areas under curves are smaller by a hundredth.
const NEIGHBOURS: (usize, usize) = (10, 20);
const ROWS_PER_NEIGHBOUR: usize = 4;
/// Shares of all rows that are neighbours while groups of anomalies are looked for. A group
/// smaller than one of them has neighbours that are none of it.
const WIDE: [f64; 4] = [0.03, 0.1, 0.3, 0.5];
/// Rows that others are compared with, at most and, where distances would take too long, at least.
const REFERENCES: (usize, usize) = (2048, 256);
/// Differences of coordinates that may be looked at: ten seconds on two cores.
const MOST_WORK: usize = 20_000_000_000;
/// The share of the memory that references may take.
const SHARE_OF_MEMORY: u64 = 8;
/// What is added to distances, in spreads of a column, so that those of equal rows have a
/// logarithm.
const NEAREST: f64 = 1e-3;
/// And of those that are infinitely far.
const FARTHEST: f64 = 1e18;
/// The part of what its neighbours' density differs by from the usual one that is taken off a
/// row's, and the largest such difference, for each dimension: rows between groups of different
/// density stand out less than those beside a dense one (as of Breunig et al. 2000, *LOF*, who take
/// off all). Without an end, groups of anomalies would excuse each other.
const NEIGHBOURS_PART: f64 = 0.5;
const MOST_DIFFERENCE: f64 = 0.3;
/// The largest contribution of a column: beyond any that occurs, and small enough that sums of
/// them stay finite.
const MOST_CONTRIBUTION: f64 = 1e30;

/// What says how thinly rows lie about a row.
pub(super) struct Density {
    scales: PointScales,
    ordinary: Ordinary,
}

/// Ordinary rows, and how far from each other these are.
struct Ordinary {
    width: usize,
    /// The places of the ordinary rows among all, ascending.
    places: Vec<usize>,
    /// Their coordinates, row-major.
    coordinates: Vec<f32>,
    points: Points,
    /// ln of the distance of each to its neighbours, and the median of that.
    own: Vec<f64>,
    typical: f64,
    /// The dimension of what the rows fill, from 1 to the number of columns.
    dimension: f64,
    /// The squared difference from neighbours that is usual in each column.
    usual: Vec<f64>,
}

impl Density {
    /// Finds ordinary rows.
    pub(super) fn fit(rows: &Comparable<'_>, config: &Config, how: &AnomalyConfig) -> Result<Self> {
        let of = |all: &[f32], width| Ordinary::trimmed(all, width, how);
        let (mut own, places) = Self::of_some(rows, rows.rows.len(), config, of)?;
        own.ordinary.places = own.ordinary.places.iter().map(|&place| places[place]).collect();
        Ok(own)
    }

    /// Takes all rows to be ordinary, with which `judged` other rows are to be compared.
    pub(super) fn of_ordinary(
        rows: &Comparable<'_>,
        judged: usize,
        config: &Config,
    ) -> Result<Self> {
        let of = |all: &[f32], width| Ordinary::of(all, width, (0..all.len() / width).collect());
        let (mut own, _) = Self::of_some(rows, judged, config, of)?;
        // No other row is one of them.
        own.ordinary.places.clear();
        Ok(own)
    }

    /// Finds ordinary rows among some, whose places it says, as many as `judged` rows can be compared with.
    fn of_some(
        rows: &Comparable<'_>,
        judged: usize,
        config: &Config,
        of: impl Fn(&[f32], usize) -> Ordinary + Send + Sync,
    ) -> Result<(Self, Vec<usize>)> {
        let width = rows.rows.schema().width();
        let bytes = (width * size_of::<[f32; 4]>()) as u64;
        let room = config.memory / SHARE_OF_MEMORY / bytes.max(1);
        let (most, least) = REFERENCES;
        let affordable = MOST_WORK / (judged * width).max(1);
        let count = affordable.clamp(least, most).min(usize::try_from(room).unwrap_or(most)).max(2);
        let places = sampled(&rows.ordinary, count, config.seed);
        let values = values::to_doubles(&Selected { rows: &*rows.rows, places: &places })?;
        let scales = PointScales::of(&values, width, rows.units);
        let all = scales.coordinates(&values);
        let ordinary = config.on_threads(|| of(&all, width))?;
        Ok((Self { scales, ordinary }, places))
    }

    /// The scores of the ordinary rows among each other.
    pub(super) fn of_each_other(&self, config: &Config) -> Result<Vec<f64>> {
        let Ordinary { coordinates, width, .. } = &self.ordinary;
        config.on_threads(|| {
            let rows = coordinates.par_chunks_exact(*width).enumerate();
            rows.map(|(i, row)| self.ordinary.score(Some(i), row)).collect()
        })
    }
}

impl Ordinary {
    /// Leaves out the worst of some rows, as often as asked for. Places are among these rows.
    fn trimmed(all: &[f32], width: usize, how: &AnomalyConfig) -> Self {
        let rows = all.len() / width;
        let kept = ((1.0 - how.trim_of_density()) * rows as f64).ceil() as usize;
        let mut places: Vec<usize> = (0..rows).collect();
        for _ in 0..how.rounds {
            places = lowest(&wide_distances(all, width, &places), kept);
        }
        Self::of(all, width, places)
    }

    /// Compares the rows at some places among `all` with each other.
    fn of(all: &[f32], width: usize, places: Vec<usize>) -> Self {
        let coordinates = selected(all, width, &places);
        let points = Points::new(&coordinates, width);
        let mut found = Self {
            width,
            places,
            coordinates,
            points,
            own: Vec::new(),
            typical: 0.0,
            dimension: width as f64,
            usual: vec![1.0; width],
        };
        let near: Vec<Vec<(f32, usize)>> = found
            .coordinates
            .par_chunks_exact(width)
            .zip(&found.places)
            .map(|(row, place)| found.neighbours(found.itself(*place), row))
            .collect();
        found.own = near.iter().map(|near| mean_distance(near)).collect();
        found.typical = quantile(&found.own, 0.5);
        found.dimension = dimension(&near).clamp(1.0, width as f64);
        let mut sums = vec![(0.0, 0.0_f64); width];
        for (row, near) in found.coordinates.chunks_exact(width).zip(&near) {
            let differences = found.differences(row, near);
            for (sum, x) in sums.iter_mut().zip(differences).filter(|(_, x)| !x.is_nan()) {
                *sum = (sum.0 + x, sum.1 + 1.0);
            }
        }
        let means = sums.iter().map(|(sum, n)| sum / n.max(1.0)).collect();
        found.usual = at_least(LEAST_EXPECTED, means);
        found
    }

    /// Which of them the row at `place` is, if it is one.
    fn itself(&self, place: usize) -> Option<usize> {
        self.places.binary_search(&place).ok()
    }

    /// The ordinary rows nearest to a row, which is none of them but `itself`, that is left out: squared
    /// distances, smallest first, each with its number.
    fn neighbours(&self, itself: Option<usize>, row: &[f32]) -> Vec<(f32, usize)> {
        let mut squares = Vec::new();
        self.points.squares(row, &mut squares);
        let count = (self.points.len() / ROWS_PER_NEIGHBOUR).clamp(1, NEIGHBOURS.1);
        nearest(&squares, itself, count)
    }

    /// The surprise of a row, which may be one of them `itself`, in nats above that of the usual row; NaN if all
    /// of it is missing.
    fn score(&self, itself: Option<usize>, row: &[f32]) -> f64 {
        if row.iter().all(|x| x.is_nan()) {
            return f64::NAN;
        }
        let near = self.neighbours(itself, row);
        let theirs: f64 = near.iter().map(|(_, i)| self.own[*i] - self.typical).sum();
        let theirs = theirs / near.len().max(1) as f64;
        let excused = NEIGHBOURS_PART * theirs.clamp(-MOST_DIFFERENCE, MOST_DIFFERENCE);
        self.dimension * (mean_distance(&near) - self.typical - excused)
    }

    /// The squared differences of a row, which may be one of them `itself`, from its neighbours over those that are usual.
    fn contributions(&self, itself: Option<usize>, row: &[f32]) -> Vec<f32> {
        let found = self.differences(row, &self.neighbours(itself, row));
        let over = found.iter().zip(&self.usual).map(|(x, usual)| x / usual);
        over.map(|x| x.clamp(0.0, MOST_CONTRIBUTION) as f32).collect()
    }

    /// The mean squared differences of a row from its neighbours, in each column.
    fn differences(&self, row: &[f32], near: &[(f32, usize)]) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0_f64); self.width];
        for (_, i) in near.iter().take(NEIGHBOURS.0) {
            let other = &self.coordinates[i * self.width..(i + 1) * self.width];
            for ((sum, x), y) in sums.iter_mut().zip(row).zip(other) {
                if !y.is_nan() {
                    *sum = (sum.0 + f64::from(x - y).powi(2), sum.1 + 1.0);
                }
            }
        }
        let mean = |((sum, n), x): (&(f64, f64), &f32)| {
            if x.is_nan() { f64::NAN } else { sum / n.max(1.0) }
        };
        sums.iter().zip(row).map(mean).collect()
    }
}

/// At most `count` of places, one at random of each of as many equal stretches.
fn sampled(places: &[usize], count: usize, seed: u64) -> Vec<usize> {
    if places.len() <= count {
        return places.to_vec();
    }
    let mut rng = Rng::new(seed);
    let first = |i: usize| i * places.len() / count;
    (0..count).map(|i| places[first(i) + rng.below(first(i + 1) - first(i))]).collect()
}

/// The distance whose square is given: that of rows without a column in common, whose square is infinite, is only
/// very far, so that means of distances can be compared.
fn distance(square: f32) -> f64 {
    f64::from(square).sqrt().min(FARTHEST)
}

/// ln of the mean distance to neighbours, the mean over both numbers of [`NEIGHBOURS`].
fn mean_distance(near: &[(f32, usize)]) -> f64 {
    let few = near.len().min(NEIGHBOURS.0.max(near.len() / 2));
    let mean = |near: &[(f32, usize)]| {
        let sum: f64 = near.iter().map(|(square, _)| distance(*square)).sum();
        (NEAREST + sum / near.len().max(1) as f64).ln()
    };
    0.5 * (mean(&near[..few]) + mean(near))
}

/// The points at some places, of coordinates row by row.
fn selected(all: &[f32], width: usize, places: &[usize]) -> Vec<f32> {
    places.iter().flat_map(|i| &all[i * width..(i + 1) * width]).copied().collect()
}

/// The mean distances of all rows to each share of [`WIDE`] of the rows at some places, ascending;
/// the sum of these, each over its median. Their logarithms would be no measure: a group of rows
/// nearly equal would be so near to the first share that no distance to the others made up for it.
fn wide_distances(all: &[f32], width: usize, places: &[usize]) -> Vec<f64> {
    let points = Points::new(&selected(all, width, places), width);
    let others = points.len().saturating_sub(1);
    let counts = WIDE.map(|share| ((share * others as f64) as usize).max(1).min(others));
    let of_row = |(i, row): (usize, &[f32])| {
        let mut squares = Vec::new();
        points.squares(row, &mut squares);
        if let Ok(itself) = places.binary_search(&i) {
            squares.swap_remove(itself);
        }
        // From the most to the fewest, each among those found before.
        let mut end = squares.len();
        for &count in counts.iter().rev() {
            if (1..end).contains(&count) {
                squares[..end].select_nth_unstable_by(count - 1, f32::total_cmp);
            }
            end = count;
        }
        let (mut sum, mut done) = (0.0, 0);
        counts.map(|count| {
            sum += squares[done..count].iter().map(|s| distance(*s)).sum::<f64>();
            done = count;
            sum / count.max(1) as f64
        })
    };
    let found: Vec<[f64; WIDE.len()]> =
        all.par_chunks_exact(width).enumerate().map(of_row).collect();
    let mut sums = vec![0.0; found.len()];
    for share in 0..WIDE.len() {
        let own: Vec<f64> = found.iter().map(|distances| distances[share]).collect();
        let usual = quantile(&own, 0.5).max(NEAREST);
        sums.iter_mut().zip(own).for_each(|(sum, distance)| *sum += distance / usual);
    }
    sums
}

/// The dimension by how fast numbers of neighbours grow with the distance (Levina and Bickel 2004,
/// *Maximum likelihood estimation of intrinsic dimension*), of all rows together.
fn dimension(near: &[Vec<(f32, usize)>]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for near in near {
        let ln = |(square, _): &(f32, usize)| (NEAREST + distance(*square)).ln();
        let Some((last, others)) = near.split_last() else { continue };
        sum += others.iter().map(|other| ln(last) - ln(other)).sum::<f64>();
        count += others.len() as f64;
    }
    if sum > 0.0 && sum.is_finite() { count / sum } else { f64::MAX }
}

/// What the columns contribute to the surprise of rows, found when it is read: the squared
/// difference from the row's neighbours over what is usual in the column. NaN for missing values.
pub(super) struct Differences<'a> {
    rows: Arc<dyn Rows + 'a>,
    density: Density,
    config: Config,
    schema: Schema,
}

impl<'a> Differences<'a> {
    pub(super) fn new(rows: Arc<dyn Rows + 'a>, density: Density, config: &Config) -> Self {
        let schema = Schema::new(DType::F32, &[density.ordinary.width]);
        Self { rows, density, config: config.clone(), schema }
    }

    /// The scores of all rows.
    pub(super) fn scores(&self) -> Result<Vec<f64>> {
        let mut out = Vec::with_capacity(self.rows.len());
        for part in values::parts(self.rows.len(), self.schema.width()) {
            out.extend(self.each(part, |ordinary, itself, row| ordinary.score(itself, row))?);
        }
        Ok(out)
    }

    /// What `of` makes of each of some rows.
    fn each<T: Send>(
        &self,
        part: Range<usize>,
        of: impl Fn(&Ordinary, Option<usize>, &[f32]) -> T + Send + Sync,
    ) -> Result<Vec<T>> {
        let Density { scales, ordinary } = &self.density;
        let coordinates = scales.coordinates(&values::read(&*self.rows, part.clone())?);
        let each = |(i, row)| of(ordinary, ordinary.itself(part.start + i), row);
        self.config.on_threads(|| {
            coordinates.par_chunks_exact(ordinary.width).enumerate().map(each).collect()
        })
    }
}

impl Rows for Differences<'_> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        let of = |rows| Ok(self.each(rows, Ordinary::contributions)?.concat());
        read_found(self, first, out, of)
    }
}

#[cfg(test)]
mod tests;
