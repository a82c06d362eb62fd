//! Integer dense layers: `i16` weights × `i16` inputs → `i32` sums, exact.
//!
//! The caller has proved that no sum leaves 32 bits, so that their order does not matter; the
//! additions wrap all the same, and what was not proved would be wrong in the same way everywhere.

pub(super) mod micro;
mod scalar;
#[cfg(test)]
mod tests;

use super::isa::Isa;
use micro::Micro;
use std::ops::Range;

/// Columns of a panel.
pub(crate) const COLUMNS: usize = 16;

/// The weights of two inputs for the columns of a panel, the two of a column side by side as
/// `pmaddwd` wants them: a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Pair([i16; 2 * COLUMNS]);

/// Weights packed for the kernels: one panel of [`COLUMNS`] columns after the other, in each
/// the inputs two by two.
#[derive(Debug, Clone)]
pub(crate) struct Panels {
    pub(super) data: Vec<Pair>,
    pub(super) pairs: usize,
    pub(super) panels: usize,
}

impl Panels {
    /// Packs `inputs` rows of `width` weights; `weight(input, column)` must fit in 16 bits.
    pub(crate) fn new(inputs: usize, width: usize, weight: impl Fn(usize, usize) -> i64) -> Self {
        let pairs = inputs.div_ceil(2);
        let panels = width.div_ceil(COLUMNS);
        let pair = |at: usize| {
            let (panel, pair) = (at / pairs, at % pairs);
            Pair(std::array::from_fn(|at| {
                let (input, column) = (2 * pair + at % 2, panel * COLUMNS + at / 2);
                match input < inputs && column < width {
                    true => weight(input, column) as i16,
                    false => 0,
                }
            }))
        };
        Self { data: (0..panels * pairs).map(pair).collect(), pairs, panels }
    }

    /// Length of a row of inputs: a whole number of pairs.
    pub(crate) fn padded_inputs(&self) -> usize {
        2 * self.pairs
    }

    /// Length of a row of sums: a whole number of panels.
    pub(crate) fn padded_width(&self) -> usize {
        self.panels * COLUMNS
    }

    /// For each row of `inputs` the sums over `pairs` of inputs, as a row of `sums`.
    ///
    /// Rows are padded; those of `inputs` with anything, for which there are weights 0.
    pub(crate) fn sums(&self, pairs: Range<usize>, inputs: &[i16], sums: &mut [i32]) {
        self.sums_on(Isa::chosen(), pairs, inputs, sums);
    }

    fn sums_on(&self, isa: Isa, pairs: Range<usize>, inputs: &[i16], sums: &mut [i32]) {
        if self.data.is_empty() {
            return sums.fill(0);
        }
        let job = self.job(pairs, inputs, sums);
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => run(super::x86::Avx2::new().expect("AVX2"), job),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => run(super::x86::Avx512::new().expect("AVX-512"), job),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => run(super::neon::Neon::new().expect("Neon"), job),
            _ => run(scalar::Scalar, job),
        }
    }

    /// Checks the sizes.
    fn job<'a>(&'a self, pairs: Range<usize>, inputs: &'a [i16], sums: &'a mut [i32]) -> Job<'a> {
        assert!(pairs.start <= pairs.end && pairs.end <= self.pairs);
        let rows = inputs.len() / self.padded_inputs();
        assert_eq!(inputs.len(), rows * self.padded_inputs(), "whole rows of inputs");
        assert_eq!(sums.len(), rows * self.padded_width(), "a row of sums for each");
        Job { panels: self, pairs, inputs, sums }
    }
}

fn run<M: Micro>(micro: M, job: Job<'_>) {
    #[cfg(test)]
    tests::RAN.set(Some(M::ISA));
    micro.sums(job);
}

/// One operation, its sizes checked.
pub(crate) struct Job<'a> {
    pub(super) panels: &'a Panels,
    pub(super) pairs: Range<usize>,
    pub(super) inputs: &'a [i16],
    pub(super) sums: &'a mut [i32],
}
