//! NumPy's array file, versions 1 to 3.
//!
//! Magic, two version bytes, the header's length (`u16` in version 1, `u32` later), and the
//! header: a Python dictionary literal with `descr`, `fortran_order` and `shape`.
//! See <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use super::array::{ArrayRows, Layout, Order};
use super::literal::{self, Value};
use super::magic;
use super::source::Source;
use crate::error::{Error, Result};
use crate::matrix::DType;

/// Headers of plain types take about a hundred bytes; NumPy itself refuses more than 10 000.
const MAX_HEADER: usize = 1 << 16;

pub(super) fn open(source: Source, name: &str) -> Result<ArrayRows> {
    let (layout, start) = read_header(&source)?;
    ArrayRows::new(source, name, &layout, start)
}

/// Reads the array's layout and the byte where its numbers start.
fn read_header(source: &Source) -> Result<(Layout, u64)> {
    let head = source.head(12)?;
    if !head.starts_with(&magic::NPY[..head.len().min(magic::NPY.len())]) {
        return Err(Error::corrupt("not an npy file: it does not begin with \\x93NUMPY").at(0));
    }
    let short = |needed: usize| {
        Error::truncated(format!(
            "the npy header needs {needed} bytes, but the file has {}",
            source.len()
        ))
        .at(source.len())
    };
    let &[_, _, _, _, _, _, major, _minor, ref length @ ..] = head.as_slice() else {
        return Err(short(8));
    };
    let (length, start) = match (major, length) {
        (1, &[a, b, ..]) => (usize::from(u16::from_le_bytes([a, b])), 10),
        (2 | 3, &[a, b, c, d]) => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
        (1, _) => return Err(short(10)),
        (2 | 3, _) => return Err(short(12)),
        _ => {
            return Err(Error::unsupported(format!(
                "npy version {major}; versions 1 to 3 can be read"
            ))
            .at(6));
        }
    };
    if length > MAX_HEADER {
        return Err(Error::limit(format!(
            "the npy header says it has {length} bytes, {MAX_HEADER} are allowed"
        ))
        .at(8));
    }
    let end = start + length;
    if source.len() < end as u64 {
        return Err(short(end));
    }
    let mut text = vec![0; length];
    source.read_at(start as u64, &mut text)?;
    let layout = parse_header(&text).map_err(|e| e.at(start as u64))?;
    Ok((layout, end as u64))
}

fn parse_header(text: &[u8]) -> Result<Layout> {
    let entries = literal::parse_dictionary(text)?;
    let find = |key: &str| {
        let mut found = entries.iter().filter(|(k, _)| k == key);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(value),
            (None, _) => Err(Error::corrupt(format!("the npy header has no {key:?}"))),
            _ => Err(Error::corrupt(format!("the npy header has {key:?} twice"))),
        }
    };
    let (dtype, big_endian) = match find("descr")? {
        Value::Text(descr) => parse_descr(descr)?,
        _ => {
            return Err(Error::unsupported(
                "an array of records; save its fields as one array of numbers, for example with \
                 numpy.lib.recfunctions.structured_to_unstructured",
            ));
        }
    };
    let order = match find("fortran_order")? {
        Value::Bool(true) => Order::Fortran,
        Value::Bool(false) => Order::C,
        _ => return Err(Error::corrupt("the npy header's fortran_order is not True or False")),
    };
    let Value::Tuple(shape) = find("shape")? else {
        return Err(Error::corrupt("the npy header's shape is not a tuple of whole numbers"));
    };
    Ok(Layout { dtype, big_endian, order, shape: shape.clone() })
}

/// Parses `<f4` and its like: byte order, kind, bytes.
fn parse_descr(descr: &str) -> Result<(DType, bool)> {
    let (order, code) = match descr.split_at_checked(1) {
        Some((order @ ("<" | ">" | "|"), code)) => (order, code),
        _ => return Err(unknown_type(descr, "convert it with array.astype('<f4')")),
    };
    let dtype = match code {
        "f2" => DType::F16,
        "f4" => DType::F32,
        "f8" => DType::F64,
        "u1" => DType::U8,
        "i1" => DType::I8,
        "u2" => DType::U16,
        "i2" => DType::I16,
        "u4" => DType::U32,
        "i4" => DType::I32,
        "u8" => DType::U64,
        "i8" => DType::I64,
        "b1" => return Err(unknown_type(descr, "cast booleans to u8 with array.astype('u1')")),
        "c8" => return Err(unknown_type(descr, "use pairs of numbers: array.view('f4')")),
        "c16" => return Err(unknown_type(descr, "use pairs of numbers: array.view('f8')")),
        _ if code.starts_with(['M', 'm']) => {
            return Err(unknown_type(descr, "use the counts: array.view('i8')"));
        }
        _ => return Err(unknown_type(descr, "convert it with array.astype('<f4')")),
    };
    if order == "|" && dtype.size() > 1 {
        return Err(Error::corrupt(format!("the npy type {descr:?} has no byte order")));
    }
    Ok((dtype, order == ">"))
}

fn unknown_type(descr: &str, advice: &str) -> Error {
    Error::unsupported(format!("the npy type {descr:?}; {advice}"))
}

#[cfg(test)]
mod tests;
