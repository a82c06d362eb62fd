//! The reader: rows by number, from the blocks that hold them.

use super::blocks::Blocks;
use super::cache::Cache;
use super::info::Info;
use super::open::Frame;
use super::options::ReaderOptions;
use super::row_cache::RowCache;
use super::source::{Bytes, Fetched, FileSource, Source};
use crate::codec::program::Program;
use crate::container::model::ModelRecord;
#[cfg(feature = "apps")]
use crate::container::task::TaskRecord;
#[cfg(feature = "compress")]
use crate::container::transformer::TransformerRecord;
#[cfg(feature = "compress")]
use crate::container::{compander::CompanderRecord, encoder::EncoderRecord};
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::matrix::{DType, Element, KeptText, Rows, Schema, check_range};
use std::io;
use std::ops::Range;
use std::path::Path;

/// An open file.
///
/// Opening checks header, model and index; a block's checksum is checked whenever it is
/// decoded; [`Reader::verify`] checks everything. A reader can be shared between threads.
///
/// Which constructor? [`Reader::open`] is safe and reads by position. [`Reader::map`] is 5 to 8 %
/// faster for single rows and `unsafe`: nobody may change the file meanwhile, and where it becomes
/// shorter, the system ends the program. [`Reader::new`]
/// takes bytes in memory, [`Reader::fetch`] what a function brings from far away.
///
#[cfg_attr(feature = "compress", doc = "```")]
#[cfg_attr(not(feature = "compress"), doc = "```ignore")]
/// use aezip::{Config, Matrix, Reader, compress};
/// let values: Vec<f32> = (0..4000).map(|i| (i as f32 * 0.02).sin()).collect();
/// let mut file = Vec::new();
/// compress(&Matrix::from_slice(&values, &[40])?, &Config::default(), &mut file)?;
///
/// let reader = Reader::new(file)?;
/// assert_eq!((reader.rows(), reader.row_shape()), (100, &[40][..]));
/// let mut row = [0.0_f32; 40];
/// reader.read_row(99, &mut row)?;
/// let mut three = [0.0_f32; 120];
/// reader.gather(&[99, 0, 99], &mut three)?;
/// assert_eq!(three[..40], row);
/// reader.verify()?;
/// # Ok::<(), aezip::Error>(())
/// ```
#[derive(Debug)]
pub struct Reader<S> {
    pub(super) blocks: Blocks<S>,
    pub(super) cache: Cache,
    /// Rows that were decoded by themselves, in files where they are.
    pub(super) rows: Option<RowCache>,
}

impl Reader<FileSource> {
    /// Opens the file at `path`, to be read by position.
    ///
    /// # Errors
    /// `Io` if it cannot be read; `Truncated`, `Corrupt`, `Unsupported` or `Limit` if it is no
    /// valid file within the default limits.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, ReaderOptions::default())
    }

    /// Opens the file at `path`, to be read by position within `options`.
    ///
    /// # Errors
    /// `Io` if it cannot be read; `Truncated`, `Corrupt`, `Unsupported` or `Limit` if it is no
    /// valid file within the limits.
    pub fn open_with(path: impl AsRef<Path>, options: ReaderOptions) -> Result<Self> {
        Self::with(FileSource::open(path.as_ref())?, options)
    }

    /// Reads an open file by position within `options`, wherever it has been read to: one without
    /// a name, for example.
    ///
    /// # Errors
    /// `Io` if it cannot be read; `Truncated`, `Corrupt`, `Unsupported` or `Limit` if it is no
    /// valid file within the limits.
    pub fn from_file(file: std::fs::File, options: ReaderOptions) -> Result<Self> {
        Self::with(FileSource::new(file)?, options)
    }
}

impl<B: AsRef<[u8]> + Send + Sync> Reader<Bytes<B>> {
    /// Opens a file that is in memory.
    ///
    /// # Errors
    /// `Truncated`, `Corrupt`, `Unsupported` or `Limit` if it is no valid file within the default
    /// limits.
    pub fn new(bytes: B) -> Result<Self> {
        Self::new_with(bytes, ReaderOptions::default())
    }

    /// Opens a file that is in memory, to be read within `options`.
    ///
    /// # Errors
    /// `Truncated`, `Corrupt`, `Unsupported` or `Limit` if it is no valid file within the limits.
    pub fn new_with(bytes: B, options: ReaderOptions) -> Result<Self> {
        Self::with(Bytes(bytes), options)
    }
}

impl<F: Fn(u64, &mut [u8]) -> io::Result<()> + Send + Sync> Reader<Fetched<F>> {
    /// Opens a file of `length` bytes that `fetch` brings, to be read within `options`: it is called
    /// with the first byte that is needed, and fills the slice from there on. What is to be read can be
    /// asked for beforehand: [`Reader::bytes_of_rows`], [`Reader::bytes_of_region`].
    ///
    /// # Errors
    /// `Io` where `fetch` fails; `Truncated`, `Corrupt`, `Unsupported` or `Limit` if it is no valid file
    /// within the limits.
    pub fn fetch(length: u64, fetch: F, options: ReaderOptions) -> Result<Self> {
        Self::with(Fetched::new(length, fetch), options)
    }
}

impl<S: Source> Reader<S> {
    pub(super) fn with(source: S, options: ReaderOptions) -> Result<Self> {
        let blocks = Blocks::open(source, options.limits)?;
        let (frame, bytes) = (blocks.frame(), options.cache_bytes);
        let is_by_row = frame.program.as_ref().is_some_and(Program::is_by_row);
        // Blocks of such files that are kept as a whole have half of the room.
        let (own, others) = if is_by_row { (bytes / 2, bytes / 2) } else { (0, bytes) };
        let rows = is_by_row.then(|| RowCache::new(own, frame.schema.row_bytes()));
        Ok(Self { blocks, cache: Cache::new(others), rows })
    }

    pub(super) fn frame(&self) -> &Frame {
        self.blocks.frame()
    }

    /// Returns the number of rows; 0 for a codec, 1 for a number without an axis.
    pub fn rows(&self) -> usize {
        self.frame().rows()
    }

    /// Returns the shape of one row.
    pub fn row_shape(&self) -> &[usize] {
        &self.schema().row_shape
    }

    /// Returns the type of the numbers.
    pub fn dtype(&self) -> DType {
        self.frame().schema.dtype
    }

    /// Returns type, shape, column names and the source's name.
    pub fn schema(&self) -> &Schema {
        self.frame().rows_schema()
    }

    /// Returns the promise that the file keeps; `None` for a codec.
    pub fn promise(&self) -> Option<&Fidelity> {
        self.frame().promise.as_ref()
    }

    /// Says what the file is made of.
    pub fn info(&self) -> Info {
        Info::new(self.frame(), self.blocks.unfinished_bytes())
    }

    /// Reads the columns of text that a table had beside its numbers, all rows of them; `None` if
    /// there are none. They are read anew in each call.
    ///
    /// # Errors
    /// `Corrupt` or `Truncated` if they are damaged, `Limit` if they would take more memory than is
    /// allowed ([`Limits::model_bytes`](crate::Limits::model_bytes)), `Io` if they cannot be read.
    pub fn kept_text(&self) -> Result<Option<KeptText>> {
        self.blocks.kept_text()
    }

    pub(crate) fn model(&self) -> Option<&ModelRecord> {
        self.frame().program.as_ref().map(|p| &p.record)
    }

    /// Returns the scales that the model's numbers are on, if they are not those of the file.
    #[cfg(feature = "compress")]
    pub(crate) fn scales(&self) -> Option<&CompanderRecord> {
        let scales = self.frame().program.as_ref()?.compander.as_ref()?;
        Some(&scales.record)
    }

    /// Reads the encoder, where a codec brings one; anew in each call.
    #[cfg(feature = "compress")]
    pub(crate) fn encoder(&self) -> Result<Option<EncoderRecord>> {
        self.blocks.encoder()
    }

    /// Reads what predicts labels or numbers, where a codec brings it; anew in each call.
    #[cfg(feature = "apps")]
    pub(crate) fn task(&self) -> Result<Option<TaskRecord>> {
        self.blocks.task()
    }

    /// Reads the transformer, where a codec brings one; anew in each call.
    #[cfg(feature = "compress")]
    pub(crate) fn transformer(&self) -> Result<Option<TransformerRecord>> {
        self.blocks.transformer()
    }

    pub(super) fn expect_type<T: Element>(&self) -> Result<()> {
        if T::DTYPE == self.dtype() {
            return Ok(());
        }
        let (asked, dtype) = (T::DTYPE, self.dtype());
        Err(Error::argument(format!("asked for {asked}, the file holds {dtype}")))
    }

    /// Checks that `bytes` bytes are room for so many rows.
    pub(super) fn check_room(&self, bytes: usize, rows: usize) -> Result<()> {
        let schema = self.schema();
        if rows.checked_mul(schema.row_bytes()) != Some(bytes) {
            return Err(Error::argument(format!(
                "{} numbers of room for {rows} rows of {}",
                bytes / schema.dtype.size(),
                schema.width()
            )));
        }
        Ok(())
    }

    /// Reads row `row` into `out`, which has room for exactly one row.
    ///
    /// # Errors
    /// `Argument` if the file has no such row, or `out` has another type or length than a row;
    /// `Corrupt`, `Limit` or `Io` if the row's block cannot be read.
    pub fn read_row<T: Element>(&self, row: usize, out: &mut [T]) -> Result<()> {
        self.gather(&[row], out)
    }

    /// Reads rows `rows` into `out`, one after another.
    ///
    /// # Errors
    /// `Argument` if the file has no such rows, or `out` has another type or length than they;
    /// `Corrupt`, `Limit` or `Io` if a block cannot be read.
    pub fn read_rows<T: Element>(&self, rows: Range<usize>, out: &mut [T]) -> Result<()> {
        if rows.start > rows.end {
            return Err(Error::argument(format!("rows {rows:?} end before they begin")));
        }
        self.expect_type::<T>()?;
        self.check_room(size_of_val(out), rows.len())?;
        self.read_bytes(rows.start, bytemuck::cast_slice_mut(out))?;
        to_native(out);
        Ok(())
    }

    pub(super) fn no_such_row(&self, row: usize) -> Error {
        Error::argument(format!("row {row} asked for, there are {}", self.rows()))
    }

    /// Reads whole rows from `first` on into `out`, as row-major little-endian bytes of any type.
    ///
    /// # Errors
    /// `Argument` if `out` is not a whole number of rows or reaches past the end; `Corrupt`, `Limit`
    /// or `Io` if a block cannot be read.
    pub fn read_bytes(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let row_bytes = self.schema().row_bytes();
        if let Some(tiling) = self.tiling().filter(|_| !out.is_empty()) {
            let rows = first..first + out.len() / row_bytes;
            return self.run_of_tiles(tiling, rows, out);
        }
        let mut rest = out;
        let mut tasks = Vec::new();
        for part in self.blocks.parts(first..first + rest.len() / row_bytes) {
            let (own, tail) = rest.split_at_mut(part.rows.len() * row_bytes);
            tasks.push((part, own));
            rest = tail;
        }
        let go_on = self.cache.budget() > 0;
        self.blocks.each(tasks, |(part, _)| part, |(part, out)| self.blocks.fill(part, out, go_on))
    }

    /// Reads the latents of rows, as the decoder's integers: `rows × info().latents`, row by row. Of an
    /// array that was cut into tiles, `rows` are [tiles](Reader::coded_rows).
    ///
    /// Rows that are stored exactly have none; zeros stand for them.
    ///
    /// # Errors
    /// `Argument` if there are no such rows; `Corrupt`, `Limit` or `Io` if a block cannot be read.
    pub fn latents(&self, rows: Range<usize>) -> Result<Vec<i32>> {
        if rows.end > self.coded_rows() || rows.start > rows.end {
            let (row, there) = (rows.end.max(rows.start), self.coded_rows());
            return Err(Error::argument(format!(
                "latents of row {row} asked for, there are {there}"
            )));
        }
        let mut out = Vec::new();
        if self.model().is_some() {
            for part in self.blocks.parts(rows) {
                self.blocks.read(part.place)?.latents(part.rows, &mut out)?;
            }
        }
        Ok(out)
    }

    /// Returns the bits that each row, or each [tile](Reader::coded_rows), takes in its block, without what all rows share. The sum over
    /// all rows is about the length of all blocks.
    ///
    /// # Errors
    /// `Corrupt`, `Limit` or `Io` if a block cannot be read.
    #[cfg(feature = "apps")]
    pub fn row_bits(&self) -> Result<Vec<f64>> {
        let mut out = Vec::with_capacity(self.coded_rows());
        for part in self.blocks.parts(0..self.coded_rows()) {
            out.extend(self.blocks.read(part.place)?.row_bits()?);
        }
        Ok(out)
    }

    /// Reads and decodes the whole file and checks every checksum.
    ///
    /// # Errors
    /// The first fault, with its place; [bytes behind the end](Info::unfinished_bytes) are one: `Truncated`, `Corrupt`, `Unsupported`, `Limit` or `Io`.
    pub fn verify(&self) -> Result<()> {
        self.blocks.verify_frame()?;
        self.blocks.verify()?;
        match self.blocks.unfinished_bytes() {
            0 => Ok(()),
            more => {
                let what = format!(
                    "{more} bytes behind the end are of rows that were not appended completely, or the file is \
                     cut or damaged there; what is before is whole, and the next rows that are appended take \
                     their place"
                );
                Err(Error::corrupt(what).at(self.frame().length))
            }
        }
    }
}

impl<S: Source> Rows for Reader<S> {
    fn schema(&self) -> &Schema {
        self.frame().rows_schema()
    }

    fn len(&self) -> usize {
        self.rows()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        self.read_bytes(first, out)
    }
}

/// Turns little-endian bytes, read into place, to numbers.
pub(super) fn to_native<T: Element>(out: &mut [T]) {
    if cfg!(target_endian = "big") {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(out);
        bytes.chunks_exact_mut(T::DTYPE.size()).for_each(<[u8]>::reverse);
    }
}
