//! What numbers score by being above thresholds.

/// Numbers side by side.
pub(crate) const LANES: usize = 8;

/// A comparison of a row of numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison {
    /// Which row of numbers.
    pub(crate) row: u32,
    pub(crate) threshold: i32,
    /// What a number scores by being above the threshold.
    pub(crate) score: i32,
}

/// The comparisons of each sum.
#[derive(Debug, Clone)]
pub(crate) struct Sums(pub(crate) Vec<Vec<Comparison>>);

impl Sums {
    /// Adds to each of `sums` what the numbers in `rows` score.
    pub(super) fn add<const ROWS: usize, const SUMS: usize>(
        &self,
        rows: &[[i32; LANES]; ROWS],
        sums: &mut [[i32; LANES]; SUMS],
    ) {
        for (sum, comparisons) in sums.iter_mut().zip(&self.0) {
            for c in comparisons {
                for (sum, number) in sum.iter_mut().zip(&rows[c.row as usize % ROWS]) {
                    *sum += if *number > c.threshold { c.score } else { 0 };
                }
            }
        }
    }
}
