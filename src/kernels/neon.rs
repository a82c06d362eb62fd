//! Kernels for 64-bit Arm.
#![allow(unsafe_code)]

/// Proof that this CPU has Neon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neon(());

impl Neon {
    pub(crate) fn new() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }
}

#[cfg(feature = "compress")]
mod gemm {
    use super::*;
    use crate::kernels::gemm::micro::{Micro, Strip, tile_of_vectors};
    use std::arch::aarch64::*;

    tile_of_vectors! {
        #[target_feature(enable = "neon")]
        fn tile, float32x4_t, 4 lanes, 4 vectors,
        vdupq_n_f32(0.0), vld1q_f32, vst1q_f32, vdupq_n_f32, |x, b, sum| vfmaq_f32(sum, x, b)
    }

    impl Micro<6, 16> for Neon {
        // 24 sums, 4 vectors of b and 1 number of a: 29 of 32 registers.
        fn tile(
            self,
            k: usize,
            a: Strip<'_>,
            b: &[f32],
            c: &mut [&mut [f32]],
            at: usize,
            fresh: bool,
        ) {
            // SAFETY: the CPU has Neon, as `self` proves.
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
