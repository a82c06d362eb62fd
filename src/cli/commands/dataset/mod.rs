//! `aezip dataset`: folders of files that are read as one array.

mod folder;
mod info;
mod manifest;
mod verify;

use crate::cli::io::console::Console;
use crate::cli::io::failure::Failure;
use folder::What;

/// Look at a data set: a folder of files with rows of one kind, which a manifest names.
///
/// The Python package writes data sets, on one machine or with Ray, Dask and Spark, and reads them as one array.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Info(InfoArgs),
    Verify(VerifyArgs),
}

/// Show what a data set holds, as its manifest says.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  aezip dataset info embeddings
  aezip dataset info embeddings --json | jq .rows")]
struct InfoArgs {
    #[command(flatten)]
    what: What,
}

/// Check a data set: its manifest, the hash of each file, every checksum and every row.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 all is well, 1 a file is missing or not the one that the manifest names, 4 a file is
the one that it names, and corrupt.

Examples:
  aezip dataset verify embeddings")]
struct VerifyArgs {
    #[command(flatten)]
    what: What,
}

/// Runs the command.
pub(crate) fn run(args: &Args, console: &Console) -> Result<(), Failure> {
    match &args.command {
        Command::Info(args) => info::run(&args.what),
        Command::Verify(args) => verify::run(&args.what, console),
    }
}
