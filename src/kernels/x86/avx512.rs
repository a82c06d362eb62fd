//! Kernels of 512 bits.

/// Proof that this CPU has AVX-512 F, BW and VL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(crate) fn new() -> Option<Self> {
        let there = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl");
        there.then_some(Self(()))
    }
}

#[cfg(feature = "compress")]
mod gemm {
    use super::*;
    use crate::kernels::gemm::micro::micro_kernel;
    use std::arch::x86_64::*;

    micro_kernel! {
        Avx512, #[target_feature(enable = "avx512f")] __m512, 16 lanes,
        // 24 sums, 2 vectors of b and 1 number of a: 27 of 32 registers.
        12 rows (1 2 3 4 5 6 7 8 9 10 11 12), 2 vectors,
        _mm512_setzero_ps(), _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_fmadd_ps
    }
}
