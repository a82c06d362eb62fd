//! What is the same whenever lanes come by: which neighbours are there, and by which coefficients values
//! are predicted from them.
//!
//! After a period each lane is in the same column again. So what depends on the columns alone is laid out
//! once, step after step, and need not be looked up lane by lane.

use super::context::LANES;
use super::surroundings::Surroundings;
use super::weights::{Coefficients, OF_NEIGHBOURS};
use crate::container::model::TERMS;

/// Vectors of coefficients, at most: four mebibytes of them. Wider rows look up what they need.
const MOST_VECTORS: usize = 1 << 17;

/// What lanes meet at each step of a period.
#[derive(Debug, Clone, Default)]
pub(super) struct Course {
    steps: Vec<Meeting>,
    /// Coefficients of all neighbours, and of those other terms that have any, step after step; of one step where
    /// they are the same in all columns.
    weights: Vec<[i16; LANES]>,
    /// How many terms these are.
    used: usize,
    alike: bool,
}

/// Which neighbours are there at a step, as far as the row itself says; a bit for each neighbour.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Meeting {
    /// Lane by lane; all where there is no value.
    pub(super) each: [u16; LANES],
    /// In all lanes, and in any.
    pub(super) all: u16,
    pub(super) any: u16,
}

impl Meeting {
    /// Returns what is there at the columns of lanes.
    fn of(surroundings: &Surroundings, columns: &[Option<usize>; LANES]) -> Self {
        let mut out = Self { all: u16::MAX, ..Self::default() };
        for (each, column) in out.each.iter_mut().zip(columns) {
            let own = column.map(|j| surroundings.in_column(j));
            *each = own.unwrap_or(u16::MAX);
            out.all &= *each;
            out.any |= own.unwrap_or(0);
        }
        out
    }
}

impl Course {
    /// Lays out what lanes meet that begin `delay` steps after each other, with the coefficients of terms that
    /// are `weighed`; none where it is too much.
    pub(super) fn new(
        surroundings: &Surroundings,
        (coefficients, weighed): (&Coefficients, u32),
        delay: usize,
    ) -> Option<Self> {
        let width = surroundings.width();
        let period = width.max(LANES * delay);
        let weighed = weighed | OF_NEIGHBOURS;
        let used = weighed.count_ones() as usize;
        let alike = coefficients.of_column.is_empty();
        if period > MOST_VECTORS || !alike && period * used > MOST_VECTORS {
            return None;
        }
        let terms: Vec<usize> = (0..TERMS).filter(|k| weighed >> k & 1 == 1).collect();
        let mut out = Self {
            steps: Vec::with_capacity(period),
            weights: vec![[0; LANES]; used * if alike { 1 } else { period }],
            used,
            alike,
        };
        // Where each lane is; behind the row's end it has no value.
        let mut columns: [usize; LANES] =
            std::array::from_fn(|lane| lane * (period - delay) % period);
        for step in 0..period {
            let inside = columns.map(|column| (column < width).then_some(column));
            out.steps.push(Meeting::of(surroundings, &inside));
            if step == 0 || !alike {
                let weights = &mut out.weights[step * used..(step + 1) * used];
                for (lane, column) in inside.into_iter().enumerate() {
                    let group = column.and_then(|j| coefficients.of_column.get(j));
                    let own = &coefficients.groups[group.map_or(0, |&g| g as usize)];
                    weights.iter_mut().zip(&terms).for_each(|(w, &k)| w[lane] = own[k]);
                }
            }
            columns = columns.map(|column| if column + 1 < period { column + 1 } else { 0 });
        }
        Some(out)
    }

    /// Returns which neighbours are there, as far as the row itself says.
    #[inline(always)]
    pub(super) fn meeting(&self, step: usize) -> &Meeting {
        &self.steps[step]
    }

    /// Returns the coefficients at a step, of all neighbours, and then of one other term that has any after another.
    #[inline(always)]
    pub(super) fn weights(&self, step: usize) -> &[[i16; LANES]] {
        let from = if self.alike { 0 } else { step * self.used };
        &self.weights[from..from + self.used]
    }
}
