//! Errors as shares of the numbers themselves.

use super::chunks::Chunk;
use crate::codec::bound::difference;
use crate::codec::fill::is_ordinary;
use crate::codec::value::{Cell, with_cell};

/// How decoded rows keep a bound that is a share of each number.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shares {
    /// Values that break it.
    pub(crate) broken: u64,
    /// The largest `|x − x̂| / |x|`.
    pub(crate) worst: f64,
}

impl Shares {
    /// Compares rows with what they were decoded to, as whoever uses them would: in `f64`.
    pub(crate) fn of(x: &Chunk<'_>, y: &Chunk<'_>, share: f64) -> Self {
        with_cell!(x.dtype, T => Self::of_cells::<T>(x, y, share))
    }

    fn of_cells<T: Cell>(x: &Chunk<'_>, y: &Chunk<'_>, share: f64) -> Self {
        let mut all = Self::default();
        let cells = x.cells::<T>().into_iter().zip(y.cells::<T>());
        // Special values are counted for every promise, so not here.
        for (a, b) in cells.filter(|(a, b)| is_ordinary(*a, x.fills) && !a.same(*b)) {
            let (error, size) = (difference(a, b).abs(), a.to_f64().abs());
            // Zero has no share but itself, with its sign; no other number loses its own by less than all.
            // Below the normal numbers products are rounded to whole last places.
            let is_kept = error <= share * size && (size.is_normal() || error / size <= share);
            let is_kept = size > 0.0 && is_kept;
            all.broken += u64::from(!is_kept);
            all.worst = all.worst.max(if size > 0.0 { error / size } else { f64::INFINITY });
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{FillValues, to_little_endian};

    #[test]
    fn zero_and_signs_are_kept_and_all_else_within_its_share() {
        let fills = FillValues::from_bits(vec![(-999.0_f64).to_bits()]);
        let of = |x: f64, y: f64| {
            let (x, y) = (to_little_endian(&[x]), to_little_endian(&[y]));
            let chunk = |bytes| Chunk { dtype: f64::DTYPE, width: 1, bytes, fills: &fills };
            Shares::of(&chunk(&x), &chunk(&y), 0.25)
        };
        assert_eq!(of(1e-323, 5e-324).broken, 1);
        assert_eq!(of(2e-323, 1.5e-323).broken, 0);
        use crate::matrix::Element;
        for (x, y) in
            [(4.0, 5.0), (-4.0, -3.0), (0.0, 0.0), (-0.0, -0.0), (4e-323, 5e-323), (-999.0, 1.0)]
        {
            assert_eq!(of(x, y).broken, 0, "{x} {y}");
        }
        for (x, y) in
            [(4.0, 5.1), (0.0, -0.0), (0.0, 5e-324), (5e-324, 0.0), (1.0, -1.0), (1.0, f64::NAN)]
        {
            assert_eq!(of(x, y).broken, 1, "{x} {y}");
        }
        assert_eq!(of(4.0, 5.0).worst, 0.25);
        assert_eq!(of(0.0, 1.0).worst, f64::INFINITY);
    }
}
