//! How much memory a file may ask for.

use crate::error::{Error, Result};

/// What a reader lets a file claim before any memory is given to it.
///
/// The defaults fit ordinary files; services that open strangers' files lower them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that the decoded model may take.
    pub model_bytes: u64,
    /// Bytes that one decoded block may take.
    pub block_bytes: u64,
    /// Bytes that the index in memory may take.
    pub index_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { model_bytes: 1 << 30, block_bytes: 1 << 30, index_bytes: 1 << 30 }
    }
}

/// Fails if `bytes` is more than `allowed`; `what` names the thing in the sentence.
pub(crate) fn check(what: &str, bytes: u64, allowed: u64) -> Result<()> {
    if bytes <= allowed {
        return Ok(());
    }
    Err(Error::limit(format!("{what} would take {bytes} bytes, {allowed} are allowed")))
}
