//! Principal components of rows, for pictures of them.

use crate::linalg::principal_components;

/// Coordinates of each row along the first `N` principal components, not finite for rows that are
/// not, and the share of the variance that each component has.
pub(super) fn components<const N: usize>(
    values: &[f64],
    width: usize,
) -> (Vec<[f64; N]>, Option<[f64; N]>) {
    let rows = || values.chunks_exact(width).filter(|row| row.iter().all(|x| x.is_finite()));
    let n = rows().count().max(1) as f64;
    let mut mean = vec![0.0; width];
    for row in rows() {
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / n);
    }
    // In units of the largest value, so that squares are numbers.
    let largest = rows().flatten().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
    let centred =
        || rows().flat_map(|row| row.iter().zip(&mean).map(|(x, m)| x / largest - m / largest));
    let single: Vec<f32> = centred().map(|x| x as f32).collect();
    let found = principal_components(&single, width).unwrap_or_default();
    let directions: [Vec<f64>; N] = std::array::from_fn(|k| {
        found.vectors.chunks_exact(width).nth(k).map_or(vec![0.0; width], oriented)
    });
    let along = |row: &[f64], v: &[f64]| -> f64 {
        row.iter().zip(&mean).zip(v).map(|((x, m), v)| (x - m) * v).sum()
    };
    let points: Vec<[f64; N]> = values
        .chunks_exact(width)
        .map(|row| directions.each_ref().map(|v| along(row, v)))
        .collect();
    // Of the points themselves: components were found from rounded rows, or from some of many.
    let total: f64 = centred().map(|x| x * x / n).sum();
    let share = |k: usize| {
        let squares = points.iter().map(|p| (p[k] / largest).powi(2)).filter(|s| s.is_finite());
        squares.sum::<f64>() / n / total.max(f64::MIN_POSITIVE)
    };
    let shares = std::array::from_fn(share);
    (points, Some(shares))
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

    /// Eight rows about 3 whose variance along three directions, which mix all columns, is 9, 4
    /// and 1; there is none along others.
    fn rows(width: usize) -> Vec<f64> {
        let sign = |bit: usize| if bit == 0 { 1.0 } else { -1.0 };
        let row = |i: usize| {
            let mut row = vec![0.0; width];
            row[..3].copy_from_slice(&[3.0 * sign(i & 1), 2.0 * sign(i & 2), sign(i & 4)]);
            // A reflection.
            let shift = 2.0 * row.iter().sum::<f64>() / width as f64;
            row.into_iter().map(move |x| x - shift + 3.0)
        };
        (0..8).flat_map(row).collect()
    }

    #[test]
    fn points_lie_along_the_directions_of_largest_variance() {
        // Fewer columns than rows, and more.
        for width in [5, 30] {
            let (points, shares) = components::<3>(&rows(width), width);
            for (k, variance) in [9.0, 4.0, 1.0].into_iter().enumerate() {
                let share = shares.unwrap()[k];
                assert!((share - variance / 14.0).abs() < 1e-6, "{width}, {k}: {share}");
                let exact = f64::sqrt(variance);
                assert!(points.iter().all(|p| (p[k].abs() - exact).abs() < 1e-5), "{points:?}");
            }
            // Each point is at a corner of its own.
            let corner = |p: &[f64; 3]| p.map(|x| x > 0.0);
            assert!((1..8).all(|i| points[..i].iter().all(|p| corner(p) != corner(&points[i]))));
        }
    }

    #[test]
    fn rows_that_are_not_finite_are_points_that_are_not() {
        let mut values = rows(6);
        values[13] = f64::INFINITY;
        let (points, shares) = components::<3>(&values, 6);
        assert!(points[2].iter().all(|x| !x.is_finite()));
        assert!(points.iter().enumerate().all(|(i, p)| i == 2 || p.iter().all(|x| x.is_finite())));
        assert!(shares.unwrap().iter().all(|s| *s > 0.0 && *s < 1.0));
    }
}
