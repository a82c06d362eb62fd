//! In which order tiles are coded: along the axis in which neighbours are most alike.

use super::rows::{Array, TiledRows};
use crate::codec::fill::is_ordinary;
use crate::codec::value::{Cell, with_cell};
use crate::encode::project::cells;
use crate::error::Result;
use crate::fit::data::sample::Sample;
use crate::matrix::{FillValues, Tiling, patch_along};

/// Values that are looked at for each axis, and where it may be ruled out by them.
const LOOKED_AT: usize = 1 << 14;
const MANY_LOOKED_AT: usize = 1 << 17;
/// Tiles that follow each other and are compared.
const RUN: usize = 8;
/// How much more alike tiles must be along another axis than along the last: slices of the array are
/// in more blocks then.
const MORE_ALIKE: f64 = 0.9;
/// How much less alike than along the last axis tiles may be along another for files in both orders to be
/// compared: with less, the other seldom makes a smaller one.
const LESS_ALIKE: f64 = 1.1;

/// Cuts an array of one shape, seen in another, into tiles, whose order it finds.
///
/// # Errors
/// `Argument` as [`Tiling::new`]; `Io` if rows cannot be read.
pub(super) fn ordered(
    array: &Array<'_>,
    (shape, view): (&[usize], &[usize]),
    tile: &[usize],
) -> Result<Tiling> {
    let mut orders = orders((shape, view), tile)?;
    let mut best = orders.remove(0);
    if orders.is_empty() {
        return Ok(best);
    }
    let mut least = MORE_ALIKE * apart(array, &best)?;
    for other in orders {
        let own = apart(array, &other)?;
        if own < least {
            (least, best) = (own, other);
        }
    }
    Ok(best)
}

/// Returns the orders of tiles of which one makes the smallest file, one or more, the last axis first.
///
/// # Errors
/// As [`ordered`].
pub(super) fn likely_orders(
    array: &Array<'_>,
    shapes: (&[usize], &[usize]),
    tile: &[usize],
) -> Result<Vec<Tiling>> {
    let mut orders = orders(shapes, tile)?;
    let mut likely = vec![orders.remove(0)];
    if orders.is_empty() {
        return Ok(likely);
    }
    let most = LESS_ALIKE * usually_apart(array, &likely[0])?;
    for other in orders {
        if usually_apart(array, &other)? <= most {
            likely.push(other);
        }
    }
    Ok(likely)
}

/// Returns the orders that tiles may have, one or more: along each axis with several, the last one first.
///
/// # Errors
/// `Argument` as [`Tiling::new`].
fn orders((shape, view): (&[usize], &[usize]), tile: &[usize]) -> Result<Vec<Tiling>> {
    let along_last = Tiling::new(shape, view, tile)?;
    let grid = along_last.grid().to_vec();
    let axes: Vec<usize> = (0..view.len()).filter(|&k| grid[k] > 1).rev().skip(1).collect();
    let others = axes
        .into_iter()
        .map(|along| Tiling::with_patch(shape, view, tile, &patch_along(&grid, along)));
    std::iter::once(Ok(along_last)).chain(others).collect()
}

/// Returns the mean difference of values in the same place of tiles that follow each other.
fn apart(array: &Array<'_>, tiling: &Tiling) -> Result<f64> {
    let (mut sum, mut count) = (0.0, 0_usize);
    each_difference(array, tiling, LOOKED_AT, &mut |own| (sum, count) = (sum + own, count + 1))?;
    Ok(sum / count.max(1) as f64)
}

/// Returns the median of such differences: those between one quantity and another that follows it along
/// some axis do not count by how large they are.
fn usually_apart(array: &Array<'_>, tiling: &Tiling) -> Result<f64> {
    let mut all = Vec::new();
    each_difference(array, tiling, MANY_LOOKED_AT, &mut |own| all.push(own))?;
    let middle = all.len() / 2;
    Ok(if all.is_empty() { 0.0 } else { *all.select_nth_unstable_by(middle, f64::total_cmp).1 })
}

/// Visits differences of some values in the same place of tiles that follow each other.
fn each_difference(
    array: &Array<'_>,
    tiling: &Tiling,
    values: usize,
    visit: &mut dyn FnMut(f64),
) -> Result<()> {
    let tiles = TiledRows::new(array, tiling.clone())?;
    let sample = Sample::draw_runs(&tiles, values, RUN)?;
    let (width, fills) = (sample.schema.width(), &sample.schema.fill_values);
    for run in sample.split() {
        with_cell!(sample.schema.dtype, T => {
            differences(&cells::<T>(run), width, fills).for_each(&mut *visit);
        });
    }
    Ok(())
}

/// Returns how much values differ that are `lag` apart.
pub(super) fn differences<'a, T: Cell>(
    values: &'a [T],
    lag: usize,
    fills: &'a FillValues,
) -> impl Iterator<Item = f64> + 'a {
    let pairs = values.iter().zip(values.get(lag..).unwrap_or(&[]));
    let both = move |(a, b): &(&T, &T)| is_ordinary(**a, fills) && is_ordinary(**b, fills);
    pairs.filter(both).map(|(a, b)| (a.to_f64() - b.to_f64()).abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    #[test]
    fn tiles_follow_each_other_along_the_axis_in_which_they_are_alike() {
        let shape = [40, 32, 32];
        let alike_along = |axis: usize| {
            let value = |i: usize| {
                let place = [i / 1024, i / 32 % 32, i % 32];
                let others = place.iter().enumerate().filter(|(k, _)| *k != axis);
                others.map(|(_, p)| p * p % 31).sum::<usize>() as f32
            };
            let values: Vec<f32> = (0..40 * 1024).map(value).collect();
            let rows = Matrix::from_slice(&values, &[32, 32]).unwrap();
            let array = Array::new(&rows, u64::MAX).unwrap();
            ordered(&array, (&shape, &shape), &[1, 4, 4]).unwrap().patch().to_vec()
        };
        assert_eq!(alike_along(0), [32, 1, 1]);
        assert_eq!(alike_along(1), [1, 8, 1]);
        assert_eq!(alike_along(2), [1, 1, 8]);
    }
}
