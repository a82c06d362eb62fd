//! Integer dense layers: `i16` weights × `i16` inputs → `i32` sums, exact.

/// Columns of a panel.
pub(crate) const COLUMNS: usize = 16;
/// Rows handled together, so that each weight is loaded once for all of them.
pub(crate) const ROWS: usize = 4;

/// Weights packed for the kernel: panels of [`COLUMNS`] columns, in each panel two inputs at a
/// time, the two weights of a column side by side as `pmaddwd` wants them.
#[derive(Debug, Clone)]
pub(crate) struct Panels {
    data: Vec<i16>,
    /// Pairs of inputs.
    pairs: usize,
}

impl Panels {
    /// Packs `inputs` rows of `width` weights; `weight(input, column)` must fit in 16 bits.
    pub(crate) fn new(inputs: usize, width: usize, weight: impl Fn(usize, usize) -> i64) -> Self {
        let pairs = inputs.div_ceil(2);
        let panels = width.div_ceil(COLUMNS);
        let mut data = vec![0; panels * pairs * 2 * COLUMNS];
        for (at, slot) in data.iter_mut().enumerate() {
            let (half, column) = (at % 2, at / 2 % COLUMNS);
            let (pair, panel) = (at / (2 * COLUMNS) % pairs, at / (2 * COLUMNS) / pairs);
            let (input, column) = (2 * pair + half, panel * COLUMNS + column);
            if input < inputs && column < width {
                *slot = weight(input, column) as i16;
            }
        }
        Self { data, pairs }
    }

    /// Sums of `panel` over the inputs `2 * pairs.start..2 * pairs.end`, for [`ROWS`] rows of
    /// inputs, each padded to a whole number of pairs.
    #[inline]
    pub(crate) fn sums(
        &self,
        panel: usize,
        pairs: std::ops::Range<usize>,
        inputs: [&[i16]; ROWS],
    ) -> [[i32; COLUMNS]; ROWS] {
        let start = panel * self.pairs * 2 * COLUMNS;
        let weights = &self.data[start + pairs.start * 2 * COLUMNS..][..pairs.len() * 2 * COLUMNS];
        let inputs = inputs.map(|row| &row[2 * pairs.start..2 * pairs.end]);
        #[cfg(target_arch = "x86_64")]
        if let Some(sums) = super::x86::sums(weights, inputs) {
            return sums;
        }
        scalar(weights, inputs)
    }
}

/// The reference.
pub(crate) fn scalar(weights: &[i16], inputs: [&[i16]; ROWS]) -> [[i32; COLUMNS]; ROWS] {
    let mut sums = [[0_i32; COLUMNS]; ROWS];
    for (pair, weights) in weights.chunks_exact(2 * COLUMNS).enumerate() {
        for (sums, row) in sums.iter_mut().zip(inputs) {
            let (a, b) = (i32::from(row[2 * pair]), i32::from(row[2 * pair + 1]));
            for (sum, w) in sums.iter_mut().zip(weights.as_chunks::<2>().0) {
                // The caller has proved that no sum overflows.
                *sum = sum.wrapping_add(i32::from(w[0]) * a + i32::from(w[1]) * b);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_equals_the_plain_sum() {
        let mut state = 1_u64;
        let mut random = |bound: i64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as i64 % (2 * bound + 1) - bound
        };
        for inputs in [1, 2, 3, 7, 16, 33] {
            for width in [1, 15, 16, 17, 40] {
                let weights: Vec<i64> = (0..inputs * width).map(|_| random(32_767)).collect();
                let panels = Panels::new(inputs, width, |i, c| weights[i * width + c]);
                let padded = inputs.next_multiple_of(2);
                let rows: Vec<Vec<i16>> = (0..ROWS)
                    .map(|_| {
                        let mut row: Vec<i16> = (0..inputs).map(|_| random(900) as i16).collect();
                        row.resize(padded, 0);
                        row
                    })
                    .collect();
                for panel in 0..width.div_ceil(COLUMNS) {
                    let views = std::array::from_fn(|r| &rows[r][..]);
                    let sums = panels.sums(panel, 0..padded / 2, views);
                    let start = panel * padded * COLUMNS;
                    let slice = &panels.data[start..start + padded * COLUMNS];
                    assert_eq!(sums, scalar(slice, views));
                    for (r, row) in rows.iter().enumerate() {
                        for c in 0..COLUMNS.min(width - panel * COLUMNS) {
                            let plain: i64 = (0..inputs)
                                .map(|i| {
                                    weights[i * width + panel * COLUMNS + c] * i64::from(row[i])
                                })
                                .sum();
                            assert_eq!(i64::from(sums[r][c]), plain);
                        }
                    }
                }
            }
        }
    }
}
