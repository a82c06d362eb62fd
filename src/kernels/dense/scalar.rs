//! The integer kernel in plain Rust: the reference.

use super::micro::Micro;
use super::panels::{COLUMNS, Product};
#[cfg(test)]
use crate::kernels::isa::Isa;

/// The kernel for any CPU.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scalar;

impl Micro for Scalar {
    #[cfg(test)]
    const ISA: Isa = Isa::Scalar;

    fn sums(self, product: Product<'_>) {
        let Product { panels, pairs, inputs, sums } = product;
        let rows = inputs.chunks_exact(panels.padded_inputs());
        for (row, sums) in rows.zip(sums.chunks_exact_mut(panels.padded_width())) {
            let row = &row.as_chunks::<2>().0[pairs.clone()];
            let panels = panels.data.chunks_exact(panels.pairs);
            for (panel, sums) in panels.zip(sums.as_chunks_mut::<COLUMNS>().0) {
                *sums = [0; COLUMNS];
                for (pair, [a, b]) in panel[pairs.clone()].iter().zip(row) {
                    let (a, b) = (i32::from(*a), i32::from(*b));
                    for (sum, [v, w]) in sums.iter_mut().zip(pair.0.as_chunks().0) {
                        let products = (i32::from(*v) * a).wrapping_add(i32::from(*w) * b);
                        *sum = sum.wrapping_add(products);
                    }
                }
            }
        }
    }
}
