//! What a file is made of.

use super::open::Layout;
use crate::fidelity::Fidelity;
use crate::matrix::DType;

/// A summary of a file, for people and programs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Info {
    /// Format version that wrote it.
    pub version: u16,
    /// Whether it is a codec: a model without rows.
    pub codec: bool,
    /// Rows.
    pub rows: u64,
    /// Shape of a row.
    pub row_shape: Vec<usize>,
    /// Type of the numbers.
    pub dtype: DType,
    /// Whether the columns have names.
    pub named_columns: bool,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Bytes of the model in it.
    pub model_bytes: u64,
    /// Bytes of the index in it.
    pub index_bytes: u64,
    /// Number of blocks.
    pub blocks: u64,
    /// Rows of the first block.
    pub rows_per_block: u64,
    /// Latents of a row.
    pub latents: usize,
    /// Units of each hidden layer of the decoder, from latents to row; empty for the linear codec.
    pub hidden: Vec<usize>,
    /// Row classes.
    pub classes: usize,
    /// Tables of the entropy coder.
    pub tables: usize,
    /// States of dependent quantisation; 0 for none.
    pub trellis_states: usize,
    /// The promise; none in a codec.
    pub fidelity: Option<Fidelity>,
}

impl Info {
    pub(super) fn new(layout: &Layout, file_bytes: u64) -> Self {
        let record = layout.program.as_ref().map(|p| &p.record);
        let blocks = layout.index.blocks();
        Self {
            version: layout.header.written,
            codec: layout.header.codec,
            rows: layout.index.total_rows(),
            row_shape: layout.schema.row_shape.clone(),
            dtype: layout.schema.dtype,
            named_columns: layout.schema.columns.is_some(),
            file_bytes,
            model_bytes: layout.model_bytes,
            index_bytes: layout.index_bytes,
            blocks: blocks as u64,
            rows_per_block: if blocks > 0 { layout.index.place(0).rows as u64 } else { 0 },
            latents: record.map_or(0, |r| r.latents()),
            hidden: record.map_or_else(Vec::new, |r| r.hidden_units()),
            classes: record.map_or(0, |r| r.classes.count),
            tables: record.map_or(0, |r| r.tables.len()),
            trellis_states: record.map_or(0, |r| r.trellis),
            fidelity: layout.promise.clone(),
        }
    }
}
