//! One block: rows that decode without any other block.

use super::bytes::{Cursor, put_varint};
use super::squeeze;
use crate::error::{Error, Result};
use crate::limits;

/// Codes of the first byte.
const CODED: u8 = 0;
const EXACT: u8 = 1;

/// A block's parts, its checksum verified.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Block<'a> {
    /// An entropy-coded stream, and values stored exactly, packed.
    Coded { stream: &'a [u8], escapes: &'a [u8] },
    /// All rows, shuffled and packed.
    Exact { packed: &'a [u8] },
}

/// A value that the stream cannot give: its place in the block, row × width + column.
#[cfg(feature = "compress")]
pub(crate) type Position = u64;

/// CRC-32 of a block, begun with its first row so that a block in the wrong place is noticed.
fn checksum(first_row: u64, body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&first_row.to_le_bytes());
    crc.update(body);
    crc.finalize()
}

/// The bytes of a coded block.
pub(crate) fn encode_coded(first_row: u64, stream: &[u8], escapes: &[u8]) -> Vec<u8> {
    let mut out = vec![CODED];
    put_varint(&mut out, escapes.len() as u64);
    out.extend(stream);
    out.extend(escapes);
    let crc = checksum(first_row, &out);
    out.extend(crc.to_le_bytes());
    out
}

/// The bytes of a block stored exactly.
#[cfg(feature = "compress")]
pub(crate) fn encode_exact(first_row: u64, rows: &[u8], size: usize, level: i32) -> Vec<u8> {
    let mut out = vec![EXACT];
    out.extend(squeeze::pack(&squeeze::shuffle(rows, size), level));
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
            let length = cursor.varint()?;
            let rest = cursor.rest();
            let split = (rest.len() as u64).checked_sub(length).ok_or_else(|| {
                Error::corrupt("a block's exact values are longer than the block").at(at)
            })?;
            let (stream, escapes) = rest.split_at(split as usize);
            Ok(Block::Coded { stream, escapes })
        }
        EXACT => Ok(Block::Exact { packed: cursor.rest() }),
        kind => Err(Error::corrupt(format!("a block of undefined kind {kind}")).at(at)),
    }
}

/// Values stored exactly: their positions ascending, and their bytes in that order.
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
    out.extend(squeeze::shuffle(values, size));
    squeeze::pack(&out, 9)
}

/// Puts the values of [`encode_escapes`] in their places in `out`, which holds the cells of
/// `size` bytes from number `first` on of a block of `cells`.
///
/// Unpacked they may take `room` bytes; nothing else is kept in memory.
pub(crate) fn restore(
    packed: &[u8],
    (cells, size): (usize, usize),
    (room, at): (u64, u64),
    first: usize,
    out: &mut [u8],
) -> Result<()> {
    if packed.is_empty() {
        return Ok(());
    }
    limits::check("a block's exact values", squeeze::claimed(packed, at)?, room)
        .map_err(|e| e.at(at))?;
    // A position takes at most 10 bytes.
    let bytes = squeeze::unpack(packed, cells.saturating_mul(size + 10).saturating_add(10), at)?;
    let mut cursor = Cursor::new(&bytes, at);
    let count = cursor.varint()?;
    if count > cells as u64 {
        return Err(Error::corrupt(format!("{count} exact values among {cells}")).at(at));
    }
    let count = count as usize;
    // The positions are read twice: once to find where the values begin.
    let mut positions = cursor.clone();
    let mut next = 0_u64;
    for _ in 0..count {
        let p = next.saturating_add(cursor.varint()?);
        if p >= cells as u64 {
            return Err(Error::corrupt("an exact value lies outside its block").at(at));
        }
        next = p + 1;
    }
    let values = cursor.take(count * size)?;
    cursor.finish()?;
    next = 0;
    for i in 0..count {
        let p = next + positions.varint()?;
        next = p + 1;
        let Some(cell) = (p as usize).checked_sub(first) else { continue };
        let Some(out) = out.get_mut(cell * size..(cell + 1) * size) else { break };
        squeeze::unshuffle(values, size, i, out);
    }
    Ok(())
}

/// The places of the values of [`encode_escapes`], ascending.
#[cfg(feature = "apps")]
pub(crate) fn positions(
    packed: &[u8],
    (cells, size): (usize, usize),
    (room, at): (u64, u64),
) -> Result<Vec<usize>> {
    if packed.is_empty() {
        return Ok(Vec::new());
    }
    limits::check("a block's exact values", squeeze::claimed(packed, at)?, room)
        .map_err(|e| e.at(at))?;
    let bytes = squeeze::unpack(packed, cells.saturating_mul(size + 10).saturating_add(10), at)?;
    let mut cursor = Cursor::new(&bytes, at);
    let count = cursor.varint()?.min(cells as u64);
    let (mut next, mut out) = (0_u64, Vec::new());
    for _ in 0..count {
        let p = next.saturating_add(cursor.varint()?);
        if p >= cells as u64 {
            return Err(Error::corrupt("an exact value lies outside its block").at(at));
        }
        out.push(p as usize);
        next = p + 1;
    }
    Ok(out)
}

/// Fills `out` with cells of an exact block, from number `first` on; the block has `length`
/// bytes in all.
pub(crate) fn decode_exact(
    packed: &[u8],
    (length, size): (usize, usize),
    at: u64,
    first: usize,
    out: &mut [u8],
) -> Result<()> {
    let shuffled = squeeze::unpack(packed, length, at)?;
    if shuffled.len() != length {
        return Err(Error::corrupt("an exact block has the wrong number of bytes").at(at));
    }
    squeeze::unshuffle(&shuffled, size, first, out);
    Ok(())
}
