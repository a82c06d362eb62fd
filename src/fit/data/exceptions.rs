//! Whether a column without loss is cheaper on a grid that most of its values lie on, the others
//! being stored exactly, than counted in representable numbers.
//!
//! A thermometer gives tenths; where a reading was missing, somebody has put the mean of its
//! neighbours. Two in a hundred such values must not hide that all others are tenths.

use crate::codec::value::Cell;
use crate::fit::data::bits::{Guess, PLACE_BITS, Pair};
use crate::fit::data::grid::{LARGEST_PLACES, Multiple, coarsest, count, is_worth_it};

/// Share of values that may lie off the grid: beyond, what they cost is more than a grid can save.
const MOST_EXCEPTIONS: f64 = 0.06;
/// Values that must have been seen.
const LEAST_VALUES: usize = 256;

/// Finds the multiple that nearly all values are, where counting it is worth storing the others
/// exactly; the values are of a column of `rows` values, of which `pairs` of neighbours are seen.
pub(super) fn detect_most<T: Cell>(pairs: &[Pair<T>], rows: usize) -> Option<Multiple> {
    let ordinary = |p: &&Pair<T>| p.0.is_ordinary() && p.1.is_ordinary();
    let pairs: Vec<Pair<T>> = pairs.iter().filter(ordinary).copied().collect();
    if !T::DTYPE.is_float() || pairs.len() < LEAST_VALUES {
        return None;
    }
    let guess = Guess { weight: rows as f64 / pairs.len() as f64 };
    let cost = |integer: &dyn Fn(T) -> Option<i64>| {
        let both = |p: &Pair<T>| Some((integer(p.0)?, integer(p.1)?));
        guess.column(&pairs.iter().filter_map(both).collect::<Vec<_>>())
    };
    let mut best = (cost(&|v| Some(v.to_order())), None);
    for places in 0..=LARGEST_PLACES {
        let multiple = Multiple { numerator: 1, denominator: 10_u64.pow(places) };
        let on: Vec<T> =
            pairs.iter().map(|p| p.0).filter(|v| count(multiple, *v).is_some()).collect();
        let share = 1.0 - on.len() as f64 / pairs.len() as f64;
        if share > MOST_EXCEPTIONS {
            continue;
        }
        let multiple = coarsest(multiple, &on);
        let bits =
            cost(&|v| count(multiple, v)) + share * (8.0 * T::DTYPE.size() as f64 + PLACE_BITS);
        if bits < best.0 && is_worth_it(multiple, &on) {
            best = (bits, Some(multiple));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of neighbours of a column.
    fn pairs(values: &[f64]) -> Vec<Pair<f64>> {
        values.windows(2).map(|w| (w[0], w[1])).collect()
    }

    #[test]
    fn means_of_neighbours_do_not_hide_that_all_others_are_tenths() {
        let mut tenths: Vec<f64> =
            (0..2000).map(|i| ((f64::from(i) / 90.0).sin() * 300.0).round() / 10.0).collect();
        for i in (0..2000).step_by(40) {
            tenths[i] = (tenths[i] + tenths[i] + 0.1) / 3.0;
        }
        assert_eq!(
            detect_most(&pairs(&tenths), 20_000),
            Some(Multiple { numerator: 1, denominator: 10 })
        );
    }

    #[test]
    fn real_numbers_and_few_distinct_ones_have_no_grid() {
        let real: Vec<f64> = (0..2000).map(|i| f64::from(i).sqrt()).collect();
        assert_eq!(detect_most(&pairs(&real), 20_000), None);
        // Two values on a grid and one off it, in no order: three symbols are cheapest.
        let few: Vec<f64> = (0..2000_u32)
            .map(|i| [1.0, 2.0, 1.0 / 3.0][if i % 20 == 0 { 2 } else { (i * i % 7 % 2) as usize }])
            .collect();
        assert_eq!(detect_most(&pairs(&few), 20_000), None);
    }
}
