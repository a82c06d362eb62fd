//! What a file is made of.

use super::open::Frame;
use crate::codec::fill::numbers;
use crate::fidelity::Fidelity;
use crate::matrix::DType;

/// A summary of a file, for people and programs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Info {
    /// Version of the format that the file was written in.
    pub version: u16,
    /// Whether the file is a codec: a model without rows.
    pub codec: bool,
    /// Number of rows.
    pub rows: u64,
    /// Shape of one row; `[]` for one number per row.
    pub row_shape: Vec<usize>,
    /// Shape of the whole array: the rows, then the shape of one; `[]` for a number without an axis.
    pub shape: Vec<usize>,
    /// Shape of the tiles into which the array was cut, each of which the codec takes for a row; `None`
    /// where rows are rows.
    pub tile: Option<Vec<usize>>,
    /// Number of tiles along each axis; likewise.
    pub grid: Option<Vec<usize>>,
    /// Type of every number.
    pub dtype: DType,
    /// Whether the columns have names.
    pub named_columns: bool,
    /// Numbers that stand for missing values.
    pub fill_values: Vec<f64>,
    /// Length of the file in bytes, without [`Info::unfinished_bytes`].
    pub file_bytes: u64,
    /// Bytes behind the end of the file that mean nothing: rows were being appended as the program was
    /// killed or the power went out. [`append`](crate::append) writes over them.
    pub unfinished_bytes: u64,
    /// How many times rows were appended.
    pub appends: u64,
    /// Bytes of the file that no reader needs: indices and ends of the file before rows were appended.
    pub dead_bytes: u64,
    /// Bytes that the model takes in the file; 0 without one.
    pub model_bytes: u64,
    /// Bytes that the index takes in the file.
    pub index_bytes: u64,
    /// Number of blocks.
    pub blocks: u64,
    /// Number of rows, or of tiles, in the first block; 0 without blocks. Only the last block has fewer in files
    /// of this encoder.
    pub rows_per_block: u64,
    /// Number of latents of a row, or of a tile; 0 without a model.
    pub latents: usize,
    /// Number of units of each hidden layer of the decoder, from latents to row; empty for the
    /// linear codec.
    pub hidden: Vec<usize>,
    /// Number of row classes; 0 without a model.
    pub classes: usize,
    /// Number of tables of the entropy coder; 0 without a model.
    pub tables: usize,
    /// Number of contexts in which the neighbours of a value choose its table: leaves of a tree; 0 where
    /// values are coded as if they had no neighbours.
    pub contexts: usize,
    /// Number of values that recur exactly and are named in place of a residual.
    pub atoms: usize,
    /// Number of states of dependent quantisation: 4, 8, or 0 where latents are quantised one by
    /// one.
    pub trellis_states: usize,
    /// The promise that the file keeps; `None` for a codec.
    pub fidelity: Option<Fidelity>,
}

impl Info {
    pub(super) fn new(frame: &Frame, unfinished_bytes: u64) -> Self {
        let record = frame.program.as_ref().map(|p| &p.record);
        let looks = record.and_then(|r| r.neighbours.as_ref());
        let blocks = frame.index.blocks();
        let (rows, tiling) = (frame.rows_schema(), frame.schema.tiling.as_ref());
        Self {
            version: frame.header.written,
            codec: frame.header.codec,
            rows: frame.rows() as u64,
            row_shape: rows.row_shape.clone(),
            shape: match tiling {
                Some(tiling) => tiling.array().to_vec(),
                None => [&[frame.rows()], &rows.row_shape[..]].concat(),
            },
            tile: tiling.map(|tiling| tiling.tile().to_vec()),
            grid: tiling.map(|tiling| tiling.grid().to_vec()),
            dtype: frame.schema.dtype,
            named_columns: frame.schema.columns.is_some(),
            fill_values: numbers(frame.schema.dtype, &frame.schema.fill_values),
            file_bytes: frame.length,
            unfinished_bytes,
            dead_bytes: frame.dead_bytes,
            appends: frame.appends,
            model_bytes: frame.model_bytes,
            index_bytes: frame.index_bytes,
            blocks: blocks as u64,
            rows_per_block: if blocks > 0 { frame.index.place(0).rows as u64 } else { 0 },
            latents: record.map_or(0, |r| r.latents()),
            hidden: record.map_or_else(Vec::new, |r| r.hidden_units()),
            classes: record.map_or(0, |r| r.classes.count),
            tables: record.map_or(0, |r| r.tables.len()),
            contexts: looks.map_or(0, |n| n.contexts()),
            atoms: looks.map_or(0, |n| n.atoms.len()),
            trellis_states: record.map_or(0, |r| r.trellis),
            fidelity: frame.promise.clone(),
        }
    }
}
