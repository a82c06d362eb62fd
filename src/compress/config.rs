//! What the caller wishes for.

use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::train::classes::Effort;
use crate::train::search::SearchEffort;
use std::sync::Arc;

/// What a long operation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Looking at the rows.
    Scan,
    /// Fitting models.
    Fit,
    /// Writing rows.
    Encode,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// How much of it is done; rows when encoding.
    pub done: u64,
    /// How much there is; 0 if unknown.
    pub total: u64,
}

/// A function that is told about progress, from any thread.
pub type ProgressFn = Arc<dyn Fn(Progress) + Send + Sync>;

/// How to compress.
///
/// ```
/// use aezip::{Config, Fidelity};
/// let mut config = Config::default();
/// config.fidelity = Fidelity::MaxError("0.05".parse()?);
/// config.level = 9;
/// # Ok::<(), aezip::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The promise. Default: 0.1 % of each column's range.
    pub fidelity: Fidelity,
    /// Effort from 1, fast, to 9, small. Default 5.
    pub level: u8,
    /// Threads; 0 for as many as there are cores. The file does not depend on it.
    pub threads: usize,
    /// Seed of everything random. Same rows, same configuration: same file.
    pub seed: u64,
    /// Told about progress, if there.
    pub progress: Option<ProgressFn>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fidelity: Fidelity::MaxErrorRel(DEFAULT_BOUND.parse().expect("a number")),
            level: 5,
            threads: 0,
            seed: 0,
            progress: None,
        }
    }
}

/// The default bound, a share of each column's range.
const DEFAULT_BOUND: &str = "0.001";

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("fidelity", &self.fidelity)
            .field("level", &self.level)
            .field("threads", &self.threads)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// What a level means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    /// Numbers to fit on.
    pub(crate) values: usize,
    pub(crate) search: SearchEffort,
    /// zstd level for what is stored exactly.
    pub(crate) zstd: i32,
}

impl Config {
    /// Checks the wish.
    pub(crate) fn validate(&self) -> Result<()> {
        if !(1..=9).contains(&self.level) {
            return Err(Error::argument(format!("level {} is not between 1 and 9", self.level)));
        }
        self.fidelity.validate_for_writing()
    }

    /// The level's parameters: more rows to fit on, more models tried, more row classes.
    pub(crate) fn effort(&self) -> Level {
        let (values, rows, trials, classes, rounds, zstd) = match self.level {
            1 => (1 << 20, 1024, 0, 1, 0, 3),
            2 => (1 << 21, 1024, 4, 4, 2, 6),
            3 => (1 << 22, 2048, 8, 8, 3, 9),
            4 => (5 << 20, 2048, 12, 16, 3, 12),
            5 => (6 << 20, 4096, 16, 64, 4, 19),
            6 => (8 << 20, 4096, 24, 64, 5, 19),
            7 => (12 << 20, 8192, 24, 64, 6, 19),
            8 => (16 << 20, 8192, 32, 128, 6, 19),
            _ => (24 << 20, 16_384, 40, 128, 8, 19),
        };
        let classes = Effort { classes, rounds };
        Level { values, search: SearchEffort { rows, trials, classes }, zstd }
    }

    /// Runs `work` on as many threads as asked for.
    pub(crate) fn on_threads<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build()
            .map_err(|e| Error::io("cannot start threads", std::io::Error::other(e)))?;
        Ok(pool.install(work))
    }

    pub(crate) fn report(&self, stage: Stage, done: u64, total: u64) {
        if let Some(progress) = &self.progress {
            progress(Progress { stage, done, total });
        }
    }
}
