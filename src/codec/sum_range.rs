//! How far sums may lie from 0 so that what is made of them has 32 bits.

use super::value::whole_step;
use crate::container::model::ModelRecord;

/// Half a step of so many bits, added to 2^29, is far from 2^31.
const MOST_NARROW_FRACTION: u32 = 24;

/// Returns the bits of a sum below a step, if all grids have as many.
pub(super) fn fraction(record: &ModelRecord) -> Option<u32> {
    let mut all = record.grids.iter().map(|g| whole_step(g).trailing_zeros());
    let first = all.next()?;
    all.all(|f| f == first).then_some(first)
}

/// Returns the same of the grid that has most.
pub(super) fn most_fraction(record: &ModelRecord) -> u32 {
    record.grids.iter().map(|g| whole_step(g).trailing_zeros()).max().unwrap_or(0)
}

/// Returns up to what sums may be kept in 32 bits: predictions made of them, rounded to whole steps and
/// with the differences that a median takes, must not overflow where coefficients, in 1/256, add up to
/// `weight` at most. 0 where steps are too large.
pub(super) fn narrow(record: &ModelRecord, weight: i64) -> i64 {
    if record.grids.iter().any(|g| g.fraction > MOST_NARROW_FRACTION) {
        return 0;
    }
    (1 << 29) * 256 / weight.max(256) - 1
}

/// Returns up to what sums may be decoded with vectors: products with coefficients must have 32 bits.
pub(super) fn swift(record: &ModelRecord, weight: i64) -> i32 {
    if narrow(record, weight) == 0 {
        return 0;
    }
    ((i64::from(i32::MAX) - 128) / weight.max(256)) as i32
}
