//! The loops around the integer micro-kernel, and the kernel.

use super::panels::Product;
#[cfg(test)]
use crate::kernels::isa::Isa;

/// The kernel of a CPU family.
pub(crate) trait Micro: Copy {
    /// The family that it is for.
    #[cfg(test)]
    const ISA: Isa;

    /// Computes all sums of a product.
    fn sums(self, product: Product<'_>);
}

/// Writes the function `$name(product)` for one kind of vectors: tiles of `$rows` rows and
/// `$panels` panels, whose sums stay in registers over all pairs of inputs. Panels are the outer
/// loop: the weights of one stay in the L1 cache while all rows pass.
///
/// `$weights` loads the weights of a pair for a panel, and `$add` adds their products with the
/// two inputs at a pointer to the sums of a row.
macro_rules! dense_kernel {
    (
        $name:ident, $(#[$feature:meta])* [$vector:ty; $vectors:literal],
        $rows:literal rows ($($r:literal)+), $panels:literal panels,
        $zero:expr, $weights:expr, $add:expr, $store:expr
    ) => {
        $(#[$feature])*
        fn $name(product: $crate::kernels::dense::panels::Product<'_>) {
            use $crate::kernels::dense::panels::{Pair, Product};

            /// Computes the sums of `R` rows, `apart` numbers apart, and `P` panels.
            $(#[$feature])*
            fn tile<const R: usize, const P: usize>(
                panels: [&[Pair]; P],
                inputs: &[i16],
                apart: usize,
                sums: &mut [i32],
                sums_apart: usize,
            ) {
                let pairs = panels[0].len();
                assert!(panels.iter().all(|panel| panel.len() == pairs));
                assert!((R - 1) * apart + 2 * pairs <= inputs.len());
                assert!((R - 1) * sums_apart + P * COLUMNS <= sums.len());
                let mut tile = [[[$zero; $vectors]; P]; R];
                let inputs = inputs.as_ptr();
                for pair in 0..pairs {
                    // SAFETY: each panel has `pairs` lines of 2 · COLUMNS weights, and each row of
                    // inputs, the last at (R - 1) * apart, as many pairs, as asserted.
                    unsafe {
                        let weights: [_; P] = std::array::from_fn(|p| {
                            ($weights)(panels[p].as_ptr().add(pair).cast::<i16>())
                        });
                        for (r, tile) in tile.iter_mut().enumerate() {
                            let x = inputs.add(r * apart + 2 * pair);
                            for (tile, weights) in tile.iter_mut().zip(&weights) {
                                ($add)(tile, weights, x);
                            }
                        }
                    }
                }
                let sums = sums.as_mut_ptr();
                for (r, tile) in tile.iter().enumerate() {
                    for (p, tile) in tile.iter().enumerate() {
                        for (v, vector) in tile.iter().enumerate() {
                            let at = r * sums_apart + p * COLUMNS + v * (COLUMNS / $vectors);
                            // SAFETY: the last row has P * COLUMNS sums, as asserted.
                            unsafe { $store(sums.add(at).cast(), *vector) };
                        }
                    }
                }
            }

            let Product { panels, pairs, inputs, sums } = product;
            let (apart, sums_apart) = (panels.padded_inputs(), panels.padded_width());
            let panel = |p: usize| &panels.data[p * panels.pairs..][pairs.clone()];
            let mut p = 0;
            while p < panels.panels {
                let whole = panels.panels - p >= $panels;
                let rows = inputs.chunks($rows * apart).zip(sums.chunks_mut($rows * sums_apart));
                for (inputs, sums) in rows {
                    let count = inputs.len() / apart;
                    let (inputs, sums) = (&inputs[2 * pairs.start..], &mut sums[p * COLUMNS..]);
                    match count {
                        $(
                            $r if whole => {
                                let panels: [_; $panels] = std::array::from_fn(|i| panel(p + i));
                                tile::<$r, $panels>(panels, inputs, apart, sums, sums_apart);
                            }
                            $r => tile::<$r, 1>([panel(p)], inputs, apart, sums, sums_apart),
                        )+
                        rows => unreachable!("a tile of {rows} rows"),
                    }
                }
                p += if whole { $panels } else { 1 };
            }
        }
    };
}
pub(crate) use dense_kernel;
