//! Rows that are pictures, series or fields, in patches that overlap.

use crate::matrix::rng::Rng;

/// The most colours, or other numbers of a point, along the first or the last axis of a picture.
const MOST_COLOURS: usize = 4;
/// Patches that distributions are fitted to, at most, and patches that a thread works on at a time, about.
pub(super) const MOST_PATCHES: usize = 1 << 15;
pub(super) const PATCHES_AT_ONCE: usize = 1024;
/// The fewest patches of a row.
const FEWEST: usize = 4;

/// How rows are cut into patches that overlap.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    pub(super) shape: Vec<usize>,
    /// Where the values of a patch lie behind its first.
    pub(super) offsets: Vec<usize>,
    /// Where patches begin.
    pub(super) starts: Vec<usize>,
    /// In how many patches each value lies.
    pub(super) covers: Vec<f64>,
}

impl Cut {
    /// Cuts rows of a shape; `None` where patches would be no less than a row, or far more than two dimensions.
    pub(super) fn new(row_shape: &[usize]) -> Option<Self> {
        let axes: Vec<usize> = row_shape.iter().copied().filter(|n| *n > 1).collect();
        let sides = match *axes {
            [_] => vec![32],
            [_, _] => vec![6, 6],
            [_, _, c] if c <= MOST_COLOURS => vec![5, 5, c],
            [c, _, _] if c <= MOST_COLOURS => vec![c, 5, 5],
            [_, _, _] => vec![4; 3],
            [_, _, _, _] => vec![3; 4],
            _ => return None,
        };
        let shape: Vec<usize> = sides.iter().zip(&axes).map(|(side, n)| *side.min(n)).collect();
        let (mut starts, mut offsets) = (vec![0], vec![0]);
        for (&n, &side) in axes.iter().zip(&shape) {
            let step = if axes.len() == 1 { side / 8 } else { side / 3 }.max(1);
            let last = n - side;
            let places: Vec<usize> = (0..last).step_by(step).chain([last]).collect();
            let along = |before: &[usize], places: &[usize]| -> Vec<usize> {
                before.iter().flat_map(|at| places.iter().map(move |p| at * n + p)).collect()
            };
            starts = along(&starts, &places);
            offsets = along(&offsets, &(0..side).collect::<Vec<_>>());
        }
        if starts.len() < FEWEST {
            return None;
        }
        let mut covers = vec![0.0; axes.iter().product()];
        for start in &starts {
            offsets.iter().for_each(|offset| covers[start + offset] += 1.0);
        }
        Some(Self { shape, offsets, starts, covers })
    }

    /// The values of a row.
    pub(super) fn width(&self) -> usize {
        self.covers.len()
    }

    /// The values of a patch.
    pub(super) fn size(&self) -> usize {
        self.offsets.len()
    }

    pub(super) fn patch<'a>(
        &'a self,
        row: &'a [f64],
        start: usize,
    ) -> impl Iterator<Item = f64> + 'a {
        self.offsets.iter().map(move |offset| row[start + offset])
    }

    /// Adds the values of patches that begin at `starts`.
    pub(super) fn add(&self, starts: &[usize], patches: &[f64], sums: &mut [f64]) {
        for (start, patch) in starts.iter().zip(patches.chunks_exact(self.size())) {
            self.offsets.iter().zip(patch).for_each(|(offset, x)| sums[start + offset] += x);
        }
    }

    /// Draws patches of rows, at most so many.
    pub(super) fn draw(&self, rows: &[&[f64]], most: usize, rng: &mut Rng, out: &mut Vec<f64>) {
        let all = rows.len() * self.starts.len();
        for at in 0..all.min(most) {
            let (row, start) = match all <= most {
                true => (at / self.starts.len(), at % self.starts.len()),
                false => (rng.below(rows.len()), rng.below(self.starts.len())),
            };
            out.extend(self.patch(rows[row], self.starts[start]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_cover_rows_and_are_the_mean_of_themselves() {
        for (shape, patch) in [
            (&[33][..], &[32][..]),
            (&[180], &[32]),
            (&[28, 28], &[6, 6]),
            (&[1, 9, 7, 1], &[6, 6]),
            (&[4, 50], &[4, 6]),
            (&[9, 11, 3], &[5, 5, 3]),
            (&[3, 9, 11], &[3, 5, 5]),
            (&[7, 8, 9], &[4, 4, 4]),
            (&[5, 6, 7, 8], &[3, 3, 3, 3]),
        ] {
            let Some(cut) = Cut::new(shape) else {
                assert_eq!(shape, [33]);
                continue;
            };
            assert_eq!(cut.shape, patch);
            assert_eq!(cut.width(), shape.iter().product::<usize>());
            assert!(cut.covers.iter().all(|n| *n >= 1.0));
            let row: Vec<f64> = (0..cut.width()).map(|at| (at * at) as f64).collect();
            let patches: Vec<f64> =
                cut.starts.iter().flat_map(|start| cut.patch(&row, *start)).collect();
            let mut sums = vec![0.0; row.len()];
            cut.add(&cut.starts, &patches, &mut sums);
            let means = sums.iter().zip(&cut.covers).map(|(sum, n)| sum / n);
            assert!(means.zip(&row).all(|(mean, x)| (mean - x).abs() < 1e-9 * x.max(1.0)));
        }
        for shape in [&[][..], &[1], &[20], &[6, 6], &[2, 3, 4, 5, 6]] {
            assert!(Cut::new(shape).is_none(), "{shape:?}");
        }
    }
}
