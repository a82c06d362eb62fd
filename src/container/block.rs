//! One block: rows that decode without any other block.

use super::bytes::{Cursor, put_varint};
use super::shuffle;
use crate::error::{Error, Result};
use crate::limits;
use std::ops::Range;

/// First byte of a block that is entropy-coded.
const CODED: u8 = 0;
/// First byte of a block whose rows are stored exactly.
const EXACT: u8 = 1;
/// First byte of a block some of whose columns are kept beside its stream.
const COLUMNS: u8 = 2;

/// Level of zstd for exact values. They are few, and little but signs and exponents shrinks: higher
/// levels take longer and save nothing.
#[cfg(feature = "compress")]
const ESCAPE_LEVEL: i32 = 9;
/// Bytes of the CRC-32 behind a block.
pub(crate) const CHECKSUM: usize = 4;
/// The most bytes of a LEB128 integer of 64 bits.
const MAX_VARINT: usize = 10;

/// The numbers of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells {
    /// Rows × columns.
    pub(crate) count: usize,
    /// Bytes of each.
    pub(crate) size: usize,
}

/// A block's parts, its checksum verified.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Block<'a> {
    /// An entropy-coded stream, and the values that it cannot give, packed.
    Coded { stream: &'a [u8], escapes: &'a [u8] },
    /// The same, and the columns kept beside the stream; that is empty where they are all.
    Columns { columns: &'a [u8], stream: &'a [u8], escapes: &'a [u8] },
    /// All rows, shuffled and packed.
    Exact { packed: &'a [u8] },
}

/// The place of a value that the stream cannot give: row in the block × width + column.
#[cfg(feature = "compress")]
pub(crate) type Position = u64;

/// Computes the CRC-32 of a block, begun with its first row so that a block in the wrong place is
/// noticed.
fn checksum(first_row: u64, body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&first_row.to_le_bytes());
    crc.update(body);
    crc.finalize()
}

/// Joins the parts of a coded block.
pub(crate) fn encode_coded(first_row: u64, stream: &[u8], escapes: &[u8]) -> Vec<u8> {
    let mut out = vec![CODED];
    put_varint(&mut out, escapes.len() as u64);
    out.extend(stream);
    out.extend(escapes);
    let crc = checksum(first_row, &out);
    out.extend(crc.to_le_bytes());
    out
}

/// Joins the parts of a block with `columns` beside its stream; without stream and values that it
/// cannot give where these are all columns.
#[cfg(feature = "compress")]
pub(crate) fn encode_columns(
    first_row: u64,
    columns: &[u8],
    coded: Option<(&[u8], &[u8])>,
) -> Vec<u8> {
    let mut out = vec![COLUMNS];
    put_varint(&mut out, columns.len() as u64);
    out.extend(columns);
    if let Some((stream, escapes)) = coded {
        put_varint(&mut out, escapes.len() as u64);
        out.extend(stream);
        out.extend(escapes);
    }
    let crc = checksum(first_row, &out);
    out.extend(crc.to_le_bytes());
    out
}

/// Packs a block whose rows, of numbers of `size` bytes, are stored exactly; `level` is zstd's.
#[cfg(feature = "compress")]
pub(crate) fn encode_exact(first_row: u64, rows: &[u8], size: usize, level: i32) -> Vec<u8> {
    let mut out = vec![EXACT];
    out.extend(shuffle::compress(&shuffle::shuffle(rows, size), level));
    let crc = checksum(first_row, &out);
    out.extend(crc.to_le_bytes());
    out
}

/// Checks a block's checksum and finds its parts.
pub(crate) fn decode(bytes: &[u8], first_row: u64, at: u64) -> Result<Block<'_>> {
    let Some((body, stored)) = bytes.split_last_chunk::<4>() else {
        return Err(Error::truncated("a block is too short for its checksum").at(at));
    };
    if checksum(first_row, body) != u32::from_le_bytes(*stored) {
        return Err(Error::corrupt(format!(
            "the block of rows from {first_row} on does not match its checksum"
        ))
        .at(at));
    }
    let mut cursor = Cursor::new(body, at);
    match cursor.u8()? {
        CODED => {
            let (stream, escapes) = decode_coded(cursor, at)?;
            Ok(Block::Coded { stream, escapes })
        }
        COLUMNS => {
            let length = usize::try_from(cursor.varint()?).unwrap_or(usize::MAX);
            let columns = cursor.take(length)?;
            if cursor.rest().is_empty() {
                return Ok(Block::Columns { columns, stream: &[], escapes: &[] });
            }
            let (stream, escapes) = decode_coded(cursor, at)?;
            if stream.is_empty() {
                return Err(Error::truncated("a block's stream is empty").at(at));
            }
            Ok(Block::Columns { columns, stream, escapes })
        }
        EXACT => Ok(Block::Exact { packed: cursor.rest() }),
        kind => Err(Error::corrupt(format!("a block of undefined kind {kind}")).at(at)),
    }
}

/// Finds stream and exact values.
fn decode_coded<'a>(mut cursor: Cursor<'a>, at: u64) -> Result<(&'a [u8], &'a [u8])> {
    let length = cursor.varint()?;
    let rest = cursor.rest();
    let split = (rest.len() as u64)
        .checked_sub(length)
        .ok_or_else(|| Error::corrupt("a block's exact values are longer than the block").at(at))?;
    Ok(rest.split_at(split as usize))
}

/// Packs values that are stored exactly: their positions ascending, and their bytes in that order.
#[cfg(feature = "compress")]
pub(crate) fn encode_escapes(positions: &[Position], values: &[u8], size: usize) -> Vec<u8> {
    if positions.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::new();
    put_varint(&mut out, positions.len() as u64);
    let mut next = 0;
    for &p in positions {
        put_varint(&mut out, p - next);
        next = p + 1;
    }
    out.extend(shuffle::shuffle(values, size));
    shuffle::compress(&out, ESCAPE_LEVEL)
}

/// What [`encode_escapes`] packed, unpacked and checked, and how far it has been put back.
#[derive(Debug)]
pub(crate) struct Escapes {
    cells: Cells,
    count: usize,
    /// Count, positions, each as its distance from the one before, and shuffled values.
    bytes: Vec<u8>,
    /// Where in `bytes` the positions begin that are still to come.
    positions: usize,
    /// Where in `bytes` the values begin.
    values: usize,
    /// How many values have been put back.
    done: usize,
    /// The least that the next position can be.
    least: usize,
}

impl Escapes {
    /// Unpacks the exact values of a block of `cells`, which begin at `at`; they may take `room`
    /// bytes.
    pub(crate) fn decode(packed: &[u8], cells: Cells, room: u64, at: u64) -> Result<Self> {
        if packed.is_empty() {
            return Ok(Self::new(cells, 0, Vec::new(), 0..0));
        }
        let wrong = |what: String| Error::corrupt(what).at(at);
        limits::check("a block's exact values", shuffle::claimed_len(packed, at)?, room)
            .map_err(|e| e.at(at))?;
        let most = cells.count.saturating_mul(cells.size + MAX_VARINT).saturating_add(MAX_VARINT);
        let bytes = shuffle::decompress(packed, most, at)?;
        let mut cursor = Cursor::new(&bytes, at);
        let count = cursor.varint()?;
        if count > cells.count as u64 {
            return Err(wrong(format!("{count} exact values among {}", cells.count)));
        }
        let count = count as usize;
        let positions = bytes.len() - cursor.rest().len();
        let mut next = 0_u64;
        for _ in 0..count {
            let position = next.saturating_add(cursor.varint()?);
            if position >= cells.count as u64 {
                return Err(wrong("an exact value lies outside its block".to_string()));
            }
            next = position + 1;
        }
        let values = bytes.len() - cursor.rest().len();
        cursor.take(count * cells.size)?;
        cursor.finish()?;
        Ok(Self::new(cells, count, bytes, positions..values))
    }

    fn new(cells: Cells, count: usize, bytes: Vec<u8>, positions: Range<usize>) -> Self {
        let Range { start, end } = positions;
        Self { cells, count, bytes, positions: start, values: end, done: 0, least: 0 }
    }

    /// Returns how many values there are.
    #[cfg(feature = "apps")]
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Gives the places of the values in the block, ascending.
    #[cfg(feature = "apps")]
    pub(crate) fn into_positions(mut self) -> impl Iterator<Item = usize> {
        std::iter::from_fn(move || {
            let (position, end) = self.peek()?;
            self.pass(position, end);
            Some(position)
        })
    }

    /// Returns the next position, and where in `bytes` it ends.
    fn peek(&self) -> Option<(usize, usize)> {
        if self.done == self.count {
            return None;
        }
        // Most are near the one before, and a distance of one byte.
        let distance = usize::from(self.bytes[self.positions]);
        if distance < 0x80 {
            return Some((self.least + distance, self.positions + 1));
        }
        let mut cursor = Cursor::new(&self.bytes[self.positions..self.values], 0);
        // Decoding has read it once.
        let distance = cursor.varint().ok()?;
        Some((self.least + distance as usize, self.values - cursor.rest().len()))
    }

    /// Puts the values in their places in `out`, which holds the block's cells from number `first`
    /// on; values before those are left out for good.
    pub(crate) fn restore(&mut self, first: usize, out: &mut [u8]) {
        let size = self.cells.size;
        while let Some((position, end)) = self.peek() {
            if let Some(cell) = position.checked_sub(first) {
                let Some(out) = out.get_mut(cell * size..(cell + 1) * size) else { break };
                shuffle::unshuffle(&self.bytes[self.values..], size, self.done, out);
            }
            self.pass(position, end);
        }
    }

    /// Leaves the value behind that [`Self::peek`] found.
    fn pass(&mut self, position: usize, end: usize) {
        (self.positions, self.least, self.done) = (end, position + 1, self.done + 1);
    }
}

/// Unpacks a block of `cells` whose rows are stored exactly, which begins at `at`, still shuffled; they
/// may take `room` bytes.
pub(crate) fn decode_exact(packed: &[u8], cells: Cells, room: u64, at: u64) -> Result<Vec<u8>> {
    let length = cells.count * cells.size;
    limits::check("a block's exact rows", length as u64, room).map_err(|e| e.at(at))?;
    let shuffled = shuffle::decompress(packed, length, at)?;
    if shuffled.len() != length {
        return Err(Error::corrupt("an exact block has the wrong number of bytes").at(at));
    }
    Ok(shuffled)
}
