//! Kernels for 64-bit Arm.
#![allow(unsafe_code)]

use super::dense::micro::{Micro, dense_kernel};
use super::dense::panels::{COLUMNS, Product};
use super::isa::Isa;
use std::arch::aarch64::*;

/// Proof that this CPU has Neon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neon(());

impl Neon {
    pub(crate) fn new() -> Option<Self> {
        Isa::Neon.is_available().then_some(Self(()))
    }
}

impl Micro for Neon {
    #[cfg(test)]
    const ISA: Isa = Isa::Neon;

    fn sums(self, product: Product<'_>) {
        // SAFETY: the CPU has Neon, as `self` proves.
        unsafe { sums(product) }
    }
}

dense_kernel! {
    sums, #[target_feature(enable = "neon")] [int32x4_t; 4],
    // 16 sums and 4 vectors of weights, of 32 registers.
    4 rows (1 2 3 4), 1 panels,
    vdupq_n_s32(0),
    // The first inputs' weights and the second inputs', eight columns and eight more.
    |weights: *const i16| [vld2q_s16(weights), vld2q_s16(weights.add(16))],
    |sums: &mut [int32x4_t; 4], weights: &[int16x8x2_t; 2], inputs: *const i16| {
        for (half, int16x8x2_t(first, second)) in weights.iter().enumerate() {
            for (w, x) in [(*first, *inputs), (*second, *inputs.add(1))] {
                let (low, high) = (&mut sums[2 * half..]).split_at_mut(1);
                low[0] = vmlal_n_s16(low[0], vget_low_s16(w), x);
                high[0] = vmlal_high_n_s16(high[0], w, x);
            }
        }
    },
    vst1q_s32
}

#[cfg(feature = "compress")]
mod gemm {
    use super::*;
    use crate::kernels::gemm::micro::micro_kernel;

    micro_kernel! {
        Neon, Isa::Neon, #[target_feature(enable = "neon")] float32x4_t, 4 lanes,
        // 24 sums, 4 vectors of b and 1 number of a: 29 of 32 registers.
        6 rows (1 2 3 4 5 6), 4 vectors,
        vdupq_n_f32(0.0), vld1q_f32, vst1q_f32, vdupq_n_f32, |x, b, sum| vfmaq_f32(sum, x, b),
        vaddq_f32, vmulq_f32, vmaxq_f32,
        // There is no stable intrinsic that asks for a line.
        |_: *const f32| ()
    }
}
