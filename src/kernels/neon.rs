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
    use crate::kernels::gemm::micro::micro_kernel;
    use std::arch::aarch64::*;

    micro_kernel! {
        Neon, #[target_feature(enable = "neon")] float32x4_t, 4 lanes,
        // 24 sums, 4 vectors of b and 1 number of a: 29 of 32 registers.
        6 rows (1 2 3 4 5 6), 4 vectors,
        vdupq_n_f32(0.0), vld1q_f32, vst1q_f32, vdupq_n_f32, |x, b, sum| vfmaq_f32(sum, x, b)
    }
}
