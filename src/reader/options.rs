//! What a reader may use.

use crate::limits::Limits;

/// Bytes of decoded blocks that a reader keeps by default: a few blocks, so that rows that lie
/// near each other are decoded once, and little enough to have many readers open.
const DEFAULT_CACHE_BYTES: usize = 16 << 20;

/// Memory that a reader may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReaderOptions {
    /// What the file may claim before it is refused.
    pub limits: Limits,
    /// Bytes of decoded blocks that are kept for later calls; 0 for none. Unless it is 0, the block
    /// within which a call stopped stays open besides, so that reading on does not begin it anew.
    pub cache_bytes: usize,
}

impl ReaderOptions {
    /// Makes options with these limits and a cache of so many bytes.
    pub fn new(limits: Limits, cache_bytes: usize) -> Self {
        Self { limits, cache_bytes }
    }
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self::new(Limits::default(), DEFAULT_CACHE_BYTES)
    }
}
