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
        format!("{} (--help says more)\n", brief(&text))
    };
    let _ = write!(std::io::stderr(), "aezip: {text}");
    ExitCode::from(2)
}

/// Joins what an error says to a line, without the usage of the command, which `--help` has too.
fn brief(text: &str) -> String {
    let told = text.strip_prefix("error: ").unwrap_or(text).split("\n\n");
    let told = told.map(str::trim).filter(|part| {
        !part.is_empty() && !part.starts_with("Usage:") && !part.starts_with("For more")
    });
    let lines = told.flat_map(str::lines).map(|line| {
        let line = line.trim();
        line.strip_prefix("tip: ").map_or_else(|| line.to_string(), |tip| format!("({tip})"))
    });
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line() {
        let clap = "error: unexpected argument '--cosin' found\n\n  tip: a similar argument exists: \
                    '--cosine'\n\nUsage: aezip compress --cosine <C> <IN>\n\nFor more information, \
                    try '--help'.\n";
        let expected =
            "unexpected argument '--cosin' found (a similar argument exists: '--cosine')";
        assert_eq!(brief(clap), expected);
        let missing = "error: the following required arguments were not provided:\n  --codec <CODEC>\n  \
                       -o <OUT>\n\nUsage: aezip predict --codec <CODEC>\n\nFor more information, try \
                       '--help'.\n";
        let expected =
            "the following required arguments were not provided: --codec <CODEC> -o <OUT>";
        assert_eq!(brief(missing), expected);
    }
}
