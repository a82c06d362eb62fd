//! Columns of numbers kept exactly, in chunks of [`pco`]: each is one chunk with one page of its
//! wrapped format, without the header that says its version.

use crate::error::{Error, Result};
use crate::matrix::DType;
use pco::data_types::Number;
use pco::metadata::DeltaEncoding;
use pco::wrapped::FileDecompressor;

/// The header that all chunks would begin with: version 4.1 of pco's format.
const HEADER: [u8; 2] = [4, 1];
/// Low bits of a chunk's first byte: how numbers are split. One way has a list of numbers.
const MODE_BITS: u32 = 4;
const MODE_DICTIONARY: u32 = 4;
/// Bits of the length of that list.
const DICTIONARY_BITS: u32 = 25;
/// Most bits of how far a chunk may look back: as many as pco writes. Memory is taken for all of it.
const WINDOW_BITS: u32 = 15;

/// Runs `$body` with `$t` as pco's type for numbers of `$dtype`.
macro_rules! with_number {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            DType::F16 => {
                type $t = half::f16;
                $body
            }
            DType::F32 => {
                type $t = f32;
                $body
            }
            DType::F64 => {
                type $t = f64;
                $body
            }
            DType::U8 => {
                type $t = u8;
                $body
            }
            DType::I8 => {
                type $t = i8;
                $body
            }
            DType::U16 => {
                type $t = u16;
                $body
            }
            DType::I16 => {
                type $t = i16;
                $body
            }
            DType::U32 => {
                type $t = u32;
                $body
            }
            DType::I32 => {
                type $t = i32;
                $body
            }
            DType::U64 => {
                type $t = u64;
                $body
            }
            DType::I64 => {
                type $t = i64;
                $body
            }
        }
    };
}

/// Packs `numbers`, little-endian values of `dtype`; `level` is pco's, from 0 to 12.
///
/// Nothing where they are none, or do not come back as they are.
#[cfg(feature = "compress")]
pub(crate) fn pack(numbers: &[u8], dtype: DType, level: usize) -> Option<Vec<u8>> {
    with_number!(dtype, T => {
        let (values, _) = numbers.as_chunks::<{ size_of::<T>() }>();
        let values: Vec<T> = values.iter().map(|v| T::from_le_bytes(*v)).collect();
        let packed = pack_values(&values, level)?;
        let mut back = vec![0; numbers.len()];
        unpack(&packed, dtype, &mut back, 0).ok()?;
        (back == numbers).then_some(packed)
    })
}

/// The same for integers.
#[cfg(feature = "compress")]
pub(crate) fn pack_integers(integers: &[i64], level: usize) -> Option<Vec<u8>> {
    let packed = pack_values(integers, level)?;
    let back = unpack_integers(&packed, integers.len(), 0).ok()?;
    (back == integers).then_some(packed)
}

#[cfg(feature = "compress")]
fn pack_values<T: Number>(values: &[T], level: usize) -> Option<Vec<u8>> {
    use pco::wrapped::FileCompressor;
    use pco::{ChunkConfig, PagingSpec};
    let config = ChunkConfig::default()
        .with_compression_level(level)
        .with_paging_spec(PagingSpec::Exact(vec![values.len()]))
        .with_enable_8_bit(true);
    let file = FileCompressor::default();
    let header = file.write_header(Vec::new()).ok()?;
    let mut chunk = file.chunk_compressor(values, &config).ok()?;
    let meta = chunk.write_meta(Vec::new()).ok()?;
    let packed = chunk.write_page(0, meta).ok()?;
    (header == HEADER).then_some(packed)
}

/// Reverses [`pack`]: fills `out` with little-endian values of `dtype`. `at` is the offset in the
/// file.
pub(crate) fn unpack(packed: &[u8], dtype: DType, out: &mut [u8], at: u64) -> Result<()> {
    with_number!(dtype, T => {
        let (places, _) = out.as_chunks_mut::<{ size_of::<T>() }>();
        let values: Vec<T> = unpack_values(packed, places.len(), at)?;
        places.iter_mut().zip(values).for_each(|(place, v)| *place = v.to_le_bytes());
        Ok(())
    })
}

/// Reverses [`pack_integers`], of which there are `count`.
pub(crate) fn unpack_integers(packed: &[u8], count: usize, at: u64) -> Result<Vec<i64>> {
    unpack_values(packed, count, at)
}

fn unpack_values<T: Number + Default>(packed: &[u8], count: usize, at: u64) -> Result<Vec<T>> {
    let wrong = |e: &dyn std::fmt::Display| Error::corrupt(format!("pco: {e}")).at(at);
    let mut start = [0; 4];
    let length = packed.len().min(4);
    start[..length].copy_from_slice(&packed[..length]);
    let start = u32::from_le_bytes(start);
    let listed = (start >> MODE_BITS) & ((1 << DICTIONARY_BITS) - 1);
    // Memory for the list is taken before its bytes are seen.
    if start & ((1 << MODE_BITS) - 1) == MODE_DICTIONARY && listed as usize > count {
        return Err(wrong(&format!("a list of {listed} numbers for a column of {count}")));
    }
    let (file, _) = FileDecompressor::new(&HEADER[..]).map_err(|e| wrong(&e))?;
    let (mut chunk, rest) = file.chunk_decompressor::<T, _>(packed).map_err(|e| wrong(&e))?;
    if let DeltaEncoding::Lookback { config, .. } = &chunk.meta().delta_encoding
        && config.window_n_log > WINDOW_BITS
    {
        return Err(wrong(&format!("a window of 2^{} numbers", config.window_n_log)));
    }
    let mut page = chunk.page_decompressor(rest, count).map_err(|e| wrong(&e))?;
    let mut out = vec![T::default(); count];
    let progress = page.read(&mut out).map_err(|e| wrong(&e))?;
    if progress.n_processed != count || !page.into_src().is_empty() {
        return Err(wrong(&"not one chunk of as many numbers as there are rows"));
    }
    Ok(out)
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::matrix::rng::Rng;

    /// Numbers of `size` bytes of each sort that pco has a way for.
    fn sorts(size: usize) -> Vec<Vec<u8>> {
        let mut rng = Rng::new(5);
        let mut bits = || u64::from(rng.unit().to_bits()) << 32 | u64::from(rng.unit().to_bits());
        let few = [bits(), bits(), bits()];
        let column = |next: &mut dyn FnMut(u64) -> u64| -> Vec<u8> {
            (0..700).flat_map(|i| next(i).to_le_bytes()[..size].to_vec()).collect()
        };
        vec![
            column(&mut |i| i * 37),
            column(&mut |i| few[(i * i % 3) as usize]),
            column(&mut |i| (f64::from(i as u32 % 97) / 10.0).to_bits()),
            column(&mut |i| i % 251 * 1000 + i % 2),
            column(&mut |_| bits()),
        ]
    }

    #[test]
    fn numbers_of_every_type_come_back() {
        for dtype in DType::ALL {
            for (sort, numbers) in sorts(dtype.size()).into_iter().enumerate() {
                for level in [0, 8, 12] {
                    let packed = pack(&numbers, dtype, level).unwrap();
                    let mut out = vec![0; numbers.len()];
                    unpack(&packed, dtype, &mut out, 0).unwrap();
                    assert!(out == numbers, "{dtype} {sort} {level}");
                }
            }
        }
        let integers: Vec<i64> = (0..300).map(|i| i64::MIN + i * i).collect();
        let packed = pack_integers(&integers, 8).unwrap();
        assert_eq!(unpack_integers(&packed, 300, 0).unwrap(), integers);
    }

    #[test]
    fn a_chunk_that_claims_much_is_refused_before_memory_is_taken() {
        // A list of 2^25 - 1 numbers, and a window of 2^24.
        let list =
            ((((1_u32 << DICTIONARY_BITS) - 1) << MODE_BITS) | MODE_DICTIONARY).to_le_bytes();
        let window = [2 << 4, 23, 0, 0, 0, 0];
        for packed in [&list[..], &window[..]] {
            let padded: Vec<u8> = packed.iter().copied().chain([0; 40]).collect();
            let e = unpack_integers(&padded, 100, 7).unwrap_err();
            assert_eq!(e.kind(), ErrorKind::Corrupt, "{e}");
        }
    }

    #[test]
    fn damaged_chunks_are_errors_or_numbers_but_no_panic() {
        let mut rng = Rng::new(11);
        let mut random = |below: usize| ((rng.unit() * below as f32) as usize).min(below - 1);
        for dtype in DType::ALL {
            for numbers in sorts(dtype.size()) {
                let packed = pack(&numbers, dtype, 8).unwrap();
                let mut out = vec![0; numbers.len()];
                for length in [0, 1, 2, packed.len() / 2, packed.len() - 1] {
                    assert!(unpack(&packed[..length], dtype, &mut out, 0).is_err());
                }
                for _ in 0..200 {
                    let mut bytes = packed.clone();
                    for _ in 0..1 + random(3) {
                        // Most of what can go wrong is at the beginning.
                        let at = if random(2) == 0 {
                            random(bytes.len().min(40))
                        } else {
                            random(bytes.len())
                        };
                        bytes[at] = random(256) as u8;
                    }
                    let _ = unpack(&bytes, dtype, &mut out, 0);
                }
            }
        }
    }
}
