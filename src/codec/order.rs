//! In which order the symbols of rows that look at their neighbours follow each other.

use super::context::LANES;
use std::ops::Range;

/// The order of a block's symbols: rows take turns in lanes, a value each at every step. The lanes begin
/// one after another, so that what a row looks at in those before it has been decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) rows: usize,
    pub(crate) width: usize,
    /// Steps from the beginning of one lane to that of the next.
    pub(crate) delay: usize,
}

impl Order {
    /// Returns the steps from a row to the one that follows it in the same lane.
    fn period(&self) -> usize {
        self.width.max(LANES * self.delay)
    }

    /// Visits the steps.
    pub(crate) fn steps(&self) -> Range<usize> {
        let last = self.rows.saturating_sub(1);
        let begins = last / LANES * self.period() + last % LANES * self.delay;
        0..if self.rows == 0 { 0 } else { begins + self.width }
    }

    /// Returns the rows whose classes and latents come before a step's values.
    pub(crate) fn heads(&self, step: usize) -> Range<usize> {
        let first = step / self.period() * LANES;
        match step % self.period() {
            0 => first.min(self.rows)..(first + LANES).min(self.rows),
            _ => 0..0,
        }
    }

    /// Visits the rows and columns of a step's values.
    pub(crate) fn cells(self, step: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
        let period = self.period();
        (0..LANES).filter_map(move |lane| {
            let own = step.checked_sub(lane * self.delay)?;
            let (row, column) = (own / period * LANES + lane, own % period);
            (row < self.rows && column < self.width).then_some((row, column))
        })
    }
}
