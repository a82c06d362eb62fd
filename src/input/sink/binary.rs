//! Formats that are a header and the numbers: npy, idx and raw.

use super::encode::{Encode, cannot_write};
use crate::error::{Error, Result};
use crate::input::array::reverse_elements;
use crate::input::{magic, safetensors};
use crate::matrix::{DType, Schema};
use serde_json::json;
use std::io::{self, Write};

/// What a tensor is called that had no name.
const UNNAMED: &str = "tensor";
/// Bytes turned to big-endian at a time.
const BLOCK_BYTES: usize = 1 << 16;

pub(super) struct BinaryEncoder<W> {
    out: W,
    /// Size of an element whose bytes are to be reversed.
    reversed: Option<usize>,
}

/// Starts a file without a header.
pub(super) fn raw<W: Write>(out: W) -> BinaryEncoder<W> {
    BinaryEncoder { out, reversed: None }
}

/// Starts an npy file of version 1.0, C order, byte for byte as NumPy writes it.
pub(super) fn npy<W: Write>(mut out: W, schema: &Schema, rows: u64) -> Result<BinaryEncoder<W>> {
    out.write_all(&npy_header(schema, rows)?).map_err(cannot_write)?;
    Ok(raw(out))
}

pub(super) fn npy_header(schema: &Schema, rows: u64) -> Result<Vec<u8>> {
    let is_one = schema.tiling.as_ref().is_some_and(|tiling| tiling.array().is_empty());
    let shape = match &schema.row_shape[..] {
        [] if is_one => "()".to_string(),
        [] => format!("({rows},)"),
        axes => {
            let axes: Vec<_> = axes.iter().map(usize::to_string).collect();
            format!("({rows}, {})", axes.join(", "))
        }
    };
    let kind = match schema.dtype {
        DType::F16 | DType::F32 | DType::F64 => 'f',
        DType::U8 | DType::U16 | DType::U32 | DType::U64 => 'u',
        DType::I8 | DType::I16 | DType::I32 | DType::I64 => 'i',
    };
    let size = schema.dtype.size();
    let order = if size == 1 { '|' } else { '<' };
    // NumPy leaves room to let the number of rows grow to 21 digits in place.
    let room = 21_usize.saturating_sub(rows.to_string().len());
    let mut text = format!(
        "{{'descr': '{order}{kind}{size}', 'fortran_order': False, 'shape': {shape}, }}{:room$}",
        ""
    );
    // Magic, version, length, text and line end are a multiple of 64 bytes.
    let padding = (64 - (10 + text.len() + 1) % 64) % 64;
    text.extend(std::iter::repeat_n(' ', padding));
    text.push('\n');
    let length = u16::try_from(text.len()).map_err(|_| {
        Error::argument(format!("npy cannot hold {} axes", schema.row_shape.len() + 1))
    })?;
    Ok([magic::NPY, &[1, 0], &length.to_le_bytes(), text.as_bytes()].concat())
}

/// Starts a safetensors file with one tensor, which has the name that it had.
pub(super) fn safetensors<W: Write>(
    mut out: W,
    schema: &Schema,
    rows: u64,
) -> Result<BinaryEncoder<W>> {
    let origin = schema.origin.as_ref().filter(|origin| origin.format == "safetensors");
    let name = origin.and_then(|origin| origin.part.as_deref()).unwrap_or(UNNAMED);
    // The first is the other one of f32.
    let types = &safetensors::DTYPES[1..];
    let dtype = types.iter().find(|(_, dtype)| *dtype == schema.dtype).map_or("", |(name, _)| name);
    let mut shape = vec![rows];
    shape.extend(schema.row_shape.iter().map(|&n| n as u64));
    let end = u128::from(rows) * schema.row_bytes() as u128;
    let end =
        u64::try_from(end).map_err(|_| Error::argument("safetensors hold less than 2^64 bytes"))?;
    let entry = json!({"dtype": dtype, "shape": shape, "data_offsets": [0, end]});
    let mut header = json!({ name: entry }).to_string();
    // Numbers then begin at a multiple of their size.
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    out.write_all(&(header.len() as u64).to_le_bytes()).map_err(cannot_write)?;
    out.write_all(header.as_bytes()).map_err(cannot_write)?;
    Ok(raw(out))
}

/// Starts an idx file: big-endian, with at most 2^32 - 1 rows.
pub(super) fn idx<W: Write>(mut out: W, schema: &Schema, rows: u64) -> Result<BinaryEncoder<W>> {
    let dtype = schema.dtype;
    let Some((code, _)) = magic::IDX_TYPES.iter().find(|(_, known)| *known == dtype) else {
        return Err(Error::argument(format!(
            "idx holds u8, i8, i16, i32, f32 or f64, but the numbers are {dtype}; write npy instead"
        )));
    };
    let too_large = || {
        Error::argument(format!(
            "idx cannot hold {rows} rows of shape {:?}: 255 axes of at most 2^32 - 1; write npy instead",
            schema.row_shape
        ))
    };
    let axes = u8::try_from(1 + schema.row_shape.len()).map_err(|_| too_large())?;
    let mut header = vec![0, 0, *code, axes];
    for n in std::iter::once(rows).chain(schema.row_shape.iter().map(|&n| n as u64)) {
        header.extend(u32::try_from(n).map_err(|_| too_large())?.to_be_bytes());
    }
    out.write_all(&header).map_err(cannot_write)?;
    Ok(BinaryEncoder { out, reversed: Some(dtype.size()).filter(|&size| size > 1) })
}

impl<W: Write> Encode for BinaryEncoder<W> {
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        let Some(size) = self.reversed else {
            return self.out.write_all(rows).map_err(cannot_write);
        };
        // A multiple of every element's size.
        for part in rows.chunks(BLOCK_BYTES) {
            let mut part = part.to_vec();
            reverse_elements(&mut part, size);
            self.out.write_all(&part).map_err(cannot_write)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
