//! Rows of one or two sources, some at a time.

use crate::codec::value::Cell;
use crate::error::{Error, Result};
use crate::matrix::{DType, FillValues, Rows, from_little_endian};

/// Bytes of rows that are looked at at once: enough work for a thread to be worth its start.
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks for each thread whose results are held at once.
#[cfg(feature = "rayon")]
const CHUNKS_PER_THREAD: usize = 4;

/// Columns of all results that are held at once: each takes up to a hundred bytes.
#[cfg(feature = "rayon")]
const COLUMNS_HELD: usize = 1 << 22;

/// Some rows' little-endian bytes.
pub(crate) struct Chunk<'a> {
    pub(crate) dtype: DType,
    pub(crate) width: usize,
    pub(crate) bytes: &'a [u8],
    /// Values of either source that stand for missing numbers.
    pub(crate) fills: &'a FillValues,
}

impl Chunk<'_> {
    /// Reads the cells.
    pub(crate) fn cells<T: Cell>(&self) -> Vec<T> {
        let mut cells = vec![T::zeroed(); self.bytes.len() / size_of::<T>()];
        from_little_endian(self.bytes, &mut cells);
        cells
    }
}

/// Runs `work` over chunks of both sources, or of one with itself, in parallel where threads are
/// to be had; `fold` takes the results chunk by chunk, so that sums do not depend on threads.
pub(crate) fn chunks<R: Default + Send>(
    a: &dyn Rows,
    b: Option<&dyn Rows>,
    work: impl Fn(&Chunk<'_>, &Chunk<'_>, &mut R) + Sync + Send,
    mut fold: impl FnMut(R),
) -> Result<()> {
    let schema = a.schema();
    let (dtype, width, row_bytes) = (schema.dtype, schema.width(), schema.row_bytes());
    // The original may not say which they are; a file that was made of it does.
    let own = &schema.fill_values;
    let fills = b.map_or(own, |b| if own.is_empty() { &b.schema().fill_values } else { own });
    let per_chunk = (CHUNK_BYTES / row_bytes.max(1)).max(1);
    let read = |rows: &dyn Rows, first: usize| -> Result<Vec<u8>> {
        let mut bytes = vec![0; per_chunk.min(a.len() - first) * row_bytes];
        rows.read(first, &mut bytes)?;
        Ok(bytes)
    };
    let one = |first: usize| -> Result<R> {
        let x = read(a, first)?;
        let y = b.map(|b| read(b, first)).transpose()?;
        let mut result = R::default();
        let chunk = |bytes| Chunk { dtype, width, bytes, fills };
        work(&chunk(&x), &chunk(y.as_ref().unwrap_or(&x)), &mut result);
        Ok(result)
    };
    let firsts: Vec<usize> = (0..a.len()).step_by(per_chunk).collect();
    // Few results at a time: those of wide rows are many times as large as the rows.
    #[cfg(feature = "rayon")]
    let held = CHUNKS_PER_THREAD * rayon::current_num_threads().max(1);
    #[cfg(feature = "rayon")]
    for firsts in firsts.chunks(held.min(COLUMNS_HELD / width.max(1)).max(1)) {
        use rayon::prelude::*;
        let results: Vec<Result<R>> = firsts.par_iter().map(|&first| one(first)).collect();
        for result in results {
            fold(result?);
        }
    }
    #[cfg(not(feature = "rayon"))]
    for first in firsts {
        fold(one(first)?);
    }
    Ok(())
}

/// Fails unless both hold the same number of rows of the same kind.
pub(crate) fn same_shape(a: &dyn Rows, b: &dyn Rows) -> Result<()> {
    let (s, t) = (a.schema(), b.schema());
    if (a.len(), s.dtype, &s.row_shape) == (b.len(), t.dtype, &t.row_shape) {
        return Ok(());
    }
    Err(Error::argument(format!(
        "the original has {} rows of shape {:?} and type {}, the file {} of shape {:?} and type {}",
        a.len(),
        s.row_shape,
        s.dtype,
        b.len(),
        t.row_shape,
        t.dtype
    )))
}
