//! Which vectors a loop is run with.

use super::isa::Isa;
#[cfg(target_arch = "x86_64")]
use super::vector::Vector;
use super::vector::VectorLoop;
#[cfg(target_arch = "x86_64")]
use super::wide::WideLoop;

/// Says whether `isa` has vectors for such loops.
pub(crate) fn has_vectors(isa: Isa) -> bool {
    matches!(isa, Isa::Avx2 | Isa::Avx512)
}

/// Runs a loop with the vectors of `isa`, where it has such and so has the CPU: else nothing.
#[inline(always)]
pub(crate) fn run_vectors<L: VectorLoop>(isa: Isa, work: L) {
    #[cfg(target_arch = "x86_64")]
    match isa {
        Isa::Avx512 => {
            if let Some(isa) = super::x86::Avx512::new() {
                super::wide::run_on_avx512(isa, OnVectors::<L, super::x86::Whole>(work, isa));
            }
        }
        Isa::Avx2 => {
            if let Some(isa) = super::x86::Avx2::new() {
                super::wide::run_on_avx2(isa, OnVectors::<L, super::x86::Pair>(work, isa));
            }
        }
        _ => {}
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (isa, work);
}

#[cfg(target_arch = "x86_64")]
struct OnVectors<L, V: Vector>(L, V::Isa);

#[cfg(target_arch = "x86_64")]
impl<L: VectorLoop, V: Vector> WideLoop for OnVectors<L, V> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.0.run::<V>(self.1);
    }
}
