//! How a command fails: an exit code and one line.

use super::console;
use std::io;
use std::process::ExitCode;

/// Why a command stops.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    code: u8,
    message: Option<String>,
}

impl Failure {
    /// Something went wrong: exit code 1.
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self { code: 1, message: Some(message.into()) }
    }

    /// The operating system said no: exit code 1.
    pub(crate) fn io(what: impl std::fmt::Display, error: &io::Error) -> Self {
        Self::error(format!("{what}: {error}"))
    }

    /// The command line makes no sense, whatever the files hold: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: Some(message.into()) }
    }

    /// The file does not keep its promise, as already printed: exit code 3.
    pub(crate) fn promise_broken() -> Self {
        Self { code: 3, message: None }
    }

    /// The file to read is damaged: exit code 4.
    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self { code: 4, message: Some(message.into()) }
    }

    /// Whoever read the output has gone away; there is nobody to tell: exit code 1.
    pub(crate) fn hung_up() -> Self {
        Self { code: 1, message: None }
    }

    /// The exit code.
    #[cfg(test)]
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// The line, if there is one.
    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or("")
    }

    /// Prints the line and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if let Some(message) = &self.message {
            console::say(message);
        }
        ExitCode::from(self.code)
    }
}

impl From<aezip::Error> for Failure {
    fn from(error: aezip::Error) -> Self {
        Self::error(error.to_string())
    }
}
