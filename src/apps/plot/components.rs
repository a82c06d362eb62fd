//! Principal components of rows, for pictures of them.

use crate::apps::principal::Principal;

/// Coordinates of each row along the first `N` principal components, not finite for rows without a
/// finite value, and the share of the variance that each component has. Missing values are filled
/// in by what the components say of them; rows that are `left_out` have no part in finding them.
pub(super) fn components<const N: usize>(
    values: &[f64],
    width: usize,
    left_out: &[bool],
) -> (Vec<[f64; N]>, Option<[f64; N]>) {
    let rows = || values.chunks_exact(width).zip(left_out);
    let has_values = |row: &[f64]| row.iter().any(|x| x.is_finite());
    let used: Vec<f64> = rows()
        .filter(|(row, left_out)| !**left_out && has_values(row))
        .flat_map(|(row, _)| row)
        .copied()
        .collect();
    let found = Principal::fit(&used, width, N);
    let points: Vec<[f64; N]> = found.coordinates(values).as_chunks::<N>().0.to_vec();
    // Of the points themselves: components were found from rounded rows, or from some of many.
    let along = found.coordinates(&used);
    let largest =
        used.iter().fold(f64::MIN_POSITIVE, |m, x| if x.is_finite() { m.max(x.abs()) } else { m });
    let square = |x: f64| (x / largest).powi(2);
    let rest: f64 = used
        .iter()
        .zip(found.values(&along))
        .filter(|(x, _)| x.is_finite())
        .map(|(x, y)| square(x - y))
        .sum();
    let of = |k: usize| along.iter().skip(k).step_by(N).map(|y| square(*y)).sum::<f64>();
    let total = rest + (0..N).map(of).sum::<f64>();
    let shares = std::array::from_fn(|k| of(k) / total.max(f64::MIN_POSITIVE));
    (points, Some(shares))
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
            let (points, shares) = components::<3>(&rows(width), width, &[false; 8]);
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
    fn rows_with_gaps_are_points_and_rows_without_values_are_not() {
        let mut values = rows(6);
        (0..48).step_by(7).for_each(|at| values[at] = f64::NAN);
        values[12..18].fill(f64::INFINITY);
        values[18..24].fill(1e20);
        let is_wild: Vec<bool> = (0..8).map(|i| i == 3).collect();
        let (points, shares) = components::<3>(&values, 6, &is_wild);
        assert!(points[2].iter().all(|x| !x.is_finite()));
        assert!(points.iter().enumerate().all(|(i, p)| i == 2 || p.iter().all(|x| x.is_finite())));
        assert!(points.iter().enumerate().all(|(i, p)| [2, 3].contains(&i) || p[0].abs() < 10.0));
        assert!(shares.unwrap().iter().all(|s| *s > 0.0 && *s < 1.0));
    }
}
