//! Values that stand for missing numbers.

use super::dtype::Element;

/// Values that stand for missing numbers, such as 1e20 or -999: each kept bit for bit and left out
/// of every figure, as NaN is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FillValues {
    /// Bits of each in the rows' type, in ascending order.
    bits: Vec<u64>,
}

impl FillValues {
    /// Takes the bits of values of one type.
    pub(crate) fn from_bits(mut bits: Vec<u64>) -> Self {
        bits.sort_unstable();
        bits.dedup();
        Self { bits }
    }

    /// Returns these and others.
    pub(crate) fn and(&self, others: &Self) -> Self {
        Self::from_bits([&self.bits[..], &others.bits[..]].concat())
    }

    /// Returns the bits of each, in ascending order.
    pub(crate) fn bits(&self) -> &[u64] {
        &self.bits
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    /// Says whether `x` is one of them.
    #[inline(always)]
    pub(crate) fn contains<T: Element>(&self, x: T) -> bool {
        !self.bits.is_empty() && self.bits.contains(&bits(x))
    }
}

/// Returns the bits of `x`, those of narrower types followed by zeros.
#[inline(always)]
pub(crate) fn bits<T: Element>(x: T) -> u64 {
    let mut out = [0; 8];
    let bytes = bytemuck::bytes_of(&x);
    if cfg!(target_endian = "big") {
        out[8 - bytes.len()..].copy_from_slice(bytes);
        return u64::from_be_bytes(out);
    }
    out[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(out)
}
