//! Coefficients by which a value is predicted from its neighbours, by least squares.

use crate::codec::context::feature;
use crate::codec::near::Wanted;
use crate::container::model::NEIGHBOURS;
use crate::encode::encoder::BlockEncoder;
use crate::encode::neighbours::{CellObserver, Seen};
use crate::fit::context::FitContext;
use crate::fit::data::sample::Thinning;
use crate::fit::neighbours::observe::{RunObserver, observe};
use crate::linalg;

/// Coefficients of one group of columns, in 1/256.
pub(super) type Stencil = [i64; NEIGHBOURS];

/// One in coefficients.
const ONE: f64 = 256.0;
/// Largest magnitude of a coefficient that is stored.
const LARGEST: f64 = 4095.0;
/// Share of the mean square added to each neighbour's, so that neighbours that say the same share
/// their weight.
const RIDGE: f64 = 1e-5;
/// Variance of rounding, in squared steps, that is added to each neighbour's.
const ROUNDING: f64 = 0.03;
/// Sums are held within this many steps, so that their squares stay finite.
const WILD: f64 = 1e9;
/// Rows that coefficients of all columns together stand for where a column's own are found.
const SHARED_ROWS: f64 = 8.0;
/// Alternations of groups and their coefficients.
const ROUNDS: usize = 6;
/// Multiples of this lie evenly in every interval, whatever its length: the golden ratio less 1.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// Sums of products of neighbours with each other and with the value, of one group of columns.
#[derive(Clone)]
struct Products {
    squares: [[f64; NEIGHBOURS]; NEIGHBOURS],
    with_value: [f64; NEIGHBOURS],
    value: f64,
    count: f64,
    /// What rounding adds to the squares of each neighbour.
    noise: f64,
}

impl Products {
    fn new() -> Self {
        let squares = [[0.0; NEIGHBOURS]; NEIGHBOURS];
        Self { squares, with_value: [0.0; NEIGHBOURS], value: 0.0, count: 0.0, noise: 0.0 }
    }

    #[inline(always)]
    fn add(&mut self, near: &[f64; NEIGHBOURS], value: f64, weight: f64) {
        for ((a, squares), with_value) in
            near.iter().zip(&mut self.squares).zip(&mut self.with_value)
        {
            let a = a * weight;
            *with_value += a * value;
            squares.iter_mut().zip(near).for_each(|(s, b)| *s += a * b);
        }
        self.value += weight * value * value;
        self.count += 1.0;
        self.noise += weight * ROUNDING;
    }

    /// Adds another's, times `weight`.
    fn merge(&mut self, other: &Self, weight: f64) {
        for i in 0..NEIGHBOURS {
            self.with_value[i] += weight * other.with_value[i];
            for k in 0..NEIGHBOURS {
                self.squares[i][k] += weight * other.squares[i][k];
            }
        }
        self.value += weight * other.value;
        self.count += other.count;
        self.noise += weight * other.noise;
    }

    /// Returns the mean square of what coefficients leave.
    fn left(&self, c: &[f64; NEIGHBOURS]) -> f64 {
        let mut sum = self.value;
        for i in 0..NEIGHBOURS {
            let row: f64 = self.squares[i].iter().zip(c).map(|(s, c)| s * c).sum();
            sum += c[i] * (row - 2.0 * self.with_value[i]);
        }
        sum.max(0.0) / self.count.max(1.0)
    }

    /// Returns the coefficients of the neighbours that `used` names, pulled towards `shared` as if by
    /// some rows.
    fn solve(&self, used: &[usize], shared: Option<&[f64; NEIGHBOURS]>) -> [f64; NEIGHBOURS] {
        let mut out = shared.copied().unwrap_or([0.0; NEIGHBOURS]);
        let n = used.len();
        if n == 0 || self.count < 4.0 {
            return out;
        }
        let mut matrix = vec![0.0; n * n];
        let mut right = vec![0.0; n];
        for (row, &i) in used.iter().enumerate() {
            for (column, &k) in used.iter().enumerate() {
                matrix[row * n + column] = self.squares[i][k];
            }
            right[row] = self.with_value[i];
            let own = self.squares[i][i];
            let noise = RIDGE * own + self.noise + 1e-9;
            matrix[row * n + row] += noise;
            if let Some(shared) = shared {
                let pull = SHARED_ROWS * own / self.count;
                matrix[row * n + row] += pull;
                right[row] += pull * shared[i];
            }
        }
        if let Some(solution) = linalg::solve(&matrix, &right) {
            used.iter().zip(solution).for_each(|(&i, a)| out[i] = a);
        }
        out
    }
}

fn stored(c: &[f64; NEIGHBOURS]) -> Stencil {
    c.map(|a| if a.is_finite() { (a * ONE).round().clamp(-LARGEST, LARGEST) as i64 } else { 0 })
}

/// Products of each column, or of all together.
pub(super) struct Regression {
    groups: Vec<Products>,
    weighing: Weighing,
}

/// What values count for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weighing {
    /// All the same.
    Alike,
    /// Less where the residuals around it, or its own, are large: bits are saved where what is left is
    /// small, and squares look at where it is large. (The weights by which a distribution of Student
    /// is fitted to residuals whose scale is that of those around; Lange, Little and Taylor 1989.)
    ByScale,
}

impl Weighing {
    /// Returns what a value counts for.
    #[inline(always)]
    fn of(self, seen: &Seen<'_>) -> f64 {
        match self {
            Self::Alike => 1.0,
            Self::ByScale => weight(seen.features()[feature::ALL_RESIDUALS], seen.cell.residual),
        }
    }
}

/// Returns what a value counts for with residuals `around` it, and its `own`.
#[inline(always)]
fn weight(around: i32, own: i64) -> f64 {
    let (around, own) = (f64::from(around) / AROUND, own as f64);
    1.0 / (LEAST_SQUARE + around * around + own * own)
}

/// What the residuals around a value count for together.
const AROUND: f64 = 9.0;
/// Squared scale of residuals, at least: that of rounding, about.
const LEAST_SQUARE: f64 = 0.25;

impl RunObserver for Regression {
    fn begin_run(&mut self, _: usize) {}
}

impl CellObserver for Regression {
    const WANTED: Option<Wanted> = Some(Wanted::SUMS_AND_SCALE);

    #[inline(always)]
    fn cell(&mut self, seen: &Seen<'_>) {
        let unit = 1.0 / (1_u64 << seen.fraction) as f64;
        let value = seen.cell.sum as f64 * unit;
        if value.abs() > WILD {
            return;
        }
        let near = seen.near.sums.map(|s| (s[0] as f64 * unit).clamp(-WILD, WILD));
        let group = seen.column % self.groups.len();
        self.groups[group].add(&near, value, self.weighing.of(seen));
    }
}

impl Regression {
    /// Gathers products while the sample is coded, for each of the columns or
    /// for all together, of every `every`th run.
    pub(super) fn gather(
        context: &FitContext<'_>,
        encoder: &BlockEncoder,
        predictions: &[i32],
        (by_column, some, weighing): (bool, Thinning, Weighing),
    ) -> Self {
        let groups = if by_column { context.sample.schema.width() } else { 1 };
        let new = || Self { groups: vec![Products::new(); groups], weighing };
        let mut all = new();
        for part in observe(context, encoder, predictions, some, new) {
            all.groups.iter_mut().zip(&part.groups).for_each(|(a, b)| a.merge(b, 1.0));
        }
        all
    }

    /// Products of the columns `members`, each column's by its own variance.
    fn together(&self, members: impl Iterator<Item = usize>) -> Products {
        let mut all = Products::new();
        let single = self.groups.len() == 1;
        for j in members {
            let own = &self.groups[j];
            let variance = (own.value / own.count.max(1.0)).max(ROUNDING);
            all.merge(own, if single { 1.0 } else { 1.0 / variance });
        }
        all
    }

    /// Returns coefficients of `used` neighbours for all columns.
    pub(super) fn shared(&self, used: &[usize]) -> Stencil {
        let all = self.together(0..self.groups.len());
        stored(&all.solve(used, None))
    }

    /// Returns each column's own coefficients.
    pub(super) fn of_columns(&self, used: &[usize]) -> Vec<Stencil> {
        let shared = self.together(0..self.groups.len()).solve(used, None);
        self.groups.iter().map(|g| stored(&g.solve(used, Some(&shared)))).collect()
    }

    /// Returns the coefficients of `count` groups of columns, and the group of each.
    pub(super) fn of_groups(&self, used: &[usize], count: usize) -> (Vec<Stencil>, Vec<usize>) {
        let width = self.groups.len();
        let shared = self.together(0..width).solve(used, None);
        let seed = |g: usize| ((g as f64 * GOLDEN).fract() * width as f64) as usize;
        let mut centres: Vec<[f64; NEIGHBOURS]> =
            (0..count).map(|g| self.groups[seed(g)].solve(used, Some(&shared))).collect();
        centres[0] = shared;
        let mut of = vec![0; width];
        for _ in 0..ROUNDS {
            for (of, own) in of.iter_mut().zip(&self.groups) {
                let left = |g: &usize| own.left(&centres[*g]);
                *of = (0..count).min_by(|a, b| left(a).total_cmp(&left(b))).unwrap_or(0);
            }
            for (g, centre) in centres.iter_mut().enumerate() {
                let members = (0..width).filter(|&j| of[j] == g);
                *centre = self.together(members).solve(used, Some(&shared));
            }
        }
        (centres.iter().map(stored).collect(), of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    /// Products of values that are 0.75 of one neighbour and 0.5 of another in even columns, and their
    /// difference in odd ones.
    fn products() -> Regression {
        let mut rng = Rng::new(9);
        let mut groups = vec![Products::new(); 8];
        for i in 0..8000 {
            let mut near = [0.0; NEIGHBOURS];
            near.iter_mut().for_each(|n| *n = f64::from(rng.unit() - 0.5) * 60.0);
            let noise = f64::from(rng.unit() - 0.5);
            let value = match i % 2 {
                0 => 0.75 * near[0] + 0.5 * near[3],
                _ => near[3] - near[5],
            };
            groups[i % 8].add(&near, value + noise, 1.0);
        }
        Regression { groups, weighing: Weighing::Alike }
    }

    #[test]
    fn coefficients_are_those_that_values_were_made_with() {
        let found = products().of_columns(&[0, 3, 5, 7]);
        for (j, c) in found.iter().enumerate() {
            let expected = [[192, 128, 0, 0], [0, 256, -256, 0]][j % 2];
            for (n, a) in [0, 3, 5, 7].into_iter().zip(expected) {
                assert!((c[n] - a).abs() <= 4, "{j}: {c:?}");
            }
        }
        // Neighbours that may not be weighed are not.
        assert!(products().of_columns(&[0, 3]).iter().all(|c| c[5] == 0));
    }

    #[test]
    fn quiet_places_decide_where_values_count_by_scale() {
        let mut rng = Rng::new(12);
        let (mut alike, mut by_scale) = (Products::new(), Products::new());
        for i in 0..8000 {
            // Bursts that go their own way, and between them half of what lies to the left.
            let (coefficient, scale) = if i % 40 < 4 { (-0.5, 60.0) } else { (0.5, 0.8) };
            let left = f64::from(rng.unit() - 0.5) * 40.0;
            let own = f64::from(rng.unit() - 0.5) * scale;
            let mut near = [0.0; NEIGHBOURS];
            near[0] = left;
            let value = coefficient * left + own;
            alike.add(&near, value, 1.0);
            let residual = (value - 0.4 * left).round();
            by_scale.add(&near, value, weight((AROUND * scale / 4.0) as i32, residual as i64));
        }
        let first = |p: &Products| p.solve(&[0], None)[0];
        assert!(first(&alike) < 0.45, "{}", first(&alike));
        assert!((first(&by_scale) - 0.5).abs() < 0.02, "{}", first(&by_scale));
    }

    #[test]
    fn columns_of_two_kinds_get_two_groups() {
        let (stencils, of) = products().of_groups(&[0, 3, 5], 2);
        assert!(of.iter().enumerate().all(|(j, &g)| g == of[j % 2]) && of[0] != of[1]);
        assert!((stencils[of[0]][0] - 192).abs() <= 4, "{stencils:?}");
        // Nothing to learn from gives nothing.
        let none = Regression { groups: vec![Products::new(); 2], weighing: Weighing::Alike };
        assert_eq!(none.shared(&[0, 3]), [0; NEIGHBOURS]);
    }
}
