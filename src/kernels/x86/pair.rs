//! Vectors of sixteen numbers as two of 256 bits.

use super::avx2::Avx2;
use super::places::{Places, common, common_of, put};
use crate::kernels::vector::{MEASURED, Mark, NONE, Set, SmallSet, Vector, WIDTH};
use std::arch::x86_64::*;
use std::hint::black_box;

/// Sixteen numbers in two vectors of 256 bits. There is one only where the CPU has AVX2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair([__m256i; 2]);

/// Writes functions that do one thing with both halves. A closure would not be inlined.
macro_rules! pairwise {
    ($($name:ident($a:ident, $b:ident) => $body:expr;)*) => { $(
        #[inline(always)]
        fn $name(self, other: Self) -> Self {
            // SAFETY: the CPU has AVX2, for `self` exists.
            unsafe {
                let first = {
                    let ($a, $b) = (self.0[0], other.0[0]);
                    $body
                };
                let ($a, $b) = (self.0[1], other.0[1]);
                Self([first, $body])
            }
        }
    )* };
}

impl Vector for Pair {
    type Isa = Avx2;
    type Mask = Self;
    type Halves = __m256i;

    #[inline(always)]
    fn load(_: Avx2, from: &[i32; WIDTH]) -> Self {
        let at = from.as_ptr().cast::<__m256i>();
        // SAFETY: the CPU has AVX2, as is proven; 16 numbers are twice 256 bits.
        unsafe { Self([_mm256_loadu_si256(at), _mm256_loadu_si256(at.add(1))]) }
    }

    #[inline(always)]
    fn load_short(_: Avx2, from: &[i16; WIDTH]) -> Self {
        let at = from.as_ptr().cast::<__m128i>();
        // SAFETY: the CPU has AVX2, as is proven; 16 numbers are twice 128 bits.
        let [a, b] = unsafe { [_mm_loadu_si128(at), _mm_loadu_si128(at.add(1))] };
        // SAFETY: the same.
        unsafe { Self([_mm256_cvtepi16_epi32(a), _mm256_cvtepi16_epi32(b)]) }
    }

    #[inline(always)]
    fn load_bytes(_: Avx2, from: &[u8; WIDTH]) -> Self {
        let at = from.as_ptr().cast::<__m128i>();
        // SAFETY: the CPU has AVX2, as is proven; 16 bytes are 128 bits, the upper 8 of them are 64.
        unsafe {
            let all = _mm_loadu_si128(at);
            Self([_mm256_cvtepu8_epi32(all), _mm256_cvtepu8_epi32(_mm_srli_si128::<8>(all))])
        }
    }

    #[inline(always)]
    fn all(_: Avx2, number: i32) -> Self {
        // SAFETY: the CPU has AVX2, as is proven.
        unsafe { Self([_mm256_set1_epi32(number); 2]) }
    }

    #[inline(always)]
    fn array(self) -> [i32; WIDTH] {
        bytemuck::cast(self.0)
    }

    pairwise! {
        plus(a, b) => _mm256_add_epi32(a, b);
        minus(a, b) => _mm256_sub_epi32(a, b);
        times(a, b) => _mm256_mullo_epi32(a, b);
        least(a, b) => _mm256_min_epi32(a, b);
        most(a, b) => _mm256_max_epi32(a, b);
        held_plus(a, b) => _mm256_min_epu32(_mm256_add_epi32(a, b), _mm256_set1_epi32(i32::MAX));
        bit_and(a, b) => _mm256_and_si256(a, b);
        bit_or(a, b) => _mm256_or_si256(a, b);
        is(a, b) => _mm256_cmpeq_epi32(a, b);
        is_above(a, b) => _mm256_cmpgt_epi32(a, b);
        has_any(a, b) => {
            let none = _mm256_cmpeq_epi32(_mm256_and_si256(a, b), _mm256_setzero_si256());
            _mm256_xor_si256(none, _mm256_set1_epi32(-1))
        };
    }

    #[inline(always)]
    fn magnitude(self) -> Self {
        // SAFETY: the CPU has AVX2, for `self` exists.
        unsafe { Self([_mm256_abs_epi32(self.0[0]), _mm256_abs_epi32(self.0[1])]) }
    }

    #[inline(always)]
    fn shifted_left(self, bits: u32) -> Self {
        // SAFETY: the CPU has AVX2, for `self` exists.
        unsafe {
            let bits = _mm_cvtsi32_si128(bits as i32);
            Self([_mm256_sll_epi32(self.0[0], bits), _mm256_sll_epi32(self.0[1], bits)])
        }
    }

    #[inline(always)]
    fn shifted_right(self, bits: u32) -> Self {
        // SAFETY: the CPU has AVX2, for `self` exists.
        unsafe {
            let bits = _mm_cvtsi32_si128(bits as i32);
            Self([_mm256_sra_epi32(self.0[0], bits), _mm256_sra_epi32(self.0[1], bits)])
        }
    }

    #[inline(always)]
    fn shifted_down(self, bits: u32) -> Self {
        // SAFETY: the CPU has AVX2, for `self` exists.
        unsafe {
            let bits = _mm_cvtsi32_si128(bits as i32);
            Self([_mm256_srl_epi32(self.0[0], bits), _mm256_srl_epi32(self.0[1], bits)])
        }
    }

    #[inline(always)]
    fn or(self, mask: Self, other: Self) -> Self {
        // SAFETY: the CPU has AVX2, for `self` exists.
        unsafe {
            Self([
                _mm256_blendv_epi8(other.0[0], self.0[0], mask.0[0]),
                _mm256_blendv_epi8(other.0[1], self.0[1], mask.0[1]),
            ])
        }
    }

    #[inline(always)]
    fn bits(mask: Self) -> u32 {
        // SAFETY: the CPU has AVX2, for `mask` exists.
        unsafe {
            let low = _mm256_movemask_ps(_mm256_castsi256_ps(mask.0[0]));
            let high = _mm256_movemask_ps(_mm256_castsi256_ps(mask.0[1]));
            (low | high << 8) as u32
        }
    }

    #[inline(always)]
    fn mask(_: Avx2, bits: u32) -> Self {
        // SAFETY: the CPU has AVX2, as is proven.
        unsafe {
            let all = _mm256_set1_epi32(bits as i32);
            let first = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let second = _mm256_slli_epi32::<8>(first);
            Self([
                _mm256_cmpeq_epi32(_mm256_and_si256(all, first), first),
                _mm256_cmpeq_epi32(_mm256_and_si256(all, second), second),
            ])
        }
    }

    #[inline(always)]
    fn dealt(_: Avx2, mask: Self, words: &[u8; 2 * WIDTH]) -> Self {
        // SAFETY: the CPU has AVX2, for `mask` exists. There are at most 8 words before those of the second
        // half, so that 8 more are there.
        unsafe {
            let low = _mm256_movemask_ps(_mm256_castsi256_ps(mask.0[0])) as usize;
            let high = _mm256_movemask_ps(_mm256_castsi256_ps(mask.0[1])) as usize;
            let at = words.as_ptr();
            let first = _mm256_cvtepu16_epi32(_mm_loadu_si128(at.cast()));
            let at = at.add(2 * low.count_ones() as usize);
            let second = _mm256_cvtepu16_epi32(_mm_loadu_si128(at.cast()));
            let low = _mm_loadl_epi64(DEALT[low % 256].as_ptr().cast());
            let high = _mm_loadl_epi64(DEALT[high % 256].as_ptr().cast());
            Self([
                _mm256_permutevar8x32_epi32(first, _mm256_cvtepu8_epi32(low)),
                _mm256_permutevar8x32_epi32(second, _mm256_cvtepu8_epi32(high)),
            ])
        }
    }

    #[inline(always)]
    fn split(_: Avx2, from: [u64; WIDTH]) -> (Self, Self) {
        // SAFETY: the CPU has AVX2, as is proven.
        unsafe {
            macro_rules! four {
                ($i:literal) => {{
                    let [a, b, c, d] =
                        [from[$i], from[$i + 1], from[$i + 2], from[$i + 3]].map(|v| v as i64);
                    _mm256_castsi256_ps(_mm256_setr_epi64x(a, b, c, d))
                }};
            }
            let (a, b, c, d) = (four!(0), four!(4), four!(8), four!(12));
            macro_rules! ordered {
                ($a:expr, $b:expr, $which:literal) => {{
                    let mixed = _mm256_castps_si256(_mm256_shuffle_ps::<$which>($a, $b));
                    _mm256_permute4x64_epi64::<0b11_01_10_00>(mixed)
                }};
            }
            (
                Self([ordered!(a, b, 0b10_00_10_00), ordered!(c, d, 0b10_00_10_00)]),
                Self([ordered!(a, b, 0b11_01_11_01), ordered!(c, d, 0b11_01_11_01)]),
            )
        }
    }

    #[inline(always)]
    fn bytes(self) -> [u8; WIDTH] {
        // SAFETY: the CPU has AVX2, for `self` exists.
        unsafe {
            let halves = self.halves();
            let (low, high) =
                (_mm256_castsi256_si128(halves), _mm256_extracti128_si256::<1>(halves));
            bytemuck::cast(_mm_packus_epi16(low, high))
        }
    }

    #[inline(always)]
    fn halves(self) -> __m256i {
        // SAFETY: the CPU has AVX2, for `self` exists.
        unsafe {
            let mixed = _mm256_packs_epi32(self.0[0], self.0[1]);
            _mm256_permute4x64_epi64::<0b11_01_10_00>(mixed)
        }
    }

    #[inline(always)]
    fn array_of_halves(halves: __m256i) -> [u16; WIDTH] {
        bytemuck::cast(halves)
    }

    #[inline(always)]
    fn doubled(self) -> Self {
        let [a, b] = self.0;
        // SAFETY: the CPU has AVX2, for `self` exists.
        unsafe { Self([_mm256_packs_epi32(a, a), _mm256_packs_epi32(b, b)]) }
    }

    #[inline(always)]
    fn scores(_: Avx2, numbers: &[Self; MEASURED], marks: &[Mark], first: i32) -> Self {
        // SAFETY: the CPU has AVX2, as is proven; 8 numbers of 16 bits are 128 bits.
        unsafe {
            let mut sums = [_mm256_setzero_si256(); 2];
            for mark in marks {
                let own = *mark.own(numbers);
                let marked = _mm_loadu_si128(mark.thresholds().as_ptr().cast());
                let scores = _mm_loadu_si128(mark.scores().as_ptr().cast());
                let marked = _mm256_broadcastsi128_si256(marked);
                let scores = _mm256_broadcastsi128_si256(scores);
                for (sum, own) in sums.iter_mut().zip(own.0) {
                    let above = _mm256_cmpgt_epi16(own, marked);
                    *sum = _mm256_add_epi16(*sum, _mm256_and_si256(above, scores));
                }
            }
            let (zero, first) = (_mm256_setzero_si256(), _mm256_set1_epi32(first));
            for sum in &mut sums {
                // Scores of the first thresholds and of the second.
                let both = _mm256_add_epi16(*sum, _mm256_shuffle_epi32::<0b01_00_11_10>(*sum));
                *sum = _mm256_add_epi32(_mm256_unpacklo_epi16(both, zero), first);
            }
            Self(sums)
        }
    }

    #[inline(always)]
    fn of(self, table: Self) -> Self {
        let [low, high] = table.0;
        // SAFETY: the CPU has AVX2, for `self` exists.
        unsafe {
            macro_rules! half {
                ($places:expr) => {{
                    let low = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(low, $places));
                    let high = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(high, $places));
                    // The fourth bit, as the sign, says which half it is.
                    let which = _mm256_castsi256_ps(_mm256_slli_epi32::<28>($places));
                    _mm256_castps_si256(_mm256_blendv_ps(low, high, which))
                }};
            }
            Self([half!(self.0[0]), half!(self.0[1])])
        }
    }

    #[inline(always)]
    fn put(self, places: Self, out: &mut [i32]) {
        let last = i32::try_from(out.len()).unwrap_or(i32::MAX).wrapping_sub(1);
        let (numbers, places) = (self.array(), places.array());
        if places.iter().fold(0, |most, &at| most.max(at as u32)) <= last as u32 && last >= 0 {
            // SAFETY: all places are there.
            return unsafe { put(&numbers, &places, out.as_mut_ptr()) };
        }
        for (number, at) in numbers.into_iter().zip(places) {
            out.get_mut(at as u32 as usize).into_iter().for_each(|out| *out = number);
        }
    }

    #[inline(always)]
    fn common<const AXES: usize>(_: Avx2, sets: &[Set], axes: &[Self; AXES]) -> [Set; WIDTH] {
        if sets.is_empty() {
            return [[0; 4]; WIDTH];
        }
        // SAFETY: the CPU has AVX2, as is proven, and places are held to those of sets.
        unsafe { common(sets, black_box(&Self::held::<5, AXES>(axes, sets.len()))) }
    }

    #[inline(always)]
    fn only<const AXES: usize>(
        isa: Self::Isa,
        sets: &[SmallSet],
        axes: &[Self; AXES],
    ) -> [Self; 2] {
        let mut out = [[NONE; WIDTH]; 2];
        if sets.is_empty() {
            return [Self::load(isa, &out[0]), Self::load(isa, &out[1])];
        }
        let places = Self::held::<4, AXES>(axes, sets.len());
        let places = black_box(&places);
        let [first, second] = &mut out;
        for (i, (first, second)) in first.iter_mut().zip(second).enumerate() {
            // SAFETY: the CPU has AVX2, as is proven, and places are held to those of sets.
            let common = unsafe { common_of(sets.as_ptr(), places, i) };
            let [a, b]: [u64; 2] = bytemuck::cast(common);
            *first = if a == 0 { NONE } else { a.trailing_zeros() as i32 };
            *second = if b == 0 { NONE } else { b.trailing_zeros() as i32 };
        }
        [Self::load(isa, &out[0]), Self::load(isa, &out[1])]
    }
}

impl Pair {
    /// Returns where sets of 2^`SHIFT` bytes begin at places on axes, held to those of `count` sets, of which there
    /// is one.
    #[inline(always)]
    fn held<const SHIFT: i32, const AXES: usize>(
        axes: &[Self; AXES],
        count: usize,
    ) -> Places<AXES> {
        let mut out = [[0; WIDTH]; AXES];
        for (out, places) in out.iter_mut().zip(axes) {
            // SAFETY: the CPU has AVX2, for `axes` exist.
            unsafe {
                let last = _mm256_set1_epi32((count.min(1 << 16) - 1) as i32);
                let [a, b] = places.0;
                let [a, b] = [_mm256_min_epu32(a, last), _mm256_min_epu32(b, last)];
                *out =
                    bytemuck::cast([_mm256_slli_epi32::<SHIFT>(a), _mm256_slli_epi32::<SHIFT>(b)]);
            }
        }
        out
    }
}

/// Of each set of eight numbers, which of the numbers dealt out each gets.
static DEALT: [[u8; 8]; 256] = {
    let mut out = [[0; 8]; 256];
    let mut bits = 0;
    while bits < 256 {
        let (mut i, mut given) = (0, 0);
        while i < 8 {
            out[bits][i] = given;
            given += (bits >> i & 1) as u8;
            i += 1;
        }
        bits += 1;
    }
    out
};
