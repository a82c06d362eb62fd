//! Values that recur exactly, far more often than those beside them.

use crate::codec::value::{Cell, with_cell};
use crate::container::model::{Grid, MAX_ATOMS};
use crate::encode::encoder::BlockEncoder;
use crate::encode::project::cells;
use crate::fit::data::columns::{ColumnPlan, on_grid, plan_alike};
use crate::fit::data::sample::Sample;
use std::collections::HashMap;

/// Values that are looked at.
const LOOKED_AT: usize = 1 << 17;
/// Share of all values that an atom has at least: naming it costs every other value a little.
const LEAST_SHARE: f64 = 0.03;
/// Relative difference of two columns' steps that are taken for the same.
const ALIKE: f64 = 0.02;
/// How many times as often as the more frequent of its neighbours it occurs at least.
const PROMINENCE: f64 = 3.0;

/// Returns the integers, in steps of `grid`, at which atoms of the sample lie, most frequent first;
/// `base` is the integer that all columns count from.
pub(super) fn find(sample: &Sample, grid: &Grid, base: i64) -> Vec<i64> {
    with_cell!(sample.schema.dtype, T => find_in::<T>(sample, grid, base))
}

/// Lets `columns` count in the same steps and returns the integers of atoms, where the sample has any and
/// the columns' steps hardly differ.
pub(crate) fn share_grid(sample: &Sample, columns: &mut [ColumnPlan]) -> Vec<i64> {
    let Some(plan) = plan_alike(sample, columns) else { return Vec::new() };
    let alike = |c: &ColumnPlan| c.scale > 0.0 && (c.scale / plan.scale - 1.0).abs() < ALIKE;
    let usable = columns.iter().filter(|c| alike(c)).count() * 10 >= columns.len() * 9;
    if columns.len() < 2 || !usable || plan.grid.value_is_ordered() {
        return Vec::new();
    }
    let base = whole_base(&plan);
    let atoms = find(sample, &plan.grid, base);
    if !atoms.is_empty() {
        columns.iter_mut().for_each(|c| *c = on_grid(c, &plan, sample.schema.dtype));
    }
    atoms
}

/// The base of columns that count alike: a whole number of steps from 0, which then can be had exactly.
pub(super) fn whole_base(plan: &ColumnPlan) -> i64 {
    let step = (plan.grid.step as i64).max(1);
    plan.base.div_euclid(step).wrapping_mul(step)
}

fn find_in<T: Cell>(sample: &Sample, grid: &Grid, base: i64) -> Vec<i64> {
    let all: Vec<T> = cells(&sample.bytes);
    let step = all.len().div_ceil(LOOKED_AT).max(1) | 1;
    let fills = &sample.schema.fill_values;
    let mut counts: HashMap<i64, usize> = HashMap::new();
    let mut total = 0_usize;
    for x in all.iter().step_by(step).filter(|x| x.is_ordinary() && !fills.contains(**x)) {
        if let Some(k) = BlockEncoder::nearest_step(grid, base, *x) {
            *counts.entry(k).or_default() += 1;
        }
        total += 1;
    }
    let of = |k: i64| counts.get(&k).copied().unwrap_or(0) as f64;
    let mut found: Vec<(usize, i64)> = counts
        .iter()
        .filter(|(k, n)| {
            let beside = (1..=2).flat_map(|d| [k.saturating_sub(d), k.saturating_add(d)]);
            let most = beside.map(of).fold(0.0, f64::max);
            **n as f64 > LEAST_SHARE * total as f64 && **n as f64 > PROMINENCE * most
        })
        .map(|(k, n)| (*n, *k))
        .collect();
    found.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    found.truncate(MAX_ATOMS);
    let to_integer = |k: i64| base.wrapping_add(k.wrapping_mul(grid.step as i64));
    found.into_iter().map(|(_, k)| to_integer(k)).collect()
}
