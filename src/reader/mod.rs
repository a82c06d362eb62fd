//! Rows on demand: any row of a file, without decoding those before its block.

mod cache;
mod info;
mod map;
mod open;
mod source;
#[cfg(test)]
mod tests;

pub use info::Info;
pub use map::Mapped;
pub use source::{Bytes, FileSource, Source};

use crate::codec::decode;
#[cfg(feature = "compress")]
use crate::container::encoder::EncoderRecord;
use crate::container::index::Place;
use crate::container::model::ModelRecord;
#[cfg(feature = "apps")]
use crate::container::task::TaskRecord;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::limits::{self, Limits};
use crate::matrix::{DType, Element, Rows, Schema, check_range};
use cache::Cache;
use open::Layout;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// What a reader may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderOptions {
    /// What the file may claim.
    pub limits: Limits,
    /// Bytes of decoded blocks that are kept for later calls.
    pub cache_bytes: usize,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self { limits: Limits::default(), cache_bytes: 16 << 20 }
    }
}

/// An open file.
///
/// Opening checks header, model and index; a block's checksum is checked whenever it is
/// decoded; [`Reader::verify`] checks everything. A reader can be shared between threads.
///
/// Which constructor? [`Reader::open`] is safe and reads by position. [`Reader::map`] is faster
/// for single rows and `unsafe`, because nobody may change the file meanwhile. [`Reader::new`]
/// takes bytes in memory.
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
    source: S,
    layout: Layout,
    limits: Limits,
    cache: Cache,
}

impl Reader<FileSource> {
    /// Opens the file at `path`, to be read by position.
    ///
    /// # Errors
    /// As [`Reader::map`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::with(FileSource::open(path.as_ref())?, ReaderOptions::default())
    }

    /// The same, with limits and a cache of one's own.
    ///
    /// # Errors
    /// As [`Reader::map`].
    pub fn open_with(path: impl AsRef<Path>, options: ReaderOptions) -> Result<Self> {
        Self::with(FileSource::open(path.as_ref())?, options)
    }
}

impl<B: AsRef<[u8]> + Send + Sync> Reader<Bytes<B>> {
    /// Opens a file that is in memory.
    ///
    /// # Errors
    /// As [`Reader::map`], without `Io`.
    pub fn new(bytes: B) -> Result<Self> {
        Self::with(Bytes(bytes), ReaderOptions::default())
    }

    /// The same, with limits and a cache of one's own.
    ///
    /// # Errors
    /// As [`Reader::new`].
    pub fn new_with(bytes: B, options: ReaderOptions) -> Result<Self> {
        Self::with(Bytes(bytes), options)
    }
}

impl<S: Source> Reader<S> {
    fn with(source: S, options: ReaderOptions) -> Result<Self> {
        let layout = open::open(&source, &options.limits)?;
        let cache = Cache::new(options.cache_bytes);
        Ok(Self { source, layout, limits: options.limits, cache })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.layout.index.total_rows() as usize
    }

    /// Shape of one row.
    pub fn row_shape(&self) -> &[usize] {
        &self.layout.schema.row_shape
    }

    /// Type of the numbers.
    pub fn dtype(&self) -> DType {
        self.layout.schema.dtype
    }

    /// Type, shape, column names and source's name.
    pub fn schema(&self) -> &Schema {
        &self.layout.schema
    }

    /// What the file keeps; none in a codec.
    pub fn promise(&self) -> Option<&Fidelity> {
        self.layout.promise.as_ref()
    }

    /// What the file is made of.
    pub fn info(&self) -> Info {
        Info::new(&self.layout, self.source.len())
    }

    pub(crate) fn model(&self) -> Option<&ModelRecord> {
        self.layout.program.as_ref().map(|p| &p.record)
    }

    /// What finds latents, where a codec brings it; read anew in each call.
    #[cfg(feature = "compress")]
    pub(crate) fn encoder(&self) -> Result<Option<EncoderRecord>> {
        open::encoder(&self.source, &self.layout, &self.limits)
    }

    /// What predicts labels or numbers, where a codec brings it; read anew in each call.
    #[cfg(feature = "apps")]
    pub(crate) fn task(&self) -> Result<Option<TaskRecord>> {
        open::task(&self.source, &self.layout, &self.limits)
    }

    fn check_type<T: Element>(&self, values: usize, rows: usize) -> Result<()> {
        let schema = &self.layout.schema;
        if T::DTYPE != schema.dtype {
            return Err(Error::argument(format!(
                "asked for {}, the file holds {}",
                T::DTYPE,
                schema.dtype
            )));
        }
        if rows.checked_mul(schema.width()) != Some(values) {
            return Err(Error::argument(format!(
                "{values} numbers of room for {rows} rows of {}",
                schema.width()
            )));
        }
        Ok(())
    }

    /// Row `row` into `out`, which has room for exactly one row.
    ///
    /// # Errors
    /// `Argument` for a wrong type, room or row; `Corrupt` or `Io` if its block cannot be read.
    pub fn read_row<T: Element>(&self, row: usize, out: &mut [T]) -> Result<()> {
        self.gather(&[row], out)
    }

    /// Rows `rows` into `out`, one after another.
    ///
    /// # Errors
    /// As [`Reader::read_row`].
    pub fn read_rows<T: Element>(&self, rows: Range<usize>, out: &mut [T]) -> Result<()> {
        if rows.start > rows.end {
            return Err(Error::argument(format!("rows {rows:?} end before they begin")));
        }
        self.check_type::<T>(out.len(), rows.len())?;
        self.read_bytes(rows.start, bytemuck::cast_slice_mut(out))?;
        to_native(out);
        Ok(())
    }

    /// The rows with these numbers into `out`, in this order.
    ///
    /// # Errors
    /// As [`Reader::read_row`].
    pub fn gather<T: Element>(&self, rows: &[usize], out: &mut [T]) -> Result<()> {
        self.check_type::<T>(out.len(), rows.len())?;
        if let Some(row) = rows.iter().find(|r| **r >= self.rows()) {
            return Err(self.no_such_row(*row));
        }
        let width = self.layout.schema.width();
        // Rows of one block together, so that it is decoded once.
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&i| rows[i]);
        let block_of = |i: usize| self.layout.index.find(rows[i] as u64);
        let mut rest = &order[..];
        while let Some(&first) = rest.first() {
            let block = block_of(first);
            let count = rest.partition_point(|&i| block_of(i) == block);
            let (group, tail) = rest.split_at(count);
            rest = tail;
            self.gather_block(block, group, rows, width, bytemuck::cast_slice_mut(out))?;
        }
        to_native(out);
        Ok(())
    }

    /// Rows of one block; `group` are ascending positions in `rows` and `out`.
    fn gather_block(
        &self,
        block: usize,
        group: &[usize],
        rows: &[usize],
        width: usize,
        out: &mut [u8],
    ) -> Result<()> {
        let place = self.layout.index.place(block);
        let row_bytes = width * self.layout.schema.dtype.size();
        let local = |i: usize| rows[i] - place.row as usize;
        let whole = |i: usize| i * row_bytes..(i + 1) * row_bytes;
        let cached = match self.cache.get(block) {
            Some(cached) => Some(cached),
            None if self.cache.wants(block, place.rows * row_bytes) => {
                let decoded = Arc::new(self.decode(place, 0..place.rows)?);
                self.cache.put(block, decoded.clone());
                Some(decoded)
            }
            None => None,
        };
        // Without the cache, decoding ends at the last row wanted.
        let span = local(group[0])..local(group[group.len() - 1]) + 1;
        let (decoded, from) = match cached {
            Some(c) => (c, 0),
            None => (Arc::new(self.decode(place, span.clone())?), span.start),
        };
        for &i in group {
            out[whole(i)].copy_from_slice(&decoded[whole(local(i) - from)]);
        }
        Ok(())
    }

    fn no_such_row(&self, row: usize) -> Error {
        Error::argument(format!("row {row} asked for, there are {}", self.rows()))
    }

    /// Some rows of a block.
    fn decode(&self, place: Place, want: Range<usize>) -> Result<Vec<u8>> {
        self.check_block(place)?;
        let mut out = vec![0; want.len() * self.layout.schema.row_bytes()];
        self.decode_into(place, want, &mut out)?;
        Ok(out)
    }

    fn decode_into(&self, place: Place, want: Range<usize>, out: &mut [u8]) -> Result<()> {
        let schema = &self.layout.schema;
        let shape = (schema.dtype, schema.width());
        let bytes = self.block_bytes(place)?;
        let room = self.limits.block_bytes;
        decode::rows(self.layout.program.as_ref(), shape, &bytes, place, room, want, out)
    }

    /// Checks what a block claims, before any memory is given to it.
    fn check_block(&self, place: Place) -> Result<()> {
        let schema = &self.layout.schema;
        let latents = self.model().map_or(0, ModelRecord::latents);
        let decoded = place.rows as u64 * schema.row_bytes() as u64;
        let working = decode::temporaries(place.rows, schema.width(), latents);
        let most = decoded.max(working).max(place.length as u64);
        limits::check("a block", most, self.limits.block_bytes).map_err(|e| e.at(place.offset))
    }

    fn block_bytes(&self, place: Place) -> Result<std::borrow::Cow<'_, [u8]>> {
        self.check_block(place)?;
        open::bytes(&self.source, place.offset, place.length)
    }

    /// Whole rows from `first` on into `out`, as row-major little-endian bytes of any type.
    ///
    /// # Errors
    /// `Argument` if `out` is not whole rows or reaches past the end; else as
    /// [`Reader::read_row`].
    pub fn read_bytes(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let row_bytes = self.layout.schema.row_bytes();
        let end = first + out.len() / row_bytes;
        let mut tasks = Vec::new();
        let mut rest = out;
        let mut row = first;
        while row < end {
            let place = self.layout.index.place(self.layout.index.find(row as u64));
            let start = row - place.row as usize;
            let stop = place.rows.min(end - place.row as usize);
            let (own, tail) = rest.split_at_mut((stop - start) * row_bytes);
            tasks.push((place, start..stop, own));
            rest = tail;
            row = place.row as usize + stop;
        }
        each(tasks, |(place, want, out)| self.decode_into(place, want, out))
    }

    /// Latents of rows, as the decoder's integers: `rows × info().latents`, row by row.
    ///
    /// Rows that are stored exactly have none; zeros stand for them.
    ///
    /// # Errors
    /// `Argument` if there are no such rows; else as [`Reader::read_row`].
    pub fn latents(&self, rows: Range<usize>) -> Result<Vec<i32>> {
        if rows.end > self.rows() || rows.start > rows.end {
            return Err(self.no_such_row(rows.end.max(rows.start)));
        }
        let mut out = Vec::new();
        let Some(program) = &self.layout.program else { return Ok(out) };
        let mut row = rows.start;
        while row < rows.end {
            let place = self.layout.index.place(self.layout.index.find(row as u64));
            let start = row - place.row as usize;
            let stop = place.rows.min(rows.end - place.row as usize);
            let bytes = self.block_bytes(place)?;
            decode::latents(program, &bytes, place, start..stop, &mut out)?;
            row = place.row as usize + stop;
        }
        Ok(out)
    }

    /// Bits that each row takes in its block, without what all rows share. The sum over all rows
    /// is about the length of all blocks.
    ///
    /// # Errors
    /// `Corrupt` or `Io` if a block cannot be read.
    #[cfg(feature = "apps")]
    pub fn row_bits(&self) -> Result<Vec<f64>> {
        let schema = &self.layout.schema;
        let mut out = Vec::with_capacity(self.rows());
        for i in 0..self.layout.index.blocks() {
            let place = self.layout.index.place(i);
            let bytes = self.block_bytes(place)?;
            let cells = (place.rows * schema.width(), schema.dtype.size());
            let program = self.layout.program.as_ref();
            out.extend(decode::bits(program, cells, &bytes, place, self.limits.block_bytes)?);
        }
        Ok(out)
    }

    /// Reads and decodes the whole file and checks every checksum.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn verify(&self) -> Result<()> {
        // Once more from the start: the file may have changed since it was opened.
        let layout = open::open(&self.source, &self.limits)?;
        if layout.index != self.layout.index {
            return Err(Error::corrupt("the file has changed since it was opened"));
        }
        open::verify_skipped(&self.source, &layout.skipped)?;
        open::encoder(&self.source, &layout, &self.limits)?;
        open::task(&self.source, &layout, &self.limits)?;
        let blocks: Vec<Place> =
            (0..self.layout.index.blocks()).map(|i| self.layout.index.place(i)).collect();
        each(blocks, |place| self.decode(place, 0..place.rows).map(drop))
    }
}

impl<S: Source> Rows for Reader<S> {
    fn schema(&self) -> &Schema {
        &self.layout.schema
    }

    fn len(&self) -> usize {
        self.rows()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        self.read_bytes(first, out)
    }
}

/// Runs independent tasks, in parallel where threads are to be had; the first error by order.
fn each<T: Send>(tasks: Vec<T>, run: impl Fn(T) -> Result<()> + Sync + Send) -> Result<()> {
    #[cfg(feature = "rayon")]
    if tasks.len() > 1 {
        use rayon::prelude::*;
        let results: Vec<Result<()>> = tasks.into_par_iter().map(run).collect();
        return results.into_iter().collect();
    }
    tasks.into_iter().try_for_each(run)
}

/// Little-endian bytes, read into place, to numbers.
fn to_native<T: Element>(out: &mut [T]) {
    if cfg!(target_endian = "big") {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(out);
        bytes.chunks_exact_mut(T::DTYPE.size()).for_each(<[u8]>::reverse);
    }
}
