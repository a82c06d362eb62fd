//! Squares of numbers, turned in registers.

use std::arch::x86_64::*;

/// Transposes a square in registers; left to itself the compiler takes number by number.
#[inline(always)]
pub(in crate::kernels) fn turned(from: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    let [a, b, c, d]: [__m128; 4] = bytemuck::cast(from);
    // SAFETY: SSE is part of x86-64.
    let turned = unsafe {
        let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
        let (low, next) = (_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab));
        let (ab, cd) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
        [low, next, _mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)]
    };
    bytemuck::cast(turned)
}
