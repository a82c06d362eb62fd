//! Rows behind those of a file, which stays as it is: with its model, and under its promise.

mod appended;
mod encoder;
mod given;
mod proof;
mod sums;
mod tail;

use crate::compress::config::Config;
use crate::compress::tiles::{Array, TiledRows};
use crate::encode::blocks::Totals;
use crate::error::{Error, Result};
use crate::matrix::{Described, Rows, Tiling};
pub use appended::Appended;
use encoder::Coding;
use given::Given;
use std::path::Path;
use tail::Tail;

/// Adds `rows` behind those of the `.aez` file at `path`, encoded with the file's model so that its promise
/// holds for all rows. Of `config` the threads, the progress and the level count, which says how hard zstd
/// works.
///
/// No byte of the file is written over, but for those of an earlier call that did not come to its end. Rows
/// count once all of them are on the disk: whenever the program is killed or the power goes out, the
/// file is what it was, or has all rows. The file is locked meanwhile; whoever has it open goes on
/// reading what it was.
///
/// A promise about all rows together is kept by these rows alone, which is enough for the whole, so
/// that few rows take more bytes than many. A block is not filled up later, and each call writes an
/// index of some of the blocks: thousands of rows at a time are best. Rows that are not like those
/// that the model was learned from take more bytes, up to as many as they have.
///
/// # Errors
/// `Argument` if the file holds no rows like these, they would break its promise, or somebody else is
/// appending; `Corrupt` or `Truncated` if it is damaged; `Io` if reading or writing fails. The file is
/// then what it was.
///
/// ```
/// use aezip::{Config, Matrix, Reader, append, compress};
/// let rows = |from: usize| -> aezip::Result<Matrix> {
///     let wave = |i: usize| ((i / 20) as f32 * 0.3).sin() * (i % 20) as f32;
///     Matrix::from_slice(&(from * 20..(from + 500) * 20).map(wave).collect::<Vec<_>>(), &[20])
/// };
/// let path = std::env::temp_dir().join(format!("aezip-append-{}.aez", std::process::id()));
/// compress(&rows(0)?, &Config::default(), std::fs::File::create(&path).unwrap())?;
///
/// let added = append(&path, &rows(500)?, &Config::default())?;
/// assert_eq!((added.rows_before, added.rows), (500, 500));
/// assert_eq!(Reader::open(&path)?.rows(), 1000);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn append(path: impl AsRef<Path>, rows: &dyn Rows, config: &Config) -> Result<Appended> {
    let tail = Tail::open(path.as_ref())?;
    let given = Given::new(&tail, rows)?;
    if rows.is_empty() {
        return Ok(tail.appended(0, 0, &Totals::default()));
    }
    config.on_threads(|| match given.tiling {
        None => write(tail, (&given.rows, &given.rows), config),
        Some(tiling) => write_tiles(tail, &given.rows, tiling, config),
    })?
}

fn write_tiles(
    mut tail: Tail,
    rows: &Described<'_>,
    tiling: Tiling,
    config: &Config,
) -> Result<Appended> {
    let array = Array::new(rows, config.held_array())?;
    tail.whole.first_axis = (tail.reader.rows() + rows.len()) as u64;
    write(tail, (rows, &TiledRows::new(&array, tiling)?), config)
}

/// Encodes rows, which the array has, as the codec has them, and makes them count.
fn write(
    mut tail: Tail,
    (array, coded): (&Described<'_>, &dyn Rows),
    config: &Config,
) -> Result<Appended> {
    let promise = tail.promise()?;
    let coding = Coding::new(&tail.reader, coded, &promise, config)?;
    let bounds = coding.bounds.clone();
    let recorder = config.recorder();
    let written = sums::keep(&mut tail, coding, coded, &promise, &recorder)?;
    if !proof::holds(&tail, &written.footer, array, (&promise, bounds.as_deref()))? {
        return Err(Error::argument(format!(
            "{promise} could not be kept for these rows with the model of the file; nothing was appended"
        )));
    }
    tail.seal(&written.footer)?;
    Ok(tail.appended(array.len() as u64, written.footer.length, &written.totals))
}
