//! What the caller wishes for.

use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::config::TrainConfig;
use crate::fit::data::sample::Sample;
use crate::fit::entropy::classes::ClassEffort;
use crate::fit::history::Epoch;
use crate::fit::network::brought::CodecNetwork;
use crate::fit::network::context::{Budget, TrainingContext, TrainingProgress};
use crate::fit::search::bounded::SearchEffort;
use crate::nn::objectives::bits::Cost;
use std::sync::Arc;

/// What a long operation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Looking at the rows.
    Scan,
    /// Fitting models.
    Fit,
    /// Training a network; counted in thousandths.
    Train,
    /// Choosing its latents and training it on them in turn; counted in turns.
    Polish,
    /// Writing rows.
    Encode,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// How much of it is done; rows when encoding.
    pub done: u64,
    /// How much there is; 0 if unknown.
    pub total: u64,
    /// While training: what the file would take now.
    pub estimate: Option<Estimate>,
    /// While training one of the textbooks' kinds: the pass that has just ended.
    pub epoch: Option<Epoch>,
}

/// What a file would take, in bytes per row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Estimate {
    /// Latents; which class a row is in is not counted.
    pub latent: f64,
    /// Residuals; 0 where the promise needs none.
    pub residual: f64,
    /// The decoder's weights.
    pub weights: f64,
    /// Everything, with the linear codec.
    pub linear: f64,
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
    /// The network, where it is not left to level and data.
    pub train: TrainConfig,
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
            train: TrainConfig::default(),
            progress: None,
        }
    }
}

/// More threads than any machine has use for.
const MOST_THREADS: usize = 1024;

/// The default bound, a share of each column's range.
const DEFAULT_BOUND: &str = "0.001";

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("fidelity", &self.fidelity)
            .field("level", &self.level)
            .field("threads", &self.threads)
            .field("seed", &self.seed)
            .field("train", &self.train)
            .finish_non_exhaustive()
    }
}

/// What a training is given beside the wish.
#[derive(Clone, Copy, Default)]
pub(crate) struct Coaching<'a> {
    /// With a codec, what has its network or none.
    pub(crate) codec: Option<Option<&'a CodecNetwork>>,
    /// More rows to train on.
    pub(crate) rows: Option<&'a Sample>,
    /// Whether a codec is made.
    pub(crate) precise: bool,
    pub(crate) finer: Option<f64>,
}

/// What a level means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    /// Numbers to fit on.
    pub(crate) values: usize,
    pub(crate) search: SearchEffort,
    /// What networks may cost; none are tried without.
    pub(crate) networks: Option<Budget>,
    /// zstd level for what is stored exactly.
    pub(crate) zstd: i32,
}

impl Config {
    /// Checks the wish.
    pub(crate) fn validate(&self) -> Result<()> {
        if !(1..=9).contains(&self.level) {
            return Err(Error::argument(format!("level {} is not between 1 and 9", self.level)));
        }
        if self.threads > MOST_THREADS {
            let n = self.threads;
            return Err(Error::argument(format!("{n} threads are more than {MOST_THREADS}")));
        }
        self.train.validate()?;
        self.fidelity.validate_for_writing()
    }

    /// The level's parameters: more rows to fit on, more models tried, more row classes, and
    /// more work for networks.
    pub(crate) fn effort(&self) -> Level {
        let (values, rows, trials, classes, rounds, zstd) = match self.level {
            1 => (1 << 20, 1024, 0, 1, 0, 3),
            2 => (1 << 21, 1024, 4, 4, 2, 6),
            3 => (1 << 22, 2048, 8, 8, 3, 9),
            4 => (5 << 20, 2048, 12, 16, 3, 12),
            5 => (10 << 20, 4096, 16, 64, 4, 19),
            6 => (12 << 20, 4096, 24, 64, 5, 19),
            7 => (20 << 20, 8192, 24, 64, 6, 19),
            8 => (32 << 20, 8192, 32, 128, 6, 19),
            _ => (64 << 20, 16_384, 40, 128, 8, 19),
        };
        let budget = |work: f64, epochs: usize, widths: &'static [usize], classes: usize| {
            let starts: &[(f64, f64)] = match self.level {
                0..=4 => &[(1.0, 1.0)],
                5..=6 => &[(1.0, 1.0), (0.7, 1.0)],
                _ => &[(1.0, 1.0), (0.7, 1.0), (1.0, 3.0)],
            };
            Some(Budget { work, epochs, widths, starts, classes })
        };
        let networks = match self.level {
            1 => None,
            2 => budget(1e11, 20, &[64], 4),
            3 => budget(2.5e11, 40, &[64], 8),
            4 => budget(6e11, 60, &[96], 8),
            5 => budget(1.2e12, 100, &[64, 192], 16),
            6 => budget(2.4e12, 160, &[64, 192], 16),
            7 => budget(4e12, 200, &[64, 192], 32),
            8 => budget(6e12, 300, &[64, 192], 32),
            _ => budget(8e12, 320, &[64, 192, 320], 32),
        };
        let wanted = self.train.wants_network();
        let networks =
            if wanted == Some(true) { networks.or(budget(1e11, 20, &[64], 4)) } else { networks };
        let classes = ClassEffort { classes, rounds };
        let refine = match self.level {
            0..=2 => 2,
            3..=4 => 3,
            5..=6 => 5,
            _ => 8,
        };
        let refit = match self.level {
            0..=4 => 2,
            5 => 3,
            6 => 4,
            7 => 6,
            8 => 9,
            _ => 12,
        };
        // A network needs a search to hold on to.
        let trials = if networks.is_some() { trials.max(4) } else { trials };
        // Where a kind is taken whatever the linear codec costs, that is not worth much time.
        let trials = if self.train.is_kind() { trials.min(4) } else { trials };
        let search = SearchEffort { rows, trials, classes, refine, refit };
        Level { values, search, networks, zstd }
    }

    /// What trains networks, and reports; `heard` is told of each pass of a kind.
    pub(crate) fn with_training<T>(
        &self,
        Coaching { codec, rows, precise, finer }: Coaching<'_>,
        heard: &(dyn Fn(Epoch) + Sync),
        work: impl FnOnce(&TrainingContext<'_>) -> T,
    ) -> T {
        let log = |news: &TrainingProgress| {
            let TrainingProgress { share, cost, linear, epoch } = *news;
            let Cost { latent, residual, weights, .. } = cost;
            let estimate = Estimate { latent, residual, weights, linear };
            let estimate = (!self.train.is_kind()).then_some(estimate);
            let (done, total) = ((share * 1000.0) as u64, 1000);
            if let Some(epoch) = epoch {
                heard(epoch);
            }
            if let Some(progress) = &self.progress {
                progress(Progress { stage: Stage::Train, done, total, estimate, epoch });
            }
        };
        let training = TrainingContext {
            budget: self.effort().networks.filter(|_| codec.is_none()),
            wish: &self.train,
            learned: codec.flatten(),
            seed: self.seed,
            rows,
            precise,
            finer,
            log: &log,
        };
        work(&training)
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
            progress(Progress { stage, done, total, estimate: None, epoch: None });
        }
    }
}
