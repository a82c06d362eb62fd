//! Principal components of rows: what stands for a codec where rows are too few to learn one from,
//! and where pictures are drawn of them.

use super::values;
use crate::error::Result;
use crate::linalg::principal_components;
use crate::matrix::{Matrix, Rows};

/// How often missing values are replaced by what the components say of them, at most, and the mean
/// square of their change, in that of all values, from which on they stay.
const PASSES: usize = 20;
const SETTLED: f64 = 1e-9;

/// A centre and the directions of largest variance from it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Principal {
    centre: Vec<f64>,
    /// Unit vectors, components × columns; of two signs that whose largest entry is positive. Zeros
    /// where rows do not vary in so many directions.
    directions: Vec<f64>,
    count: usize,
}

impl Principal {
    /// Finds the first `count` components of rows. Values that are not finite are taken to be
    /// missing, and filled in by what the components say of them.
    pub(super) fn fit(values: &[f64], width: usize, count: usize) -> Self {
        let mut filled = values.to_vec();
        let centre = means(values, width);
        let gaps: Vec<usize> = (0..values.len()).filter(|&at| !values[at].is_finite()).collect();
        gaps.iter().for_each(|&at| filled[at] = centre[at % width]);
        let mut found = Self::of_whole(&filled, width, count);
        for _ in 0..if gaps.is_empty() { 0 } else { PASSES } {
            let given = found.values(&found.along(&filled));
            if replace(&mut filled, &given, &gaps) {
                break;
            }
            found = Self::of_whole(&filled, width, count);
        }
        found
    }

    /// [`Self::fit`] of rows that lack nothing.
    fn of_whole(values: &[f64], width: usize, count: usize) -> Self {
        let centre = means(values, width);
        // In units of the largest value, so that squares are numbers.
        let largest = values.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
        let centred: Vec<f32> = values
            .iter()
            .enumerate()
            .map(|(at, x)| (x / largest - centre[at % width] / largest) as f32)
            .collect();
        let found = principal_components(&centred, width).unwrap_or_default();
        let mut directions: Vec<f64> =
            found.vectors.chunks_exact(width).take(count).flat_map(oriented).collect();
        directions.resize(count * width, 0.0);
        Self { centre, directions, count }
    }

    fn width(&self) -> usize {
        self.centre.len()
    }

    /// The coordinates of rows along the directions, rows × components, in the data's unit. What is
    /// not finite counts as missing; rows without any value get NaN.
    pub(super) fn coordinates(&self, values: &[f64]) -> Vec<f64> {
        let width = self.width();
        let gaps: Vec<usize> = (0..values.len()).filter(|&at| !values[at].is_finite()).collect();
        let mut filled = values.to_vec();
        gaps.iter().for_each(|&at| filled[at] = self.centre[at % width]);
        let mut along = self.along(&filled);
        for _ in 0..if gaps.is_empty() { 0 } else { PASSES } {
            if replace(&mut filled, &self.values(&along), &gaps) {
                break;
            }
            along = self.along(&filled);
        }
        for (row, own) in values.chunks_exact(width).zip(along.chunks_exact_mut(self.count.max(1)))
        {
            if !row.iter().any(|x| x.is_finite()) {
                own.fill(f64::NAN);
            }
        }
        along
    }

    /// What the coordinates of rows say that the rows are; the centre where there are none.
    pub(super) fn reconstructed(&self, values: &[f64]) -> Vec<f64> {
        if self.count == 0 {
            return self.centre.iter().copied().cycle().take(values.len()).collect();
        }
        self.values(&self.coordinates(values))
    }

    /// The rows of coordinates.
    pub(super) fn values(&self, along: &[f64]) -> Vec<f64> {
        let width = self.width();
        let mut out = Vec::with_capacity(along.len() / self.count.max(1) * width);
        for own in along.chunks_exact(self.count.max(1)) {
            let first = out.len();
            out.extend_from_slice(&self.centre);
            for (y, v) in own.iter().zip(self.directions.chunks_exact(width)) {
                out[first..].iter_mut().zip(v).for_each(|(x, v)| *x += y * v);
            }
        }
        out
    }

    fn along(&self, values: &[f64]) -> Vec<f64> {
        let width = self.width();
        let mut out = Vec::with_capacity(values.len() / width * self.count);
        for row in values.chunks_exact(width) {
            for v in self.directions.chunks_exact(width) {
                out.push(row.iter().zip(&self.centre).zip(v).map(|((x, c), v)| (x - c) * v).sum());
            }
        }
        out
    }

    /// The coordinates of rows as a matrix of `f32`.
    pub(super) fn embed(&self, rows: &dyn Rows) -> Result<Matrix> {
        let along = self.coordinates(&values::to_doubles(rows)?);
        let along: Vec<f32> = along.iter().map(|y| *y as f32).collect();
        Matrix::from_slice(&along, &[self.count])
    }
}

/// The mean of the finite values of each column, 0 where there are none.
fn means(values: &[f64], width: usize) -> Vec<f64> {
    let mut counts = vec![0.0_f64; width];
    for row in values.chunks_exact(width) {
        counts.iter_mut().zip(row).filter(|(_, x)| x.is_finite()).for_each(|(n, _)| *n += 1.0);
    }
    let mut means = vec![0.0; width];
    for row in values.chunks_exact(width) {
        for ((mean, n), x) in means.iter_mut().zip(&counts).zip(row).filter(|(_, x)| x.is_finite())
        {
            *mean += x / n;
        }
    }
    means
}

/// Puts what is given in the gaps; says whether that changed next to nothing.
fn replace(filled: &mut [f64], given: &[f64], gaps: &[usize]) -> bool {
    let mut change = 0.0;
    for &at in gaps {
        change += (filled[at] - given[at]).powi(2);
        filled[at] = given[at];
    }
    change <= SETTLED * filled.iter().map(|x| x * x).sum::<f64>()
}

/// A direction as a unit vector in `f64`, of two signs the one whose largest entry is positive.
fn oriented(direction: &[f32]) -> Vec<f64> {
    let largest = direction.iter().fold(0.0_f32, |m, x| if x.abs() > m.abs() { *x } else { m });
    let length = direction.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let length = if largest < 0.0 { -length } else { length };
    direction.iter().map(|x| f64::from(*x) / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_hardly_move_rows_of_few_directions() {
        let wave = |i: usize, f: f64| (i as f64 * f).sin();
        let row =
            |i: usize| (0..8).map(move |j| 3.0 + wave(i, 0.7) * j as f64 + wave(i + 4 * j, 1.57));
        let values: Vec<f64> = (0..30).flat_map(row).collect();
        let whole = Principal::fit(&values, 8, 3);
        let mut gaps = values.clone();
        (0..240).step_by(13).for_each(|at| gaps[at] = f64::NAN);
        let found = Principal::fit(&gaps, 8, 3);
        let given = found.reconstructed(&gaps);
        let scale: f64 = whole.along(&values).iter().map(|y| y * y).sum::<f64>().sqrt();
        let error: f64 =
            given.iter().zip(&values).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        assert!(error < 0.1 * scale, "{error} of {scale}");
        gaps[..8].fill(f64::NAN);
        let along = found.coordinates(&gaps);
        assert!(along[..3].iter().all(|y| y.is_nan()) && along[3..].iter().all(|y| y.is_finite()));
        // More directions than there are.
        let one = Principal::fit(&[1.0, 2.0, 3.0], 3, 2);
        assert_eq!(one.coordinates(&[1.0, 2.0, 3.0]), [0.0, 0.0]);
        assert_eq!(Principal::fit(&values, 8, 0).reconstructed(&[0.0; 16]).len(), 16);
    }
}
