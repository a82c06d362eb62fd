//! Kernels of 256 bits.

use crate::kernels::dense::micro::{Micro, dense_kernel};
use crate::kernels::dense::panels::{COLUMNS, Product};
use crate::kernels::isa::Isa;
use std::arch::x86_64::*;

/// Proof that this CPU has AVX2, FMA, BMI1 and POPCNT.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn new() -> Option<Self> {
        Isa::Avx2.is_available().then_some(Self(()))
    }
}

impl Micro for Avx2 {
    #[cfg(test)]
    const ISA: Isa = Isa::Avx2;

    fn sums(self, product: Product<'_>) {
        // SAFETY: the CPU has AVX2, as `self` proves.
        unsafe { sums(product) }
    }
}

dense_kernel! {
    sums, #[target_feature(enable = "avx2")] [__m256i; 2],
    // 12 sums, 2 vectors of weights, 1 of inputs and 1 of products: all registers.
    6 rows (1 2 3 4 5 6), 1 panels,
    _mm256_setzero_si256(),
    |weights: *const i16| {
        [_mm256_loadu_si256(weights.cast()), _mm256_loadu_si256(weights.add(16).cast())]
    },
    |sums: &mut [__m256i; 2], weights: &[__m256i; 2], inputs: *const i16| {
        let x = _mm256_set1_epi32(inputs.cast::<i32>().read_unaligned());
        for (sum, w) in sums.iter_mut().zip(weights) {
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(*w, x));
        }
    },
    _mm256_storeu_si256
}

#[cfg(feature = "compress")]
mod gemm {
    use super::*;
    use crate::kernels::gemm::micro::micro_kernel;

    micro_kernel! {
        Avx2, Isa::Avx2, #[target_feature(enable = "avx2,fma")] __m256, 8 lanes,
        // 12 sums, 2 vectors of b and 1 number of a: 15 of 16 registers.
        6 rows (1 2 3 4 5 6), 2 vectors,
        _mm256_setzero_ps(), _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_fmadd_ps,
        _mm256_add_ps, _mm256_mul_ps, _mm256_max_ps, |line: *const f32| _mm_prefetch::<_MM_HINT_T0>(line.cast())
    }
}
