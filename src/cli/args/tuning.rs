//! How hard to try: level, threads, memory, seed.

use crate::cli::args::memory::MemoryArgs;
use aezip::Config;
use clap::{Arg, ArgAction, ArgMatches, Command, error::Error};

/// Level, threads, memory and seed.
#[derive(clap::Args)]
pub(crate) struct TuningArgs {
    #[command(flatten)]
    level: Level,
    /// Use N threads; 0 for one per core. The file does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    #[command(flatten)]
    memory: MemoryArgs,
    /// Seed of all randomness: same data, options and seed, same file.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
}

impl TuningArgs {
    /// Writes the choices into `config`.
    pub(crate) fn apply(&self, config: &mut Config) {
        config.level = self.level.0;
        config.threads = self.threads;
        config.memory = self.memory.bytes();
        config.seed = self.seed;
    }
}

/// One of `-1` … `-9`; the last one given counts, as in zstd.
struct Level(u8);

const DEFAULT: u8 = 5;
const IDS: [&str; 9] = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

// By hand, because the derive would take nine fields for one number.
impl clap::Args for Level {
    fn augment_args(mut command: Command) -> Command {
        for (id, letter) in IDS.iter().zip('1'..) {
            let arg = Arg::new(*id)
                .short(letter)
                .action(ArgAction::SetTrue)
                .overrides_with_all(IDS)
                .help_heading("Level");
            command = command.arg(match letter {
                '1' => arg.help("Fastest; -2 to -8 lie between, -5 is the default"),
                '9' => arg.help("Smallest file"),
                _ => arg.hide(true),
            });
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Level {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let chosen = IDS.iter().zip(1..).find(|(id, _)| matches.get_flag(id));
        Ok(Self(chosen.map_or(DEFAULT, |(_, level)| level)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        tuning: TuningArgs,
    }

    fn level(args: &[&str]) -> u8 {
        let line = Line::try_parse_from([&["aezip"], args].concat()).unwrap();
        let mut config = Config::default();
        line.tuning.apply(&mut config);
        config.level
    }

    #[test]
    fn the_last_level_counts() {
        assert_eq!(level(&[]), 5);
        assert_eq!(level(&["-1"]), 1);
        assert_eq!(level(&["-9", "--seed", "7"]), 9);
        assert_eq!(level(&["-9", "-2"]), 2);
        assert_eq!(level(&["-3", "-3"]), 3);
    }

    #[test]
    fn there_is_no_level_zero() {
        assert!(Line::try_parse_from(["aezip", "-0"]).is_err());
        assert!(Line::try_parse_from(["aezip", "--threads", "-1"]).is_err());
    }
}
