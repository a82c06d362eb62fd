//! Sums of atoms: values that are named are as many integers from their columns' bases.

use crate::container::model::{Grid, ModelRecord, Value};

/// Sums of atoms that are kept, at most: 8 MiB of them.
const MOST_ATOM_SUMS: usize = 1 << 20;

/// Returns the sums of atoms in each column, atom after atom, if they are to be kept.
pub(super) fn atom_sums(record: &ModelRecord, atoms: &[i64]) -> Vec<i64> {
    if record.latents() > 0 || atoms.len() * record.width() > MOST_ATOM_SUMS {
        return Vec::new();
    }
    let columns = || record.base.iter().zip(&record.grid_of);
    let of = |k: &i64| {
        let k = *k;
        columns().map(move |(base, grid)| atom_sum(k, *base, &record.grids[*grid]))
    };
    atoms.iter().flat_map(of).collect()
}

/// Returns sums of atoms in 32 bits, behind as many for no atom.
pub(super) fn short_sums(width: usize, sums: &[i64]) -> Vec<i32> {
    match sums.is_empty() {
        true => Vec::new(),
        false => {
            let short = |v: &i64| (*v).clamp(i64::from(i32::MIN) + 1, i64::from(i32::MAX)) as i32;
            std::iter::repeat_n(0, width).chain(sums.iter().map(short)).collect()
        }
    }
}

/// Returns the sum of an atom, the integer `k`, in a column with `base`: the nearest in fine units,
/// upwards where two are as near.
#[inline(always)]
pub(crate) fn atom_sum(k: i64, base: i64, grid: &Grid) -> i64 {
    let difference = k.wrapping_sub(base);
    let ordered = matches!(grid.value, Value::Ordered { .. });
    if ordered || grid.step == 1 << grid.fraction {
        return difference;
    }
    // Nearly always there is room for the numbers below in 64 bits, which divide many times faster.
    let doubled = difference.checked_mul(2 << grid.fraction);
    if let Ok(step @ 1..=HALF_OF_MOST) = i64::try_from(grid.step)
        && let Some(sum) = doubled.and_then(|d| d.checked_add(step))
    {
        return sum.div_euclid(2 * step);
    }
    let fine = i128::from(difference) << grid.fraction;
    let step = i128::from(grid.step.max(1));
    let sum = (2 * fine + step).div_euclid(2 * step);
    sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// Twice this has 63 bits.
const HALF_OF_MOST: i64 = i64::MAX / 2;
