//! Predictions that weigh more than the sums of neighbours: residuals, and sums farther to the left.

use super::file::Parts;
use super::neighbours::{Made, atom_table, moved, neighbours, own, record};
use super::records::{Random, integer, ladder, linear, with_latents};
use crate::container::model::{NEIGHBOURS, Neighbours, TERMS};
use crate::matrix::DType;

/// Coefficients of groups of columns, `width` in all, for a few neighbours and all that lies further.
fn weighed(distances: [usize; 3], width: usize, seed: u64) -> Neighbours {
    let mut n = neighbours(distances);
    let mut random = Random(seed);
    n.group_of = (0..width).map(|j| j * j % 3).collect();
    for at in [0, 3, 6].into_iter().chain(NEIGHBOURS..TERMS) {
        n.coefficients[at] = random.list(3, 40);
    }
    n
}

/// Two lines of a picture, not all of whose columns have as much to the left.
fn in_lines() -> Parts {
    let mut n = weighed([1, 13, 0], 26, 130);
    n.atoms = vec![-60, 7];
    let m = record(26, vec![linear(0.0, 0.1, 6)]);
    Made::new((DType::F32, &[2, 13]), m, n, (22, 9, 131))
        .blocks(&[3, 19])
        .trees((21, &[2, 3]), (61, &[own(0), own(1), moved(2)]))
        .parts()
}

/// Rows before, some of them a line before, and latents.
fn in_rows_before() -> Parts {
    let mut m = record(11, vec![integer(1, 2, 4)]);
    m.tables.push(ladder(0, 16));
    let m = with_latents(m, &[300, 40], 4, 3, Random(132).list(22, 60));
    let mut n = weighed([2, 0, 0], 11, 133);
    n.coefficients[7] = vec![50, -20, 3];
    n.line_of_rows = 5;
    Made::new((DType::I32, &[11]), m, n, (40, 9, 134))
        .trees((1, &[2]), (61, &[own(0), own(1), moved(2)]))
        .parts()
}

/// As much as may be weighed, of residuals and sums at their limits.
fn at_limits() -> Parts {
    let mut m = record(10, vec![integer(1, 2, 4), integer(1, 32, 3)]);
    m.grid_of = (0..10).map(|j| j % 2).collect();
    m.tables.push(atom_table(&[30_000, 2_768]));
    m.classes.residual_tables = vec![1; 10];
    let mut n = neighbours([1, 0, 0]);
    let weight = |at: usize| [2426, -2426, 2427][at % 3];
    n.coefficients = (0..TERMS).map(|at| vec![weight(at)]).collect();
    n.coefficients[2] = vec![2418];
    let mut made = Made::new((DType::I64, &[10]), m, n, (18, 4, 135));
    let mut random = Random(136);
    for r in made.rows.iter_mut().flat_map(|row| &mut row.residuals) {
        *r = match random.around(2) {
            0 => random.around(i64::MAX / 2),
            n => random.around(1 << (20 * n.abs())),
        };
    }
    made.parts()
}

pub(super) fn valid() -> Vec<(&'static str, Parts)> {
    vec![
        ("neighbours-residuals-weighed", in_lines()),
        ("neighbours-residuals-weighed-in-rows-before", in_rows_before()),
    ]
}

pub(super) fn uncommon() -> Vec<(&'static str, Parts)> {
    vec![("neighbours-residuals-at-their-limits", at_limits())]
}
