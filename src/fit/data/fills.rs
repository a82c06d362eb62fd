//! Values that stand for missing numbers, told from the rest by how far away they lie.

use crate::codec::value::{Cell, with_cell};
use crate::container::forever::MAX_FILLS;
use crate::encode::project::cells;
use crate::fit::data::sample::Sample;
use crate::matrix::{FillValues, bits};
use rayon::prelude::*;

/// Values of each column that are looked at: a fill value that is rarer than one in so many is
/// noticed where several columns have it.
const VALUES: usize = 1024;
/// Distance of a fill value from the value next to it, in distances of the other values' quartiles.
/// Codes such as -999 lie 10 or more away from temperatures, and peaks of skewed data do not occur
/// [`LEAST`] times with nothing between them and the rest.
const FAR: f64 = 10.0;
/// Times that a fill value occurs in the sample at least: an outlier seldom occurs again exactly.
const LEAST: usize = 3;
/// Different values of a column at least: of columns with fewer it cannot be said what is usual.
const DISTINCT: usize = 8;
/// Most fill values of a column.
const MOST: usize = 4;

/// What one column says.
#[derive(Default)]
struct Column {
    /// Values that may stand for missing numbers, and how often each occurs.
    far: Vec<(f64, usize)>,
    /// All other values, in order.
    usual: Vec<f64>,
}

/// Returns the values of `sample` that occur again and again, exactly, and far from all others of
/// their columns.
pub(crate) fn detect(sample: &Sample) -> FillValues {
    with_cell!(sample.schema.dtype, T => {
        let cells: Vec<T> = cells(&sample.bytes);
        FillValues::from_bits(
            detect_cells(&cells, sample.schema.width()).into_iter().map(bits).collect(),
        )
    })
}

fn detect_cells<T: Cell>(cells: &[T], width: usize) -> Vec<T> {
    let rows = cells.len() / width.max(1);
    let finite = |x: &T| x.is_ordinary().then(|| x.to_f64());
    // Where rows have more values than columns have, as fields do, a row's values are alike.
    let columns: Vec<Column> = if width > rows {
        let every = width.div_ceil(VALUES);
        let row = |row: &[T]| column(row.iter().step_by(every).filter_map(finite).collect());
        cells.par_chunks(width).map(row).collect()
    } else {
        let every = rows.div_ceil(VALUES).max(1) * width;
        let own = |j| column(cells.iter().skip(j).step_by(every).filter_map(finite).collect());
        (0..width).into_par_iter().map(own).collect()
    };
    let mut out: Vec<(f64, usize)> = Vec::new();
    for (value, count) in columns.iter().flat_map(|c| &c.far) {
        match out.iter_mut().find(|o| o.0 == *value) {
            Some(known) => known.1 += count,
            None => out.push((*value, *count)),
        }
    }
    let is_usual = |x: f64| {
        let holds = |c: &Column| c.usual.binary_search_by(|v| v.total_cmp(&x)).is_ok();
        columns.iter().any(|c| has_many_values(&c.usual) && holds(c))
    };
    out.retain(|(value, count)| *count >= LEAST && !is_usual(*value));
    // Integers of 64 bits that are near each other are the same `f64`.
    out.truncate(MAX_FILLS);
    out.into_iter()
        .map(|o| T::from_float(o.0))
        .filter(|value| {
            cells.iter().all(|x| x.to_f64() != value.to_f64() || x.to_order() == value.to_order())
        })
        .collect()
}

/// Takes values from both ends of a column for as long as they lie far from the rest.
fn column(mut usual: Vec<f64>) -> Column {
    usual.sort_unstable_by(f64::total_cmp);
    let mut far = Vec::new();
    while far.len() < MOST {
        let first = usual.first().map_or(0, |x| usual.iter().take_while(|v| *v == x).count());
        let last = usual.last().map_or(0, |x| usual.iter().rev().take_while(|v| *v == x).count());
        let n = usual.len();
        if n - last > 0 && is_far(usual[n - 1], usual[n - last - 1], &usual[..n - last]) {
            far.push((usual[n - 1], last));
            usual.truncate(n - last);
        } else if n - first > 0 && is_far(usual[0], usual[first], &usual[first..]) {
            far.push((usual[0], first));
            usual.drain(..first);
        } else {
            break;
        }
    }
    Column { far, usual }
}

/// Whether `value`, next to which `next` lies, is far from `rest`, in order.
fn is_far(value: f64, next: f64, rest: &[f64]) -> bool {
    if !has_many_values(rest) {
        return false;
    }
    // Halves, because the distance of two numbers may be none.
    let half = |a: f64, b: f64| (a / 2.0 - b / 2.0).abs();
    let quartiles = half(rest[rest.len() / 4], rest[rest.len() * 3 / 4]);
    let all = half(rest[0], rest[rest.len() - 1]);
    let usual = if quartiles > 0.0 { quartiles } else { all };
    half(value, next) > FAR * usual
}

/// Whether `values`, in order, are of so many kinds that it can be said what is usual.
fn has_many_values(values: &[f64]) -> bool {
    values.windows(2).filter(|w| w[0] != w[1]).take(DISTINCT - 1).count() + 1 >= DISTINCT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    /// 500 rows of two columns near 280, some values replaced by `fill` says.
    fn rows(fill: impl Fn(usize) -> Option<f32>) -> Vec<f32> {
        let mut rng = Rng::new(1);
        (0..1000).map(|at| fill(at).unwrap_or(280.0 + 5.0 * rng.normal())).collect()
    }

    fn found(fill: impl Fn(usize) -> Option<f32>) -> Vec<f32> {
        let mut found = detect_cells::<f32>(&rows(fill), 2);
        found.sort_by(f32::total_cmp);
        found
    }

    #[test]
    fn values_far_away_that_recur_are_found() {
        let fill = |x: f32, every: usize| move |at: usize| at.is_multiple_of(every).then_some(x);
        for x in [1e20, -999.0, 9.97e36, f32::MAX, f32::MIN] {
            for every in [3, 7, 100] {
                assert_eq!(found(fill(x, every)), [x], "{x} {every}");
            }
        }
        let all = [-9999.0, 1e20, -999.0];
        let both = |at: usize| all.get(at % 23).copied();
        assert_eq!(found(both), [-9999.0, -999.0, 1e20]);
        let counts: Vec<i16> =
            (0..600).map(|i| if i % 7 == 0 { -32768 } else { 200 + i % 50 }).collect();
        assert_eq!(detect_cells::<i16>(&counts, 1), [-32768]);
        let mut times: Vec<i64> =
            (0..600).map(|i| if i % 7 == 0 { i64::MIN } else { 200 + i % 50 }).collect();
        assert_eq!(detect_cells::<i64>(&times, 1), [i64::MIN]);
        // The same `f64`, but not the same value.
        times[70] += 1;
        assert!(detect_cells::<i64>(&times, 1).is_empty());
    }

    #[test]
    fn what_is_usual_is_none() {
        assert!(found(|_| None).is_empty());
        // Two wild values that differ, one that occurs twice, and a peak not so far away.
        assert!(
            found(|at| [(10, 1e20), (21, 2e20)].iter().find(|w| w.0 == at).map(|w| w.1)).is_empty()
        );
        assert!(found(|at| (at == 5 || at == 90).then_some(1e20)).is_empty());
        assert!(found(|at| at.is_multiple_of(50).then_some(320.0)).is_empty());
        // A value that is usual in the other column.
        let mut shared = rows(|_| None);
        shared.chunks_mut(2).for_each(|row| row[1] *= 1e6);
        let usual = shared[1];
        (0..200).step_by(10).for_each(|at| shared[at] = usual);
        assert!(detect_cells::<f32>(&shared, 2).is_empty());
        // Flags, counts with many zeros, and a number that is always the same.
        let flags: Vec<u8> = (0..900).map(|i| u8::from(i % 9 == 0) * 255).collect();
        assert!(detect_cells::<u8>(&flags, 3).is_empty());
        let counts: Vec<f64> =
            (0..999_u32).map(|i| f64::from((i * i % 97).saturating_sub(80))).collect();
        assert!(detect_cells::<f64>(&counts, 1).is_empty());
        assert!(detect_cells::<f64>(&[7.0; 100], 1).is_empty());
    }
}
