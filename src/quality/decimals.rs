//! Decimals of few digits, and how few a bound allows.

use crate::fidelity::Fidelity;
use crate::matrix::{DType, Decimal, Schema, TextColumn, TextLayout};

/// Integers below this are `f64`s, all of them.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// The powers of ten that are `f64`s: a quotient of such integers is the nearest `f64` to the decimal.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
/// The share of a bound that is left for rounding to decimals: a value takes 0.0007 bits more then.
const SHARE: f64 = 1.0 / 2048.0;
/// Half a unit of the last place, and a little: the quotient is rounded, too.
const HALF: f64 = 0.5005;
/// The share of a bound that is left for what decimals of many digits were rounded by when they were
/// read: twice what a reader of tables allows.
const READING_SHARE: f64 = 1.0 / 4096.0;
/// A range that is only known nearly is taken for a little less.
const NEARLY: f64 = 1.0 - 1e-9;
/// Where the exponent lies among the bits of an `f64`.
const EXPONENT: u32 = 52;

/// Returns what is known of the columns, if rows were read from text as `f64`s.
pub(super) fn layout(schema: &Schema) -> Option<&TextLayout> {
    let text = schema.origin.as_ref().and_then(|origin| origin.text.as_ref())?;
    (schema.dtype == DType::F64 && text.columns.len() == schema.width()).then_some(text)
}

/// Returns the power of ten that takes so many places away.
pub(super) fn power(places: usize) -> Option<f64> {
    POWERS.get(places).copied()
}

/// Returns the multiple of 10^−places that is `steps` of them behind the nearest to `x`; `None` where
/// numbers of so many digits are no longer exact.
pub(super) fn nearest(x: f64, places: usize, steps: f64) -> Option<f64> {
    let power = power(places)?;
    let units = (x * power).round() + steps;
    // Without the sign of a zero.
    (units.abs() < EXACT).then_some(units / power + 0.0)
}

/// Returns what rounding to so many places may change a number by.
pub(super) fn half_unit(places: usize) -> f64 {
    power(places).map_or(0.0, |power| HALF / power)
}

/// Returns the fewest places at which half a unit is at most `most`.
pub(super) fn fewest_places(most: f64) -> Option<usize> {
    (0..POWERS.len()).find(|&places| half_unit(places) <= most)
}

/// Returns a number that the column's range surely is not below, and not far below it; 0 where nothing
/// is known.
pub(super) fn least_range(column: &TextColumn) -> f64 {
    let range = match column.decimals {
        Some(places) => power(places.into()).map_or(0.0, |power| column.range as f64 / power),
        // The power of two at or below it.
        None if column.range < f64::INFINITY.to_bits() >> EXPONENT => {
            f64::from_bits(column.range << EXPONENT)
        }
        None => 0.0,
    };
    range * NEARLY
}

/// Returns what [`TextColumn::range`] is for a column of which the decimals are not known.
pub(crate) fn range_exponent(range: f64) -> u64 {
    if range.is_finite() && range > 0.0 { range.to_bits() >> EXPONENT } else { 0 }
}

/// Returns the places to which the numbers of a column may be rounded because the encoder leaves room
/// for it: where they have more decimals than that, or are none. `bound` is theirs under a promise that
/// is not relative to their range.
pub(super) fn places_with_room(
    column: &TextColumn,
    promise: &Fidelity,
    bound: f64,
) -> Option<usize> {
    let bound = match promise {
        Fidelity::MaxErrorRel(share) => share_of(share, least_range(column)),
        _ => bound,
    };
    let places = fewest_places(bound * SHARE)?;
    column.decimals.is_none_or(|own| usize::from(own) > places).then_some(places)
}

fn share_of(share: &Decimal, range: f64) -> f64 {
    share.floor() * range * NEARLY
}

/// Lowers the bounds of columns whose numbers may have been rounded when they were read from text, and
/// may be when they are written as text.
pub(crate) fn leave_room(schema: &Schema, promise: &Fidelity, bounds: &mut [f64]) {
    let Some(text) = layout(schema) else { return };
    for (bound, column) in bounds.iter_mut().zip(&text.columns) {
        let writing = places_with_room(column, promise, *bound).map_or(0.0, half_unit);
        let reading = if column.decimals.is_none() { *bound * READING_SHARE } else { 0.0 };
        if writing + reading > 0.0 {
            *bound = (*bound - (writing + reading)).next_down().max(0.0);
        }
    }
}
