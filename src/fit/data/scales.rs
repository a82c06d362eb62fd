//! Scales on which equal steps are equal shares of a number: which magnitude they begin at, and what
//! they count.

use crate::codec::compander::Compander;
use crate::codec::fill::is_ordinary;
use crate::codec::value::{Cell, with_cell};
use crate::container::compander::{CompanderRecord, MAX_MULTIPLE, MAX_SCALES, SHARE_BITS, Scale};
use crate::encode::project::cells;
use crate::fit::data::grid::{Multiple, detect};
use crate::fit::data::sample::Sample;
use crate::fit::data::spread::some_of_column;
use crate::matrix::{DType, Schema};
use std::collections::HashMap;
use std::sync::Arc;

/// Columns of a table, at most, of which each counts its own multiples: in longer rows all are alike.
const TABLE_COLUMNS: usize = 64;
/// Values of each scale that are looked at.
const LOOKED_AT: usize = 1 << 15;
/// One in so many values may be below a scale's least magnitude, and is stored exactly: a value that
/// happens to be next to nothing must not put all negative numbers far from all positive ones.
const ONE_IN: usize = 4096;
/// Places between numbers that must stay apart: a model is then off by half of them without a loss that
/// can be measured, 0.003 bits. Fewer where places are too many to be counted.
const CELLS: [u64; 3] = [513, 65, 9];
/// Floats below are multiples that a scale can count, whatever of: beyond, products have more than 53 bits.
const LARGEST_MULTIPLE: f64 = 4_503_599_627_370_496.0;
/// Share of the values whose neighbours need not stay apart from which on a scale is of use.
const OF_USE: f64 = 0.01;
/// Shares are rounded down, by this much in `2^-SHARE_BITS`.
const ROUNDING: u64 = 2;

/// What scales are to be like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The share of a number that it may be off by.
    pub(crate) share: f64,
    /// Whether all columns are to have the same scale, as those of tiles.
    pub(crate) alike: bool,
    /// Scales of a codec, which stay as they are.
    pub(crate) known: Option<&'a CompanderRecord>,
}

/// Finds scales for rows like those of a sample; `None` where they save nothing.
pub(crate) fn scales(sample: &Sample, wanted: Wanted<'_>) -> Option<Arc<Compander>> {
    with_cell!(sample.schema.dtype, T => of_cells::<T>(sample, wanted)).map(Arc::new)
}

/// Returns a sample as a model on these scales is to have it.
pub(crate) fn on_scales(sample: &Sample, scales: &Compander) -> Sample {
    let Sample { schema, bytes, .. } = sample;
    let bytes = scales.compress(schema.width(), bytes, &schema.fill_values);
    Sample { schema: Compander::inner(schema), bytes, ..sample.clone() }
}

fn of_cells<T: Cell>(sample: &Sample, wanted: Wanted<'_>) -> Option<Compander> {
    let cells: Vec<T> = cells(&sample.bytes);
    let record = match wanted.known {
        Some(known) => known.clone(),
        None => begin(&cells, &sample.schema, wanted),
    };
    let counts = record.scales.iter().any(|s| s.multiple.is_some());
    let share = share(T::DTYPE, wanted.share, counts)?;
    let make = |record: &CompanderRecord| {
        let with = |cells| CompanderRecord { cells, share, ..record.clone() };
        // Only what readers take.
        let proven = |record: &CompanderRecord| {
            CompanderRecord::decode(&record.encode(), sample.schema.width(), 0).is_ok()
        };
        let made = |cells| Some(with(cells)).filter(proven).map(|r| Compander::new(r, T::DTYPE));
        CELLS.into_iter().find_map(|cells| made(cells)?.ok())
    };
    let first = make(&record)?;
    let magnitudes = magnitudes(&first, &cells, sample);
    let all =
        || magnitudes.iter().enumerate().flat_map(|(at, own)| own.iter().map(move |m| (at, *m)));
    let of_use = all().filter(|(at, m)| first.is_coarse(*at, *m)).count();
    if (of_use as f64) < OF_USE * all().count().max(1) as f64 {
        return None;
    }
    let mut record = first.record.clone();
    if wanted.known.is_none() {
        for (scale, own) in record.scales.iter_mut().zip(&magnitudes) {
            scale.least = own.get(own.len() / ONE_IN).copied().unwrap_or(1);
        }
    }
    make(&record)
}

/// Returns scales that begin at 1.
fn begin<T: Cell>(cells: &[T], schema: &Schema, wanted: Wanted<'_>) -> CompanderRecord {
    let width = schema.width();
    let by_column =
        !wanted.alike && width > 1 && width <= TABLE_COLUMNS && schema.row_shape.len() == 1;
    let exact = share(T::DTYPE, wanted.share, true).is_some();
    let multiple = |values: &[T]| {
        let found = detect(values).filter(|_| exact);
        let Multiple { numerator, denominator } = found?;
        let is_countable = match T::DTYPE.is_float() {
            true => {
                let products = |x: &T| x.to_f64().abs() * denominator as f64;
                values.iter().filter(|x| x.is_ordinary()).all(|x| products(x) < LARGEST_MULTIPLE)
            }
            false => numerator > 1,
        };
        let fits = numerator.max(denominator) <= MAX_MULTIPLE;
        (is_countable && fits).then_some((numerator, denominator))
    };
    let mut record =
        CompanderRecord { cells: 1, share: 1, scales: Vec::new(), scale_of: Vec::new() };
    if !by_column {
        let step = cells.len().div_ceil(LOOKED_AT).max(1) | 1;
        let ordinary = |x: &T| is_ordinary(*x, &schema.fill_values);
        let some: Vec<T> = cells.iter().step_by(step).copied().filter(ordinary).collect();
        record.scales.push(Scale { least: 1, multiple: multiple(&some) });
        return record;
    }
    let mut known = HashMap::new();
    for j in 0..width {
        let own = multiple(&some_of_column(cells, &schema.fill_values, width, j, LOOKED_AT));
        let next = known.len();
        let at = *known.entry(own).or_insert(next);
        if at == next {
            record.scales.push(Scale { least: 1, multiple: own });
        }
        record.scale_of.push(at as u8);
    }
    if record.scales.len() == 1 {
        record.scale_of.clear();
    }
    debug_assert!(record.scales.len() <= MAX_SCALES);
    record
}

/// Returns the share that scales have so that numbers are off by `share` at most; `None` where that is
/// next to nothing. Multiples are rounded once more, to the type.
fn share(dtype: DType, share: f64, counts: bool) -> Option<u64> {
    let rounding = match dtype {
        DType::F16 => f64::powi(2.0, -9),
        DType::F32 => f64::powi(2.0, -22),
        DType::F64 => f64::powi(2.0, -51),
        _ => 0.0,
    };
    let share = if counts { share - rounding } else { share };
    // The logarithm of 1 + share is no less.
    let step = 2.0 * share / (2.0 + share) * (1_u64 << SHARE_BITS) as f64;
    (step as u64).checked_sub(ROUNDING).filter(|&s| s > 0)
}

/// Returns some magnitudes on each scale, those of zeros aside, in ascending order.
fn magnitudes<T: Cell>(scales: &Compander, cells: &[T], sample: &Sample) -> Vec<Vec<u64>> {
    let (width, fills) = (sample.schema.width(), &sample.schema.fill_values);
    let mut all = vec![Vec::new(); scales.record.scales.len()];
    // An odd distance meets all columns.
    let step = cells.len().div_ceil(LOOKED_AT * all.len()).max(1) | 1;
    for (i, x) in cells.iter().enumerate().step_by(step) {
        if is_ordinary(*x, fills)
            && let Some((at, magnitude)) = scales.magnitude(i % width, *x).filter(|m| m.1 > 0)
        {
            all[at].push(magnitude);
        }
    }
    all.iter_mut().for_each(|own: &mut Vec<u64>| own.sort_unstable());
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    fn of<T: Cell>(values: &[T], width: usize, share: f64) -> Option<Arc<Compander>> {
        let sample = Sample::draw(&Matrix::from_slice(values, &[width]).unwrap(), 1 << 20).unwrap();
        scales(&sample, Wanted { share, alike: false, known: None })
    }

    #[test]
    fn scales_begin_where_values_do_and_count_what_they_are_multiples_of() {
        let rain = |i: i32| if i % 3 == 0 { 0.0 } else { f64::from(i % 997).exp2().sqrt() };
        let pairs: Vec<f64> =
            (0..6000).flat_map(|i| [rain(i), f64::from(i % 700) / 10.0]).collect();
        let found = of(&pairs, 2, 0.01).unwrap();
        let [first, second] = found.record.scales[..] else { panic!("{found:?}") };
        assert_eq!((first.multiple, second.multiple), (None, Some((1, 10))));
        assert_eq!((f64::from_bits(first.least) as i32, second.least), (1, 1));
        assert_eq!(found.record.scale_of, [0, 1]);
    }

    #[test]
    fn where_all_numbers_must_stay_apart_there_is_no_scale() {
        let noise: Vec<f32> = (0..4000).map(|i| (i as f32 * 12.9898).sin()).collect();
        assert!(of(&noise, 4, 1e-9).is_none() && of(&noise, 4, 0.0).is_none());
        assert!(of(&noise, 4, 1e-5).is_some());
        // Multiples of a large number are more than can be counted.
        let large: Vec<f32> = (1..4000).map(|i| (i * 7919 % 40_000) as f32 * 1e15).collect();
        let coarse: Vec<f32> =
            large.iter().map(|x| (x * 2_f32.powi(-40)).round() * 2_f32.powi(40)).collect();
        let found = of(&coarse, 1, 0.01).unwrap();
        assert_eq!(found.record.scales[0].multiple, None);
        let ends: Vec<i64> = (0..4000).map(|i| if i % 3 == 0 { i64::MIN } else { 0 }).collect();
        assert!(of(&ends, 1, 0.1).is_none_or(|own| own.record.scales[0].multiple.is_none()));
        let counts: Vec<u16> = (0..4000).map(|i| i % 90).collect();
        assert!(of(&counts, 4, 0.01).is_none() && of(&counts, 4, 0.1).is_some());
        assert!(of(&[0.0_f32; 100], 4, 0.1).is_none() && of(&[f32::NAN; 100], 4, 0.1).is_none());
    }
}
