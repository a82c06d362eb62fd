//! In which order tiles are coded: along the axis in which neighbours are most alike.

use super::rows::{Array, TiledRows};
use crate::codec::fill::is_ordinary;
use crate::codec::value::{Cell, with_cell};
use crate::encode::project::cells;
use crate::error::Result;
use crate::fit::data::sample::Sample;
use crate::matrix::{FillValues, Tiling, patch_along};

/// Values that are looked at for each axis.
const LOOKED_AT: usize = 1 << 14;
/// Tiles that follow each other and are compared.
const RUN: usize = 8;
/// How much more alike tiles must be along another axis than along the last: slices of the array are
/// in more blocks then.
const MORE_ALIKE: f64 = 0.9;

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

/// Returns the orders that tiles may have, one or more: along each axis with several, the last one first.
///
/// # Errors
/// `Argument` as [`Tiling::new`].
pub(super) fn orders((shape, view): (&[usize], &[usize]), tile: &[usize]) -> Result<Vec<Tiling>> {
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
    let tiles = TiledRows::new(array, tiling.clone())?;
    let sample = Sample::draw_runs(&tiles, LOOKED_AT, RUN)?;
    let (width, fills) = (sample.schema.width(), &sample.schema.fill_values);
    let (mut sum, mut count) = (0.0, 0);
    for run in sample.split() {
        let (own, n) =
            with_cell!(sample.schema.dtype, T => differences(&cells::<T>(run), width, fills));
        sum += own;
        count += n;
    }
    Ok(sum / count.max(1) as f64)
}

/// Returns the sum of the differences of values `lag` apart, and how many they are.
pub(super) fn differences<T: Cell>(values: &[T], lag: usize, fills: &FillValues) -> (f64, usize) {
    let pairs = values.iter().zip(values.get(lag..).unwrap_or(&[]));
    let both = |(a, b): &(&T, &T)| is_ordinary(**a, fills) && is_ordinary(**b, fills);
    pairs
        .filter(both)
        .fold((0.0, 0), |(sum, n), (a, b)| (sum + (a.to_f64() - b.to_f64()).abs(), n + 1))
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
