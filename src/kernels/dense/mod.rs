//! Integer dense layers: `i16` weights × `i16` inputs → `i32` sums, exact.
//!
//! The caller has proved that no sum leaves 32 bits, so that their order does not matter; the
//! additions wrap all the same, and what was not proved would be wrong in the same way everywhere.

pub(super) mod micro;
pub(super) mod panels;
mod scalar;
#[cfg(test)]
mod tests;

use super::isa::Isa;
use micro::Micro;
pub(crate) use panels::Panels;
use panels::Product;
use std::ops::Range;

impl Panels {
    /// Computes for each row of `inputs` the sums over `pairs` of inputs, as a row of `sums`.
    ///
    /// Rows are padded; those of `inputs` with anything, since their weights are 0.
    pub(crate) fn sums(&self, pairs: Range<usize>, inputs: &[i16], sums: &mut [i32]) {
        self.sums_on(Isa::chosen(), pairs, inputs, sums);
    }

    fn sums_on(&self, isa: Isa, pairs: Range<usize>, inputs: &[i16], sums: &mut [i32]) {
        if self.data.is_empty() {
            return sums.fill(0);
        }
        let product = self.product(pairs, inputs, sums);
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => run(super::x86::Avx2::new().expect("AVX2"), product),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => run(super::x86::Avx512::new().expect("AVX-512"), product),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => run(super::neon::Neon::new().expect("Neon"), product),
            _ => run(scalar::Scalar, product),
        }
    }
}

fn run<M: Micro>(micro: M, product: Product<'_>) {
    #[cfg(test)]
    tests::RAN.set(Some(M::ISA));
    micro.sums(product);
}
