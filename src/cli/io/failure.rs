//! How a command fails: an exit code and one line.

use std::io;

/// Exit code for all that has none of its own.
const ERROR: u8 = 1;
/// Exit code for a command line that makes no sense.
const USAGE: u8 = 2;
/// Exit code for a promise that is not held.
const PROMISE_BROKEN: u8 = 3;
/// Exit code for a damaged file.
const CORRUPT: u8 = 4;

/// Why a command stops.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    code: u8,
    message: Option<String>,
}

impl Failure {
    /// Makes a failure for what went wrong without a code of its own: exit code 1.
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self { code: ERROR, message: Some(message.into()) }
    }

    /// Makes a failure for what the operating system refused: exit code 1.
    pub(crate) fn io(what: impl std::fmt::Display, error: &io::Error) -> Self {
        Self::error(format!("{what}: {error}"))
    }

    /// Makes a failure for a command line that no files could make sense of: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: USAGE, message: Some(message.into()) }
    }

    /// Makes a failure for a file that does not keep its promise, as already printed: exit code 3.
    pub(crate) fn promise_broken() -> Self {
        Self { code: PROMISE_BROKEN, message: None }
    }

    /// Makes a failure for a damaged file: exit code 4.
    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self { code: CORRUPT, message: Some(message.into()) }
    }

    /// Makes a failure for a reader of the output that has gone away; there is nobody to tell: exit
    /// code 1.
    pub(crate) fn hung_up() -> Self {
        Self { code: ERROR, message: None }
    }

    /// Returns the exit code.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// Returns the line; empty if there is nothing to say.
    pub(crate) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or("")
    }
}

impl From<aezip::Error> for Failure {
    fn from(error: aezip::Error) -> Self {
        Self::error(error.to_string())
    }
}
