//! What the program tells its user, and where.

use crate::cli::io::closed;
use crate::cli::io::failure::Failure;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// How much the program says.
#[derive(clap::Args)]
pub(crate) struct ConsoleArgs {
    /// Say nothing but errors.
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more.
    #[arg(short, long, global = true)]
    verbose: bool,
}

impl ConsoleArgs {
    /// Returns the console; quiet wins over verbose.
    pub(crate) fn console(&self) -> Console {
        Console { quiet: self.quiet, verbose: self.verbose && !self.quiet }
    }
}

/// Standard error as the user wants it.
pub(crate) struct Console {
    quiet: bool,
    verbose: bool,
}

impl Console {
    /// Says `line`, unless quiet.
    pub(crate) fn note(&self, line: &str) {
        if !self.quiet {
            say(line);
        }
    }

    /// Says `line` if asked to say more.
    pub(crate) fn detail(&self, line: &str) {
        if self.verbose {
            say(line);
        }
    }

    /// Says whether anything but errors is wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Says whether a progress bar makes sense.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

/// Writes a line to standard error.
pub(crate) fn say(line: &str) {
    // Without a standard error there is nobody to tell; `eprintln!` would panic.
    let _ = writeln!(io::stderr(), "aezip: {}", plain(line));
}

/// Says why a command failed, and returns its exit code.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    if !failure.message().is_empty() {
        say(failure.message());
    }
    ExitCode::from(failure.code())
}

/// Writes `text`, a command's result, to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = closed::expect_open().and_then(|()| writeln!(out, "{text}"));
    written.and_then(|()| out.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::hung_up(),
        _ => Failure::io("cannot write to standard output", &error),
    })
}

/// Escapes the control characters of `text`.
///
/// File and column names come from strangers; a line stays a line and the terminal keeps
/// its colours.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let kept = (!c.is_control()).then_some(c);
            escaped.into_iter().flatten().chain(kept)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(plain("a\x1b[31mb\nc\u{9b}d é"), "a\\u{1b}[31mb\\nc\\u{9b}d é");
    }
}
