//! Where numbers lie among thresholds, and the sets that are found there: what vectors of 256 and of 512 bits
//! do alike.

use crate::kernels::vector::{Ruler, Set, SmallSet, WIDTH};
use std::arch::x86_64::*;

/// Adds what numbers score on one ruler.
///
/// # Safety
/// The CPU must have AVX2.
#[inline(always)]
pub(super) unsafe fn add_score(numbers: __m256i, ruler: &Ruler, sum: __m256i) -> __m256i {
    /// Returns −1 for numbers above a threshold.
    macro_rules! above {
        ($threshold:expr) => {
            _mm256_cmpgt_epi16(numbers, _mm256_loadu_si256($threshold.as_ptr().cast()))
        };
    }
    // SAFETY: the CPU has AVX2, as the caller says; 16 numbers are 256 bits.
    unsafe {
        let score = _mm256_loadu_si256(ruler.score.as_ptr().cast());
        // Most rulers have few thresholds.
        let passed = match ruler.thresholds.as_slice() {
            [a] => return _mm256_sub_epi16(sum, _mm256_mullo_epi16(above!(a), score)),
            [a, b] => _mm256_add_epi16(above!(a), above!(b)),
            [a, b, c] => _mm256_add_epi16(_mm256_add_epi16(above!(a), above!(b)), above!(c)),
            all => {
                let (mut even, mut odd) = (_mm256_setzero_si256(), _mm256_setzero_si256());
                let (pairs, last) = all.as_chunks::<2>();
                for [a, b] in pairs {
                    even = _mm256_add_epi16(even, above!(a));
                    odd = _mm256_add_epi16(odd, above!(b));
                }
                for a in last {
                    even = _mm256_add_epi16(even, above!(a));
                }
                _mm256_add_epi16(even, odd)
            }
        };
        _mm256_sub_epi16(sum, _mm256_mullo_epi16(passed, score))
    }
}

/// Intersects as [`Vector::common`] says.
///
/// # Safety
/// The CPU must have AVX2.
#[inline(always)]
pub(super) unsafe fn common<const AXES: usize>(
    sets: &[Set],
    axes: &[__m256i; AXES],
) -> [Set; WIDTH] {
    let mut out = [[0; 4]; WIDTH];
    if sets.is_empty() {
        return out;
    }
    // SAFETY: the CPU has AVX2, as the caller says; a set has 256 bits, and places are held to those of sets.
    unsafe {
        let places = held(axes, sets.len());
        for (i, out) in out.iter_mut().enumerate() {
            let mut left = _mm256_set1_epi32(-1);
            for places in &places {
                let set = sets.as_ptr().add(places[i] as usize);
                left = _mm256_and_si256(left, _mm256_loadu_si256(set.cast()));
            }
            _mm256_storeu_si256(out.as_mut_ptr().cast(), left);
        }
    }
    out
}

/// Returns places on axes, held to those of `count` sets, of which there is one.
///
/// # Safety
/// The CPU must have AVX2.
#[inline(always)]
pub(super) unsafe fn held<const AXES: usize>(
    axes: &[__m256i; AXES],
    count: usize,
) -> [[u32; WIDTH]; AXES] {
    let mut out = [[0; WIDTH]; AXES];
    for (out, places) in out.iter_mut().zip(axes) {
        // SAFETY: the CPU has AVX2, as the caller says; 16 numbers are twice 256 bits.
        unsafe {
            let last = _mm256_set1_epi16(count.min(1 << 16).wrapping_sub(1) as u16 as i16);
            let held = _mm256_min_epu16(*places, last);
            let (low, high) = (_mm256_castsi256_si128(held), _mm256_extracti128_si256::<1>(held));
            let at = out.as_mut_ptr().cast::<__m256i>();
            _mm256_storeu_si256(at, _mm256_cvtepu16_epi32(low));
            _mm256_storeu_si256(at.add(1), _mm256_cvtepu16_epi32(high));
        }
    }
    out
}

/// Returns what is in all of the sets at the places that number `i` has on each axis.
///
/// # Safety
/// The CPU must have AVX2, and the places must be of sets.
#[inline(always)]
pub(super) unsafe fn common_of<const AXES: usize>(
    sets: *const SmallSet,
    places: &[[u32; WIDTH]; AXES],
    i: usize,
) -> __m128i {
    // SAFETY: the CPU has AVX2, as the caller says, and there are the sets; a set has 128 bits.
    unsafe {
        let mut left = _mm_set1_epi32(-1);
        for places in places {
            let set = sets.byte_add(size_of::<SmallSet>() * places[i] as usize);
            left = _mm_and_si128(left, _mm_loadu_si128(set.cast()));
        }
        left
    }
}
