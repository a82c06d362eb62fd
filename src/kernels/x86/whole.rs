//! Vectors of sixteen numbers as one of 512 bits.

use super::avx512::Avx512;
use super::places::{Places, common, common_of, put};
use crate::kernels::vector::{MEASURED, Mark, NONE, Set, SmallSet, Vector, WIDTH};
use std::arch::x86_64::*;
use std::hint::black_box;

/// Sixteen numbers in a vector of 512 bits. There is one only where the CPU has AVX-512 F, BW, DQ and VL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole(__m512i);

/// Writes functions that do one thing.
macro_rules! wholly {
    ($($name:ident($a:ident, $b:ident) -> $out:ty => $body:expr;)*) => { $(
        #[inline(always)]
        fn $name(self, other: Self) -> $out {
            let ($a, $b) = (self.0, other.0);
            // SAFETY: the CPU has AVX-512 F, for `self` exists.
            unsafe { $body }
        }
    )* };
}

impl Vector for Whole {
    type Isa = Avx512;
    type Mask = __mmask16;
    type Halves = __m256i;

    #[inline(always)]
    fn load(_: Avx512, from: &[i32; WIDTH]) -> Self {
        // SAFETY: the CPU has AVX-512 F, as is proven; 16 numbers are 512 bits.
        unsafe { Self(_mm512_loadu_si512(from.as_ptr().cast())) }
    }

    #[inline(always)]
    fn load_short(_: Avx512, from: &[i16; WIDTH]) -> Self {
        // SAFETY: the CPU has AVX-512 F and with it AVX2, as is proven; 16 numbers are 256 bits.
        unsafe { Self(_mm512_cvtepi16_epi32(_mm256_loadu_si256(from.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn load_bytes(_: Avx512, from: &[u8; WIDTH]) -> Self {
        // SAFETY: the CPU has AVX-512 F, as is proven; 16 bytes are 128 bits.
        unsafe { Self(_mm512_cvtepu8_epi32(_mm_loadu_si128(from.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn all(_: Avx512, number: i32) -> Self {
        // SAFETY: the CPU has AVX-512 F, as is proven.
        unsafe { Self(_mm512_set1_epi32(number)) }
    }

    #[inline(always)]
    fn array(self) -> [i32; WIDTH] {
        let mut out = [0; WIDTH];
        // SAFETY: the CPU has AVX-512 F, for `self` exists; 16 numbers are 512 bits.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), self.0) };
        out
    }

    wholly! {
        plus(a, b) -> Self => Self(_mm512_add_epi32(a, b));
        minus(a, b) -> Self => Self(_mm512_sub_epi32(a, b));
        times(a, b) -> Self => Self(_mm512_mullo_epi32(a, b));
        least(a, b) -> Self => Self(_mm512_min_epi32(a, b));
        most(a, b) -> Self => Self(_mm512_max_epi32(a, b));
        held_plus(a, b) -> Self => {
            Self(_mm512_min_epu32(_mm512_add_epi32(a, b), _mm512_set1_epi32(i32::MAX)))
        };
        bit_and(a, b) -> Self => Self(_mm512_and_si512(a, b));
        bit_or(a, b) -> Self => Self(_mm512_or_si512(a, b));
        is(a, b) -> __mmask16 => _mm512_cmpeq_epi32_mask(a, b);
        is_above(a, b) -> __mmask16 => _mm512_cmpgt_epi32_mask(a, b);
        has_any(a, b) -> __mmask16 => _mm512_test_epi32_mask(a, b);
    }

    #[inline(always)]
    fn magnitude(self) -> Self {
        // SAFETY: the CPU has AVX-512 F, for `self` exists.
        unsafe { Self(_mm512_abs_epi32(self.0)) }
    }

    #[inline(always)]
    fn shifted_left(self, bits: u32) -> Self {
        // SAFETY: the CPU has AVX-512 F, for `self` exists.
        unsafe { Self(_mm512_sll_epi32(self.0, _mm_cvtsi32_si128(bits as i32))) }
    }

    #[inline(always)]
    fn shifted_right(self, bits: u32) -> Self {
        // SAFETY: the CPU has AVX-512 F, for `self` exists.
        unsafe { Self(_mm512_sra_epi32(self.0, _mm_cvtsi32_si128(bits as i32))) }
    }

    #[inline(always)]
    fn shifted_down(self, bits: u32) -> Self {
        // SAFETY: the CPU has AVX-512 F, for `self` exists.
        unsafe { Self(_mm512_srl_epi32(self.0, _mm_cvtsi32_si128(bits as i32))) }
    }

    #[inline(always)]
    fn or(self, mask: __mmask16, other: Self) -> Self {
        // SAFETY: the CPU has AVX-512 F, for `self` exists.
        unsafe { Self(_mm512_mask_blend_epi32(mask, other.0, self.0)) }
    }

    #[inline(always)]
    fn bits(mask: __mmask16) -> u32 {
        u32::from(mask)
    }

    #[inline(always)]
    fn mask(_: Avx512, bits: u32) -> __mmask16 {
        bits as __mmask16
    }

    #[inline(always)]
    fn dealt(_: Avx512, mask: __mmask16, words: &[u8; 2 * WIDTH]) -> Self {
        // SAFETY: the CPU has AVX-512 F, as is proven; 32 bytes are 256 bits.
        unsafe {
            let words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(words.as_ptr().cast()));
            Self(_mm512_maskz_expand_epi32(mask, words))
        }
    }

    #[inline(always)]
    fn split(_: Avx512, from: [u64; WIDTH]) -> (Self, Self) {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = from.map(|v| v as i64);
        // SAFETY: the CPU has AVX-512 F, as is proven.
        unsafe {
            let a = _mm512_setr_epi64(a, b, c, d, e, f, g, h);
            let b = _mm512_setr_epi64(i, j, k, l, m, n, o, p);
            let low = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let high = _mm512_add_epi32(low, _mm512_set1_epi32(1));
            (
                Self(_mm512_permutex2var_epi32(a, low, b)),
                Self(_mm512_permutex2var_epi32(a, high, b)),
            )
        }
    }

    #[inline(always)]
    fn bytes(self) -> [u8; WIDTH] {
        // SAFETY: the CPU has AVX-512 F, for `self` exists.
        unsafe { bytemuck::cast(_mm512_cvtepi32_epi8(self.0)) }
    }

    #[inline(always)]
    fn halves(self) -> __m256i {
        // SAFETY: the CPU has AVX-512 F, for `self` exists.
        unsafe { _mm512_cvtsepi32_epi16(self.0) }
    }

    #[inline(always)]
    fn array_of_halves(halves: __m256i) -> [u16; WIDTH] {
        bytemuck::cast(halves)
    }

    #[inline(always)]
    fn doubled(self) -> Self {
        // SAFETY: the CPU has AVX-512 BW, for `self` exists.
        unsafe { Self(_mm512_packs_epi32(self.0, self.0)) }
    }

    #[inline(always)]
    fn scores(_: Avx512, numbers: &[Self; MEASURED], marks: &[Mark], first: i32) -> Self {
        // SAFETY: the CPU has AVX-512 F and BW, as is proven; 8 numbers of 16 bits are 128 bits.
        unsafe {
            let mut sum = _mm512_setzero_si512();
            for mark in marks {
                let own = (*mark.own(numbers)).0;
                let marked = _mm_loadu_si128(mark.thresholds().as_ptr().cast());
                let scores = _mm_loadu_si128(mark.scores().as_ptr().cast());
                let above = _mm512_cmpgt_epi16_mask(own, _mm512_broadcast_i32x4(marked));
                sum = _mm512_mask_add_epi16(sum, above, sum, _mm512_broadcast_i32x4(scores));
            }
            // Scores of the first thresholds and of the second.
            let both = _mm512_add_epi16(sum, _mm512_shuffle_epi32::<0b01_00_11_10>(sum));
            let sums = _mm512_unpacklo_epi16(both, _mm512_setzero_si512());
            Self(_mm512_add_epi32(sums, _mm512_set1_epi32(first)))
        }
    }

    #[inline(always)]
    fn of(self, table: Self) -> Self {
        // SAFETY: the CPU has AVX-512 F, for `self` exists.
        unsafe { Self(_mm512_permutexvar_epi32(self.0, table.0)) }
    }

    #[inline(always)]
    fn put(self, places: Self, out: &mut [i32]) {
        let length = i32::try_from(out.len()).unwrap_or(i32::MAX);
        // SAFETY: the CPU has AVX-512 F, for `self` exists.
        let there = unsafe { _mm512_cmplt_epu32_mask(places.0, _mm512_set1_epi32(length)) };
        let (numbers, places) = (self.array(), places.array());
        if there == u16::MAX {
            // SAFETY: all places are there.
            return unsafe { put(&numbers, &places, out.as_mut_ptr()) };
        }
        for (number, at) in numbers.into_iter().zip(places) {
            out.get_mut(at as u32 as usize).into_iter().for_each(|out| *out = number);
        }
    }

    #[inline(always)]
    fn common<const AXES: usize>(_: Avx512, sets: &[Set], axes: &[Self; AXES]) -> [Set; WIDTH] {
        if sets.is_empty() {
            return [[0; 4]; WIDTH];
        }
        // SAFETY: the CPU has AVX2, which AVX-512 F needs, and places are held to those of sets.
        unsafe { common(sets, black_box(&Self::held::<5, AXES>(axes, sets.len()))) }
    }

    #[inline(always)]
    fn only<const AXES: usize>(
        isa: Self::Isa,
        sets: &[SmallSet],
        axes: &[Self; AXES],
    ) -> [Self; 2] {
        if sets.is_empty() {
            return [Self::all(isa, NONE); 2];
        }
        // SAFETY: the CPU has AVX-512 F and DQ and with them AVX2, as is proven; places are held to those of
        // sets.
        unsafe {
            let places = Self::held::<4, AXES>(axes, sets.len());
            let (places, sets) = (black_box(&places), sets.as_ptr());
            // The exponents of powers of two, plus `-NONE`.
            let mut four = [_mm512_setzero_si512(); WIDTH / 4];
            for (i, four) in four.iter_mut().enumerate() {
                let a = _mm256_castsi128_si256(common_of(sets, places, 4 * i));
                let a = _mm256_inserti128_si256::<1>(a, common_of(sets, places, 4 * i + 1));
                let b = _mm256_castsi128_si256(common_of(sets, places, 4 * i + 2));
                let b = _mm256_inserti128_si256::<1>(b, common_of(sets, places, 4 * i + 3));
                let words = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(a), b);
                *four = _mm512_srli_epi64::<52>(_mm512_castpd_si512(_mm512_cvtepu64_pd(words)));
            }
            let none = _mm512_set1_epi32(NONE);
            macro_rules! every_fourth {
                ($first:expr) => {{
                    let low = _mm512_permutex2var_epi32(four[0], $first, four[1]);
                    let high = _mm512_permutex2var_epi32(four[2], $first, four[3]);
                    let all = _mm512_inserti64x4::<1>(low, _mm512_castsi512_si256(high));
                    Self(_mm512_add_epi32(all, none))
                }};
            }
            let first = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0);
            let second = _mm512_add_epi32(first, _mm512_set1_epi32(2));
            [every_fourth!(first), every_fourth!(second)]
        }
    }
}

impl Whole {
    /// Returns where sets of 2^`SHIFT` bytes begin at places on axes, held to those of `count` sets, of which there
    /// is one.
    #[inline(always)]
    fn held<const SHIFT: u32, const AXES: usize>(
        axes: &[Self; AXES],
        count: usize,
    ) -> Places<AXES> {
        let mut out = [[0; WIDTH]; AXES];
        for (out, places) in out.iter_mut().zip(axes) {
            // SAFETY: the CPU has AVX-512 F, for `axes` exist; 16 numbers are 512 bits.
            unsafe {
                let last = _mm512_set1_epi32((count.min(1 << 16) - 1) as i32);
                let held = _mm512_slli_epi32::<SHIFT>(_mm512_min_epu32(places.0, last));
                _mm512_storeu_si512(out.as_mut_ptr().cast(), held);
            }
        }
        out
    }
}
