//! Whether the values of a column of floats are near to multiples of a decimal that hides behind
//! their last digits.
//!
//! Sums of decimals are a unit in the last place off, and where a reading was missing somebody put
//! the mean of its neighbours. Counting multiples and keeping what is left over apart takes fewer
//! bits than counting what both have in common.

use crate::codec::value::{Cell, with_cell};
use crate::container::columns::Way;
use crate::encode::beside::{Near, Split};
use crate::encode::project::cells;
use crate::fit::data::bits::{Guess, PLACE_BITS, Pair};
use crate::fit::data::grid::{LARGEST_PLACES, Multiple, coarsest, count, detect, is_worth_it};
use crate::fit::data::sample::Sample;
use crate::fit::data::spread::some_neighbours;
use rayon::prelude::*;

/// Values of a column that are looked at.
const SEEN: usize = 2048;
/// Values that must have been seen.
const LEAST_SEEN: usize = 64;
/// Share of values near to multiples, at least: what is not must be kept as it is.
const LEAST_NEAR: f64 = 0.9;
/// The same of a few values, which rule most decimals out: there is little to see in them.
const LEAST_PROBED: f64 = 0.7;
/// Units in the last place that sums of decimals are off by, at most.
const MOST_PLACES: u64 = 64;
/// Share of values that are multiples bit for bit, at least, for others to be corrected by decimals.
const LEAST_ON_GRID: f64 = 0.85;
/// Most decimal places of what values are corrected by: more than these a text seldom has.
const FINEST_PLACES: u32 = 12;
/// Bits of a value that must be saved.
const LEAST_SAVED: f64 = 0.3;

/// Finds, for each column of floats, what its values are near to, where that is worth it.
pub(crate) fn nearly(sample: &Sample) -> Vec<Option<Near>> {
    let width = sample.schema.width();
    if !sample.schema.dtype.is_float() {
        return vec![None; width];
    }
    with_cell!(sample.schema.dtype, T => {
        let cells: Vec<T> = cells(&sample.bytes);
        let column = |j: usize| column(&some_neighbours(&cells, width, j, SEEN), sample.total);
        (0..width).into_par_iter().map(column).collect()
    })
}

/// Finds what a column of `rows` values is near to, of which `pairs` of neighbours are seen.
fn column<T: Cell>(pairs: &[Pair<T>], rows: usize) -> Option<Near> {
    let ordinary = |p: &&Pair<T>| p.0.is_ordinary() && p.1.is_ordinary();
    let pairs: Vec<Pair<T>> = pairs.iter().filter(ordinary).copied().collect();
    if pairs.len() < LEAST_SEEN {
        return None;
    }
    let values: Vec<T> = pairs.iter().map(|p| p.0).collect();
    let guess = Guess { weight: rows as f64 / pairs.len() as f64 };
    let search = Search { pairs: &pairs, values: &values, guess };
    let mut best = (search.plain() - LEAST_SAVED, None);
    for places in 0..=LARGEST_PLACES {
        let decimal = Multiple { numerator: 1, denominator: 10_u64.pow(places) };
        let near = Near { numerator: 1, denominator: decimal.denominator, way: Way::Places };
        let probe = values.iter().step_by(values.len() / LEAST_SEEN);
        let close = probe.clone().filter(|v| search.close(near, **v).is_some()).count();
        if (close as f64) < LEAST_PROBED * probe.count() as f64 {
            continue;
        }
        let on: Vec<T> = values.iter().copied().filter(|v| count(decimal, *v).is_some()).collect();
        if on.len() == values.len() {
            break;
        }
        let mut ways = vec![Way::Places];
        if on.len() as f64 >= LEAST_ON_GRID * values.len() as f64 {
            let finer = places + 1..=FINEST_PLACES;
            ways.extend(finer.map(|p| Way::Decimals { denominator: 10_u64.pow(p) }));
        }
        let multiple = coarsest(decimal, &on);
        for way in ways {
            let Multiple { numerator, denominator } = multiple;
            let near = Near { numerator, denominator, way };
            match search.bits(near) {
                Some(bits) if bits < best.0 && is_worth_it(multiple, &values) => {
                    best = (bits, Some(near));
                }
                _ => {}
            }
        }
    }
    best.1
}

/// Some values of a column, and what they cost.
struct Search<'a, T> {
    pairs: &'a [Pair<T>],
    values: &'a [T],
    guess: Guess,
}

impl<T: Cell> Search<'_, T> {
    /// Returns the bits of a value as it is coded else: as a multiple, or as the number it is.
    fn plain(&self) -> f64 {
        let order = |p: &Pair<T>| Some((p.0.to_order(), p.1.to_order()));
        let Some(multiple) = detect(self.values) else { return self.column(order) };
        let both = |p: &Pair<T>| Some((count(multiple, p.0)?, count(multiple, p.1)?));
        self.column(both)
    }

    /// Splits a value that is near.
    fn close(&self, near: Near, x: T) -> Option<Split<T>> {
        let few = |s: &Split<T>| s.correction.unsigned_abs() <= MOST_PLACES;
        near.split(x).filter(|s| near.way != Way::Places || few(s))
    }

    fn column(&self, integers: impl Fn(&Pair<T>) -> Option<Pair<i64>>) -> f64 {
        self.guess.column(&self.pairs.iter().filter_map(integers).collect::<Vec<_>>())
    }

    /// Returns the bits of a value near to a multiple; nothing where too few are.
    fn bits(&self, near: Near) -> Option<f64> {
        let close = |x: T| {
            near.split(x)
                .filter(|s| near.way != Way::Places || s.correction.unsigned_abs() <= MOST_PLACES)
        };
        let corrections: Vec<i64> =
            self.values.iter().filter_map(|v| close(*v)).map(|s| s.correction).collect();
        let far = 1.0 - corrections.len() as f64 / self.values.len() as f64;
        if far > 1.0 - LEAST_NEAR {
            return None;
        }
        let exception = 8.0 * T::DTYPE.size() as f64 + PLACE_BITS;
        let counts = self.column(|p| Some((close(p.0)?.count, close(p.1)?.count)));
        Some(counts + self.guess.corrections(&corrections) + far * exception)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near_to(values: &[f64]) -> Option<Near> {
        let pairs: Vec<Pair<f64>> = values.windows(2).map(|w| (w[0], w[1])).collect();
        column(&pairs, 100_000)
    }

    /// Numbers without pattern.
    fn noise(i: u32) -> u32 {
        i.wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(40_503) >> 4
    }

    #[test]
    fn sums_of_decimals_are_decimals_a_place_off() {
        let sums: Vec<f64> = (0..3000)
            .map(|i| f64::from(noise(i) % 900) / 1000.0 + f64::from(noise(i + 7) % 900) / 1000.0)
            .collect();
        let near = near_to(&sums).unwrap();
        assert_eq!((near.numerator, near.denominator, near.way), (1, 1000, Way::Places));
    }

    #[test]
    fn means_put_between_readings_are_decimals_with_more_places() {
        let tenths = |i: u32| (f64::from(i) / 90.0).sin() * 300.0;
        let readings: Vec<f64> = (0..3000)
            .map(|i| match noise(i) % 60 {
                0 => ((tenths(i) / 10.0 + f64::from(noise(i) % 7) / 7.0) * 1e6).round() / 1e6,
                _ => tenths(i).round() / 10.0,
            })
            .collect();
        let near = near_to(&readings).unwrap();
        assert_eq!((near.numerator, near.denominator), (1, 10));
        assert_eq!(near.way, Way::Decimals { denominator: 1_000_000 });
    }

    #[test]
    fn decimals_real_numbers_and_few_values_are_near_to_nothing() {
        let decimals: Vec<f64> = (0..3000).map(|i| f64::from(noise(i) % 5000) / 100.0).collect();
        assert_eq!(near_to(&decimals), None);
        let real: Vec<f64> = (0..3000).map(|i| f64::from(noise(i)).sqrt()).collect();
        assert_eq!(near_to(&real), None);
        let few: Vec<f64> =
            (0..3000).map(|i| [0.1, 0.2, 1.0 / 3.0, 2.0 / 3.0][(noise(i) % 4) as usize]).collect();
        assert_eq!(near_to(&few), None);
        assert_eq!(near_to(&[f64::NAN; 300]), None);
        assert_eq!(near_to(&[]), None);
    }
}
