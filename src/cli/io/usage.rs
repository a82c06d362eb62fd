//! Turns clap's verdict on the command line into our own form of error.

use clap::error::{Error, ErrorKind};
use std::io::Write;
use std::process::ExitCode;

/// Prints help and version to standard output, errors as `aezip: …` to standard error.
pub(crate) fn explain(error: &Error) -> ExitCode {
    if !error.use_stderr() {
        // Help piped into a closed `head` is no failure.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let text = if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        format!("a command is needed\n\n{text}")
    } else {
        text.strip_prefix("error: ").map(str::to_string).unwrap_or(text)
    };
    let _ = write!(std::io::stderr(), "aezip: {text}");
    ExitCode::from(2)
}
