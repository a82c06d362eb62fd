//! The file format of MNIST: two zeros, type, number of axes, the axes and the numbers, all
//! big-endian. See <http://yann.lecun.com/exdb/mnist/>.

use super::array::{ArrayRows, Layout, Order};
use super::magic::IDX_TYPES;
use super::source::Source;
use crate::error::{Error, Result};

/// The longest header: 255 axes.
const MAX_HEADER: usize = 4 + 4 * 255;

pub(super) fn open(source: Source, name: &str) -> Result<ArrayRows> {
    let head = source.head(MAX_HEADER)?;
    let (layout, start) = parse_header(&head)?;
    ArrayRows::new(source, name, &layout, start)
}

/// Returns the bytes that a file has which begins with `head`.
pub(super) fn announced(head: &[u8]) -> Result<u64> {
    let (layout, start) = parse_header(head)?;
    Ok(start.saturating_add(layout.bytes()?))
}

fn parse_header(head: &[u8]) -> Result<(Layout, u64)> {
    let short = |needed: usize| {
        let actual = head.len();
        Error::truncated(format!("the idx header needs {needed} bytes, but the file has {actual}"))
            .at(actual as u64)
    };
    let &[zero, nought, code, axes, ref rest @ ..] = head else {
        return Err(short(4));
    };
    if zero != 0 || nought != 0 {
        return Err(Error::corrupt("not an idx file: it does not begin with two zero bytes").at(0));
    }
    let Some(&(_, dtype)) = IDX_TYPES.iter().find(|(known, _)| *known == code) else {
        return Err(Error::unsupported(format!(
            "idx type {code:#04x}; known are 08 (u8), 09 (i8), 0b (i16), 0c (i32), 0d (f32), 0e (f64)"
        ))
        .at(2));
    };
    let axes = usize::from(axes);
    let start = 4 + 4 * axes;
    let (sizes, _) = rest.as_chunks::<4>();
    let shape = sizes.get(..axes).ok_or_else(|| short(start))?;
    let shape = shape.iter().map(|&bytes| u64::from(u32::from_be_bytes(bytes))).collect();
    Ok((Layout { dtype, big_endian: true, bfloat16: false, order: Order::C, shape }, start as u64))
}
