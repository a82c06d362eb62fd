//! Fewer digits for decoded numbers: as few as the promise surely allows.
//!
//! Where the numbers of a column were decimals of `d` places, and the promise is a bound `E` on each,
//! the originals that can have become a decoded value `y` are the multiples of 10⁻ᵈ within `E` of it.
//! Any decimal that is within `E` of the least and of the greatest of them keeps the promise, and
//! the shortest is taken. All is judged on the `f64`s that a reader of the text gets.

use super::check::{named, relative_bound};
use super::decimals::{
    fewest_places, half_unit, layout, least_range, nearest, places_with_room, power,
};
use crate::codec::bound::holds;
use crate::codec::fill::is_ordinary;
use crate::fidelity::Fidelity;
use crate::matrix::{FillValues, Schema, TextColumn, TextLayout};

/// Digits tried beyond those of the originals.
const MORE_PLACES: usize = 3;
/// Digits kept beyond those of the originals where a sum is promised: rounding then adds a millionth
/// of what the originals' own last digit stands for.
const PLACES_FOR_SUMS: usize = 3;
/// What rounding may change a number by where a sum is promised, as a share of its column's range: even
/// at 100 dB, single errors are 10⁵ times as large, and those of rounding cancel.
const SHARE_FOR_SUMS: f64 = 1e-10;
/// What a range that is known as a decimal may differ from that of the `f64`s, as a share of the
/// largest of them: four roundings.
const RANGE_MARGIN: f64 = 4.0 * f64::EPSILON;

/// Shortens decoded numbers of a table of text without breaking the promise.
#[derive(Debug, Clone)]
pub struct ShortDecimals {
    columns: Vec<Rule>,
    /// Values that stay as they are.
    fills: FillValues,
}

/// What is known of a column.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Numbers stay as they are.
    Keep,
    /// So many digits behind the mark.
    Places(usize),
    /// The originals have so many digits behind the mark and lie within a bound.
    Within { places: usize, bound: Bound },
}

/// A bound on errors; relative ones depend on a range that is not known to the last bit.
#[derive(Debug, Clone, Copy)]
struct Bound {
    bound: f64,
    /// What the bound may be more or less for each unit of the largest value.
    margin: f64,
    /// The column's range.
    range: f64,
}

impl ShortDecimals {
    /// Looks at what a file holds and promises; `None` where numbers are to stay as they are:
    /// without loss, for a promise about each row, or where the rows were not read from text.
    pub fn new(schema: &Schema, promise: &Fidelity) -> Option<Self> {
        let text = layout(schema)?;
        let fills = schema.fill_values.clone();
        let bounds = match promise {
            Fidelity::MaxError(bound) => vec![bound.floor(); text.columns.len()],
            Fidelity::MaxErrorColumns(list) => named(schema, list).ok()?,
            Fidelity::MaxErrorRel(_) => vec![f64::INFINITY; text.columns.len()],
            Fidelity::Lossless
            | Fidelity::MaxErrorPointwiseRel(_)
            | Fidelity::RowNmse(_)
            | Fidelity::RowCosine(_)
            | Fidelity::RowL2(_) => return None,
            _ => return Some(Self { columns: for_sums(text), fills }),
        };
        let columns = text.columns.iter().zip(bounds);
        let columns = columns.map(|(c, bound)| Rule::new(c, promise, bound)).collect();
        Some(Self { columns, fills })
    }

    /// Shortens the numbers of whole rows: row-major, little-endian `f64`s.
    pub fn apply(&self, rows: &mut [u8]) {
        let (numbers, _) = rows.as_chunks_mut::<8>();
        for (bytes, rule) in numbers.iter_mut().zip(self.columns.iter().cycle()) {
            let number = f64::from_le_bytes(*bytes);
            if is_ordinary(number, &self.fills) {
                *bytes = rule.shorten(number).to_le_bytes();
            }
        }
    }
}

/// Returns what may be done to the numbers of each column where a sum is promised.
fn for_sums(text: &TextLayout) -> Vec<Rule> {
    let rule = |column: &TextColumn| {
        let by_range = fewest_places(least_range(column) * SHARE_FOR_SUMS);
        let by_digits = column.decimals.map(|own| usize::from(own) + PLACES_FOR_SUMS);
        by_range.into_iter().chain(by_digits).min().map_or(Rule::Keep, Rule::Places)
    };
    text.columns.iter().map(rule).collect()
}

impl Rule {
    /// What may be done to the numbers of a column; `bound` is theirs if it is not relative.
    fn new(column: &TextColumn, promise: &Fidelity, bound: f64) -> Self {
        if let Some(places) = places_with_room(column, promise, bound) {
            return Rule::Places(places);
        }
        let Some(places) = column.decimals.map(usize::from) else { return Rule::Keep };
        let Some(power) = power(places) else { return Rule::Keep };
        let range = column.range as f64 / power;
        let bound = match promise {
            Fidelity::MaxErrorRel(share) => Bound {
                bound: relative_bound(share, range),
                margin: share.nearest() * RANGE_MARGIN,
                range,
            },
            _ => Bound { bound, margin: 0.0, range: 0.0 },
        };
        if bound.bound > 0.0 { Rule::Within { places, bound } } else { Rule::Keep }
    }

    fn shorten(self, y: f64) -> f64 {
        match self {
            Rule::Keep => y,
            Rule::Places(places) => {
                let short = nearest(y, places, 0.0);
                short.filter(|short| holds(y, *short, half_unit(places))).unwrap_or(y)
            }
            Rule::Within { places, bound } => within(y, places, bound).unwrap_or(y),
        }
    }
}

/// Returns the shortest decimal that is within the bound of all decimals of so many places that are
/// within the bound of `y`.
fn within(y: f64, places: usize, bound: Bound) -> Option<f64> {
    let margin = bound.margin * (y.abs() + 2.0 * bound.range);
    let (wide, tight) = (bound.bound + margin, bound.bound - margin);
    let least = possible(y, places, wide, -1.0)?;
    let most = possible(y, places, wide, 1.0)?;
    let middle = least / 2.0 + most / 2.0;
    for places in 0..=places + MORE_PLACES {
        for steps in [0.0, 1.0, -1.0] {
            let short = nearest(middle, places, steps)?;
            if holds(least, short, tight) && holds(most, short, tight) {
                return Some(short);
            }
        }
    }
    None
}

/// Returns the multiple of 10^−places farthest from `y` in `direction` that is within `bound` of it.
fn possible(y: f64, places: usize, bound: f64, direction: f64) -> Option<f64> {
    // The product is rounded: the last one may be a step farther, or two.
    [2.0, 1.0, 0.0, -1.0, -2.0]
        .into_iter()
        .filter_map(|steps| nearest(y + direction * bound, places, direction * steps))
        .find(|x| holds(*x, y, bound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{DType, Origin};
    use crate::quality::decimals::{leave_room, range_exponent};

    fn schema(columns: Vec<TextColumn>) -> Schema {
        let text = TextLayout { columns, ..TextLayout::default() };
        let mut schema = Schema::new(DType::F64, &[text.columns.len()]);
        schema.origin = Some(Origin::new("csv").with_text(text));
        schema
    }

    fn one(decimals: u8, range: u64) -> Schema {
        schema(vec![TextColumn { decimals: Some(decimals), range, ..TextColumn::default() }])
    }

    fn shortened(schema: &Schema, promise: &str, y: f64) -> f64 {
        let (kind, number) = promise.split_once(' ').unwrap_or((promise, ""));
        let promise = Fidelity::parse(kind, number).unwrap();
        let mut bytes = y.to_le_bytes();
        if let Some(short) = ShortDecimals::new(schema, &promise) {
            short.apply(&mut bytes);
        }
        f64::from_le_bytes(bytes)
    }

    #[test]
    fn no_original_is_farther_than_the_bound_from_what_is_written() {
        // Every original that can have become a value, for many values and bounds.
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / 2_f64.powi(53)
        };
        let mut digits = [0_usize; 2];
        for bound in ["0.01", "0.0107", "0.0004", "0.05", "1", "0.00051"] {
            let e: f64 = bound.parse::<crate::Decimal>().unwrap().floor();
            for _ in 0..2000 {
                let units = (random() * 1e5).round() - 3e4;
                let x = units / 1e3;
                let y = x + (2.0 * random() - 1.0) * e;
                if !holds(x, y, e) {
                    continue;
                }
                let short = shortened(&one(3, 0), &format!("max-error {bound}"), y);
                assert!(holds(x, short, e), "{x} became {y}, then {short}, under {bound}");
                digits[0] += format!("{short}").len();
                digits[1] += format!("{x}").len();
            }
        }
        assert!(100 * digits[0] <= 104 * digits[1], "{digits:?}");
    }

    #[test]
    fn a_bound_relative_to_the_range_is_kept_too() {
        let (least, most) = (-12.345, 987.654);
        let range = crate::codec::bound::range_below(least, most);
        let bound = relative_bound(&"1e-3".parse().unwrap(), range);
        let schema = one(3, 999_999);
        for k in 0..20_000 {
            let x = f64::from(k * 50 - 12_345) / 1e3;
            let y = x + bound * (f64::from(k % 201) / 100.0 - 1.0);
            if holds(x, y, bound) {
                let short = shortened(&schema, "max-error-rel 1e-3", y);
                assert!(holds(x, short, bound), "{x} became {y}, then {short}");
                assert!(format!("{short}").len() <= 8, "{short}");
            }
        }
    }

    #[test]
    fn numbers_stay_as_they_are_where_nothing_is_known() {
        let y = 0.123_456_789_012_345_67;
        assert_eq!(shortened(&one(3, 1000), "lossless", y), y);
        assert_eq!(shortened(&one(3, 1000), "row-nmse 0.1", y), y);
        assert_eq!(shortened(&schema(vec![TextColumn::default()]), "max-error-rel 0.01", y), y);
        assert_eq!(shortened(&Schema::new(DType::F64, &[1]), "max-error 0.01", y), y);
        assert_eq!(shortened(&one(3, 1000), "max-error 0", y), y);
        assert_eq!(shortened(&one(3, 1000), "nmse 0.01", y), 0.123_457);
        assert!(shortened(&one(3, 1000), "max-error 0.01", f64::NAN).is_nan());
        assert_eq!(shortened(&one(3, 1000), "max-error 0.01", f64::INFINITY), f64::INFINITY);
        assert_eq!(shortened(&one(22, 1000), "max-error 0.01", 1e300), 1e300);
    }

    #[test]
    fn fill_values_stay_as_they_are() {
        let fill = -9_999.123_456_f64;
        let mut schema = schema(vec![TextColumn::default()]);
        assert_eq!(shortened(&schema, "max-error 1", fill), -9999.1235);
        schema.fill_values = FillValues::from_bits(vec![fill.to_bits()]);
        assert_eq!(shortened(&schema, "max-error 1", fill), fill);
    }

    #[test]
    fn the_encoder_leaves_room_for_numbers_of_many_digits() {
        let y = 0.123_456_789_012_345_67;
        let ranged = |range: f64| {
            schema(vec![TextColumn { range: range_exponent(range), ..TextColumn::default() }])
        };
        assert_eq!(shortened(&ranged(1.0), "max-error 0.01", y), 0.123_457);
        assert_eq!(shortened(&one(10, 0), "max-error 0.01", y), 0.123_457);
        assert_eq!(shortened(&ranged(60.0), "max-error-rel 0.001", 100.0 + y), 100.12346);
        assert_eq!(shortened(&ranged(60.0), "nmse 0.01", y), 0.123_456_789);
        for (schema, promise) in [
            (ranged(1.0), "max-error 0.01"),
            (one(10, 0), "max-error 0.01"),
            (one(10, 123_456_789_012), "max-error-rel 0.001"),
            (ranged(12.5), "max-error-rel 0.001"),
        ] {
            let (kind, number) = promise.split_once(' ').unwrap();
            let promise = Fidelity::parse(kind, number).unwrap();
            let bound = if kind == "max-error" { 0.01 } else { 0.0125 };
            let mut bounds = [bound];
            leave_room(&schema, &promise, &mut bounds);
            assert!(bounds[0] < bound && bounds[0] > 0.999 * bound, "{promise}: {bounds:?}");
            for k in 0..1000 {
                let y = f64::from(k) / 7.0;
                let short = shortened(&schema, &promise.to_string(), y);
                assert!(holds(y + bounds[0], short, bound) && holds(y - bounds[0], short, bound));
            }
        }
    }
}
