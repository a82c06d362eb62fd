//! Rows to learn from, as the encoder's network is given them.

use super::answers::Wanted;
use crate::apps::model::nothing_hidden;
use crate::apps::values;
use crate::encode::codec_encoder::CodecEncoder;
use crate::error::Result;
use crate::matrix::Rows;

/// Rows to learn from.
pub(super) struct TrainingSet {
    /// What the encoder's network is given: rows × inputs.
    pub(super) inputs: Vec<f32>,
    /// What the head is to give for them.
    pub(super) wanted: Wanted,
    /// The number of rows whose label is their own; those behind have pseudo-labels.
    pub(super) labelled: usize,
}

/// What the encoder's network is given for the rows at the places `which`, ascending.
pub(super) fn inputs(encoder: &CodecEncoder, rows: &dyn Rows, which: &[usize]) -> Result<Vec<f32>> {
    let width = rows.schema().width();
    let mut out = Vec::new();
    let mut next = which.iter().copied().peekable();
    for part in values::parts(rows.len(), width) {
        let values = values::read(rows, part.clone())?;
        while let Some(i) = next.next_if(|i| part.contains(i)) {
            let at = (i - part.start) * width;
            out.extend(encoder.inputs(&values[at..at + width], &nothing_hidden));
        }
    }
    Ok(out)
}
