//! Writing a file: head, model, blocks, index, footer.

use crate::container::fills;
use crate::container::forever::{
    COLUMNS, DATA, ENCODER, FILLS, FOOTER_LEN, HEAD, INDEX, MODEL, ORIGIN, ROOM, TEXT, TILE,
};
use crate::container::head;
use crate::container::index::Index;
use crate::container::model::ModelRecord;
use crate::container::origin;
use crate::container::section::{self, Footer, Header};
use crate::container::text;
use crate::container::tile;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::limits::{self, Limits};
use crate::matrix::{KeptText, Schema, Tiling};
use std::io::Write;

/// Writes sections and blocks in order, counting bytes.
#[derive(Debug)]
pub(crate) struct FileWriter<W: Write> {
    out: W,
    at: u64,
    index: Index,
    row_work: u64,
}

/// Says whether it takes the columns' ranges to know how finely numbers are to be written.
fn depends_on_ranges(promise: &Fidelity) -> bool {
    use Fidelity::{BytesPerRow, Cosine, MaxErrorRel, Nmse, Psnr, Ratio};
    matches!(promise, MaxErrorRel(_) | Nmse(_) | Psnr(_) | Cosine(_) | Ratio(_) | BytesPerRow(_))
}

fn io(e: std::io::Error) -> Error {
    Error::io("cannot write", e)
}

/// Bytes that an exact value of a row may take besides itself: its distance from the one before.
const PLACE_BYTES: usize = 4;
/// Bytes that a codec's encoder takes for each column, in wide and narrow floats.
const ENCODER_BYTES: usize = 24;
/// A model of so many bytes makes a file that is long enough for all that readers allow.
const LONG_MODEL: usize = 1 << 17;

/// Returns the most bytes that a reader takes for a part of a file, each part by itself; blocks of
/// more than one row are small.
fn memory(schema: &Schema, model: Option<&[u8]>, is_codec: bool) -> u64 {
    let width = schema.width();
    let row = width * (schema.dtype.size() + PLACE_BYTES);
    let encoder = if is_codec { ENCODER_BYTES * width } else { 0 };
    let names = schema.columns.as_ref().map_or(0, |names| {
        let texts: usize = names.iter().map(|name| name.len() + 1).sum();
        head::names_in_memory(width, texts as u64)
    });
    let decoded = model
        .filter(|model| model.len() < LONG_MODEL)
        .map(|model| ModelRecord::decode_counted(model, 0, schema, &Limits::default()));
    let model = decoded.and_then(Result::ok).map_or(0, |(_, taken)| taken);
    let text = schema.kept_text().map_or(0, KeptText::memory);
    let part = schema.origin.as_ref().and_then(|origin| origin.part.as_ref());
    let part = part.map_or(0, |part| part.len() as u64);
    (row.max(encoder) as u64).max(names).max(model).max(text).max(part)
}

impl<W: Write> FileWriter<W> {
    /// Writes everything before the blocks; `encoder` is for codecs only.
    pub(crate) fn begin(
        out: W,
        schema: &Schema,
        promise: Option<&Fidelity>,
        model: Option<&[u8]>,
        encoder: Option<&[u8]>,
    ) -> Result<Self> {
        debug_assert!(encoder.is_none() || promise.is_none());
        let sections: Vec<_> = encoder.map(|e| (ENCODER, e)).into_iter().collect();
        Self::begin_with(out, schema, promise, model, &sections)
    }

    /// The same with optional sections of any kind, in this order.
    pub(crate) fn begin_with(
        mut out: W,
        schema: &Schema,
        promise: Option<&Fidelity>,
        model: Option<&[u8]>,
        sections: &[([u8; 4], &[u8])],
    ) -> Result<Self> {
        let mut bytes = Header::encode(promise.is_none());
        bytes.extend(section::encode(HEAD, &head::encode(schema, promise)));
        // A codec is for tiles of other arrays, too.
        let tiling = schema.tiling.as_ref().filter(|_| promise.is_some());
        if let Some(tiling) = tiling {
            bytes.extend(section::encode(TILE, &tile::encode(tiling)));
        }
        if let Some(names) = schema.columns.as_ref().filter(|_| tiling.is_none()) {
            bytes.extend(section::encode(COLUMNS, &head::encode_columns(names)));
        }
        if let Some(own) = &schema.origin {
            let ranges = promise.is_some_and(depends_on_ranges);
            let width = tiling.map_or(schema.width(), Tiling::row_values);
            bytes.extend(section::encode(ORIGIN, &origin::encode(own, width, ranges)));
        }
        // A codec is for other rows, too.
        if let Some(kept) = schema.kept_text().filter(|_| promise.is_some() && tiling.is_none()) {
            bytes.extend(section::encode(TEXT, text::packed(kept)));
        }
        if !schema.fill_values.is_empty() {
            let payload = fills::encode(schema.dtype, &schema.fill_values);
            bytes.extend(section::encode(FILLS, &payload));
        }
        if let Some(model) = model {
            bytes.extend(section::encode(MODEL, model));
        }
        for (tag, payload) in sections {
            bytes.extend(section::encode(*tag, payload));
        }
        let least = limits::least_file(memory(schema, model, promise.is_none()));
        if let Some(more) = least.checked_sub(bytes.len() as u64).filter(|&more| more > 0) {
            bytes.extend(section::encode(ROOM, &vec![0; more as usize]));
        }
        bytes.extend(section::encode(DATA, &[]));
        out.write_all(&bytes).map_err(io)?;
        let at = bytes.len() as u64;
        Ok(Self { out, at, index: Index::new(at), row_work: 0 })
    }

    /// Says how many multiply-adds decoding a row takes: the file becomes as long as readers want it
    /// to be for that.
    pub(crate) fn with_row_work(self, row_work: u64) -> Self {
        Self { row_work, ..self }
    }

    /// Rows written so far.
    pub(crate) fn rows(&self) -> u64 {
        self.index.total_rows()
    }

    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.at
    }

    /// Writes one block.
    pub(crate) fn block(&mut self, rows: usize, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(io)?;
        self.at += bytes.len() as u64;
        self.index.push(rows, bytes.len());
        Ok(())
    }

    /// Writes index and footer; returns the file's length.
    pub(crate) fn finish(self) -> Result<u64> {
        self.finish_into().map(|(length, _)| length)
    }

    /// The same, and gives back the output.
    pub(crate) fn finish_into(mut self) -> Result<(u64, W)> {
        let index = section::encode(INDEX, &self.index.encode());
        let written = self.at + (index.len() + FOOTER_LEN) as u64;
        let work = self.row_work.saturating_mul(self.index.total_rows());
        let least = limits::least_file_of_work(work);
        if let Some(more) = least.checked_sub(written).filter(|&more| more > 0) {
            let room = section::encode(ROOM, &vec![0; more as usize]);
            self.out.write_all(&room).map_err(io)?;
            self.at += room.len() as u64;
        }
        let length = self.at + (index.len() + FOOTER_LEN) as u64;
        let footer = Footer { index: self.at, rows: self.index.total_rows(), length };
        self.out.write_all(&index).map_err(io)?;
        self.out.write_all(&footer.encode()).map_err(io)?;
        self.out.flush().map_err(io)?;
        Ok((length, self.out))
    }
}
