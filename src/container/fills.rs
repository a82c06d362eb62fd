//! Values that stand for missing numbers.

use super::forever::MAX_FILLS;
use crate::error::{Error, Result};
use crate::matrix::{DType, FillValues};

/// Returns the payload: the bytes of each value.
#[cfg(feature = "compress")]
pub(crate) fn encode(dtype: DType, fills: &FillValues) -> Vec<u8> {
    fills.bits().iter().flat_map(|bits| bits.to_le_bytes().into_iter().take(dtype.size())).collect()
}

/// Reads the payload, which begins at `at`.
pub(crate) fn decode(payload: &[u8], dtype: DType, at: u64) -> Result<FillValues> {
    let values = payload.chunks_exact(dtype.size());
    let count = values.len();
    if !values.remainder().is_empty() || count == 0 || count > MAX_FILLS {
        let what =
            format!("{} bytes are not 1 to {MAX_FILLS} values of type {dtype}", payload.len());
        return Err(Error::corrupt(what).at(at));
    }
    let bits: Vec<u64> = values
        .map(|value| {
            let mut bytes = [0; 8];
            bytes[..value.len()].copy_from_slice(value);
            u64::from_le_bytes(bytes)
        })
        .collect();
    if !bits.is_sorted_by(|a, b| a < b) {
        return Err(Error::corrupt("fill values are not in ascending order").at(at));
    }
    Ok(FillValues::from_bits(bits))
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (dtype, bits) in [(DType::U8, 7), (DType::F32, 0x7f7f_ffff), (DType::I64, u64::MAX)] {
            let fills = FillValues::from_bits(vec![bits, 3]);
            let payload = encode(dtype, &fills);
            assert_eq!(payload.len(), 2 * dtype.size());
            assert_eq!(decode(&payload, dtype, 0).unwrap(), fills);
            let twice = [&payload[..], &payload[..]].concat();
            assert!(decode(&twice, dtype, 0).is_err() && decode(&[], dtype, 0).is_err());
        }
    }
}
