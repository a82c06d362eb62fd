//! The directions in which rows differ most, for pictures of them.

use crate::matrix::rng::Rng;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par, Side};

/// Directions beside those that are wanted: the more, the faster the wanted ones are found.
const MORE: usize = 8;
/// Most rounds, and the relative change of the variances at which it is enough.
const ROUNDS: usize = 100;
const ENOUGH: f64 = 1e-7;

/// Coordinates of each row along the first `N` principal components, and the share of the variance
/// that each has; NaN for rows that are not finite.
///
/// By subspace iteration with a Rayleigh–Ritz step (Golub and Van Loan, *Matrix Computations*,
/// 8.2.4), which never forms the matrix of covariances: rows may be thousands of numbers wide.
pub(super) fn components<const N: usize>(
    values: &[f64],
    width: usize,
) -> (Vec<[f64; N]>, Option<[f64; N]>) {
    let is_usable = |row: &[f64]| row.iter().all(|x| x.is_finite());
    let mut rows: Vec<f64> =
        values.chunks_exact(width).filter(|r| is_usable(r)).flatten().copied().collect();
    let n = (rows.len() / width).max(1) as f64;
    let mut mean = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / n);
    }
    // In units of the largest, so that squares are numbers.
    let largest = rows.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
    for row in rows.chunks_exact_mut(width) {
        row.iter_mut().zip(&mean).for_each(|(x, m)| *x = *x / largest - m / largest);
    }
    let total: f64 = rows.iter().map(|x| x * x / n).sum();
    let x = MatRef::from_row_major_slice(&rows, rows.len() / width, width);
    let (directions, variances) = leading(x, (N + MORE).min(width));
    // Of two signs the one whose largest entry is positive.
    let direction = |k: usize| -> Vec<f64> {
        let v: Vec<f64> = (0..width).map(|j| directions[(j, k)]).collect();
        let largest = v.iter().fold(0.0_f64, |m, x| if x.abs() > m.abs() { *x } else { m });
        v.iter().map(|x| if largest < 0.0 { -x } else { *x }).collect()
    };
    let directions: [Vec<f64>; N] = std::array::from_fn(direction);
    let dot = |row: &[f64], v: &[f64]| -> f64 {
        row.iter().zip(&mean).zip(v).map(|((x, m), v)| (x - m) * v).sum()
    };
    let points = values.chunks_exact(width).map(|row| directions.each_ref().map(|v| dot(row, v)));
    let share = |k: usize| variances[k] / total.max(f64::MIN_POSITIVE);
    (points.collect(), Some(std::array::from_fn(share)))
}

/// The `count` directions of the largest variances of centred rows, one a column, and these.
fn leading(x: MatRef<'_, f64>, count: usize) -> (Mat<f64>, Vec<f64>) {
    let (n, width) = (x.nrows().max(1) as f64, x.ncols());
    let mut rng = Rng::new(1);
    let mut q = Mat::from_fn(width, count, |_, _| f64::from(rng.unit()) - 0.5);
    let mut along = Mat::zeros(x.nrows(), count);
    let mut last = vec![0.0; count];
    for _ in 0..ROUNDS {
        q = q.qr().compute_thin_Q();
        matmul(along.as_mut(), Accum::Replace, x, q.as_ref(), 1.0, Par::Seq);
        let inner = along.transpose() * &along;
        let Ok(eigen) = inner.self_adjoint_eigen(Side::Lower) else { break };
        // Ascending.
        let order = Mat::from_fn(count, count, |i, k| eigen.U()[(i, count - 1 - k)]);
        let variances: Vec<f64> = (0..count).map(|k| eigen.S()[count - 1 - k] / n).collect();
        q = &q * &order;
        let wanted = count.saturating_sub(MORE).max(1);
        let change = variances.iter().zip(&last).take(wanted);
        let is_done = change.into_iter().all(|(a, b)| (a - b).abs() <= ENOUGH * a.abs());
        last = variances;
        if is_done || count == width {
            break;
        }
        along = &along * &order;
        q = x.transpose() * &along;
    }
    (q, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_rows_and_narrow_ones_agree() {
        // Deviations 9, 8, 7, ... along columns, mixed by reflections.
        let mut rng = Rng::new(5);
        let width = 30;
        let mut values: Vec<f64> = Vec::new();
        for _ in 0..2000 {
            let mut row: Vec<f64> =
                (0..width).map(|j| (f64::from(rng.unit()) - 0.5) * 0.7_f64.powi(j)).collect();
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|x| *x -= 2.0 * sum / f64::from(width));
            values.extend(row);
        }
        let width = width as usize;
        let (points, shares) = components::<2>(&values, width);
        let all = MatRef::from_row_major_slice(&values, 2000, width);
        let mean: Vec<f64> = (0..width).map(|j| all.col(j).sum() / 2000.0).collect();
        let centred = Mat::from_fn(2000, width, |i, j| all[(i, j)] - mean[j]);
        let covariance = centred.transpose() * &centred;
        let eigen = covariance.self_adjoint_eigen(Side::Lower).unwrap();
        let total: f64 = (0..width).map(|j| eigen.S()[j]).sum();
        for k in 0..2 {
            let exact = eigen.S()[width - 1 - k];
            assert!((shares.unwrap()[k] - exact / total).abs() < 1e-6);
            let sum: f64 = points.iter().map(|p| p[k] * p[k]).sum();
            assert!((sum / exact - 1.0).abs() < 1e-5, "{k}: {sum} {exact}");
        }
    }
}
