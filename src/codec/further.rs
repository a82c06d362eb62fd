//! What predictions weigh besides the sums of neighbours: residuals of some, and sums farther to the left.

use super::context::LANES;
use super::near::{AROUND, Near};
use super::sum::{LARGEST_SUM, Sum};
use super::surroundings::Surroundings;
use super::window::Window;
use crate::container::model::{FIRST_FARTHER, FIRST_RESIDUAL, NEAREST_FARTHER, TERMS};
use crate::kernels::vector::Vector;
use std::ops::Range;

/// How many times to the left a term lies that is farther than neighbours.
#[inline(always)]
const fn times_left(term: usize) -> usize {
    term - FIRST_FARTHER + NEAREST_FARTHER
}

/// Terms that are residuals, and those farther to the left.
const RESIDUALS: Range<usize> = FIRST_RESIDUAL..FIRST_FARTHER;
const FARTHER: Range<usize> = FIRST_FARTHER..TERMS;

/// Adds up those terms that `used` names, weighed.
#[inline(always)]
pub(super) fn add<S: Sum, const N: usize>(
    total: &mut [i64; N],
    (window, near, surroundings): (&Window<S, N>, &Near<S, N>, &Surroundings),
    (coefficients, used): (&[[i16; N]; TERMS], u32),
    fraction: [u32; N],
) {
    for k in RESIDUALS.filter(|k| used >> k & 1 == 1) {
        let residuals = near.residual(k - FIRST_RESIDUAL);
        for i in 0..N {
            total[i] += in_fine_units(residuals[i], fraction[i]) * i64::from(coefficients[k][i]);
        }
    }
    let mut sums = near.farthest_left();
    for k in FARTHER.filter(|k| used >> k != 0) {
        sums = left(window, surroundings, times_left(k), sums);
        for i in 0..N {
            total[i] += sums[i].weighed(coefficients[k][i]);
        }
    }
}

/// A residual as it is weighed, where steps have 2^`fraction` fine units.
#[inline(always)]
fn in_fine_units(residual: i32, fraction: u32) -> i64 {
    (i64::from(residual) << fraction).clamp(-LARGEST_SUM, LARGEST_SUM)
}

/// Returns the sums so many times to the left, and `nearer` ones where these do not lie in the line.
#[inline(always)]
fn left<S: Sum, const N: usize>(
    window: &Window<S, N>,
    surroundings: &Surroundings,
    times: usize,
    nearer: [S; N],
) -> [S; N] {
    let columns = times * surroundings.distance();
    if columns >= surroundings.line {
        return nearer;
    }
    let (x, mut out) = (&window.front().x, window.to_the_left(columns));
    for i in 0..N {
        out[i] = if x[i] >= columns as i32 { out[i] } else { nearer[i] };
    }
    out
}

/// The terms behind neighbours that have coefficients, looked up beforehand for vectors.
#[derive(Debug, Clone, Default)]
pub(super) struct SwiftTerms {
    /// Which residuals.
    residuals: Vec<u8>,
    farther: Vec<Farther>,
}

/// A sum farther to the left than neighbours.
#[derive(Debug, Clone, Copy)]
struct Farther {
    /// How many columns; 0 where there is never any and a nearer one stands for it.
    columns: usize,
    weighed: bool,
}

impl SwiftTerms {
    /// Finds those that `used` names.
    pub(super) fn new(used: u32, surroundings: &Surroundings) -> Self {
        let has = |k: &usize| used >> k & 1 == 1;
        let farther = FARTHER.filter(|k| used >> k != 0).map(|k| {
            let columns = times_left(k) * surroundings.distance();
            let columns = if columns < surroundings.line { columns } else { 0 };
            Farther { columns, weighed: has(&k) }
        });
        Self {
            residuals: RESIDUALS.filter(has).map(|k| (k - FIRST_RESIDUAL) as u8).collect(),
            farther: farther.collect(),
        }
    }

    /// Adds them up, weighed by coefficients, as [`add`] does. Steps have 2^`fraction` fine units,
    /// and `nearest` is the sum that lies farthest to the left of neighbours.
    #[inline(always)]
    pub(super) fn further<V: Vector>(
        &self,
        isa: V::Isa,
        (residuals, fraction): (&[V; AROUND.len()], u32),
        (window, nearest): (&Window<i32, LANES>, V),
        coefficients: &[[i16; LANES]],
    ) -> V {
        let mut total = V::all(isa, 0);
        let count = self.residuals.len().min(coefficients.len());
        let (of_residuals, of_farther) = coefficients.split_at(count);
        for (own, k) in of_residuals.iter().zip(&self.residuals) {
            let residual = residuals[usize::from(*k) % AROUND.len()].shifted_left(fraction);
            total = total.plus(residual.times(V::load_short(isa, own)));
        }
        let (x, past) = (V::load(isa, &window.front().x), window.past());
        let (mut sum, mut own) = (nearest, of_farther.iter());
        for Farther { columns, weighed } in &self.farther {
            if *columns > 0 {
                let there = x.is_above(V::all(isa, *columns as i32 - 1));
                sum = past.left_by::<V>(isa, *columns).or(there, sum);
            }
            if *weighed && let Some(own) = own.next() {
                total = total.plus(sum.times(V::load_short(isa, own)));
            }
        }
        total
    }
}

/// Returns all terms of the only lane's value, of which everything is known.
#[cfg(feature = "compress")]
pub(crate) fn terms(
    window: &Window<i64, 1>,
    near: &Near<i64, 1>,
    surroundings: &Surroundings,
    fraction: u32,
) -> [i64; TERMS] {
    let mut out = [0; TERMS];
    out.iter_mut().zip(&near.sums).for_each(|(out, sum)| *out = sum[0]);
    for k in RESIDUALS {
        out[k] = in_fine_units(near.residual(k - FIRST_RESIDUAL)[0], fraction);
    }
    let mut sums = near.farthest_left();
    for k in FARTHER {
        sums = left(window, surroundings, times_left(k), sums);
        out[k] = sums[0];
    }
    out
}
