//! Kernels of 256 bits.

use std::arch::x86_64::*;

/// Proof that this CPU has AVX2 and FMA.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn new() -> Option<Self> {
        let there = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        there.then_some(Self(()))
    }
}

#[cfg(feature = "compress")]
mod gemm {
    use super::*;
    use crate::kernels::gemm::micro::micro_kernel;

    micro_kernel! {
        Avx2, #[target_feature(enable = "avx2,fma")] __m256, 8 lanes,
        // 12 sums, 2 vectors of b and 1 number of a: 15 of 16 registers.
        6 rows (1 2 3 4 5 6), 2 vectors,
        _mm256_setzero_ps(), _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_fmadd_ps
    }
}
