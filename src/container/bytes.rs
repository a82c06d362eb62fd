//! Little-endian bytes: a cursor that never reads past its end.

use crate::error::{Error, Result};

/// Reads fields one after another; errors carry the offset in the file.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    offset: u64,
}

macro_rules! integers {
    ($($name:ident: $t:ty),* $(,)?) => { $(
        pub(crate) fn $name(&mut self) -> Result<$t> {
            let bytes = self.take(size_of::<$t>())?;
            Ok(<$t>::from_le_bytes(bytes.try_into().expect("as many as asked for")))
        }
    )* };
}

impl<'a> Cursor<'a> {
    /// Reads `bytes`, which begin at `offset` of the file.
    pub(crate) fn new(bytes: &'a [u8], offset: u64) -> Self {
        Self { bytes, offset }
    }

    integers!(u8: u8, u16: u16, u32: u32, u64: u64);

    /// Takes the next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((head, rest)) = self.bytes.split_at_checked(count) else {
            return Err(Error::truncated(format!(
                "{count} bytes are needed, {} are left",
                self.bytes.len()
            ))
            .at(self.offset));
        };
        self.bytes = rest;
        self.offset += count as u64;
        Ok(head)
    }

    /// Reads an unsigned integer in groups of 7 bits, least significant first (LEB128), at most 64
    /// bits.
    pub(crate) fn varint(&mut self) -> Result<u64> {
        let at = self.offset;
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::corrupt("a number has more than 64 bits").at(at))
    }

    /// Reads UTF-8 text of `count` bytes.
    pub(crate) fn text(&mut self, count: usize) -> Result<String> {
        let at = self.offset;
        let bytes = self.take(count)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| Error::corrupt("a text is not UTF-8").at(at))
    }

    /// Returns the offset in the file of what has not been read.
    pub(crate) fn at(&self) -> u64 {
        self.offset
    }

    /// Returns what has not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Checks that everything was read.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let left = self.bytes.len();
        Err(Error::corrupt(format!("{left} bytes follow the last field")).at(self.offset))
    }
}

/// Appends a LEB128 integer.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
