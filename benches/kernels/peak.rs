//! What the CPU could do at most: multiply-adds on registers alone, without any memory.

/// Independent chains, enough to fill the latency of the instructions.
const CHAINS: usize = 12;

/// Operations of `steps` steps of fused multiply-adds, on one thread.
pub(crate) fn float(steps: usize) -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        if wide() {
            // SAFETY: the CPU has AVX-512 F, as was just asked.
            return unsafe { avx512_floats(steps) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the CPU has AVX2 and FMA, as was just asked.
            return unsafe { avx2_floats(steps) };
        }
    }
    floats::<4>(steps)
}

/// Operations of `steps` steps of multiply-adds of pairs of 16-bit integers; 0 where unknown.
pub(crate) fn integer(steps: usize) -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        if wide() {
            // SAFETY: the CPU has AVX-512 F and BW, and VNNI where that is called.
            return unsafe {
                if is_x86_feature_detected!("avx512vnni") {
                    vnni_integers(steps)
                } else {
                    avx512_integers(steps)
                }
            };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has AVX2, as was just asked.
            return unsafe { avx2_integers(steps) };
        }
    }
    let _ = steps;
    0.0
}

#[cfg(target_arch = "x86_64")]
fn wide() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
}

#[inline(always)]
fn floats<const LANES: usize>(steps: usize) -> f64 {
    let x = std::hint::black_box([0.999_f32; LANES]);
    let y = std::hint::black_box([0.001_f32; LANES]);
    let mut sums = [[1.0_f32; LANES]; CHAINS];
    for _ in 0..steps {
        for sums in &mut sums {
            for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
                *sum = sum.mul_add(x, y);
            }
        }
    }
    std::hint::black_box(sums);
    (2 * CHAINS * LANES * steps) as f64
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2_floats(steps: usize) -> f64 {
    floats::<8>(steps)
}

/// Writes a function that takes `steps` steps of independent chains, of so many operations each.
/// What a chain is added must depend on it, or the compiler computes it once.
macro_rules! chains {
    ($name:ident, $features:literal, $operations:literal, $x:expr, |$sum:ident, $by:ident| $next:expr) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        fn $name(steps: usize) -> f64 {
            use std::arch::x86_64::*;
            let $by = std::hint::black_box($x);
            // Each opaque: equal chains might be computed once.
            let mut sums = [$by; CHAINS].map(std::hint::black_box);
            for _ in 0..steps {
                for sum in &mut sums {
                    let $sum = *sum;
                    *sum = $next;
                }
            }
            std::hint::black_box(sums);
            ($operations * CHAINS * steps) as f64
        }
    };
}

// By intrinsics: left to the compiler, these sums are vectors of 256 bits, or none.
chains!(avx512_floats, "avx512f", 32, _mm512_set1_ps(0.999), |sum, x| {
    _mm512_fmadd_ps(sum, x, x)
});
chains!(vnni_integers, "avx512f,avx512bw,avx512vnni", 64, _mm512_set1_epi16(3), |sum, x| {
    _mm512_dpwssd_epi32(sum, sum, x)
});
chains!(avx512_integers, "avx512f,avx512bw", 64, _mm512_set1_epi16(3), |sum, x| {
    _mm512_add_epi32(sum, _mm512_madd_epi16(sum, x))
});
chains!(avx2_integers, "avx2", 32, _mm256_set1_epi16(3), |sum, x| {
    _mm256_add_epi32(sum, _mm256_madd_epi16(sum, x))
});
