//! Vectors as in the TEXMEX corpus: each row is its dimension, a little-endian `i32`, and so
//! many `f32` (fvecs), `u8` (bvecs) or `i32` (ivecs). See <http://corpus-texmex.irisa.fr>.
//!
//! And those of the billion-scale benchmarks: the numbers of rows and columns, each a little-endian
//! `u32`, then the rows, of `f32` (fbin), `u8` (u8bin) or `i8` (i8bin). See
//! <https://big-ann-benchmarks.com>.

use super::array::{ArrayRows, Layout, MAX_ROW_BYTES, Order};
use super::format::Format;
use super::source::Source;
use crate::error::{Error, Result};
use crate::matrix::{DType, Origin, Rows, Schema, check_range};

/// Bytes of the dimension in front of each row.
const PREFIX: usize = 4;

/// Bytes read at a time.
const BLOCK_BYTES: usize = 1 << 18;

/// Returns the type of the numbers in `format`, if it is a format of vectors.
pub(super) fn dtype(format: Format) -> Option<DType> {
    match format {
        Format::Fvecs => Some(DType::F32),
        Format::Bvecs => Some(DType::U8),
        Format::Ivecs => Some(DType::I32),
        Format::Fbin => Some(DType::F32),
        Format::U8bin => Some(DType::U8),
        Format::I8bin => Some(DType::I8),
        _ => None,
    }
}

/// Opens rows behind their number and that of their columns.
pub(super) fn open_counted(source: Source, name: &str, format: Format) -> Result<ArrayRows> {
    let dtype = dtype(format).unwrap_or(DType::F32);
    let head = source.head(2 * PREFIX)?;
    let ([rows, columns], []) = head.as_chunks::<PREFIX>() else {
        let what = "the numbers of rows and columns need 8 bytes, but the file has";
        return Err(Error::truncated(format!("{what} {}", head.len())).at(0));
    };
    let shape = [rows, columns].map(|n| u64::from(u32::from_le_bytes(*n))).to_vec();
    let layout = Layout { dtype, big_endian: false, bfloat16: false, order: Order::C, shape };
    ArrayRows::new(source, name, &layout, 2 * PREFIX as u64)
}

/// Rows that must all have the dimension of the first; checked as they are read.
pub(super) struct VectorRows {
    source: Source,
    schema: Schema,
    rows: usize,
}

impl VectorRows {
    pub(super) fn open(source: Source, name: &str, dtype: DType) -> Result<Self> {
        let head = source.head(PREFIX)?;
        let dimension = head.try_into().map(i32::from_le_bytes).map_err(|head: Vec<u8>| {
            Error::truncated(format!(
                "the first row's dimension needs 4 bytes, but the file has {}",
                head.len()
            ))
            .at(0)
        })?;
        let row_bytes = u64::try_from(dimension).unwrap_or(0) * dtype.size() as u64;
        if row_bytes == 0 || row_bytes > MAX_ROW_BYTES {
            return Err(Error::corrupt(format!(
                "the first row says it has {dimension} numbers; is this a file of vectors?"
            ))
            .at(0));
        }
        let stride = PREFIX as u64 + row_bytes;
        let (rows, rest) = (source.len() / stride, source.len() % stride);
        if rest != 0 {
            return Err(Error::truncated(format!(
                "after {rows} rows of {dimension} numbers there are {rest} bytes, but a row needs \
                 {stride}; the file is cut off or its rows differ in dimension",
            ))
            .at(rows * stride));
        }
        let rows = usize::try_from(rows).map_err(|_| {
            Error::limit(format!("{rows} rows are more than this machine can count"))
        })?;
        let mut schema = Schema::new(dtype, &[dimension as usize]);
        schema.name = name.to_string();
        Ok(Self { source, schema, rows })
    }

    /// Says what the rows were read from.
    pub(super) fn with_origin(mut self, origin: Option<Origin>) -> Self {
        self.schema.origin = origin;
        self
    }
}

impl Rows for VectorRows {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        check_range(self, first, out.len())?;
        let row_bytes = self.schema.row_bytes();
        let stride = PREFIX + row_bytes;
        let block = (BLOCK_BYTES / stride).max(1).min(out.len() / row_bytes);
        let mut stored = vec![0; block * stride];
        let dimension = self.schema.width() as u32;
        let mut row = first;
        for part in out.chunks_mut((block * row_bytes).max(1)) {
            let stored = &mut stored[..part.len() / row_bytes * stride];
            self.source.read_at(row as u64 * stride as u64, stored)?;
            for (stored, out) in stored.chunks_exact(stride).zip(part.chunks_exact_mut(row_bytes)) {
                let (prefix, numbers) = stored.split_at(PREFIX);
                if prefix != dimension.to_le_bytes() {
                    return Err(Error::corrupt(format!(
                        "row {row} begins with the bytes {prefix:02x?}, not with the dimension \
                         {dimension} of row 0; all rows must have the same dimension"
                    ))
                    .at(row as u64 * stride as u64));
                }
                out.copy_from_slice(numbers);
                row += 1;
            }
        }
        Ok(())
    }
}
