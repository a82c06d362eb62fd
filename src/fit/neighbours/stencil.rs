//! Coefficients by which a value is predicted from its neighbours, by least squares.

use crate::codec::context::feature;
use crate::codec::near::Wanted;
use crate::container::model::{FIRST_FARTHER, FIRST_RESIDUAL, MOST_WEIGHT, NEIGHBOURS, TERMS};
use crate::encode::encoder::BlockEncoder;
use crate::encode::neighbours::{CellObserver, Seen};
use crate::fit::context::FitContext;
use crate::fit::data::sample::Thinning;
use crate::fit::neighbours::observe::{RunObserver, observe};
use crate::fit::neighbours::products::{Products, ROUNDING, Sums, Weighed};
use crate::kernels::wide::{WideLoop, run_wide};

/// Coefficients of one group of columns, in 1/256.
pub(super) type Stencil = [i64; TERMS];

/// One in coefficients.
const ONE: f64 = 256.0;
/// Largest magnitude of a coefficient that is stored.
const LARGEST: f64 = 4095.0;
/// Residuals that are weighed by less than this, all together, cannot build up.
const STABLE: f64 = 0.95 * ONE;
/// Sums are held within this many steps, so that their squares stay finite.
const WILD: f64 = 1e9;
/// Alternations of groups and their coefficients.
const ROUNDS: usize = 6;
/// Multiples of this lie evenly in every interval, whatever its length: the golden ratio less 1.
const GOLDEN: f64 = 0.618_033_988_749_895;

fn stored(c: &[f64; TERMS]) -> Stencil {
    let mut c = c.map(|a| if a.is_finite() { a * ONE } else { 0.0 });
    let magnitude = |own: &[f64]| own.iter().map(|a| a.abs()).sum::<f64>();
    let residuals = FIRST_RESIDUAL..FIRST_FARTHER;
    let weight = magnitude(&c[residuals.clone()]);
    if weight > STABLE {
        c[residuals].iter_mut().for_each(|a| *a *= STABLE / weight);
    }
    let held = (MOST_WEIGHT as f64 / magnitude(&c)).min(1.0);
    c.map(|a| (a * held).clamp(-LARGEST, LARGEST)).map(|a| match held < 1.0 {
        true => a as i64,
        false => a.round() as i64,
    })
}

/// Products of each column, or of all together.
pub(super) struct Regression {
    groups: Vec<Products>,
    /// Rows that coefficients of all columns together stand for where a column's own are found.
    shared_rows: f64,
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
    /// Returns how many terms are looked at. Residuals tell nothing where nothing is predicted yet.
    fn terms(self) -> usize {
        match self {
            Self::Alike => NEIGHBOURS,
            Self::ByScale => TERMS,
        }
    }

    /// Returns the rows that coefficients of all columns stand for: fewer where what is left of values, which
    /// is far smaller, says what they count for.
    fn shared_rows(self) -> f64 {
        match self {
            Self::Alike => 8.0,
            Self::ByScale => 3.0,
        }
    }

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

/// Gathers products.
struct Gathering {
    sums: Sums,
    groups: usize,
    weighing: Weighing,
}

impl RunObserver for Gathering {
    fn begin_run(&mut self, _: usize) {}
}

impl CellObserver for Gathering {
    const WANTED: Option<Wanted> = Some(Wanted::TERMS_AND_SCALE);

    #[inline(always)]
    fn cell(&mut self, seen: &Seen<'_>) {
        let unit = 1.0 / (1_u64 << seen.fraction) as f64;
        let value = seen.cell.sum as f64 * unit;
        if value.abs() > WILD {
            return;
        }
        let terms = seen.terms().map(|s| (s as f64 * unit).clamp(-WILD, WILD));
        let known = &terms[..self.weighing.terms()];
        let group = seen.column % self.groups;
        self.sums.push(Weighed::new(group, known, value, self.weighing.of(seen)));
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
        let new = || Gathering { sums: Sums::new(groups, weighing.terms()), groups, weighing };
        let mut all = vec![Products::new(); groups];
        for part in observe(context, encoder, predictions, some, new) {
            all.iter_mut().zip(&part.sums.finished()).for_each(|(a, b)| a.merge(b, 1.0));
        }
        Self { groups: all, shared_rows: weighing.shared_rows() }
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

    /// Returns coefficients of `used` terms for all columns.
    pub(super) fn shared(&self, used: &[usize]) -> Stencil {
        let all = self.together(0..self.groups.len());
        stored(&all.solve(used, None))
    }

    /// Returns each column's own coefficients.
    pub(super) fn of_columns(&self, used: &[usize]) -> Vec<Stencil> {
        let shared = self.together(0..self.groups.len()).solve(used, None);
        self.groups
            .iter()
            .map(|g| stored(&g.solve(used, Some((&shared, self.shared_rows)))))
            .collect()
    }

    /// Returns the coefficients of each of `count` colours, which take turns along a row, and the colour of each
    /// column.
    pub(super) fn of_colours(&self, used: &[usize], count: usize) -> (Vec<Stencil>, Vec<usize>) {
        let width = self.groups.len();
        let shared = self.together(0..width).solve(used, None);
        let of_colour = |c: usize| {
            let own = self.together((c..width).step_by(count));
            stored(&own.solve(used, Some((&shared, self.shared_rows))))
        };
        ((0..count).map(of_colour).collect(), (0..width).map(|j| j % count).collect())
    }

    /// Returns the coefficients of `count` groups of columns, and the group of each.
    pub(super) fn of_groups(&self, used: &[usize], count: usize) -> (Vec<Stencil>, Vec<usize>) {
        let width = self.groups.len();
        let shared = self.together(0..width).solve(used, None);
        let seed = |g: usize| ((g as f64 * GOLDEN).fract() * width as f64) as usize;
        let mut centres: Vec<[f64; TERMS]> = (0..count)
            .map(|g| self.groups[seed(g)].solve(used, Some((&shared, self.shared_rows))))
            .collect();
        centres[0] = shared;
        let mut of = vec![0; width];
        for _ in 0..ROUNDS {
            run_wide(Assign { groups: &self.groups, centres: &centres, of: &mut of });
            for (g, centre) in centres.iter_mut().enumerate() {
                let members = (0..width).filter(|&j| of[j] == g);
                *centre = self.together(members).solve(used, Some((&shared, self.shared_rows)));
            }
        }
        (centres.iter().map(stored).collect(), of)
    }
}

/// Gives each column the coefficients that leave the least of it.
struct Assign<'a> {
    groups: &'a [Products],
    centres: &'a [[f64; TERMS]],
    of: &'a mut [usize],
}

impl WideLoop for Assign<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (of, own) in self.of.iter_mut().zip(self.groups) {
            let mut least = f64::INFINITY;
            for (g, centre) in self.centres.iter().enumerate() {
                let left = own.left(centre);
                if g == 0 || left < least {
                    (*of, least) = (g, left);
                }
            }
        }
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
        let mut sums = Sums::new(8, TERMS);
        for i in 0..8000 {
            let mut near = [0.0; TERMS];
            near.iter_mut().for_each(|n| *n = f64::from(rng.unit() - 0.5) * 60.0);
            let noise = f64::from(rng.unit() - 0.5);
            let value = match i % 2 {
                0 => 0.75 * near[0] + 0.5 * near[3],
                _ => near[3] - near[5],
            };
            sums.push(Weighed::new(i % 8, &near, value + noise, 1.0));
        }
        Regression { groups: sums.finished(), shared_rows: 8.0 }
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
        let (mut alike, mut by_scale) = (Sums::new(1, TERMS), Sums::new(1, TERMS));
        for i in 0..8000 {
            // Bursts that go their own way, and between them half of what lies to the left.
            let (coefficient, scale) = if i % 40 < 4 { (-0.5, 60.0) } else { (0.5, 0.8) };
            let left = f64::from(rng.unit() - 0.5) * 40.0;
            let own = f64::from(rng.unit() - 0.5) * scale;
            let mut near = [0.0; TERMS];
            near[0] = left;
            let value = coefficient * left + own;
            alike.push(Weighed::new(0, &near, value, 1.0));
            let residual = (value - 0.4 * left).round();
            let counts = weight((AROUND * scale / 4.0) as i32, residual as i64);
            by_scale.push(Weighed::new(0, &near, value, counts));
        }
        let first = |sums: Sums| sums.finished()[0].solve(&[0], None)[0];
        let (alike, by_scale) = (first(alike), first(by_scale));
        assert!(alike < 0.45, "{alike}");
        assert!((by_scale - 0.5).abs() < 0.02, "{by_scale}");
    }

    #[test]
    fn residuals_are_weighed_but_cannot_build_up() {
        let mut rng = Rng::new(13);
        let mut found = |weights: [f64; 2]| {
            let mut sums = Sums::new(1, TERMS);
            for _ in 0..4000 {
                let mut terms = [0.0; TERMS];
                terms.iter_mut().for_each(|t| *t = f64::from(rng.unit() - 0.5) * 60.0);
                let residuals = &terms[FIRST_RESIDUAL..];
                let value = 0.5 * terms[0] + weights[0] * residuals[0] + weights[1] * residuals[3];
                sums.push(Weighed::new(0, &terms, value, 1.0));
            }
            let all = Regression { groups: sums.finished(), shared_rows: 8.0 };
            all.shared(&[0, FIRST_RESIDUAL, FIRST_RESIDUAL + 3])
        };
        let c = found([0.25, -0.5]);
        assert!((c[0] - 128).abs() <= 2 && (c[FIRST_RESIDUAL] - 64).abs() <= 2, "{c:?}");
        assert!((c[FIRST_RESIDUAL + 3] + 128).abs() <= 2, "{c:?}");
        // Such coefficients of residuals, each of which is made of those before, would grow without end.
        let c = found([1.5, -1.0]);
        assert!(c[FIRST_RESIDUAL..].iter().map(|a| a.abs()).sum::<i64>() < 256, "{c:?}");
    }

    #[test]
    fn columns_of_two_kinds_get_two_groups() {
        let (stencils, of) = products().of_groups(&[0, 3, 5], 2);
        assert!(of.iter().enumerate().all(|(j, &g)| g == of[j % 2]) && of[0] != of[1]);
        assert!((stencils[of[0]][0] - 192).abs() <= 4, "{stencils:?}");
        // Nothing to learn from gives nothing.
        let none = Regression { groups: vec![Products::new(); 2], shared_rows: 8.0 };
        assert_eq!(none.shared(&[0, 3]), [0; TERMS]);
    }
}
