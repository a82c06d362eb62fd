//! An array of fixed-width numbers inside a source: what npy, idx, raw and parsed CSV become.

use super::source::Source;
use crate::error::{Error, Result};
use crate::matrix::{DType, Origin, Rows, Schema, check_range};

/// The most bytes that a row may take: a header that claims more is a mistake or an
/// attack, and everything after it allocates whole rows.
pub(super) const MAX_ROW_BYTES: u64 = 1 << 31;

/// Bytes gathered at a time from an array stored column by column.
const GATHER_BYTES: usize = 1 << 20;
/// Runs of at least this many columns fit into what is gathered at a time.
const GATHERED_COLUMNS: usize = 64;
/// A whole column is read where it is at most this many times as long as the rows asked for.
const MOST_WASTE: u64 = 8;

/// Which axis is contiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Last axis fastest: each row is one run of bytes.
    C,
    /// First axis fastest: each number of a row is in another run.
    Fortran,
}

/// What a header says about its array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) dtype: DType,
    pub(super) big_endian: bool,
    /// Only the upper halves of `f32` are stored, in C order.
    pub(super) bfloat16: bool,
    pub(super) order: Order,
    /// Axis 0, the rows, first.
    pub(super) shape: Vec<u64>,
}

impl Layout {
    /// Returns the bytes that a number is stored in.
    fn size(&self) -> usize {
        if self.bfloat16 { 2 } else { self.dtype.size() }
    }

    /// Returns the bytes of the whole array.
    ///
    /// Checks everything that the other code multiplies without checking.
    pub(super) fn bytes(&self) -> Result<u64> {
        let too_large = || {
            Error::limit(format!(
                "an array of shape {:?} and type {} has more than {MAX_ROW_BYTES} bytes in a row \
                 or more than 2^63 in all",
                self.shape, self.dtype
            ))
        };
        let Some((&rows, row_shape)) = self.shape.split_first() else {
            return Err(Error::argument(
                "the array is a single number without any axis; save it with one axis for the \
                 rows, as array.reshape(1)",
            ));
        };
        if row_shape.contains(&0) {
            return Err(Error::argument(format!(
                "the array has shape {:?}: its rows hold no numbers, so there is nothing to compress",
                self.shape
            )));
        }
        let row_bytes = row_shape
            .iter()
            .try_fold(self.size() as u64, |product, &n| product.checked_mul(n))
            .filter(|&bytes| bytes <= MAX_ROW_BYTES)
            .ok_or_else(too_large)?;
        rows.checked_mul(row_bytes)
            .filter(|&bytes| bytes <= i64::MAX as u64 && usize::try_from(rows).is_ok())
            .ok_or_else(too_large)
    }
}

/// Rows of a [`Layout`] that starts at byte `start` of `source` and ends where it ends.
pub(super) struct ArrayRows {
    source: Source,
    schema: Schema,
    rows: usize,
    start: u64,
    big_endian: bool,
    bfloat16: bool,
    order: Order,
}

impl ArrayRows {
    /// Checks that the source holds exactly the array.
    pub(super) fn new(source: Source, name: &str, layout: &Layout, start: u64) -> Result<Self> {
        let bytes = layout.bytes()?;
        let what = format!("an array of shape {:?} and type {}", layout.shape, layout.dtype);
        source.expect_len(start.saturating_add(bytes), &what)?;
        // `bytes` has checked that every axis fits.
        let axes: Vec<usize> = layout.shape.iter().map(|&n| n as usize).collect();
        let mut schema = Schema::new(layout.dtype, &axes[1..]);
        schema.name = name.to_string();
        // A column of single numbers is the same in both orders, and C order is one read.
        let order = if schema.width() == 1 { Order::C } else { layout.order };
        let Layout { big_endian, bfloat16, .. } = *layout;
        Ok(Self { source, schema, rows: axes[0], start, big_endian, bfloat16, order })
    }

    /// Gives names to the columns.
    pub(super) fn with_columns(mut self, columns: Option<Vec<String>>) -> Self {
        self.schema.columns = columns;
        self
    }

    /// Says what the rows were read from.
    pub(super) fn with_origin(mut self, origin: Option<Origin>) -> Self {
        self.schema.origin = origin;
        self
    }

    /// Reads runs of `count` rows of neighbouring columns, then scatters them into rows.
    fn gather(&self, first: usize, count: usize, out: &mut [u8]) -> Result<()> {
        let size = self.schema.dtype.size();
        let width = self.schema.width();
        let run = count * size;
        let column = self.rows as u64 * size as u64;
        // Columns follow one another in the file; where the rows asked for are much of each, one
        // long read that includes the others is cheaper than many short ones.
        let whole = column <= MOST_WASTE * run as u64 && column <= GATHER_BYTES as u64;
        let stride = if whole { column as usize } else { run };
        let group = (GATHER_BYTES / stride).clamp(1, width);
        let mut runs = vec![0; stride * group];
        let mut targets = Vec::with_capacity(group);
        for start in (0..width).step_by(group) {
            let group = group.min(width - start);
            let mut runs = &mut runs[..stride * group];
            let mut position = self.start + start as u64 * column;
            if whole {
                self.source.read_at(position, runs)?;
                runs = &mut runs[first * size..];
            } else {
                position += first as u64 * size as u64;
                for run in runs.chunks_exact_mut(stride) {
                    self.source.read_at(position, run)?;
                    position += column;
                }
            }
            targets.clear();
            targets.extend((start..start + group).map(|f| self.target(f)));
            match size {
                1 => scatter::<1>(runs, stride, &targets, width, out),
                2 => scatter::<2>(runs, stride / 2, &targets, width, out),
                4 => scatter::<4>(runs, stride / 4, &targets, width, out),
                _ => scatter::<8>(runs, stride / 8, &targets, width, out),
            }
        }
        Ok(())
    }

    /// Returns the place within a row of the `f`th number in Fortran order.
    fn target(&self, mut f: usize) -> usize {
        let mut place = 0;
        let mut step = self.schema.width();
        for &n in &self.schema.row_shape {
            step /= n;
            place += f % n * step;
            f /= n;
        }
        place
    }
}

/// Sets `out[row][targets[c]] = runs[c][row]` for rows of `width` elements of `S` bytes.
fn scatter<const S: usize>(
    runs: &[u8],
    stride: usize,
    targets: &[usize],
    width: usize,
    out: &mut [u8],
) {
    let runs = runs.as_chunks::<S>().0;
    let out = out.as_chunks_mut::<S>().0;
    // Rows outside: writes then stay within one row, and the reads within a group of columns
    // that fits a cache.
    for (k, row) in out.chunks_exact_mut(width).enumerate() {
        for (c, &target) in targets.iter().enumerate() {
            row[target] = runs[c * stride + k];
        }
    }
}

impl Rows for ArrayRows {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        if out.is_empty() {
            return Ok(());
        }
        let row = self.schema.row_bytes();
        if self.bfloat16 {
            let mut halves = vec![0; out.len() / 2];
            self.source.read_at(self.start + (first * row / 2) as u64, &mut halves)?;
            if self.big_endian {
                reverse_elements(&mut halves, 2);
            }
            widen(&halves, out);
            return Ok(());
        }
        match self.order {
            Order::C => self.source.read_at(self.start + first as u64 * row as u64, out)?,
            Order::Fortran => {
                let block = GATHER_BYTES / GATHERED_COLUMNS / self.schema.dtype.size();
                for (k, part) in out.chunks_mut(block * row).enumerate() {
                    self.gather(first + k * block, part.len() / row, part)?;
                }
            }
        }
        if self.big_endian {
            reverse_elements(out, self.schema.dtype.size());
        }
        Ok(())
    }
}

/// Makes `f32` of their upper halves, which bfloat16 consists of; both little-endian.
pub(super) fn widen(halves: &[u8], out: &mut [u8]) {
    let halves = halves.as_chunks::<2>().0;
    for (whole, [a, b]) in out.as_chunks_mut::<4>().0.iter_mut().zip(halves) {
        *whole = [0, 0, *a, *b];
    }
}

/// Turns big-endian numbers of `size` bytes to little-endian, or back.
pub(super) fn reverse_elements(bytes: &mut [u8], size: usize) {
    match size {
        2 => bytes.as_chunks_mut::<2>().0.iter_mut().for_each(|e| e.reverse()),
        4 => bytes.as_chunks_mut::<4>().0.iter_mut().for_each(|e| e.reverse()),
        8 => bytes.as_chunks_mut::<8>().0.iter_mut().for_each(|e| e.reverse()),
        _ => {}
    }
}
