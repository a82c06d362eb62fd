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
    use crate::kernels::gemm::micro::{Micro, Strip, tile_of_vectors};
    use std::arch::x86_64::*;

    tile_of_vectors! {
        #[target_feature(enable = "avx512f")]
        fn tile, __m512, 16 lanes, 2 vectors,
        _mm512_setzero_ps(), _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_fmadd_ps
    }

    impl Micro<12, 32> for Avx512 {
        // 24 sums, 2 vectors of b and 1 number of a: 27 of 32 registers.
        fn tile(
            self,
            k: usize,
            a: Strip<'_>,
            b: &[f32],
            c: &mut [&mut [f32]],
            at: usize,
            fresh: bool,
        ) {
            // SAFETY: the CPU has AVX-512 F, as `self` proves.
            unsafe {
                match c.len() {
                    1 => tile::<1>(k, a, b, c, at, fresh),
                    2 => tile::<2>(k, a, b, c, at, fresh),
                    3 => tile::<3>(k, a, b, c, at, fresh),
                    4 => tile::<4>(k, a, b, c, at, fresh),
                    5 => tile::<5>(k, a, b, c, at, fresh),
                    6 => tile::<6>(k, a, b, c, at, fresh),
                    7 => tile::<7>(k, a, b, c, at, fresh),
                    8 => tile::<8>(k, a, b, c, at, fresh),
                    9 => tile::<9>(k, a, b, c, at, fresh),
                    10 => tile::<10>(k, a, b, c, at, fresh),
                    11 => tile::<11>(k, a, b, c, at, fresh),
                    _ => tile::<12>(k, a, b, c, at, fresh),
                }
            }
        }
    }
}
