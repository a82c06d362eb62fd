//! What the caller asks for.

use crate::compress::levels::Level;
use crate::compress::progress::{ProgressFn, Recorder};
use crate::compress::tile::Tile;
use crate::encode::access::Access;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::config::TrainConfig;
use crate::interrupt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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
    /// The promise about decoded values. Default: errors of at most 0.1 % of each column's range.
    pub fidelity: Fidelity,
    /// Effort, from 1 for fast writing to 9 for small files. Default 5.
    pub level: u8,
    /// Numbers that stand for missing values, such as 1e20 or -999: each is kept bit for bit and left
    /// out of bounds relative to the range, of errors and of figures, as NaN is. Default none.
    pub fill_values: Vec<f64>,
    /// Whether numbers that occur again and again, exactly, and far from all others of their columns
    /// are taken for such. Default true.
    pub detect_fill_values: bool,
    /// How an array is cut into what is coded together. Only a bound on each value, absolute, a share of the
    /// value or of a series relative to its range, and no loss at all go with tiles. Default [`Tile::Auto`].
    pub tile: Tile,
    /// The shape in which tiles are cut, where the array's own does not say how its values lie: a list
    /// of spectra may be a picture of them. It has as many values, in the same order. Default none.
    pub shape: Option<Vec<usize>>,
    /// How rows will be asked for: single ones are read quickly, or the file is smaller. Default
    /// [`Access::Auto`].
    pub access: Access,
    /// Threads to use, at most 1024; 0, the default, for as many as there are cores. The file does
    /// not depend on it.
    pub threads: usize,
    /// Seed of everything random. Same rows, same configuration: same file. Default 0.
    pub seed: u64,
    /// What is asked of the network; what is left open is chosen by level and data.
    pub train: TrainConfig,
    /// Is told about progress, if there. Default none.
    pub progress: Option<ProgressFn>,
    /// Once it is true, the work ends soon, with an error of kind
    /// [`Interrupted`](crate::ErrorKind::Interrupted); what is written by then is no file. Default none.
    pub interrupt: Option<Arc<AtomicBool>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fidelity: Fidelity::MaxErrorRel(DEFAULT_BOUND.parse().expect("a number")),
            level: 5,
            fill_values: Vec::new(),
            detect_fill_values: true,
            tile: Tile::Auto,
            shape: None,
            access: Access::Auto,
            threads: 0,
            seed: 0,
            train: TrainConfig::default(),
            progress: None,
            interrupt: None,
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
            .field("fill_values", &self.fill_values)
            .field("detect_fill_values", &self.detect_fill_values)
            .field("tile", &self.tile)
            .field("shape", &self.shape)
            .field("access", &self.access)
            .field("threads", &self.threads)
            .field("seed", &self.seed)
            .field("train", &self.train)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Checks everything but what depends on the rows.
    ///
    /// # Errors
    /// `Argument` where a number is none that makes sense.
    pub fn validate(&self) -> Result<()> {
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

    /// What the level, which must be valid, stands for with what is asked of the network.
    pub(super) fn effort(&self) -> Level {
        Level::new(self.level, &self.train)
    }

    /// Tells about progress as asked for.
    pub(crate) fn recorder(&self) -> Recorder {
        Recorder::new(self.progress.clone(), self.train.is_kind())
    }

    /// Runs `work` on as many threads as asked for.
    pub(crate) fn on_threads<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let flag = self.interrupt.clone();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .start_handler(move |_| interrupt::watch(flag.clone()))
            .build()
            .map_err(|e| Error::io("cannot start threads", std::io::Error::other(e)))?;
        interrupt::caught(|| pool.install(work))
    }
}
