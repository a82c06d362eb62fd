//! Exact bytes: shuffled by significance, then zstd. For values that no model helps with.
//!
//! Reading uses a decoder in safe Rust; zstd itself is needed for writing only.

use super::bytes::{Cursor, put_varint};
use crate::error::{Error, Result};

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

/// The reverse of [`shuffle`], into `out`.
pub(crate) fn unshuffle(bytes: &[u8], size: usize, out: &mut [u8]) {
    let count = bytes.len() / size;
    for (i, element) in out.chunks_exact_mut(size).enumerate() {
        for (b, byte) in element.iter_mut().enumerate() {
            *byte = bytes[b * count + i];
        }
    }
}

/// Compresses with zstd where that is smaller: a length, with the low bit for *zstd*, then bytes.
#[cfg(feature = "compress")]
pub(crate) fn pack(bytes: &[u8], level: i32) -> Vec<u8> {
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

/// As [`pack`], but never compressed.
#[cfg(feature = "compress")]
pub(crate) fn store(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, (bytes.len() as u64) << 1);
    out.extend(bytes);
    out
}

/// The reverse of [`pack`]; refuses to grow beyond `most` bytes.
pub(crate) fn unpack(packed: &[u8], most: usize, at: u64) -> Result<Vec<u8>> {
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
    let mut decoder = ruzstd::decoding::FrameDecoder::new();
    // Room for the expected bytes and no more: the decoder stops when it is full.
    let mut out = vec![0; length];
    let written = decoder.decode_all(body, &mut out).map_err(|e| bad(&e))?;
    if written != length {
        return Err(Error::corrupt("zstd: fewer bytes than stated").at(at));
    }
    Ok(out)
}
