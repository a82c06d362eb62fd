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
    use crate::kernels::gemm::micro::{Micro, Strip, tile_of_vectors};

    tile_of_vectors! {
        #[target_feature(enable = "avx2,fma")]
        fn tile, __m256, 8 lanes, 2 vectors,
        _mm256_setzero_ps(), _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_fmadd_ps
    }

    impl Micro<6, 16> for Avx2 {
        // 12 sums, 2 vectors of b and 1 number of a: 15 of 16 registers.
        fn tile(
            self,
            k: usize,
            a: Strip<'_>,
            b: &[f32],
            c: &mut [&mut [f32]],
            at: usize,
            fresh: bool,
        ) {
            // SAFETY: the CPU has AVX2 and FMA, as `self` proves.
            unsafe {
                match c.len() {
                    1 => tile::<1>(k, a, b, c, at, fresh),
                    2 => tile::<2>(k, a, b, c, at, fresh),
                    3 => tile::<3>(k, a, b, c, at, fresh),
                    4 => tile::<4>(k, a, b, c, at, fresh),
                    5 => tile::<5>(k, a, b, c, at, fresh),
                    _ => tile::<6>(k, a, b, c, at, fresh),
                }
            }
        }
    }
}
