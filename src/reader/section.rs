//! Sections of a source: where they lie, and their payloads once checked.

use super::source::{self, Source};
use crate::container::section::{self, SECTION_HEAD};
use crate::error::{Error, Result};
use crate::limits;

/// Bytes of the CRC-32 behind a section's payload.
const CHECKSUM: u64 = 4;
/// Bytes of a section besides its payload.
pub(super) const FRAME: u64 = SECTION_HEAD as u64 + CHECKSUM;
/// Bytes read at once where a section is only checked.
const CHUNK: u64 = 1 << 20;

/// A section that lies wholly within its file, its checksum not looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    pub(super) tag: [u8; 4],
    /// Its first byte.
    pub(super) offset: u64,
    /// Bytes of its payload.
    pub(super) length: u64,
}

/// A section's payload, its checksum verified.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) bytes: Vec<u8>,
    /// The first byte's offset in the file.
    pub(super) at: u64,
}

impl Section {
    /// Reads tag and length of the section at `offset`; the length is not believed yet.
    pub(super) fn claimed_at<S: Source>(source: &S, offset: u64) -> Result<Self> {
        let (tag, length) = section::decode_head(&source::array(source, offset)?);
        Ok(Self { tag, offset, length })
    }

    /// Returns the byte behind the section.
    ///
    /// # Errors
    /// `Truncated` if the source ends before.
    pub(super) fn end<S: Source>(&self, source: &S) -> Result<u64> {
        let end = self.length.checked_add(FRAME).and_then(|whole| self.offset.checked_add(whole));
        end.filter(|end| *end <= source.len()).ok_or_else(|| {
            let what = format!("{} claims {} bytes, more than follow", self.name(), self.length);
            Error::truncated(what).at(self.offset)
        })
    }

    fn name(&self) -> String {
        format!("section {}", String::from_utf8_lossy(&self.tag))
    }

    /// Reads a payload of at most `most` bytes and verifies its checksum.
    ///
    /// The section is copied before it is checked, so that what was checked is what is used.
    pub(super) fn payload<S: Source>(&self, source: &S, most: u64) -> Result<Payload> {
        let end = self.end(source)?;
        if self.length > most {
            // A damaged length is damage, not a claim.
            self.verify(source)?;
        }
        limits::check(&self.name(), self.length, most).map_err(|e| e.at(self.offset))?;
        let whole = source::bytes(source, self.offset, (end - self.offset) as usize)?.into_owned();
        let body = section::unseal(&whole, self.offset, &self.name())?;
        let bytes = body[SECTION_HEAD..].to_vec();
        Ok(Payload { bytes, at: self.offset + SECTION_HEAD as u64 })
    }

    /// Verifies the checksum, with little memory whatever the length.
    pub(super) fn verify<S: Source>(&self, source: &S) -> Result<()> {
        let mut crc = crc32fast::Hasher::new();
        let mut at = self.offset;
        let end = self.end(source)? - CHECKSUM;
        while at < end {
            let part = source::bytes(source, at, (end - at).min(CHUNK) as usize)?;
            crc.update(&part);
            at += part.len() as u64;
        }
        if crc.finalize() != u32::from_le_bytes(source::array(source, end)?) {
            let what = format!("{} does not match its checksum", self.name());
            return Err(Error::corrupt(what).at(self.offset));
        }
        Ok(())
    }
}
