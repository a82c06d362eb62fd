//! What rows like a row have where it has a gap.

use super::gaussian::{Gaussian, ROWS_AT_ONCE};
use super::table::View;
use super::tree::{DIMENSIONS, LEAF, Point, Tree};
use rayon::prelude::*;
use std::ops::Range;

/// Neighbours whose mean is taken: between the few that are nearest and the many that leave little
/// noise. On tables, 5 to 20 differ by a hundredth.
const NEIGHBOURS: usize = 10;
/// The share of the furthest neighbour's squared distance that is added to all: below it, one is
/// as near as another.
const BLUR: f32 = 0.1;
/// Values of complete rows that are held, at most: half a gigabyte.
const MOST_VALUES: usize = 1 << 26;
/// Points in all trees, at most, and in each, at least: what is built in seconds.
const MOST_POINTS: usize = 1 << 24;
const LEAST_POINTS: usize = 2048;
/// Differences of coordinates to look at, over all gaps: half a minute on one core.
const MOST_WORK: usize = 1 << 35;
/// Leaves to look at for a gap. In the dimensions that tables really have, the nearest are found in
/// the first few; with so many, all of a small table is looked at.
const LEAVES: (usize, usize) = (8, 128);

/// Rows of a table, complete, and what says which values matter.
pub(super) struct Neighbours<'a> {
    view: View<'a>,
    gaussian: &'a Gaussian,
    complete: Vec<f64>,
}

impl<'a> Neighbours<'a> {
    /// Completes the rows; `None` if they are too many to be held.
    pub(super) fn new(view: View<'a>, gaussian: &'a Gaussian) -> Option<Self> {
        let (rows, width) = (view.table.rows(), view.width());
        if rows.saturating_mul(width) > MOST_VALUES {
            return None;
        }
        let step = |first| first..rows.min(first + ROWS_AT_ONCE);
        let parts: Vec<Range<usize>> = (0..rows).step_by(ROWS_AT_ONCE).map(step).collect();
        let complete = |part: &Range<usize>| {
            let mut own = Vec::with_capacity(part.len() * width);
            part.clone().for_each(|i| own.extend_from_slice(&view.row(i)));
            gaussian.complete(&own)
        };
        let complete: Vec<Vec<f64>> = parts.par_iter().map(complete).collect();
        Some(Self { view, gaussian, complete: complete.concat() })
    }

    /// What the normal distribution makes of a cell.
    pub(super) fn by_distribution(&self, cell: usize) -> f64 {
        let width = self.view.table.width;
        self.row(cell / width)[cell % width]
    }

    fn row(&self, i: usize) -> &[f64] {
        let width = self.view.width();
        &self.complete[i * width..(i + 1) * width]
    }

    /// For each of `cells`, which are sorted by column: what its row's neighbours have there, and
    /// what the distribution makes of it, changed by as much as the neighbours differ from what it
    /// makes of them.
    pub(super) fn estimates(&self, cells: &[usize]) -> Vec<[f64; 2]> {
        let width = self.view.table.width;
        let columns: Vec<&[usize]> = cells.chunk_by(|a, b| a % width == b % width).collect();
        let points = (MOST_POINTS / columns.len().max(1)).max(LEAST_POINTS);
        let leaves = MOST_WORK / (DIMENSIONS * LEAF) / cells.len().max(1);
        let leaves = leaves.clamp(LEAVES.0, LEAVES.1);
        let of_column = |cells: &&[usize]| -> Vec<[f64; 2]> {
            let j = cells[0] % width;
            let seen = Seen::new(&self.gaussian.relevance(j));
            let tree = Tree::new(self.donors(j, points, &seen));
            let estimate = |cell: &usize| {
                let row = self.row(cell / width);
                self.estimate(j, row, &tree.nearest(&seen.point(row), NEIGHBOURS, leaves))
            };
            cells.par_iter().map(estimate).collect()
        };
        columns.par_iter().flat_map_iter(of_column).collect()
    }

    /// The rows whose value in column `j` is known, evenly spread where there are too many.
    fn donors(&self, j: usize, most: usize, seen: &Seen) -> Vec<(Point, u32)> {
        let table = self.view.table;
        let known = |i: &usize| !table.values[i * table.width + j].is_nan();
        let every = (0..table.rows()).filter(known).count().div_ceil(most).max(1);
        let donors = (0..table.rows()).filter(known).step_by(every);
        donors.map(|i| (seen.point(self.row(i)), i as u32)).collect()
    }

    fn estimate(&self, j: usize, row: &[f64], found: &[(f32, u32)]) -> [f64; 2] {
        let furthest = found.last().map_or(0.0, |f| f.0);
        let (mut total, mut value, mut surprise) = (f64::MIN_POSITIVE, 0.0, 0.0);
        for (distance, i) in found {
            let other = self.row(*i as usize);
            let weight = f64::from(distance + BLUR * furthest + f32::MIN_POSITIVE).recip();
            total += weight;
            value += weight * other[j];
            surprise += weight * self.gaussian.surprise(other, j);
        }
        [value / total, row[j] + surprise / total]
    }
}

/// The values of a row that matter for one of its columns, and how much.
struct Seen(Vec<(usize, f64)>);

impl Seen {
    fn new(relevance: &[f64]) -> Self {
        let mut all: Vec<(usize, f64)> = relevance.iter().map(|r| r.sqrt()).enumerate().collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all.truncate(DIMENSIONS);
        Self(all)
    }

    fn point(&self, row: &[f64]) -> Point {
        let mut point = [0.0; DIMENSIONS];
        point.iter_mut().zip(&self.0).for_each(|(p, (j, scale))| *p = (scale * row[*j]) as f32);
        point
    }
}
