//! Sets that are found at places, and numbers that are put there: what vectors of 256 and of 512 bits do alike.

use crate::kernels::vector::{Set, SmallSet, WIDTH};
use std::arch::x86_64::*;
use std::hint::black_box;

/// Where sets begin on axes, in bytes, number after number.
pub(super) type Places<const AXES: usize> = [[u32; WIDTH]; AXES];

/// Intersects as [`Vector::common`] says.
///
/// # Safety
/// The CPU must have AVX2, and the places must be of sets.
#[inline(always)]
pub(super) unsafe fn common<const AXES: usize>(
    sets: &[Set],
    places: &Places<AXES>,
) -> [Set; WIDTH] {
    let mut out = [[0; 4]; WIDTH];
    // SAFETY: the CPU has AVX2, as the caller says, and there are the sets; a set has 256 bits.
    unsafe {
        for (i, out) in out.iter_mut().enumerate() {
            let mut left = _mm256_set1_epi32(-1);
            for places in places {
                let set = sets.as_ptr().byte_add(places[i] as usize);
                left = _mm256_and_si256(left, _mm256_loadu_si256(set.cast()));
            }
            _mm256_storeu_si256(out.as_mut_ptr().cast(), left);
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
    places: &Places<AXES>,
    i: usize,
) -> __m128i {
    // SAFETY: the CPU has AVX2, as the caller says, and there are the sets; a set has 128 bits.
    unsafe {
        let mut left = _mm_set1_epi32(-1);
        for places in places {
            let set = sets.byte_add(places[i] as usize);
            left = _mm_and_si128(left, _mm_loadu_si128(set.cast()));
        }
        left
    }
}

/// Puts numbers at places in `out`.
///
/// # Safety
/// All places must be there.
#[inline(always)]
pub(super) unsafe fn put(numbers: &[i32; WIDTH], places: &[i32; WIDTH], out: *mut i32) {
    // Numbers that are loaded one by one take less than those that are taken out of vectors.
    let (numbers, places) = (black_box(numbers), black_box(places));
    for i in 0..WIDTH {
        // SAFETY: the place is there, as the caller says.
        unsafe { *out.add(places[i] as u32 as usize) = numbers[i] };
    }
}
