//! Vectors of sixteen numbers: two of 256 bits, or one of 512.

use super::avx2::Avx2;
use super::avx512::Avx512;
use super::places::{add_score, common, common_of, held};
use crate::kernels::vector::{MEASURED, NONE, Ruler, Set, SmallSet, Vector, WIDTH};
use std::arch::x86_64::*;

/// Sixteen numbers in two vectors of 256 bits. There is one only where the CPU has AVX2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair([__m256i; 2]);

/// Sixteen numbers in a vector of 512 bits. There is one only where the CPU has AVX-512 F, BW, DQ and VL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole(__m512i);

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
    fn all_halves(_: Avx2, number: u16) -> __m256i {
        // SAFETY: the CPU has AVX2, as is proven.
        unsafe { _mm256_set1_epi16(number as i16) }
    }

    #[inline(always)]
    fn add_scores(numbers: &[Self; MEASURED], rulers: &[Ruler], mut sum: __m256i) -> __m256i {
        for ruler in rulers {
            let own = numbers[ruler.measures % MEASURED].halves();
            // SAFETY: the CPU has AVX2, for `numbers` exist.
            sum = unsafe { add_score(own, ruler, sum) };
        }
        sum
    }

    #[inline(always)]
    fn array_of_halves(halves: __m256i) -> [u16; WIDTH] {
        bytemuck::cast(halves)
    }

    #[inline(always)]
    fn common<const AXES: usize>(
        _: Self::Isa,
        sets: &[Set],
        axes: &[__m256i; AXES],
    ) -> [Set; WIDTH] {
        // SAFETY: the CPU has AVX2, as is proven.
        unsafe { common(sets, axes) }
    }

    #[inline(always)]
    fn only<const AXES: usize>(
        isa: Self::Isa,
        sets: &[SmallSet],
        axes: &[__m256i; AXES],
    ) -> [Self; 2] {
        let mut out = [[NONE; WIDTH]; 2];
        if sets.is_empty() {
            return [Self::load(isa, &out[0]), Self::load(isa, &out[1])];
        }
        // SAFETY: the CPU has AVX2, as is proven.
        let places = unsafe { held(axes, sets.len()) };
        let [first, second] = &mut out;
        for (i, (first, second)) in first.iter_mut().zip(second).enumerate() {
            // SAFETY: the same, and places are held to those of sets.
            let common = unsafe { common_of(sets.as_ptr(), &places, i) };
            let [a, b]: [u64; 2] = bytemuck::cast(common);
            *first = if a == 0 { NONE } else { a.trailing_zeros() as i32 };
            *second = if b == 0 { NONE } else { b.trailing_zeros() as i32 };
        }
        [Self::load(isa, &out[0]), Self::load(isa, &out[1])]
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
    fn all_halves(_: Avx512, number: u16) -> __m256i {
        // SAFETY: the CPU has AVX-512 F and with it AVX2, as is proven.
        unsafe { _mm256_set1_epi16(number as i16) }
    }

    #[inline(always)]
    fn add_scores(numbers: &[Self; MEASURED], rulers: &[Ruler], mut sum: __m256i) -> __m256i {
        for ruler in rulers {
            let own = numbers[ruler.measures % MEASURED].halves();
            // SAFETY: the CPU has AVX2, for `numbers` exist.
            sum = unsafe { add_score(own, ruler, sum) };
        }
        sum
    }

    #[inline(always)]
    fn array_of_halves(halves: __m256i) -> [u16; WIDTH] {
        bytemuck::cast(halves)
    }

    #[inline(always)]
    fn common<const AXES: usize>(
        _: Self::Isa,
        sets: &[Set],
        axes: &[__m256i; AXES],
    ) -> [Set; WIDTH] {
        // SAFETY: the CPU has AVX2, as is proven.
        unsafe { common(sets, axes) }
    }

    #[inline(always)]
    fn only<const AXES: usize>(
        isa: Self::Isa,
        sets: &[SmallSet],
        axes: &[__m256i; AXES],
    ) -> [Self; 2] {
        if sets.is_empty() {
            return [Self::all(isa, NONE); 2];
        }
        // SAFETY: the CPU has AVX-512 F and DQ and with them AVX2, as is proven; places are held to those of
        // sets.
        unsafe {
            let (places, sets) = (&held(axes, sets.len()), sets.as_ptr());
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
