//! What came of a compression.

use crate::codec::fill::numbers;
use crate::container::model::ModelRecord;
use crate::encode::blocks::Totals;
use crate::encode::encoder::BlockEncoder;
use crate::fidelity::Fidelity;
use crate::fit::history::History;
use crate::matrix::{Rows, Schema};
use crate::quality::Quality;

/// What was written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Rows written.
    pub rows: u64,
    /// Bytes that the rows take in memory, in the type that they have.
    pub bytes_in: u64,
    /// Bytes of the whole file.
    pub bytes_out: u64,
    /// Bytes of the model in it; 0 where all values are stored exactly.
    pub model_bytes: u64,
    /// Of these, bytes of the decoder: all but the tables of the entropy coder.
    pub decoder_bytes: u64,
    /// The promise that was asked for and is kept.
    pub promised: Fidelity,
    /// The quality that was reached, measured on the decoded values while encoding.
    pub measured: Quality,
    /// Numbers that stand for missing values; they are kept and not part of `measured`.
    pub fill_values: Vec<f64>,
    /// Number of latents of a row.
    pub latents: usize,
    /// Units of each hidden layer of the decoder, from latents to row; empty for the linear codec.
    pub hidden: Vec<usize>,
    /// Number of row classes.
    pub classes: usize,
    /// Number of values stored exactly: special ones, and those that no step could bring within the
    /// bound.
    pub exact_values: u64,
    /// How training went, if it was with a textbook objective.
    pub training: Option<History>,
}

/// A codec that rows were encoded with, and the size of its model.
#[derive(Debug)]
pub(super) struct UsedCodec {
    pub(super) encoder: BlockEncoder,
    /// Bytes of the model, and of the decoder in it.
    pub(super) model_bytes: usize,
    pub(super) decoder_bytes: usize,
}

impl Report {
    /// What came of encoding all rows into `bytes_out` bytes, without a codec where all of them are
    /// stored exactly.
    pub(super) fn new(
        schema: &Schema,
        promised: &Fidelity,
        bytes_out: u64,
        totals: &Totals,
        codec: Option<&UsedCodec>,
    ) -> Self {
        let record = codec.map(|c| &c.encoder.program.record);
        let rows = totals.tally.rows;
        let mut measured = totals.tally.quality();
        if let Fidelity::MaxErrorPointwiseRel(_) = promised {
            // Without a model every value is exact.
            measured.max_error_pointwise_rel.get_or_insert(0.0);
        }
        Self {
            rows,
            bytes_in: rows * schema.row_bytes() as u64,
            bytes_out,
            model_bytes: codec.map_or(0, |c| c.model_bytes as u64),
            decoder_bytes: codec.map_or(0, |c| c.decoder_bytes as u64),
            promised: promised.clone(),
            measured,
            fill_values: numbers(schema.dtype, &schema.fill_values),
            latents: record.map_or(0, |r| r.latents()),
            hidden: record.map_or_else(Vec::new, ModelRecord::hidden_units),
            classes: record.map_or(0, |r| r.classes.count),
            exact_values: totals.escapes,
            training: None,
        }
    }

    /// The same of the array whose tiles were written.
    pub(super) fn of_array(self, rows: &dyn Rows) -> Self {
        let count = rows.len() as u64;
        Self { rows: count, bytes_in: count * rows.schema().row_bytes() as u64, ..self }
    }
}
