//! x86.
#![allow(unsafe_code)]

mod avx2;
mod avx512;

pub(crate) use avx2::Avx2;
pub(crate) use avx512::Avx512;

use super::dense::{COLUMNS, ROWS};
use std::arch::x86_64::*;

/// The sums, if the CPU has AVX2.
#[inline]
pub(super) fn sums(weights: &[i16], inputs: [&[i16]; ROWS]) -> Option<[[i32; COLUMNS]; ROWS]> {
    if !is_x86_feature_detected!("avx2") {
        return None;
    }
    // SAFETY: AVX2 is there, as was just asked.
    Some(unsafe { sums_avx2(weights, inputs) })
}

#[target_feature(enable = "avx2")]
fn sums_avx2(weights: &[i16], inputs: [&[i16]; ROWS]) -> [[i32; COLUMNS]; ROWS] {
    let pairs = weights.len() / (2 * COLUMNS);
    let inputs = inputs.map(|row| bytes_of_pairs(&row[..2 * pairs]));
    let mut acc = [[_mm256_setzero_si256(); 2]; ROWS];
    for (pair, w) in weights.chunks_exact(2 * COLUMNS).enumerate() {
        // SAFETY: `w` has 32 elements of 2 bytes: two vectors of 32 bytes.
        let (w0, w1) = unsafe {
            let p = w.as_ptr().cast::<__m256i>();
            (_mm256_loadu_si256(p), _mm256_loadu_si256(p.add(1)))
        };
        for (acc, row) in acc.iter_mut().zip(inputs) {
            let x = _mm256_set1_epi32(i32::from_ne_bytes(row[pair]));
            acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(w0, x));
            acc[1] = _mm256_add_epi32(acc[1], _mm256_madd_epi16(w1, x));
        }
    }
    acc.map(|row| {
        let mut out = [0; COLUMNS];
        // SAFETY: `out` has 16 elements of 4 bytes: two vectors of 32 bytes.
        unsafe {
            let p = out.as_mut_ptr().cast::<__m256i>();
            _mm256_storeu_si256(p, row[0]);
            _mm256_storeu_si256(p.add(1), row[1]);
        }
        out
    })
}

/// Two neighbouring inputs as the four bytes that are broadcast.
fn bytes_of_pairs(row: &[i16]) -> &[[u8; 4]] {
    bytemuck::cast_slice::<i16, u8>(row).as_chunks().0
}

/// The transposed square, in registers; left to itself the compiler takes number by number.
#[cfg(feature = "compress")]
#[inline(always)]
pub(super) fn turned(from: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    let [a, b, c, d]: [__m128; 4] = bytemuck::cast(from);
    // SAFETY: SSE is part of x86-64.
    let turned = unsafe {
        let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
        let (low, next) = (_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab));
        let (ab, cd) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
        [low, next, _mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)]
    };
    bytemuck::cast(turned)
}
