//! What all codecs under some bounds share: how columns count, and the components that latents are made of.

use crate::fit::data::columns::{ColumnPlan, Tolerance, normaliser, plan};
use crate::fit::data::components::{Basis, Components};
use crate::fit::data::sample::Sample;
use crate::fit::neighbours::atoms;
use crate::fit::search::rank::components;

/// Rows of a sample for each latent, at least, where the file has others: a codec that knows some rows
/// by heart seems small on them and is not on the rest.
const ROWS_PER_LATENT: usize = 8;

/// What all codecs under some bounds share.
pub(super) struct Planned {
    pub(super) columns: Vec<ColumnPlan>,
    /// The rows in the columns' units.
    pub(super) normalised: Vec<f32>,
    pub(super) components: Components,
    /// Integers of values that recur exactly.
    pub(super) atoms: Vec<i64>,
}

/// Plans columns for `bounds`; they share a grid where the rows have atoms, if these are looked for.
pub(super) fn planned(
    sample: &Sample,
    bounds: Vec<f64>,
    basis: Option<&Basis>,
    looks_for_atoms: bool,
) -> Planned {
    let mut columns = plan(sample, &Tolerance::Bounds(bounds));
    let atoms = match looks_for_atoms {
        true => atoms::share_grid(sample, &mut columns),
        false => Vec::new(),
    };
    let normalised = normaliser(&columns).normalise(
        sample.schema.dtype,
        &sample.schema.fill_values,
        &sample.bytes,
    );
    let mut components = components(&normalised, &columns, basis);
    if !sample.is_whole() {
        components.truncate(sample.rows() / ROWS_PER_LATENT);
        if sample.rows() < columns.len() {
            components.truncate(borne_out(sample, &normalised, &columns, basis));
        }
    }
    Planned { columns, normalised, components, atoms }
}

/// Returns how many components of every other run say as much of the runs between: rows that lie beside each
/// other may be so alike that they are no more than one.
fn borne_out(
    sample: &Sample,
    normalised: &[f32],
    columns: &[ColumnPlan],
    basis: Option<&Basis>,
) -> usize {
    let mut halves = [Vec::new(), Vec::new()];
    let mut rest = normalised;
    for (at, rows) in sample.runs.iter().enumerate() {
        let (run, after) = rest.split_at(rows * columns.len());
        halves[at % 2].extend_from_slice(run);
        rest = after;
    }
    components(&halves[0], columns, basis).borne_out_by(&halves[1])
}
