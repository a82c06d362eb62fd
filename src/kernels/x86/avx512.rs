//! Kernels of 512 bits.

use crate::kernels::dense::micro::{Micro, dense_kernel};
use crate::kernels::dense::panels::{COLUMNS, Product};
use crate::kernels::isa::Isa;
use std::arch::x86_64::*;

/// Proof that this CPU has AVX-512 F, BW, DQ and VL, and all that AVX2 needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512 {
    /// Whether it has VNNI, too.
    vnni: bool,
}

impl Avx512 {
    pub(crate) fn new() -> Option<Self> {
        let vnni = || Self { vnni: is_x86_feature_detected!("avx512vnni") };
        Isa::Avx512.is_available().then(vnni)
    }

    /// Returns what a CPU that lacks VNNI has.
    #[cfg(test)]
    pub(crate) fn without_vnni(self) -> Self {
        Self { vnni: false }
    }
}

impl Micro for Avx512 {
    #[cfg(test)]
    const ISA: Isa = Isa::Avx512;

    fn sums(self, product: Product<'_>) {
        // SAFETY: the CPU has AVX-512 F and BW, and VNNI where that is said, as `self` proves.
        unsafe { if self.vnni { fused_sums(product) } else { sums(product) } }
    }
}

dense_kernel! {
    sums, #[target_feature(enable = "avx512f,avx512bw")] [__m512i; 1],
    // 16 sums, 2 vectors of weights, 1 of inputs and some of products, of 32 registers.
    8 rows (1 2 3 4 5 6 7 8), 2 panels,
    _mm512_setzero_si512(),
    |weights: *const i16| [_mm512_loadu_si512(weights.cast())],
    |sums: &mut [__m512i; 1], weights: &[__m512i; 1], inputs: *const i16| {
        let x = _mm512_set1_epi32(inputs.cast::<i32>().read_unaligned());
        sums[0] = _mm512_add_epi32(sums[0], _mm512_madd_epi16(weights[0], x));
    },
    _mm512_storeu_si512
}

dense_kernel! {
    fused_sums, #[target_feature(enable = "avx512f,avx512bw,avx512vnni")] [__m512i; 1],
    8 rows (1 2 3 4 5 6 7 8), 2 panels,
    _mm512_setzero_si512(),
    |weights: *const i16| [_mm512_loadu_si512(weights.cast())],
    |sums: &mut [__m512i; 1], weights: &[__m512i; 1], inputs: *const i16| {
        let x = _mm512_set1_epi32(inputs.cast::<i32>().read_unaligned());
        sums[0] = _mm512_dpwssd_epi32(sums[0], weights[0], x);
    },
    _mm512_storeu_si512
}

#[cfg(feature = "compress")]
mod gemm {
    use super::*;
    use crate::kernels::gemm::micro::micro_kernel;

    micro_kernel! {
        Avx512, Isa::Avx512, #[target_feature(enable = "avx512f")] __m512, 16 lanes,
        // 24 sums, 2 vectors of b and 1 number of a: 27 of 32 registers.
        12 rows (1 2 3 4 5 6 7 8 9 10 11 12), 2 vectors,
        _mm512_setzero_ps(), _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_fmadd_ps,
        _mm512_add_ps, _mm512_mul_ps, _mm512_max_ps, |line: *const f32| _mm_prefetch::<_MM_HINT_T0>(line.cast())
    }
}
