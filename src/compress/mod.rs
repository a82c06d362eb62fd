//! Rows to a file: from the caller's request to the bytes.

mod append;
mod codec_file;
mod config;
mod exact;
pub(crate) mod filled;
pub(crate) mod job;
mod levels;
mod lossless;
mod pointwise;
mod progress;
pub(crate) mod promise;
mod report;
mod stream;
mod target;
#[cfg(all(test, feature = "formats"))]
mod tests;
mod tile;
mod tiles;
mod writer;

pub use crate::encode::access::Access;
pub use crate::fit::config::{Activation, TrainConfig};
pub use crate::fit::corruption::{Denoise, Loss, Patches, Transformer};
pub use crate::fit::history::{Epoch, History};
pub use append::{Appended, append};
pub use codec_file::Codec;
pub use config::Config;
pub use progress::{Estimate, Progress, ProgressFn, Stage};
pub use report::Report;
pub use tile::Tile;
pub use writer::Writer;

use crate::error::Result;
use crate::matrix::Rows;
use filled::with_fill_values;
use job::Job;
use std::io::Write;
use tiles::TiledRows;

/// Compresses `rows` into `out` as `config` says; the same input gives the same bytes.
///
/// `rows` are read more than once, `out` is written from its beginning to its end. Where the
/// promise is about a sum over the file, it is held in memory before it is written, or where that is more than
/// [`Config::memory`] allows encoded once more.
///
/// # Errors
/// `Argument` if the promise makes no sense for these rows or cannot be kept; `Io` if reading or
/// writing fails.
///
/// ```
/// use aezip::{Config, Fidelity, Matrix, Reader, compress};
/// let values: Vec<f32> = (0..3000).map(|i| (i as f32 * 0.01).sin()).collect();
/// let matrix = Matrix::from_slice(&values, &[30])?;
/// let mut config = Config::default();
/// config.fidelity = Fidelity::MaxError("0.001".parse()?);
///
/// let mut bytes = Vec::new();
/// let report = compress(&matrix, &config, &mut bytes)?;
/// assert!(report.bytes_out < report.bytes_in / 4);
///
/// let reader = Reader::new(&bytes)?;
/// let mut row = [0.0_f32; 30];
/// reader.read_row(7, &mut row)?;
/// assert!((row[0] - values[210]).abs() <= 0.001);
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn compress(rows: &dyn Rows, config: &Config, mut out: impl Write + Send) -> Result<Report> {
    let rows = &with_fill_values(rows, config)?;
    let recorder = &config.recorder();
    if tiles::may_be_cut(rows, config) {
        let array = tiles::Array::new(rows, config.held_array())?;
        if let Some(tiling) = tiles::tiling(&array, config)? {
            let tiles = TiledRows::new(&array, tiling)?;
            let report = promise::compress(&Job::new(&tiles, config, recorder)?, &mut out)?;
            return Ok(report.of_array(rows));
        }
    }
    promise::compress(&Job::new(rows, config, recorder)?, &mut out)
}
