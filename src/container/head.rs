//! What the rows are, what was promised of them, and their names.

use super::bytes::{Cursor, put_varint};
use super::forever::{MAX_DIMENSIONS, MAX_NAME_BYTES, MAX_WIDTH};
use super::shuffle;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::limits;
use crate::matrix::{DType, Schema};

/// Level of zstd for column names, which are texts and may be many.
#[cfg(feature = "compress")]
const NAME_LEVEL: i32 = 19;

/// Returns the HEAD section's payload: type, dimensions, then the promise's kind and number and the
/// source's name as texts.
pub(crate) fn encode(schema: &Schema, promise: Option<&Fidelity>) -> Vec<u8> {
    let mut out = vec![schema.dtype as u8, schema.row_shape.len() as u8];
    for &n in &schema.row_shape {
        put_varint(&mut out, n as u64);
    }
    let (kind, number) = promise.map_or(("", String::new()), |p| (p.name(), p.text()));
    for text in [kind, &number, &schema.name] {
        put_varint(&mut out, text.len() as u64);
        out.extend(text.as_bytes());
    }
    out
}

/// Reads the HEAD section's payload, which begins at `at`.
pub(crate) fn decode(payload: &[u8], at: u64) -> Result<(Schema, Option<Fidelity>)> {
    let mut cursor = Cursor::new(payload, at);
    let code = cursor.u8()?;
    let dtype = DType::from_code(code)
        .ok_or_else(|| Error::corrupt(format!("type {code} is not defined")).at(at))?;
    let dimensions = usize::from(cursor.u8()?);
    if dimensions > MAX_DIMENSIONS {
        return Err(Error::corrupt(format!(
            "rows of {dimensions} dimensions; at most {MAX_DIMENSIONS} are allowed"
        ))
        .at(at));
    }
    let mut row_shape = Vec::with_capacity(dimensions);
    let mut width = 1_u64;
    for _ in 0..dimensions {
        let n = cursor.varint()?;
        width = width.saturating_mul(n);
        row_shape.push(n as usize);
    }
    if width == 0 || width > MAX_WIDTH as u64 {
        return Err(Error::corrupt(format!(
            "rows of {width} numbers; 1 to {MAX_WIDTH} are allowed"
        ))
        .at(at));
    }
    let mut text = || {
        let length = cursor.varint()?.min(payload.len() as u64 + 1);
        cursor.text(length as usize)
    };
    let (kind, number, name) = (text()?, text()?, text()?);
    cursor.finish()?;
    let promise = match kind.as_str() {
        "" => None,
        kind => Some(
            Fidelity::parse(kind, &number)
                .map_err(|e| Error::corrupt(format!("the promise: {e}")).at(at))?,
        ),
    };
    Ok((Schema { name, ..Schema::new(dtype, &row_shape) }, promise))
}

/// Returns the column names' payload: lengths and texts, packed.
#[cfg(feature = "compress")]
pub(crate) fn encode_columns(names: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    for name in names {
        put_varint(&mut out, name.len() as u64);
        out.extend(name.as_bytes());
    }
    shuffle::compress(&out, NAME_LEVEL)
}

/// Returns the bytes that `width` names of together `texts` bytes take in memory: a short one takes as
/// much again in its own place.
pub(crate) fn names_in_memory(width: usize, texts: u64) -> u64 {
    texts.saturating_add((width * size_of::<String>()) as u64).saturating_mul(2)
}

/// Reads `width` column names, which may take `room` bytes in memory.
pub(crate) fn decode_columns(
    payload: &[u8],
    width: usize,
    room: u64,
    at: u64,
) -> Result<Vec<String>> {
    // No ratio tells names from an attempt to fill the memory: equal names shrink to nothing.
    let texts = shuffle::claimed_len(payload, at)?;
    if texts > MAX_NAME_BYTES as u64 {
        let what = format!("column names of {texts} bytes; at most {MAX_NAME_BYTES} are allowed");
        return Err(Error::corrupt(what).at(at));
    }
    limits::check("the column names", names_in_memory(width, texts), room).map_err(|e| e.at(at))?;
    let bytes = shuffle::decompress(payload, MAX_NAME_BYTES, at)?;
    let mut cursor = Cursor::new(&bytes, at);
    let mut names = Vec::with_capacity(width.min(bytes.len()));
    for _ in 0..width {
        let length = cursor.varint()?.min(bytes.len() as u64 + 1);
        names.push(cursor.text(length as usize)?);
    }
    cursor.finish()?;
    Ok(names)
}
