//! Which coefficients by least squares are tried: for all columns, for each colour, for groups of columns, or for
//! each.

use crate::container::model::TERMS;
use crate::error::Result;
use crate::fit::neighbours::predict::{Comparison, Tried, least};
use crate::fit::neighbours::prediction::Prediction;
use crate::fit::neighbours::stencil::{Regression, Weighing};

/// Columns of a row, at most, for coefficients of their own or of groups.
const MOST_COLUMNS: usize = 1 << 12;
/// Rows that coefficients of groups are found by, at least.
const LEAST_ROWS: usize = 48;
/// Numbers of groups that are tried.
const GROUPS: [usize; 2] = [6, 24];
/// Columns of a group, at least.
const LEAST_OF_GROUP: usize = 4;
/// Neighbours that are weighed: the nearest, those of the row, and all.
const USED: [&[usize]; 3] = [
    &[0, 3, 5, 6],
    &[0, 1, 2, 3, 4, 5, 6],
    &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
];
/// All that predictions may weigh.
const ALL: &[usize] = &[
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26,
];
/// Rounds of least squares weighed by what the round before left, at most, and the share of its bits below
/// which there is another.
const ROUNDS: usize = 4;
const BETTER: f64 = 0.995;
/// How much larger than the least bits those of coefficients that are shared in one way may be, and the share of
/// what the best save that they save, for the same to be tried with values weighed: that saves less.
const NEAR: f64 = 1.12;
const SAVED: f64 = 0.5;

/// Which columns have the same coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shared {
    All,
    /// Colours lie side by side, as the distance to the left says.
    Colours,
    Groups(usize),
    None,
}

impl Shared {
    fn of(prediction: &Prediction, width: usize) -> Self {
        match prediction.stencils.len() {
            1 => Self::All,
            n if n == width => Self::None,
            n if n == prediction.directions.distances[0]
                && prediction.of.iter().enumerate().all(|(j, own)| *own == j % n) =>
            {
                Self::Colours
            }
            n => Self::Groups(n),
        }
    }
}

/// What is tried.
pub(super) struct Squares {
    shared: Vec<Shared>,
    /// What is weighed by coefficients of all columns, one after another, and by others.
    used: Vec<&'static [usize]>,
    most: &'static [usize],
    weighing: Weighing,
}

impl Comparison<'_> {
    /// Tries where all values count alike.
    pub(super) fn alike(&self) -> Squares {
        let [nearest, of_row, all] = USED;
        let used = match self.effort.thorough {
            true => vec![nearest, of_row, all],
            false => vec![nearest, all],
        };
        Squares { shared: self.ways_to_share(), used, most: all, weighing: Weighing::Alike }
    }

    fn ways_to_share(&self) -> Vec<Shared> {
        let width = self.context.sample.schema.width();
        if !self.has_columns() {
            return vec![Shared::All];
        }
        let counts = if self.effort.thorough { &GROUPS[..] } else { &GROUPS[..1] };
        let counts = counts.iter().filter(|&&n| LEAST_OF_GROUP * n <= width);
        [Shared::All, Shared::Colours, Shared::None]
            .into_iter()
            .chain(counts.map(|&n| Shared::Groups(n)))
            .collect()
    }

    /// Says whether columns may have coefficients of their own.
    fn has_columns(&self) -> bool {
        let width = self.context.sample.schema.width();
        width > 1 && width <= MOST_COLUMNS && self.rows() >= LEAST_ROWS
    }

    /// Returns of the ways in which coefficients were shared by what was `tried`, nothing first, those that
    /// may be the best where values are weighed.
    fn promising(&self, tried: &[Tried]) -> Vec<Shared> {
        let (weight, width) = (self.weight(), self.context.sample.schema.width());
        let bits = |way: Shared| {
            let own = tried.iter().filter(|t| Shared::of(&t.prediction, width) == way);
            own.map(|t| t.total(weight)).fold(f64::INFINITY, f64::min)
        };
        let all = self.ways_to_share();
        let best = all.iter().map(|&way| bits(way)).fold(f64::INFINITY, f64::min);
        let saved = tried.first().map_or(0.0, |nothing| nothing.total(weight)) - best;
        let most = (NEAR * best).min(best + (1.0 - SAVED) * saved.max(0.0));
        all.into_iter().filter(|&way| bits(way) <= most).collect()
    }

    /// Tries coefficients by least squares, weighed by what the best of those `tried` leaves, for as long as
    /// that gets better: what values count for is known the better, the less is left of them. Coefficients are
    /// only such as the best has, from the beginning if `alike` is set.
    pub(super) fn weighed_by_scale(&self, tried: &mut Vec<Tried>, alike: bool) -> Result<()> {
        let weight = self.weight();
        for round in 0..ROUNDS {
            let best = tried.iter().min_by(|a, b| a.total(weight).total_cmp(&b.total(weight)));
            let Some(best) = best else { return Ok(()) };
            let before = best.total(weight);
            let squares = match alike || round > 0 {
                true => self.like(&best.prediction),
                false => Squares {
                    shared: self.promising(tried),
                    used: vec![USED[2], ALL],
                    most: ALL,
                    weighing: Weighing::ByScale,
                },
            };
            let found = self.by_squares(&best.prediction, &squares)?;
            let after = least(&found, weight);
            tried.extend(found);
            if after > BETTER * before {
                break;
            }
        }
        Ok(())
    }

    /// Tries such coefficients as a prediction has, with values weighed.
    fn like(&self, prediction: &Prediction) -> Squares {
        let width = self.context.sample.schema.width();
        let most = if prediction.weighs_residuals() { ALL } else { USED[2] };
        let shared = match Shared::of(prediction, width) {
            // Blocks of columns may have taken coefficients of different kinds.
            Shared::Groups(_) => Shared::Groups(GROUPS[1]),
            way => way,
        };
        let shared = self.ways_to_share().into_iter().filter(|&way| way == shared).collect();
        Squares { shared, used: vec![most], most, weighing: Weighing::ByScale }
    }

    /// Tries coefficients by least squares, weighed by what `before` leaves.
    pub(super) fn by_squares(&self, before: &Prediction, squares: &Squares) -> Result<Vec<Tried>> {
        let Squares { shared, used, most, weighing } = squares;
        let directions = before.directions;
        let probe = (self.encoder)(&before.looking_back())?;
        let how = (self.has_columns(), self.some, *weighing);
        let products = Regression::gather(self.context, &probe, self.predicted, how);
        let mut tried = Vec::new();
        for way in shared {
            let nothing = Prediction::all(directions, [0; TERMS]);
            match way {
                Shared::All => {
                    for used in used {
                        let own = Prediction::all(directions, products.shared(used));
                        tried.push(self.tried(own)?);
                    }
                    continue;
                }
                Shared::Colours => {
                    let colours = directions.distances[0];
                    if colours > 1 {
                        let (stencils, of) = products.of_colours(most, colours);
                        tried.push(self.tried(Prediction { stencils, of, ..nothing })?);
                    }
                }
                Shared::None => {
                    let stencils = products.of_columns(most);
                    let of = (0..stencils.len()).collect();
                    tried.push(self.tried(Prediction { stencils, of, ..nothing })?);
                }
                Shared::Groups(count) => {
                    let (stencils, of) = products.of_groups(most, *count);
                    tried.push(self.tried(Prediction { stencils, of, ..nothing })?);
                }
            }
        }
        Ok(tried)
    }
}
