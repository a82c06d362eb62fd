//! The `aezip` program: a list of commands.

mod cli;

use clap::{Parser, Subcommand};
use cli::commands::{
    anomalies, append, compare, compress, dataset, decompress, denoise, embed, export,
};
use cli::commands::{finetune, impute, info, plot, predict, sample, train, verify};
use cli::io::{console, temporary, usage};
use std::process::ExitCode;

/// Learned lossy compression for rows of numbers, with bounds that are never broken.
///
/// Keeps the input, never overwrites without -f. `-` stands for standard input or output.
#[derive(Parser)]
#[command(name = "aezip", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    console: console::ConsoleArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Compress(compress::Args),
    Decompress(decompress::Args),
    Append(append::Args),
    Info(info::Args),
    Verify(verify::Args),
    Train(train::Args),
    Embed(embed::Args),
    Anomalies(anomalies::Args),
    Denoise(denoise::Args),
    Impute(impute::Args),
    Sample(sample::Args),
    Finetune(finetune::Args),
    Predict(predict::Args),
    Plot(plot::Args),
    Compare(compare::Args),
    Export(export::Args),
    Dataset(dataset::Args),
}

const EXAMPLES: &str = "\
Examples:
  aezip compress spectra.npy --max-error 0.01     write spectra.npy.aez
  aezip decompress spectra.npy.aez -o back.npy    and back
  aezip append spectra.npy.aez more.npy           rows to those that are there
  aezip info spectra.npy.aez                      what is inside
  aezip verify spectra.npy.aez --against spectra.npy

Exit codes: 0 done, 1 error, 2 wrong usage, 3 promise not held, 4 corrupt file,
130 interrupted.";

fn main() -> ExitCode {
    temporary::remove_on_interrupt();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::explain(&error),
    };
    let console = cli.console.console();
    let done = match cli.command {
        Command::Compress(args) => compress::run(args, &console),
        Command::Decompress(args) => decompress::run(args, &console),
        Command::Append(args) => append::run(args, &console),
        Command::Info(args) => info::run(&args),
        Command::Verify(args) => verify::run(args, &console),
        Command::Train(args) => train::run(args, &console),
        Command::Embed(args) => embed::run(args, &console),
        Command::Anomalies(args) => anomalies::run(args, &console),
        Command::Denoise(args) => denoise::run(args, &console),
        Command::Impute(args) => impute::run(args, &console),
        Command::Sample(args) => sample::run(args, &console),
        Command::Finetune(args) => finetune::run(args, &console),
        Command::Predict(args) => predict::run(args, &console),
        Command::Plot(args) => plot::run(args, &console),
        Command::Compare(args) => compare::run(args, &console),
        Command::Export(args) => export::run(&args, &console),
        Command::Dataset(args) => dataset::run(&args, &console),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => console::report(&failure),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        super::Cli::command().debug_assert();
    }
}
