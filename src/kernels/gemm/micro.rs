//! The micro-kernel: MR × NR numbers of the product, held in registers over one block of k.

/// Rows of `a` as the micro-kernel reads them: element `(i, k)` is `data[i * row + k * step]`.
///
/// Both a packed panel (`row` 1, `step` MR) and rows where they lie (`step` 1) look so. Numbers
/// of `a` are broadcast one by one, so that rows in place cost nothing more, and packing them
/// would transpose them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strip<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row: usize,
    pub(crate) step: usize,
}

/// The micro-kernel of a CPU family, for tiles of up to MR rows and of NR columns.
pub(crate) trait Micro<const MR: usize, const NR: usize>: Copy + Send + Sync {
    /// Continues the sums of a tile by `k` products each.
    ///
    /// `c` holds 1 to MR rows of the output, of which columns `at..at + NR` are the tile. `b` is
    /// a packed panel, `k` × NR. With `fresh` the sums start at 0, else at what `c` holds.
    fn tile(self, k: usize, a: Strip<'_>, b: &[f32], c: &mut [&mut [f32]], at: usize, fresh: bool);
}

/// Writes `$name`, the tile of `R` rows, for one kind of vector: the same text for each CPU
/// family, so that those which cannot be run somewhere are as those which can.
///
/// A tile has R × VECTORS sums that do not wait for each other, enough to fill the latency of
/// the fused multiply-add; its vectors of `b` are loaded once for all rows.
macro_rules! tile_of_vectors {
    (
        $(#[$feature:meta])*
        fn $name:ident, $vector:ty, $lanes:literal lanes, $vectors:literal vectors,
        $zero:expr, $load:expr, $store:expr, $splat:expr, $fma:expr
    ) => {
        $(#[$feature])*
        fn $name<const R: usize>(
            k: usize,
            a: $crate::kernels::gemm::micro::Strip<'_>,
            b: &[f32],
            c: &mut [&mut [f32]],
            at: usize,
            fresh: bool,
        ) {
            const NR: usize = $lanes * $vectors;
            assert!(k > 0 && (R - 1) * a.row + (k - 1) * a.step < a.data.len());
            assert!(b.len() >= k * NR);
            let c: [*mut f32; R] = std::array::from_fn(|r| c[r][at..at + NR].as_mut_ptr());
            let mut sums = [[$zero; $vectors]; R];
            if !fresh {
                for (sums, c) in sums.iter_mut().zip(c) {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        // SAFETY: `c` has NR elements, as its slice was just cut.
                        *sum = unsafe { $load(c.add(v * $lanes)) };
                    }
                }
            }
            let (mut pa, mut pb) = (a.data.as_ptr(), b.as_ptr());
            let mut step = || {
                // SAFETY: step `s < k` reads NR elements of `b` from `s * NR`, and of `a` those at
                // `r * a.row + s * a.step`; both assertions above say that they are there.
                unsafe {
                    let b: [$vector; $vectors] = std::array::from_fn(|v| $load(pb.add(v * $lanes)));
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let x = $splat(*pa.add(r * a.row));
                        for (sum, b) in sums.iter_mut().zip(b) {
                            *sum = ($fma)(x, b, *sum);
                        }
                    }
                }
                // Beyond the end after the last step, where they are not read.
                pa = pa.wrapping_add(a.step);
                pb = pb.wrapping_add(NR);
            };
            for _ in 0..k / 4 {
                step();
                step();
                step();
                step();
            }
            for _ in 0..k % 4 {
                step();
            }
            for (sums, c) in sums.iter().zip(c) {
                for (v, sum) in sums.iter().enumerate() {
                    // SAFETY: as for the loads.
                    unsafe { $store(c.add(v * $lanes), *sum) };
                }
            }
        }
    };
}
pub(crate) use tile_of_vectors;
