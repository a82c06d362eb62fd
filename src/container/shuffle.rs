//! Bytes kept exactly, for values that no model helps with: shuffled by significance (as in Blosc),
//! then compressed with zstd.
//!
//! Reading uses a decoder in safe Rust; zstd itself is needed for writing only.

use super::bytes::{Cursor, put_varint};
use crate::error::{Error, Result};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::Read;

/// First bytes of a zstd frame (RFC 8878, section 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Bits of the frame's descriptor that must be 0: reserved, a checksum, which would go unchecked,
/// or a dictionary.
const ZSTD_UNUSED: u8 = 0b1111;
/// Bytes decoded at once: bounds what the decoder holds besides its window.
const CHUNK: usize = 1 << 20;
/// The smallest window of the zstd format.
const LEAST_WINDOW: u64 = 1 << 10;

/// Puts all first bytes of `size`-byte elements before all second bytes, and so on.
pub(crate) fn shuffle(bytes: &[u8], size: usize) -> Vec<u8> {
    let count = bytes.len() / size;
    let mut out = vec![0; bytes.len()];
    for (i, element) in bytes.chunks_exact(size).enumerate() {
        for (b, &byte) in element.iter().enumerate() {
            out[b * count + i] = byte;
        }
    }
    out
}

/// Reverses [`shuffle`] for the elements from `first` on, as many as `out` has room for.
pub(crate) fn unshuffle(bytes: &[u8], size: usize, first: usize, out: &mut [u8]) {
    let count = bytes.len() / size;
    for (i, element) in out.chunks_exact_mut(size).enumerate() {
        for (b, byte) in element.iter_mut().enumerate() {
            *byte = bytes[b * count + first + i];
        }
    }
}

/// Compresses with zstd where that is smaller: a length, with the low bit for *zstd*, then bytes.
#[cfg(feature = "compress")]
pub(crate) fn compress(bytes: &[u8], level: i32) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, (bytes.len() as u64) << 1);
    if let Ok(packed) = zstd::bulk::compress(bytes, level)
        && packed.len() < bytes.len()
    {
        out[0] |= 1;
        out.extend(packed);
    } else {
        out.extend(bytes);
    }
    out
}

/// Returns the bytes that [`decompress`] will give, as the packed bytes claim.
pub(crate) fn claimed_len(packed: &[u8], at: u64) -> Result<u64> {
    Ok(Cursor::new(packed, at).varint()? >> 1)
}

/// Reverses [`compress`]; refuses to grow beyond `most` bytes. `at` is the offset in the file.
pub(crate) fn decompress(packed: &[u8], most: usize, at: u64) -> Result<Vec<u8>> {
    let mut cursor = Cursor::new(packed, at);
    let head = cursor.varint()?;
    let length = head >> 1;
    if length > most as u64 {
        return Err(Error::corrupt(format!(
            "packed bytes claim {length} bytes where at most {most} belong"
        ))
        .at(at));
    }
    let length = length as usize;
    let body = cursor.rest();
    if head & 1 == 0 {
        if body.len() != length {
            return Err(Error::corrupt("stored bytes have the wrong length").at(at));
        }
        return Ok(body.to_vec());
    }
    let bad = |e: &dyn std::fmt::Display| Error::corrupt(format!("zstd: {e}")).at(at);
    if !body.starts_with(&ZSTD_MAGIC) || body.get(4).is_none_or(|d| d & ZSTD_UNUSED != 0) {
        return Err(Error::corrupt("not a zstd frame of the simple kind that belongs here").at(at));
    }
    let mut decoder = FrameDecoder::new();
    // A window need not be longer than what it slides over, rounded up to a power of two.
    decoder.set_max_window_size((2 * length as u64).max(LEAST_WINDOW));
    let mut input = body;
    decoder.init(&mut input).map_err(|e| bad(&e))?;
    // Room for the expected bytes and no more.
    let mut out = vec![0; length];
    let mut written = 0;
    loop {
        let part = BlockDecodingStrategy::UptoBytes(CHUNK);
        decoder.decode_blocks(&mut input, part).map_err(|e| bad(&e))?;
        written += decoder.read(&mut out[written..]).map_err(|e| bad(&e))?;
        if decoder.can_collect() != 0 {
            return Err(Error::corrupt("zstd: more bytes than stated").at(at));
        }
        if decoder.is_finished() {
            break;
        }
    }
    if written != length || !input.is_empty() {
        return Err(Error::corrupt("zstd: not one frame of as many bytes as stated").at(at));
    }
    Ok(out)
}
