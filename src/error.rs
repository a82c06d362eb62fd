//! The one error type: what kind, where in the file, and a sentence.

use std::fmt;

/// What went wrong, coarsely: enough to choose an exit code or a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The data ends before it should.
    Truncated,
    /// A checksum, a length or a value contradicts the format.
    Corrupt,
    /// Valid, but written by a newer version or using something this build lacks.
    Unsupported,
    /// The data asks for more memory or work than the caller's [`Limits`](crate::Limits) allow.
    Limit,
    /// The caller asked for something that makes no sense.
    Argument,
    /// The operating system said no.
    Io,
    /// The caller wanted the work to end before it was done.
    Interrupted,
}

/// An error with its kind, the byte offset where there is one, and a sentence that says
/// what is wrong and, where possible, what to do.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    at: Option<u64>,
    what: String,
    source: Option<std::io::Error>,
}

/// Shorthand for results with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! constructors {
    ($($name:ident => $kind:ident),* $(,)?) => { $(
        #[doc = concat!("Makes an error of kind [`ErrorKind::", stringify!($kind), "`].")]
        pub fn $name(what: impl Into<String>) -> Self {
            Self { kind: ErrorKind::$kind, at: None, what: what.into(), source: None }
        }
    )* };
}

impl Error {
    constructors! {
        truncated => Truncated,
        corrupt => Corrupt,
        unsupported => Unsupported,
        limit => Limit,
        argument => Argument,
        interrupted => Interrupted,
    }

    /// Wraps an error of the operating system; `what` says what failed: `cannot open x.npy`.
    pub fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self { kind: ErrorKind::Io, at: None, what: what.into(), source: Some(source) }
    }

    /// Locates the error at byte `offset` of the file, unless it has a place already.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.at.get_or_insert(offset);
        self
    }

    /// Says which part of the file the error is about.
    #[cfg(feature = "formats")]
    pub(crate) fn about(self, part: &str) -> Self {
        Self { what: format!("{part}: {}", self.what), ..self }
    }

    /// Says what went wrong, coarsely.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the byte offset in the file where the fault was found, if it has one.
    pub fn offset(&self) -> Option<u64> {
        self.at
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ErrorKind::Truncated => f.write_str("truncated: ")?,
            ErrorKind::Corrupt => f.write_str("corrupt: ")?,
            ErrorKind::Unsupported => f.write_str("unsupported: ")?,
            ErrorKind::Limit => f.write_str("over the limit: ")?,
            ErrorKind::Argument | ErrorKind::Io | ErrorKind::Interrupted => {}
        }
        f.write_str(&self.what)?;
        if let Some(at) = self.at {
            write!(f, " (at byte {at})")?;
        }
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|e| e as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(source: std::io::Error) -> Self {
        Self::io("input/output failed", source)
    }
}
