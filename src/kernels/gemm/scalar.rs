//! The micro-kernel in plain Rust: the reference.

use super::micro::{Ending, Lines, Micro, Panel, Strip, Tile};
use crate::kernels::activation::Activation;
#[cfg(test)]
use crate::kernels::isa::Isa;

/// The kernel for any CPU.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scalar;

impl Micro<4, 8> for Scalar {
    #[cfg(test)]
    const ISA: Isa = Isa::Scalar;

    fn tile(self, k: usize, a: Strip<'_>, b: Panel<'_>, tile: Tile<'_, '_>) {
        let b = match b {
            Panel::Packed(b) => b,
            Panel::Rows(Lines { data: b, apart: far }, packed) => {
                for (k, row) in packed.as_chunks_mut::<8>().0.iter_mut().enumerate().take(k) {
                    row.copy_from_slice(&b[k * far..][..8]);
                }
                packed
            }
        };
        for (r, c) in tile.rows.iter_mut().enumerate() {
            let c = &mut c[tile.column..tile.column + 8];
            if tile.fresh {
                c.fill(0.0);
            }
            for (k, b) in b.as_chunks::<8>().0.iter().enumerate().take(k) {
                let x = match a {
                    Strip::Columns(a) => a.data[k * a.apart + r],
                    Strip::Rows(a) => a.data[r * a.apart + k],
                };
                c.iter_mut().zip(b).for_each(|(sum, b)| *sum = x.mul_add(*b, *sum));
            }
            if let Some(Ending { bias, slope }) = tile.end {
                c.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
                Activation::LeakyRelu(slope).apply(c);
            }
        }
    }
}
