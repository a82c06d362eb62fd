//! Writing a file: head, model, blocks, index, footer.

use crate::container::fills;
use crate::container::forever::{
    COLUMNS, DATA, ENCODER, FILLS, FOOTER_LEN, HEAD, INDEX, MODEL, MORE, ORIGIN, ROOM, SECTOR,
    TEXT, TILE,
};
use crate::container::head;
use crate::container::index::Index;
use crate::container::model::ModelRecord;
use crate::container::more::{Link, More};
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
    /// What is written behind, if not a file of its own.
    behind: Option<Whole>,
}

/// A file that rows are appended to.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    pub(crate) index: Index,
    /// The footers by which its blocks are found, in the order in which they were written; the last
    /// is the file's.
    pub(crate) links: Vec<Link>,
    /// How long the array's first axis becomes; 0 where rows are rows.
    pub(crate) first_axis: u64,
}

/// Returns how many of the first `links` an index of `blocks` blocks keeps to itself: those of more than
/// twice as many blocks as it lists, so that they are few, and blocks are not listed often.
fn kept(links: &[Link], blocks: usize) -> usize {
    let before = |kept: usize| kept.checked_sub(1).map_or(0, |last| links[last].blocks);
    let mut kept = links.len();
    while kept > 0 && before(kept) - before(kept - 1) < 2 * (blocks - before(kept)) {
        kept -= 1;
    }
    kept
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
        Ok(Self { out, at, index: Index::new(at), row_work: 0, behind: None })
    }

    /// Goes on behind a file that is whole; `out` is what is written there.
    pub(crate) fn append(out: W, whole: Whole) -> Self {
        let at = whole.links.last().map_or(0, |link| link.end);
        let mut index = whole.index.clone();
        index.jump(at);
        Self { out, at, index, row_work: 0, behind: Some(whole) }
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
    pub(crate) fn finish_into(self) -> Result<(u64, W)> {
        let (footer, mut out) = self.finish_unsealed()?;
        out.write_all(&footer.encode()).map_err(io)?;
        out.flush().map_err(io)?;
        Ok((footer.length, out))
    }

    /// Writes all but the footer; what is written does not count without it.
    pub(crate) fn finish_unsealed(mut self) -> Result<(Footer, W)> {
        let index = self.index_section();
        if let Some(more) = self.room(index.len() as u64) {
            let room = section::encode(ROOM, &vec![0; more as usize]);
            self.out.write_all(&room).map_err(io)?;
            self.at += room.len() as u64;
        }
        let length = self.at + (index.len() + FOOTER_LEN) as u64;
        let footer = Footer { index: self.at, rows: self.index.total_rows(), length };
        self.out.write_all(&index).map_err(io)?;
        self.out.flush().map_err(io)?;
        Ok((footer, self.out))
    }

    fn index_section(&self) -> Vec<u8> {
        let Some(Whole { links, first_axis, .. }) = &self.behind else {
            return section::encode(INDEX, &self.index.encode());
        };
        let last = kept(links, self.index.blocks()).checked_sub(1).map(|last| links[last]);
        let Link { end, blocks } = last.unwrap_or(Link { end: 0, blocks: 0 });
        section::encode(MORE, &More::encode(end, *first_axis, &self.index.encode_runs(blocks)))
    }

    /// Returns the bytes that a section must have before an index of `index` bytes, if there must be one:
    /// readers want files of much work to be long, and a footer that is appended is to lie in one sector.
    fn room(&self, index: u64) -> Option<u64> {
        const FRAME: u64 = 16;
        let footer = self.at + index;
        let work = self.row_work.saturating_mul(self.index.total_rows());
        let least = limits::least_file_of_work(work);
        let more = least.checked_sub(footer + FOOTER_LEN as u64).filter(|&more| more > 0);
        if self.behind.is_none() {
            return more;
        }
        let at = (footer + more.map_or(0, |more| more + FRAME)) % SECTOR as u64;
        let fits = at + FOOTER_LEN as u64 <= SECTOR as u64;
        match (more, fits) {
            (more, true) => more,
            (Some(more), false) => Some(more + SECTOR as u64 - at),
            (None, false) => Some((SECTOR as u64 - at).saturating_sub(FRAME)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appends files of one block each, `times` times.
    fn links(times: usize) -> (Vec<Link>, usize) {
        let (mut links, mut listed) = (vec![Link { end: 1, blocks: 1000 }], 0);
        for i in 0..times {
            let blocks = 1001 + i;
            let kept = kept(&links, blocks);
            listed += blocks - kept.checked_sub(1).map_or(0, |last| links[last].blocks);
            links.truncate(kept);
            links.push(Link { end: 2 + i as u64, blocks });
        }
        (links, listed)
    }

    #[test]
    fn footers_to_follow_are_few_and_blocks_are_listed_seldom() {
        for times in [1, 7, 64, 1000, 5000] {
            let (links, listed) = links(times);
            assert!(links.len() <= 2 + times.ilog2() as usize, "{times}: {links:?}");
            assert!(listed <= times * (2 + times.ilog2() as usize), "{times}: {listed}");
        }
    }
}
