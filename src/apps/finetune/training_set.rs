//! Rows to learn from, as the stack is given them.

use super::answers::Wanted;
use crate::apps::encoding::Encoding;
use crate::apps::values;
use crate::error::Result;
use crate::matrix::Rows;

/// Rows to learn from.
pub(super) struct TrainingSet {
    /// What the stack is given: rows × inputs.
    pub(super) inputs: Vec<f32>,
    /// What the head is to give for them.
    pub(super) wanted: Wanted,
    /// The number of rows whose label is their own; those behind have pseudo-labels.
    pub(super) labelled: usize,
}

/// What the stack is given for the rows at the places `which`, ascending, of which those are left out of which nothing is
/// seen: a transformer sees patches that have all their values.
pub(super) fn inputs(
    encoding: &Encoding,
    rows: &dyn Rows,
    which: &mut Vec<usize>,
) -> Result<Vec<f32>> {
    let width = rows.schema().width();
    let mut out = Vec::new();
    let mut next = which.iter().copied().peekable();
    for part in values::parts(rows.len(), width) {
        let values = values::read(rows, part.clone())?;
        let mut own = Vec::new();
        while let Some(i) = next.next_if(|i| part.contains(i)) {
            let at = (i - part.start) * width;
            own.extend_from_slice(&values[at..at + width]);
        }
        out.extend(encoding.inputs(&own));
    }
    let is_seen: Vec<bool> =
        out.chunks_exact(encoding.width()).map(|row| !row[0].is_nan()).collect();
    let mut seen = is_seen.iter();
    which.retain(|_| seen.next() == Some(&true));
    let mut at = 0..;
    out.retain(|_| at.next().is_some_and(|at: usize| is_seen[at / encoding.width()]));
    Ok(out)
}
