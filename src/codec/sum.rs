//! Sums as they are kept while rows are decoded: of 64 bits, or of 32 where they fit.

use super::context::{LARGEST, narrow};
use std::fmt::Debug;

/// Sums that predictions weigh are held within ±2^47, as [`super::value::carry`] does.
pub(super) const LARGEST_SUM: i64 = 1 << 47;
/// Sums that predictors of rows weigh: 32 of them times coefficients below 2^16 stay below 2^62.
const LARGEST_FINE_SUM: i64 = 1 << 41;

/// Sums of either kind.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sums<'a> {
    Short(&'a [i32]),
    Long(&'a [i64]),
}

/// A sum as a window keeps it.
pub(crate) trait Sum: Copy + Default + Debug + Send + Sync + 'static {
    /// Whether not every sum fits.
    const NARROW: bool;

    /// Keeps a sum, which must fit.
    fn of(sum: i64) -> Self;
    fn wide(self) -> i64;
    /// Returns many as they are.
    fn all(sums: &[Self]) -> Sums<'_>;
    /// Returns left + above − above-left held between left and above.
    fn median(left: Self, up: Self, up_left: Self) -> Self;
    /// Returns the sum without its lowest `shift` bits, held within the range of properties.
    fn shifted(self, shift: u32) -> i32;
    /// Returns the sum, held within the range of what is weighed, times a coefficient.
    fn weighed(self, coefficient: i16) -> i64;
    /// Returns the sum, held within the range of what predictors of rows weigh, times a coefficient.
    fn weighed_finely(self, coefficient: i32) -> i64;
    /// Rounds to a multiple of 2^`fraction`.
    fn aligned(self, fraction: u32) -> Self;
    /// Adds `residual` steps, the step being given as it is, in 32 bits, and with the largest residual for
    /// which these do. Says whether the result is right.
    fn plus(self, residual: i32, step: (i64, i32, i32)) -> (Self, bool);
    /// Says whether it is within ± `most`, where not every sum fits.
    fn is_within(self, most: i64) -> bool;
}

impl Sum for i64 {
    const NARROW: bool = false;

    #[inline(always)]
    fn of(sum: i64) -> Self {
        sum
    }

    #[inline(always)]
    fn wide(self) -> i64 {
        self
    }

    fn all(sums: &[Self]) -> Sums<'_> {
        Sums::Long(sums)
    }

    #[inline(always)]
    fn median(left: Self, up: Self, up_left: Self) -> Self {
        left.wrapping_add(up).wrapping_sub(up_left).clamp(left.min(up), left.max(up))
    }

    #[inline(always)]
    fn shifted(self, shift: u32) -> i32 {
        narrow(self >> shift)
    }

    #[inline(always)]
    fn weighed(self, coefficient: i16) -> i64 {
        self.clamp(-LARGEST_SUM, LARGEST_SUM) * i64::from(coefficient)
    }

    #[inline(always)]
    fn weighed_finely(self, coefficient: i32) -> i64 {
        self.clamp(-LARGEST_FINE_SUM, LARGEST_FINE_SUM) * i64::from(coefficient)
    }

    #[inline(always)]
    fn aligned(self, fraction: u32) -> Self {
        let half = (1_i64 << fraction) >> 1;
        self.wrapping_add(half) >> fraction << fraction
    }

    #[inline(always)]
    fn plus(self, residual: i32, (step, _, _): (i64, i32, i32)) -> (Self, bool) {
        (self.wrapping_add(i64::from(residual).wrapping_mul(step)), true)
    }

    #[inline(always)]
    fn is_within(self, _: i64) -> bool {
        true
    }
}

/// Sums far from the ends of 32 bits, as `Neighbourhood::narrow` says: nothing below overflows.
impl Sum for i32 {
    const NARROW: bool = true;

    #[inline(always)]
    fn of(sum: i64) -> Self {
        sum as i32
    }

    #[inline(always)]
    fn wide(self) -> i64 {
        i64::from(self)
    }

    fn all(sums: &[Self]) -> Sums<'_> {
        Sums::Short(sums)
    }

    #[inline(always)]
    fn median(left: Self, up: Self, up_left: Self) -> Self {
        left.wrapping_add(up).wrapping_sub(up_left).max(left.min(up)).min(left.max(up))
    }

    #[inline(always)]
    fn shifted(self, shift: u32) -> i32 {
        (self >> (shift & 31)).clamp(-(LARGEST as i32), LARGEST as i32)
    }

    #[inline(always)]
    fn weighed(self, coefficient: i16) -> i64 {
        i64::from(self) * i64::from(coefficient)
    }

    #[inline(always)]
    fn weighed_finely(self, coefficient: i32) -> i64 {
        i64::from(self) * i64::from(coefficient)
    }

    #[inline(always)]
    fn aligned(self, fraction: u32) -> Self {
        let half = (1_i32 << (fraction & 31)) >> 1;
        self.wrapping_add(half) >> (fraction & 31) << (fraction & 31)
    }

    #[inline(always)]
    fn plus(self, residual: i32, (_, step, most): (i64, i32, i32)) -> (Self, bool) {
        let held = residual.max(-most).min(most);
        (self.wrapping_add(held.wrapping_mul(step)), held == residual)
    }

    #[inline(always)]
    fn is_within(self, most: i64) -> bool {
        let most = most as i32;
        self <= most && self >= -most
    }
}
