//! Loops over slices, compiled once more for the vectors of this CPU.
#![allow(unsafe_code)]

/// A loop that is to be compiled for wider vectors. `run` must be `#[inline(always)]`, and all that it
/// calls: what is not inlined is compiled for the vectors that every CPU has.
pub(crate) trait WideLoop {
    type Output;

    fn run(self) -> Self::Output;
}

/// Runs `work`, with wider vectors where the CPU has them. What is worth it is a loop of plain
/// arithmetic, all of it inlined, [`super::math`] included. The bits are the same, for nothing is
/// reordered or fused.
#[inline(always)]
pub(crate) fn run_wide<W: WideLoop>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    match super::isa::Isa::chosen() {
        super::isa::Isa::Avx512 => {
            if let Some(isa) = super::x86::Avx512::new() {
                return run_on_avx512(isa, work);
            }
        }
        super::isa::Isa::Avx2 => {
            if let Some(isa) = super::x86::Avx2::new() {
                return run_on_avx2(isa, work);
            }
        }
        _ => {}
    }
    work.run()
}

/// Runs a closure as [`run_wide`] does, if the compiler inlines it: it does where a closure is small
/// and called from one place. For others [`WideLoop`] is certain.
#[inline(always)]
pub(crate) fn widest<R>(f: impl FnOnce() -> R) -> R {
    run_wide(Closure(f))
}

struct Closure<F>(F);

impl<R, F: FnOnce() -> R> WideLoop for Closure<F> {
    type Output = R;

    #[inline(always)]
    fn run(self) -> R {
        (self.0)()
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn with_avx2<W: WideLoop>(work: W) -> W::Output {
    work.run()
}

/// Runs `work` on a CPU that has AVX2.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn run_on_avx2<W: WideLoop>(_: super::x86::Avx2, work: W) -> W::Output {
    // SAFETY: AVX2, BMI1 and POPCNT are there, as is proven.
    unsafe { with_avx2(work) }
}

/// Runs `work` on a CPU that has AVX-512.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn run_on_avx512<W: WideLoop>(_: super::x86::Avx512, work: W) -> W::Output {
    #[target_feature(enable = "avx2,bmi1,popcnt,avx512f,avx512bw,avx512dq,avx512vl")]
    fn with_avx512<W: WideLoop>(work: W) -> W::Output {
        work.run()
    }
    // SAFETY: AVX-512 F, BW, DQ and VL are there, and what AVX2 needs, as is proven.
    unsafe { with_avx512(work) }
}

#[cfg(all(test, feature = "compress"))]
mod tests {
    use super::*;
    use crate::kernels::math::{exp, ln, sigmoids, tanh};

    #[test]
    fn bits_are_those_of_the_plain_loop() {
        let x: Vec<f32> = (0..100_003).map(|i| (i as f32 - 50_000.0) * 0.002).collect();
        let f = |x: f32| exp(x) + ln(x.abs()) * tanh(x) - sigmoids(x).1 / (x * x + 0.3).sqrt();
        let plain: Vec<u32> = x.iter().map(|x| f(*x).to_bits()).collect();
        let mut wide = x.clone();
        widest(|| wide.iter_mut().for_each(|x| *x = f(*x)));
        assert!(wide.iter().zip(&plain).all(|(w, p)| w.to_bits() == *p));
        #[cfg(target_arch = "x86_64")]
        if let Some(isa) = crate::kernels::x86::Avx2::new() {
            let mut wide = x.clone();
            run_on_avx2(isa, Closure(|| wide.iter_mut().for_each(|x| *x = f(*x))));
            assert!(wide.iter().zip(&plain).all(|(w, p)| w.to_bits() == *p));
        }
    }
}
