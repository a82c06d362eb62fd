//! The micro-kernel: MR × NR numbers of the product, held in registers over one block of k.

#[cfg(test)]
use crate::kernels::isa::Isa;

/// Lines of a matrix where they lie, `apart` numbers from the start of one to that of the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) apart: usize,
}

/// Up to MR rows of `a`, as the micro-kernel reads them. Their numbers are broadcast one by one,
/// so that it costs nothing more to read them where they lie.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Strip<'a> {
    /// Element `(i, k)` is `[k * apart + i]`: a packed panel, or columns of a transposed matrix.
    Columns(Lines<'a>),
    /// Element `(i, k)` is `[i * apart + k]`.
    Rows(Lines<'a>),
}

/// NR columns of `b`, as the micro-kernel reads them.
#[derive(Debug)]
pub(crate) enum Panel<'a> {
    /// A packed panel: element `(k, j)` is `[k][j]`.
    Packed(&'a [f32]),
    /// Where they lie, element `(k, j)` being `[k * apart + j]`, to be packed on the way: the
    /// products hide how long memory takes.
    Rows(Lines<'a>, &'a mut [f32]),
}

/// Where the sums of a tile are kept between blocks of k.
#[derive(Debug)]
pub(crate) struct Tile<'c, 'o> {
    /// 1 to MR rows of the output.
    pub(crate) rows: &'c mut [&'o mut [f32]],
    /// The first of NR columns of them.
    pub(crate) column: usize,
    /// Whether the sums start at 0, and not at what `rows` hold.
    pub(crate) fresh: bool,
    /// What becomes of the sums once they are complete.
    pub(crate) end: Option<Ending<'c>>,
}

/// `x ← x + bias`, then `x`, or `slope · x` below 0: while sums are in registers that is free.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending<'a> {
    /// One number for each of the NR columns.
    pub(crate) bias: &'a [f32],
    /// 0 to 1; with 1 nothing follows the bias.
    pub(crate) slope: f32,
}

/// The micro-kernel of a CPU family, for tiles of up to MR rows and of NR columns.
pub(crate) trait Micro<const MR: usize, const NR: usize>: Copy + Send + Sync {
    /// The family that it is for.
    #[cfg(test)]
    const ISA: Isa;

    /// Continues the sums of a tile by `k` products each.
    fn tile(self, k: usize, a: Strip<'_>, b: Panel<'_>, tile: Tile<'_, '_>);
}

/// Writes the micro-kernel of a CPU family for its kind of vector: the same text for all, so that
/// one which cannot be run somewhere is as those which can.
///
/// A tile has R × VECTORS sums that do not wait for each other, enough to fill the latency of
/// the fused multiply-add; its vectors of `b` are loaded once for all rows.
macro_rules! micro_kernel {
    (
        $family:ident, $isa:expr, $(#[$feature:meta])* $vector:ty, $lanes:literal lanes,
        $mr:literal rows ($($r:literal)+), $vectors:literal vectors,
        $zero:expr, $load:expr, $store:expr, $splat:expr, $fma:expr,
        $add:expr, $mul:expr, $max:expr, $fetch:expr
    ) => {
        const MR: usize = $mr;
        const NR: usize = $lanes * $vectors;
        /// Rows of b between the one that is packed and the one whose lines are asked for.
        const AHEAD: usize = 8;

        impl $crate::kernels::gemm::micro::Micro<MR, NR> for $family {
            #[cfg(test)]
            const ISA: $crate::kernels::isa::Isa = $isa;

            // Where this was a call, its arguments went through memory, and reading them waited
            // until the last tile's sums were stored: a tenth of the time, a fifth where k is 32.
            #[inline(always)]
            fn tile(
                self,
                k: usize,
                a: $crate::kernels::gemm::micro::Strip<'_>,
                b: $crate::kernels::gemm::micro::Panel<'_>,
                c: $crate::kernels::gemm::micro::Tile<'_, '_>,
            ) {
                use $crate::kernels::gemm::micro::{Lines, Panel, Strip};
                // SAFETY: the CPU has the features, as `self` proves.
                unsafe {
                    match (c.rows.len(), a, b) {
                        $(
                            ($r, Strip::Columns(a), Panel::Packed(data)) => {
                                let b = Lines { data, apart: NR };
                                tile::<$r, false, false>(k, a, b, &mut [], c)
                            }
                            ($r, Strip::Columns(a), Panel::Rows(b, into)) => {
                                tile::<$r, false, true>(k, a, b, into, c)
                            }
                            ($r, Strip::Rows(a), Panel::Packed(data)) => {
                                let b = Lines { data, apart: NR };
                                tile::<$r, true, false>(k, a, b, &mut [], c)
                            }
                            ($r, Strip::Rows(a), Panel::Rows(b, into)) => {
                                tile::<$r, true, true>(k, a, b, into, c)
                            }
                        )+
                        (rows, ..) => unreachable!("a tile of {rows} rows"),
                    }
                }
            }
        }

        /// Continues the sums of `R` rows and of NR columns, of which element `(k, j)` is
        /// `b.data[k * b.apart + j]`; with `PACKS` those are written to `packed`. `ROWS` says
        /// which kind of strip `a` is.
        $(#[$feature])*
        fn tile<const R: usize, const ROWS: bool, const PACKS: bool>(
            k: usize,
            a: $crate::kernels::gemm::micro::Lines<'_>,
            b: $crate::kernels::gemm::micro::Lines<'_>,
            packed: &mut [f32],
            out: $crate::kernels::gemm::micro::Tile<'_, '_>,
        ) {
            let (row, step) = if ROWS { (a.apart, 1) } else { (1, a.apart) };
            let far = if PACKS { b.apart } else { NR };
            let (a, b) = (a.data, b.data);
            assert!(k > 0 && (R - 1) * row + (k - 1) * step < a.len());
            assert!((k - 1) * far + NR <= b.len());
            assert!(!PACKS || k * NR <= packed.len());
            let c: [*mut f32; R] = std::array::from_fn(|r| {
                out.rows[r][out.column..out.column + NR].as_mut_ptr()
            });
            let mut sums = [[$zero; $vectors]; R];
            if !out.fresh {
                for (sums, c) in sums.iter_mut().zip(c) {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        // SAFETY: `c` has NR elements, as its slice was just cut.
                        *sum = unsafe { $load(c.add(v * $lanes)) };
                    }
                }
            }
            let a: [*const f32; R] = std::array::from_fn(|r| a.as_ptr().wrapping_add(r * row));
            let b_at = |k: usize| b.as_ptr().wrapping_add(k * far);
            let packed = packed.as_mut_ptr();
            let mut products = |k: usize| {
                // SAFETY: step `k` reads NR elements of `b` from `k * far`, and of `a` those at
                // `r * row + k * step`; it may write NR of `packed` from `k * NR`. The assertions
                // above say that they are there.
                unsafe {
                    let b: [$vector; $vectors] =
                        std::array::from_fn(|v| $load(b_at(k).add(v * $lanes)));
                    if PACKS {
                        let ahead = b_at(k + AHEAD);
                        ($fetch)(ahead);
                        ($fetch)(ahead.wrapping_add(NR - 1));
                        for (v, b) in b.iter().enumerate() {
                            $store(packed.add(k * NR + v * $lanes), *b);
                        }
                    }
                    for (sums, a) in sums.iter_mut().zip(a) {
                        let x = $splat(*a.add(k * step));
                        for (sum, b) in sums.iter_mut().zip(b) {
                            *sum = ($fma)(x, b, *sum);
                        }
                    }
                }
            };
            let whole = k / 4 * 4;
            for k in (0..whole).step_by(4) {
                products(k);
                products(k + 1);
                products(k + 2);
                products(k + 3);
            }
            for k in whole..k {
                products(k);
            }
            if let Some($crate::kernels::gemm::micro::Ending { bias, slope }) = out.end {
                let (bias, slope) = (bias[..NR].as_ptr(), $splat(slope));
                for sum in &mut sums {
                    for (v, sum) in sum.iter_mut().enumerate() {
                        // SAFETY: there are NR numbers, as the slice was just cut.
                        let x = $add(*sum, unsafe { $load(bias.add(v * $lanes)) });
                        // Of equal ones, and beside a NaN, the second is taken.
                        *sum = $max($mul(x, slope), x);
                    }
                }
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
pub(crate) use micro_kernel;
