//! What came of a compression.

use crate::container::encoder::EncoderRecord;
use crate::container::model::ModelRecord;
use crate::encode::blocks::Totals;
use crate::encode::encoder::BlockEncoder;
use crate::fidelity::Fidelity;
use crate::fit::history::History;
use crate::fit::network::brought::encoder_record;
use crate::quality::Quality;

/// What was written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Rows.
    pub rows: u64,
    /// Bytes that the numbers take in memory.
    pub bytes_in: u64,
    /// Bytes of the whole file.
    pub bytes_out: u64,
    /// Bytes of the model in it.
    pub model_bytes: u64,
    /// Of these, bytes of the decoder: all but the tables of the entropy coder.
    pub decoder_bytes: u64,
    /// What was asked for.
    pub promised: Fidelity,
    /// What was reached, measured on the decoded values while encoding.
    pub measured: Quality,
    /// Latents of a row.
    pub latents: usize,
    /// Units of each hidden layer of the decoder, from latents to row; empty for the linear codec.
    pub hidden: Vec<usize>,
    /// Row classes.
    pub classes: usize,
    /// Values stored exactly: special ones, and those that no step could bring within the bound.
    pub exact_values: u64,
    /// How training went, of one of the textbooks' kinds.
    pub training: Option<History>,
    /// What found the latents, where that is a network: for codecs.
    pub(crate) encoder: Option<EncoderRecord>,
}

impl Report {
    pub(crate) fn new(
        (rows, row_bytes): (u64, u64),
        bytes_out: u64,
        promised: &Fidelity,
        encoder: Option<(&BlockEncoder, (usize, usize))>,
        totals: &Totals,
    ) -> Self {
        let record = encoder.map(|(e, _)| &e.program.record);
        Self {
            rows,
            bytes_in: rows * row_bytes,
            bytes_out,
            model_bytes: encoder.map_or(0, |(_, (model, _))| model as u64),
            decoder_bytes: encoder.map_or(0, |(_, (_, decoder))| decoder as u64),
            promised: promised.clone(),
            measured: totals.tally.quality(),
            latents: record.map_or(0, |r| r.latents()),
            hidden: record.map_or_else(Vec::new, ModelRecord::hidden_units),
            classes: record.map_or(0, |r| r.classes.count),
            exact_values: totals.escapes,
            training: None,
            encoder: encoder.and_then(|(e, _)| encoder_record(&e.projection)),
        }
    }
}
