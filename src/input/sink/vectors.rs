//! fvecs, bvecs and ivecs: each row after its dimension.

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
        let dtype = schema.dtype;
        if vectors::dtype(format) != Some(dtype) {
            return Err(Error::argument(format!(
                "{format} cannot hold numbers of type {dtype}; write npy instead"
            )));
        }
        match schema.row_shape[..] {
            [width] if i32::try_from(width).is_ok() => {
                Ok(Self { out, dimension: width as i32, row_bytes: schema.row_bytes() })
            }
            _ => Err(Error::argument(format!(
                "{format} holds rows of one axis of less than 2^31, but they have shape {:?}; write \
                 npy instead",
                schema.row_shape
            ))),
        }
    }
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
