//! What the caller asks for.

use crate::compress::levels::Level;
use crate::compress::progress::{ProgressFn, Recorder};
use crate::compress::tile::Tile;
use crate::encode::access::Access;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::config::TrainConfig;
use crate::interrupt;
use crate::matrix::DType;
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
    /// Bytes of memory that the work may take, about, beside rows that are in memory already: 128 MiB or more.
    /// Codecs are fitted to no more rows than that allows, so that files of large arrays may depend on it; what
    /// cannot be done within it fails with [`Limit`](crate::ErrorKind::Limit). Default 1 GiB.
    pub memory: u64,
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
            memory: DEFAULT_MEMORY,
            threads: 0,
            seed: 0,
            train: TrainConfig::default(),
            progress: None,
            interrupt: None,
        }
    }
}

/// The memory that is allowed by default, and the least that anything can be done with.
const DEFAULT_MEMORY: u64 = 1 << 30;
const LEAST_MEMORY: u64 = 128 << 20;

/// Bytes that fitting takes for each number of the sample.
const BYTES_PER_SAMPLED: u64 = 64;
/// Bytes that the training of a textbook's network takes for each number of its rows, beside twice the number.
const BYTES_PER_TRAINED: u64 = 16;
/// Bytes that it takes besides.
const TRAINING: u64 = 128 << 20;
/// The share of the memory that an array may take that is held as a whole while it is cut into tiles, and the
/// share of a file that is held until it is known whether it is the one to write.
const SHARE_OF_ARRAY: u64 = 2;
const SHARE_OF_FILE: u64 = 8;

/// More threads than any machine has use for.
const MOST_THREADS: usize = 1024;

/// Numbers that networks with textbook objectives are trained on, at most: whoever asks for one
/// wants it trained, on more rows than a linear codec needs.
const TEXTBOOK_VALUES: usize = 64 << 20;

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
            .field("memory", &self.memory)
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
        if self.memory < LEAST_MEMORY {
            let n = self.memory;
            let what =
                format!("{n} bytes of memory are too few for anything: allow {LEAST_MEMORY}");
            return Err(Error::argument(what));
        }
        self.train.validate()?;
        self.fidelity.validate_for_writing()
    }

    /// What the level, which must be valid, stands for with what is asked of the network.
    pub(super) fn effort(&self) -> Level {
        let level = Level::new(self.level, &self.train);
        let most = usize::try_from(self.memory / BYTES_PER_SAMPLED).unwrap_or(usize::MAX);
        Level { sample_values: level.sample_values.min(most), ..level }
    }

    /// How many numbers of rows of `dtype` a network of a textbook's kind is trained on at most.
    pub(super) fn trained_values(&self, dtype: DType) -> usize {
        let each = 2 * dtype.size() as u64 + BYTES_PER_TRAINED;
        let room = self.memory.saturating_sub(TRAINING).max(self.memory / 4);
        usize::try_from(room / each).unwrap_or(usize::MAX).min(TEXTBOOK_VALUES)
    }

    /// How many bytes of an array are held in memory while it is cut.
    pub(super) fn held_array(&self) -> u64 {
        self.memory / SHARE_OF_ARRAY
    }

    /// How many bytes of a file are held in memory until it is known whether it is the one to write.
    pub(super) fn held_file(&self) -> u64 {
        self.memory / SHARE_OF_FILE
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
