//! fvecs, bvecs and ivecs: each row after its dimension; fbin, u8bin and i8bin: the rows after both
//! their number and their dimension.

use super::binary::{BinaryEncoder, raw};
use super::encode::{Encode, cannot_write};
use crate::error::{Error, Result};
use crate::input::format::Format;
use crate::input::vectors;
use crate::matrix::Schema;
use std::io::{self, Write};

pub(super) struct VectorEncoder<W> {
    out: W,
    dimension: i32,
    row_bytes: usize,
}

impl<W: Write> VectorEncoder<W> {
    pub(super) fn new(out: W, schema: &Schema, format: Format) -> Result<Self> {
        let dimension = dimension(schema, format)?;
        Ok(Self { out, dimension, row_bytes: schema.row_bytes() })
    }
}

/// Returns the dimension of rows that `format` can hold.
fn dimension(schema: &Schema, format: Format) -> Result<i32> {
    let dtype = schema.dtype;
    if vectors::dtype(format) != Some(dtype) {
        return Err(Error::argument(format!(
            "{format} cannot hold numbers of type {dtype}; write npy instead"
        )));
    }
    match schema.row_shape[..] {
        [width] if i32::try_from(width).is_ok() => Ok(width as i32),
        _ => Err(Error::argument(format!(
            "{format} holds rows of one axis of less than 2^31, but they have shape {:?}; write \
             npy instead",
            schema.row_shape
        ))),
    }
}

/// Begins a file of `rows` rows behind both numbers.
pub(super) fn counted<W: Write>(
    mut out: W,
    schema: &Schema,
    rows: u64,
    format: Format,
) -> Result<BinaryEncoder<W>> {
    let dimension = dimension(schema, format)?;
    let count = u32::try_from(rows).map_err(|_| {
        Error::argument(format!(
            "{format} holds less than 2^32 rows, not {rows}; write npy instead"
        ))
    })?;
    out.write_all(&count.to_le_bytes()).map_err(cannot_write)?;
    out.write_all(&dimension.to_le_bytes()).map_err(cannot_write)?;
    Ok(raw(out))
}

impl<W: Write> Encode for VectorEncoder<W> {
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        for row in rows.chunks_exact(self.row_bytes) {
            self.out.write_all(&self.dimension.to_le_bytes()).map_err(cannot_write)?;
            self.out.write_all(row).map_err(cannot_write)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
