//! Framing: header, sections, footer. Every byte of a file is under exactly one CRC-32.

use super::bytes::Cursor;
use super::forever::{END, FLAG_CODEC, FOOTER_LEN, HEADER_LEN, SIGNATURE, VERSION};
use crate::error::{Error, Result};

/// The first bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Version that wrote the file.
    pub(crate) written: u16,
    /// Whether the file is a codec.
    pub(crate) codec: bool,
}

impl Header {
    /// Returns the bytes: signature, version written, version needed, flags, CRC-32.
    pub(crate) fn encode(codec: bool) -> Vec<u8> {
        let mut out = SIGNATURE.to_vec();
        out.extend(VERSION.to_le_bytes());
        out.extend(VERSION.to_le_bytes());
        out.extend(if codec { FLAG_CODEC } else { 0 }.to_le_bytes());
        seal(out)
    }

    /// Reads and checks the bytes.
    pub(crate) fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self> {
        if bytes[..8] != SIGNATURE {
            return Err(Error::corrupt("not an .aez file: its first 8 bytes differ").at(0));
        }
        let mut cursor = Cursor::new(unseal(bytes, 0, "the header")?, 0);
        cursor.take(8)?;
        let (written, needed, flags) = (cursor.u16()?, cursor.u16()?, cursor.u32()?);
        if needed > VERSION {
            return Err(Error::unsupported(format!(
                "written by format version {written}, needs a reader of version {needed}; this is \
                 version {VERSION}"
            ))
            .at(8));
        }
        if flags & !FLAG_CODEC != 0 {
            return Err(Error::corrupt(format!("reserved flags are set: {flags:#x}")).at(12));
        }
        Ok(Self { written, codec: flags & FLAG_CODEC != 0 })
    }
}

/// The last bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footer {
    /// Where the index section begins.
    pub(crate) index: u64,
    /// Rows in the file.
    pub(crate) rows: u64,
    /// Length of the file.
    pub(crate) length: u64,
}

impl Footer {
    /// Returns the bytes: index offset, rows, file length, end mark, CRC-32.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(self.index.to_le_bytes());
        out.extend(self.rows.to_le_bytes());
        out.extend(self.length.to_le_bytes());
        out.extend(END);
        seal(out)
    }

    /// Reads and checks the bytes, which lie at the end of a file of `length` bytes.
    pub(crate) fn decode(bytes: &[u8; FOOTER_LEN], length: u64) -> Result<Self> {
        let at = length - FOOTER_LEN as u64;
        if bytes[24..32] != END {
            let what = "the file's last bytes are not an .aez footer; it is cut off or followed by \
                        something else";
            return Err(Error::truncated(what).at(at));
        }
        let mut cursor = Cursor::new(unseal(bytes, at, "the footer")?, at);
        let footer = Self { index: cursor.u64()?, rows: cursor.u64()?, length: cursor.u64()? };
        if footer.length != length {
            return Err(Error::corrupt(format!(
                "the file has {length} bytes, its footer says {}",
                footer.length
            ))
            .at(at));
        }
        Ok(footer)
    }
}

/// Bytes before a section's payload.
pub(crate) const SECTION_HEAD: usize = 12;

/// Returns a whole section: tag, length, payload, CRC-32 of all three.
pub(crate) fn encode(tag: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut out = tag.to_vec();
    out.extend((payload.len() as u64).to_le_bytes());
    out.extend(payload);
    seal(out)
}

/// Reads tag and payload length from a section's first bytes.
pub(crate) fn decode_head(bytes: &[u8; SECTION_HEAD]) -> ([u8; 4], u64) {
    let (tag, length) = bytes.split_first_chunk::<4>().expect("12 bytes");
    (*tag, u64::from_le_bytes(length.try_into().expect("8 bytes")))
}

/// Appends the CRC-32 of `bytes`.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32fast::hash(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// Checks and removes the CRC-32 at the end; `what` lies at `offset`.
pub(crate) fn unseal<'a>(bytes: &'a [u8], offset: u64, what: &str) -> Result<&'a [u8]> {
    let Some((body, stored)) = bytes.split_last_chunk::<4>() else {
        return Err(Error::truncated(format!("{what} has no room for a checksum")).at(offset));
    };
    if crc32fast::hash(body) != u32::from_le_bytes(*stored) {
        return Err(Error::corrupt(format!("{what} does not match its checksum")).at(offset));
    }
    Ok(body)
}
