//! How much memory a file may ask for before any is given to it.

use crate::error::{Error, Result};

/// What a reader lets a file claim before any memory is given to it.
///
/// A file that claims more is refused with [`ErrorKind::Limit`](crate::ErrorKind::Limit). The
/// defaults, 1 GiB each, fit ordinary files; services that open strangers' files lower them:
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

/// What few bytes may become, whatever the limits are: models of a million columns, and rows of 2^22
/// numbers of 8 bytes. With all that a file may ask for at once, a reader stays below 256 MiB.
const SMALL_BYTES: u64 = 32 << 20;
/// How many bytes each byte may become beyond that. Real data rarely exceeds it, and what does is
/// stored in another way.
const MOST_PER_BYTE: u64 = 1024;

/// Returns how many bytes `stored` bytes of a file may become in memory: a small file, whoever made
/// it, then takes little.
pub(crate) fn from_few(stored: usize) -> u64 {
    SMALL_BYTES + MOST_PER_BYTE * stored as u64
}

/// Fails if `bytes` is more than `allowed`; `what` names the thing in the sentence.
pub(crate) fn check(what: &str, bytes: u64, allowed: u64) -> Result<()> {
    if bytes <= allowed {
        return Ok(());
    }
    Err(Error::limit(format!("{what} would take {bytes} bytes, {allowed} are allowed")))
}
