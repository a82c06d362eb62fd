//! The file format of MNIST: two zeros, type, number of axes, the axes and the numbers, all
//! big-endian. See <http://yann.lecun.com/exdb/mnist/>.

use super::array::{ArrayRows, Layout, Order};
use super::magic::{self, IDX_TYPES};
use super::source::{Sequential, Source, Spool};
use crate::error::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::io::{self, Read};

/// The longest header: 255 axes.
const MAX_HEADER: usize = 4 + 4 * 255;

pub(super) fn open(source: Source, name: &str) -> Result<ArrayRows> {
    let head = source.head(MAX_HEADER)?;
    if head.starts_with(magic::GZIP) {
        return open_gzip(&source, name);
    }
    let (layout, start) = parse_header(&head)?;
    ArrayRows::new(source, name, &layout, start)
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

/// Unpacks to memory or a temporary file, and no more than the header announces.
fn open_gzip(packed: &Source, name: &str) -> Result<ArrayRows> {
    let mut reader =
        MultiGzDecoder::new(io::BufReader::with_capacity(1 << 16, Sequential::from(packed, 0)));
    let mut head = Vec::new();
    (&mut reader).take(MAX_HEADER as u64).read_to_end(&mut head).map_err(cannot_unpack)?;
    if head.first().is_some_and(|&byte| byte != 0) {
        return Err(Error::unsupported(
            "only idx files are read through gzip; unpack this file first, as with gunzip",
        ));
    }
    let (layout, start) = parse_header(&head)?;
    let expected = start.saturating_add(layout.bytes()?);
    let mut spool = Spool::new();
    spool.write(&head)?;
    // One byte more than announced, so that a longer file is noticed.
    let limit = expected.saturating_add(1).saturating_sub(head.len() as u64);
    spool.take_from(&mut reader, limit).map_err(cannot_unpack)??;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    ArrayRows::new(spool.finish()?, name, &layout, start)
}

fn cannot_unpack(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::truncated("the gzip file ends too early"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            Error::corrupt(format!("the gzip file cannot be unpacked: {error}"))
        }
        _ => Error::io("cannot read the gzip file", error),
    }
}
