//! How much memory a file may ask for before any is given to it.

use crate::error::{Error, Result};

/// What a reader lets a file claim before any memory is given to it.
///
/// A file that claims more is refused with [`ErrorKind::Limit`](crate::ErrorKind::Limit). The
/// defaults, 1 GiB each, fit ordinary files; services that open strangers' files lower them. Files
/// of a few kilobytes may take 32 MiB of each and no more, whatever is allowed, and seconds to
/// decode: how many rows a file may claim grows with its length and falls with the work of a row.
///
/// ```
/// let mut limits = aezip::Limits::default();
/// limits.block_bytes = 64 << 20;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes that the decoded model may take; also bounds each section that is read whole.
    pub model_bytes: u64,
    /// The most bytes that one decoded block, or what decoding it needs, may take.
    pub block_bytes: u64,
    /// The most bytes that the index may take in memory.
    pub index_bytes: u64,
}

/// The default of each limit: far above what any block or model of the encoder takes, and small
/// enough that a hostile file cannot exhaust the memory of an ordinary machine.
const DEFAULT_BYTES: u64 = 1 << 30;

impl Default for Limits {
    fn default() -> Self {
        Self { model_bytes: DEFAULT_BYTES, block_bytes: DEFAULT_BYTES, index_bytes: DEFAULT_BYTES }
    }
}

/// A file of so many bytes or fewer is small.
const SMALL_FILE: u64 = 10 << 10;
/// What a small file may take of each limit: enough for models of a million columns, and little
/// enough that with all that it may ask for at once a reader stays below 256 MiB.
const SMALL_ROOM: u64 = 32 << 20;
/// What each byte beyond that adds: a file of 74 KB may take all that the limits allow by default.
const ROOM_PER_BYTE: u64 = 1 << 14;

impl Limits {
    /// What a file of `length` bytes may take: a small one, whoever made it, little.
    pub(crate) fn for_file(self, length: u64) -> Self {
        let more = length.saturating_sub(SMALL_FILE).saturating_mul(ROOM_PER_BYTE);
        let room = SMALL_ROOM.saturating_add(more);
        Self {
            model_bytes: self.model_bytes.min(room),
            block_bytes: self.block_bytes.min(room),
            index_bytes: self.index_bytes.min(room),
        }
    }
}

/// What decoding all rows of a small file may take, in multiply-adds: half a second, or two where
/// numbers are the kind that takes longest.
const SMALL_WORK: u64 = 1 << 34;
/// What each byte beyond that adds: 16,384 numbers, which hardly any rows share a byte among.
const WORK_PER_BYTE: u64 = 1 << 22;

/// Fails if decoding all rows of a file of `length` bytes takes more than `work` multiply-adds.
pub(crate) fn check_work(work: u64, length: u64) -> Result<()> {
    let more = length.saturating_sub(SMALL_FILE).saturating_mul(WORK_PER_BYTE);
    if work <= SMALL_WORK.saturating_add(more) {
        return Ok(());
    }
    Err(Error::limit(format!(
        "its rows would take {work} multiply-adds to decode, more than a file of {length} bytes may"
    )))
}

/// Returns the least length of a file whose rows may take `work` multiply-adds.
#[cfg(feature = "compress")]
pub(crate) fn least_file_of_work(work: u64) -> u64 {
    match work.checked_sub(SMALL_WORK) {
        None | Some(0) => 0,
        Some(more) => SMALL_FILE + more.div_ceil(WORK_PER_BYTE),
    }
}

/// Returns the least length of a file that may take `room` bytes.
#[cfg(feature = "compress")]
pub(crate) fn least_file(room: u64) -> u64 {
    match room.checked_sub(SMALL_ROOM) {
        None | Some(0) => 0,
        Some(more) => SMALL_FILE + more.div_ceil(ROOM_PER_BYTE),
    }
}

/// Fails if `bytes` is more than `allowed`; `what` names the thing in the sentence.
pub(crate) fn check(what: &str, bytes: u64, allowed: u64) -> Result<()> {
    if bytes <= allowed {
        return Ok(());
    }
    Err(Error::limit(format!("{what} would take {bytes} bytes, {allowed} are allowed")))
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_as_long_as_what_it_takes() {
        let limits = Limits::default();
        for room in [0, 1, SMALL_ROOM, SMALL_ROOM + 1, 200 << 20, DEFAULT_BYTES] {
            let least = least_file(room);
            assert!(limits.for_file(least).model_bytes >= room, "{room}");
            let less = limits.for_file(least.saturating_sub(2)).model_bytes;
            assert!(room <= SMALL_ROOM || less < room, "{room}");
        }
        assert_eq!(limits.for_file(10_000).block_bytes, SMALL_ROOM);
        assert_eq!(limits.for_file(1 << 20), limits);
        let few = Limits { model_bytes: 5, ..limits };
        assert_eq!(few.for_file(u64::MAX), few);
    }

    #[test]
    fn a_file_is_as_long_as_its_work() {
        for work in [0, SMALL_WORK, SMALL_WORK + 1, SMALL_WORK + WORK_PER_BYTE, 1 << 50] {
            let least = least_file_of_work(work);
            check_work(work, least).unwrap();
            let less = check_work(work, least.saturating_sub(1));
            assert_eq!(less.is_err(), work > SMALL_WORK, "{work}");
        }
        check_work(u64::MAX, 1 << 20).unwrap_err();
        check_work(u64::MAX, u64::MAX).unwrap();
    }
}
