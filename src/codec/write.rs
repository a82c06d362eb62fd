//! The values of rows, from what was decoded of them.

use super::program::Program;
use super::short::{add_within, are_within, short_values};
use super::value::{Cell, values};
use crate::matrix::to_little_endian;

/// Computes the values of a row from predictions and residuals, as little-endian bytes. `room` has a
/// number for each of them.
pub(super) fn write<T: Cell>(
    program: &Program,
    (m, e): (&[i32], &[i64]),
    room: &mut [u64],
    out: &mut [u8],
) {
    let row = &mut bytemuck::cast_slice_mut::<u64, T>(room)[..m.len()];
    let is_predicted = e.iter().fold(0, |any, e| any | e) == 0;
    for (r, grid, limit) in program.short_runs() {
        let (m, row) = (&m[r.clone()], &mut row[r.clone()]);
        if is_predicted && limit > 0 && m.len() >= WORTH_A_CALL && are_within(limit, m) {
            // Predictions are added to bases as residuals are.
            short_values(grid, &program.short_base[r], m, row);
            continue;
        }
        let (short, base) = (&program.short_base[r.clone()], &program.record.base[r.clone()]);
        let chunks = m.chunks(SUMS).zip(e[r].chunks(SUMS)).zip(row.chunks_mut(SUMS));
        let bases = short.chunks(SUMS).zip(base.chunks(SUMS));
        for (((m, e), row), (short, base)) in chunks.zip(bases) {
            let sums = &mut [0; SUMS][..m.len()];
            match limit > 0 && m.len() >= WORTH_A_CALL && add_within(limit, (m, e), sums) {
                true => short_values(grid, short, sums, row),
                false => values::<T>(grid, base, m, e, row),
            }
        }
    }
    put(row, out);
}

/// Columns whose predictions and residuals are added together.
const SUMS: usize = 256;

/// Columns that are worth a call of [`short_values`].
const WORTH_A_CALL: usize = 8;

/// Computes the values of a row from sums of 32 bits, where nothing is predicted besides. `room` is room
/// for it.
pub(super) fn write_short<T: Cell>(
    program: &Program,
    sums: &[i32],
    room: &mut [u64],
    out: &mut [u8],
) {
    let row = &mut bytemuck::cast_slice_mut::<u64, T>(room)[..sums.len()];
    for (range, grid, limit) in program.short_runs() {
        let (e, row) = (&sums[range.clone()], &mut row[range.clone()]);
        if limit > 0 && e.len() >= WORTH_A_CALL && are_within(limit, e) {
            short_values(grid, &program.short_base[range], e, row);
            continue;
        }
        for ((out, &base), &e) in row.iter_mut().zip(&program.record.base[range]).zip(e) {
            *out = grid.value(base, 0, i64::from(e));
        }
    }
    put(row, out);
}

/// Puts a row as little-endian bytes.
fn put<T: Cell>(row: &[T], out: &mut [u8]) {
    if cfg!(target_endian = "little") {
        out.copy_from_slice(bytemuck::cast_slice(row));
    } else {
        out.copy_from_slice(&to_little_endian(row));
    }
}

/// Replaces values that are atoms, little-endian in `out`.
pub(super) fn put_atoms<T: Cell>(program: &Program, atoms: &[u8], out: &mut [u8]) {
    let Some(n) = &program.neighbours else { return };
    let m = &program.record;
    let cells = out.chunks_exact_mut(T::DTYPE.size()).zip(atoms).enumerate();
    for (at, (out, &atom)) in cells.filter(|(_, (_, atom))| **atom > 0) {
        let grid = &m.grids[m.grid_of[at % m.width()]];
        let value: T = grid.at(n.atoms[usize::from(atom) - 1]);
        out.copy_from_slice(&to_little_endian(&[value]));
    }
}
