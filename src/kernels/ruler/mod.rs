//! Adds up what numbers score by being above thresholds, eight numbers side by side.

pub(crate) mod sums;

use super::isa::Isa;
use sums::Sums;
pub(crate) use sums::{Comparison, LANES};

/// Comparisons, ready to be made.
#[derive(Debug, Clone)]
pub(crate) struct Rulers {
    sums: Sums,
    #[cfg(target_arch = "x86_64")]
    avx2: Option<super::x86::Avx2>,
}

impl Rulers {
    /// Prepares the comparisons of each sum.
    pub(crate) fn new(sums: Vec<Vec<Comparison>>) -> Self {
        Self {
            sums: Sums(sums),
            #[cfg(target_arch = "x86_64")]
            avx2: super::x86::Avx2::new().filter(|_| Isa::chosen() != Isa::Scalar),
        }
    }

    /// Adds to each of `sums` what the numbers in `rows` score.
    #[inline(always)]
    pub(crate) fn add<const ROWS: usize, const SUMS: usize>(
        &self,
        rows: &[[i32; LANES]; ROWS],
        sums: &mut [[i32; LANES]; SUMS],
    ) {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = self.avx2 {
            return avx2.add(&self.sums, rows, sums);
        }
        self.sums.add(rows, sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_plain_comparisons() {
        let compare = |row, threshold, score| Comparison { row, threshold, score };
        let rulers = Rulers::new(vec![
            vec![compare(2, i32::MAX, 10), compare(2, i32::MIN, 10)],
            vec![compare(0, -5, 1), compare(0, 0, 1), compare(0, 7, 1), compare(1, 3, 100)],
        ]);
        let rows = [
            [-6, -5, -4, 0, 1, 7, 8, i32::MAX],
            [2, 3, 4, i32::MIN, 0, 5, 3, -9],
            [i32::MIN, i32::MIN + 1, 0, -1, 1, 9, i32::MAX - 1, i32::MAX],
        ];
        let (mut found, mut plain) = ([[1; LANES]; 2], [[1; LANES]; 2]);
        rulers.add(&rows, &mut found);
        rulers.sums.add(&rows, &mut plain);
        assert_eq!(found, plain);
        assert_eq!(found[0], [1, 11, 11, 11, 11, 11, 11, 11]);
        assert_eq!(found[1], [1, 1, 102, 2, 3, 103, 4, 4]);
    }
}
