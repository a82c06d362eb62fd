//! Weights as the kernels read them, and one product to compute.

use std::ops::Range;

/// Columns of a panel: two vectors of AVX2, one of AVX-512, of 32-bit sums.
pub(crate) const COLUMNS: usize = 16;

/// The weights of two inputs for the columns of a panel, the two of a column side by side as
/// `pmaddwd` wants them: a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Pair(pub(super) [i16; 2 * COLUMNS]);

/// Weights packed for the kernels: one panel of [`COLUMNS`] columns after the other, in each
/// the inputs two by two.
#[derive(Debug, Clone)]
pub(crate) struct Panels {
    pub(in crate::kernels) data: Vec<Pair>,
    /// Pairs of inputs.
    pub(in crate::kernels) pairs: usize,
    /// Number of panels.
    pub(in crate::kernels) panels: usize,
}

impl Panels {
    /// Packs `inputs` rows of `width` weights; `weight(input, column)` must fit in 16 bits.
    pub(crate) fn new(inputs: usize, width: usize, weight: impl Fn(usize, usize) -> i64) -> Self {
        let pairs = inputs.div_ceil(2);
        let panels = width.div_ceil(COLUMNS);
        let mut data = vec![Pair([0; 2 * COLUMNS]); panels * pairs];
        for (at, Pair(both)) in data.iter_mut().enumerate() {
            let (first, input) = (at / pairs * COLUMNS, at % pairs * 2);
            let columns = first..width.min(first + COLUMNS);
            for (weights, j) in both.as_chunks_mut::<2>().0.iter_mut().zip(columns) {
                weights[0] = weight(input, j) as i16;
                if input + 1 < inputs {
                    weights[1] = weight(input + 1, j) as i16;
                }
            }
        }
        Self { data, pairs, panels }
    }

    /// Returns the length of a row of inputs: a whole number of pairs.
    pub(crate) fn padded_inputs(&self) -> usize {
        2 * self.pairs
    }

    /// Returns the length of a row of sums: a whole number of panels.
    pub(crate) fn padded_width(&self) -> usize {
        self.panels * COLUMNS
    }

    /// Checks the sizes of a product.
    pub(super) fn product<'a>(
        &'a self,
        pairs: Range<usize>,
        inputs: &'a [i16],
        sums: &'a mut [i32],
    ) -> Product<'a> {
        assert!(pairs.start <= pairs.end && pairs.end <= self.pairs);
        let rows = inputs.len() / self.padded_inputs();
        assert_eq!(inputs.len(), rows * self.padded_inputs(), "whole rows of inputs");
        assert_eq!(sums.len(), rows * self.padded_width(), "a row of sums for each");
        Product { panels: self, pairs, inputs, sums }
    }
}

/// A product of rows of inputs and panels of weights, its sizes checked.
pub(crate) struct Product<'a> {
    pub(in crate::kernels) panels: &'a Panels,
    /// Which pairs of inputs are summed over.
    pub(in crate::kernels) pairs: Range<usize>,
    pub(in crate::kernels) inputs: &'a [i16],
    pub(in crate::kernels) sums: &'a mut [i32],
}
