//! NumPy's array file, versions 1 to 3.
//!
//! Magic, two version bytes, the header's length (`u16` in version 1, `u32` later), and the
//! header: a Python dictionary literal with `descr`, `fortran_order` and `shape`.
//! An array of records has a list of fields as its `descr`.
//! See <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

mod number;
mod records;

use super::array::{ArrayRows, Layout, Order};
use super::literal::{self, Value};
use super::magic;
use super::source::Source;
use crate::error::{Error, Result};
use crate::matrix::{Origin, Rows};
use number::Number;
use records::{Record, RecordRows};

/// Headers of plain types take about a hundred bytes; NumPy itself refuses more than 10 000.
const MAX_HEADER: usize = 1 << 16;
/// All that stands before the numbers, at most.
pub(super) const MAX_HEAD: usize = 12 + MAX_HEADER;

/// What the header says about the array.
enum Contents {
    Numbers(Layout),
    /// Records, and the shape of their array.
    Records(Record, Vec<u64>),
}

/// `origin` is what the rows are said to be read from.
pub(super) fn open(source: Source, name: &str, origin: Option<Origin>) -> Result<Box<dyn Rows>> {
    let (contents, start) = read_header(&source)?;
    Ok(match contents {
        Contents::Numbers(layout) => {
            Box::new(ArrayRows::new(source, name, &layout, start)?.with_origin(origin))
        }
        Contents::Records(record, shape) => {
            Box::new(RecordRows::new(source, name, record, &shape, start)?.with_origin(origin))
        }
    })
}

/// Returns the bytes that a file has which begins with `head`.
pub(super) fn announced(head: &[u8]) -> Result<u64> {
    let (contents, start) = read_header(&Source::from_memory(head.to_vec()))?;
    let bytes = match contents {
        Contents::Numbers(layout) => layout.bytes()?,
        Contents::Records(record, shape) => record.total_bytes(&shape)?,
    };
    Ok(start.saturating_add(bytes))
}

/// Reads what the array consists of and the byte where it starts.
fn read_header(source: &Source) -> Result<(Contents, u64)> {
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
    let contents = parse_header(&text).map_err(|e| e.at(start as u64))?;
    Ok((contents, end as u64))
}

fn parse_header(text: &[u8]) -> Result<Contents> {
    let entries = literal::parse_dictionary(text)?;
    let find = |key: &str| {
        let mut found = entries.iter().filter(|(k, _)| k == key);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(value),
            (None, _) => Err(Error::corrupt(format!("the npy header has no {key:?}"))),
            _ => Err(Error::corrupt(format!("the npy header has {key:?} twice"))),
        }
    };
    let descr = find("descr")?;
    let order = match find("fortran_order")? {
        Value::Bool(true) => Order::Fortran,
        Value::Bool(false) => Order::C,
        _ => return Err(Error::corrupt("the npy header's fortran_order is not True or False")),
    };
    let Value::Tuple(shape) = find("shape")? else {
        return Err(Error::corrupt("the npy header's shape is not a tuple of whole numbers"));
    };
    match descr {
        Value::Text(descr) => layout(Number::parse(descr)?, order, shape.clone()),
        Value::Items(fields) => Ok(Contents::Records(Record::parse(fields)?, shape.clone())),
        _ => Err(Error::corrupt("the npy header's descr is neither a type nor a list of fields")),
    }
}

/// Returns the layout of an array of numbers; those of two parts have one axis more.
fn layout(number: Number, order: Order, mut shape: Vec<u64>) -> Result<Contents> {
    let Number { dtype, big_endian, bfloat16, complex } = number;
    let is_row = |shape: &[u64]| shape.iter().skip(1).all(|&n| n == 1);
    if (complex || bfloat16) && order == Order::Fortran && !is_row(&shape) {
        return Err(Error::unsupported(
            "an array of such numbers that is stored column by column; save \
             numpy.ascontiguousarray(array)",
        ));
    }
    if complex {
        shape.push(2);
    }
    let order = if complex || bfloat16 { Order::C } else { order };
    Ok(Contents::Numbers(Layout { dtype, big_endian, bfloat16, order, shape }))
}

#[cfg(test)]
mod tests;
