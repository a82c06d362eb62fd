//! Rows whose model has them on other scales.

use crate::codec::cursor::BlockCursor;
use crate::codec::encoded::EncodedBlock;
use crate::container::index::Place;
use crate::encode::encoder::BlockEncoder;
use crate::matrix::DType;
use crate::quality::{Chunk, Shares, Tally};
use std::borrow::Cow;
use std::ops::Range;

/// Rows as the model is to have them.
pub(crate) struct OnScales<'a> {
    bytes: Cow<'a, [u8]>,
    row_bytes: usize,
}

impl<'a> OnScales<'a> {
    /// Takes rows as they were given.
    pub(crate) fn new(encoder: &BlockEncoder, given: &'a [u8]) -> Self {
        let width = encoder.program.record.width();
        let (bytes, dtype) = match &encoder.program.compander {
            Some(scales) => (Cow::Owned(scales.compress(width, given, &encoder.fills)), DType::F64),
            None => (Cow::Borrowed(given), encoder.program.dtype),
        };
        Self { bytes, row_bytes: width * dtype.size() }
    }

    pub(crate) fn rows(&self, rows: Range<usize>) -> &[u8] {
        &self.bytes[rows.start * self.row_bytes..rows.end * self.row_bytes]
    }
}

/// Decodes a block whose first row is `first` and measures the errors of its rows, which were given as `rows`. Where it did
/// not keep its promise, another takes its place that stores them exactly.
pub(super) fn checked(
    encoder: &BlockEncoder,
    first: u64,
    rows: &[u8],
    block: Vec<u8>,
) -> (Vec<u8>, Tally) {
    let decoded = decoded(encoder, first, rows.len(), &block);
    if let Some(tally) = decoded.and_then(|decoded| kept(encoder, rows, &decoded)) {
        return (block, tally);
    }
    (encoder.exact(first, rows), kept(encoder, rows, rows).unwrap_or_default())
}

/// Returns the errors of decoded rows; none where they do not keep their promise.
fn kept(encoder: &BlockEncoder, rows: &[u8], decoded: &[u8]) -> Option<Tally> {
    let (dtype, width) = (encoder.program.file_dtype(), encoder.program.record.width());
    let fills = &encoder.fills;
    let (x, y) =
        (Chunk { dtype, width, bytes: rows, fills }, Chunk { dtype, width, bytes: decoded, fills });
    let mut tally = Tally::default();
    tally.pair(&x, &y);
    let shares = Shares::of(&x, &y, encoder.share);
    tally.worst_share = Some(shares.worst);
    (shares.broken + tally.specials_changed == 0).then_some(tally)
}

/// Returns the rows of a block, of `length` bytes.
fn decoded(encoder: &BlockEncoder, first: u64, length: usize, block: &[u8]) -> Option<Vec<u8>> {
    let (dtype, width) = (encoder.program.file_dtype(), encoder.program.record.width());
    let rows = length / (width * dtype.size());
    let place = Place { row: first, rows, offset: 0, length: block.len() };
    let program = Some(&encoder.program);
    let bytes = Cow::Borrowed(block);
    let block = EncodedBlock { program, dtype, width, place, bytes, room: u64::MAX };
    let mut out = vec![0; length];
    BlockCursor::new(block).ok()?.rows(program, 0..rows, &mut out).ok()?;
    Some(out)
}
