//! Principal components of normalised rows.

use crate::linalg::{multiply, orthonormal_basis, principal_components, transposed};

/// What components leave of other rows, in that which they leave of those that they were fitted to, from which on
/// they know these by heart: 1.5 is 0.3 bits for each value.
const BORNE_OUT: f64 = 1.5;
/// Variance of rounding a residual to whole steps.
pub(crate) const ROUNDING: f64 = 1.0 / 12.0;

/// Principal components, largest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Components {
    /// Variance along each, in squared residual steps.
    pub(crate) variance: Vec<f64>,
    /// Unit vectors, `components × columns`.
    pub(crate) vectors: Vec<f32>,
    /// Variance of each column, in squared residual steps.
    pub(crate) columns: Vec<f64>,
}

impl Components {
    /// Returns component `k`.
    pub(crate) fn vector(&self, k: usize) -> &[f32] {
        let width = self.columns.len();
        &self.vectors[k * width..(k + 1) * width]
    }

    /// Returns how many there are.
    pub(crate) fn count(&self) -> usize {
        self.variance.len()
    }

    /// Returns the variance of each column that the first `k` components leave, in squared residual
    /// steps.
    pub(crate) fn left_by(&self, k: usize) -> Vec<f64> {
        let mut left = self.columns.clone();
        for i in 0..k {
            for (l, v) in left.iter_mut().zip(self.vector(i)) {
                *l -= self.variance[i] * f64::from(*v).powi(2);
            }
        }
        left.iter_mut().for_each(|l| *l = l.max(0.0));
        left
    }

    /// Leaves out all but the first `count`.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.variance.truncate(count);
        self.vectors.truncate(count * self.columns.len());
    }

    /// Returns how many of the first say of `others` about as much as of the rows that they were fitted to.
    pub(crate) fn borne_out_by(&self, others: &[f32]) -> usize {
        let (width, count) = (self.columns.len(), self.count());
        let along = multiply(others, &transposed(&self.vectors, width), width);
        let of_others = column_variances(&along, count);
        let rounding = ROUNDING * width as f64;
        let of_columns = |columns: &[f64]| columns.iter().sum::<f64>() + rounding;
        let mut here = of_columns(&self.columns);
        let mut there = of_columns(&column_variances(others, width));
        let most = BORNE_OUT * there / here;
        let bears_out = |(of_here, of_others): (&f64, &f64)| {
            here = (here - of_here).max(rounding);
            there = (there - of_others).max(rounding);
            there <= most * here
        };
        let pairs = self.variance.iter().zip(&of_others);
        pairs.map(bears_out).take_while(|b| *b).count()
    }

    /// Fits to centred rows of `width` numbers; there are none if rows are not finite.
    pub(crate) fn fit(rows: &[f32], width: usize) -> Self {
        let found = principal_components(rows, width).unwrap_or_default();
        Self {
            variance: found.variance,
            vectors: found.vectors,
            columns: column_variances(rows, width),
        }
    }
}

/// Directions in the data's units, from a codec; any scale, not orthogonal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Basis {
    /// `directions × columns`, row-major.
    pub(crate) vectors: Vec<f64>,
}

impl Basis {
    /// Fits components to centred `rows` within the span of these directions only, in coordinates
    /// where column `j` is divided by `scale[j]`; columns whose scale is 0 are left out.
    pub(crate) fn components(&self, rows: &[f32], scale: &[f64]) -> Components {
        let width = scale.len();
        let inverse: Vec<f64> =
            scale.iter().map(|s| if *s > 0.0 { 1.0 / s } else { 0.0 }).collect();
        let own = self.vectors.iter().enumerate();
        let directions: Vec<f64> = own.map(|(at, x)| x * inverse[at % width]).collect();
        let span = orthonormal_basis(&directions, width);
        let columns = column_variances(rows, width);
        if span.is_empty() {
            // A codec of rows that had no latents.
            return Components { columns, ..Components::default() };
        }
        let count = span.len() / width;
        let transposed: Vec<f32> =
            (0..span.len()).map(|at| span[at % count * width + at / count] as f32).collect();
        let inside = multiply(rows, &transposed, width);
        let own = principal_components(&inside, count).unwrap_or_default();
        let span: Vec<f32> = span.iter().map(|x| *x as f32).collect();
        let vectors = multiply(&own.vectors, &span, count);
        Components { variance: own.variance, vectors, columns }
    }
}

/// Mean square of each column.
fn column_variances(rows: &[f32], width: usize) -> Vec<f64> {
    let mut columns = vec![0.0; width];
    for row in rows.chunks_exact(width.max(1)) {
        for (c, x) in columns.iter_mut().zip(row) {
            *c += f64::from(*x) * f64::from(*x);
        }
    }
    let count = (rows.len() / width.max(1)).max(1) as f64;
    columns.iter_mut().for_each(|c| *c /= count);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    #[test]
    fn components_that_know_rows_by_heart_are_not_borne_out() {
        let mut rng = Rng::new(5);
        let width = 200;
        let patterns: Vec<f32> = (0..2 * width).map(|_| 8.0 * (rng.unit() - 0.5)).collect();
        let mut rows = || -> Vec<f32> {
            let row = |_| {
                let [a, b] = [(); 2].map(|()| 10.0 * (rng.unit() - 0.5));
                let noise: Vec<f32> = (0..width).map(|_| 4.0 * (rng.unit() - 0.5)).collect();
                (0..width)
                    .map(|j| a * patterns[j] + b * patterns[width + j] + noise[j])
                    .collect::<Vec<f32>>()
            };
            (0..40).flat_map(row).collect()
        };
        let found = Components::fit(&rows(), width);
        let count = found.borne_out_by(&rows());
        assert!((2..20).contains(&count), "{count}");
        let many: Vec<f32> = (0..50).flat_map(|_| rows()).collect();
        let mut found = Components::fit(&many, width);
        found.truncate(20);
        assert_eq!(found.borne_out_by(&rows()), 20);
    }

    #[test]
    fn a_basis_confines_components_to_its_span() {
        let mut rng = Rng::new(2);
        let rows: Vec<f32> = (0..300)
            .flat_map(|_| [9.0, 5.0, 2.0, 1.0].map(|s: f32| s * (rng.unit() - 0.5)))
            .collect();
        // Column 1 counts twice as much in the data's units; column 3 has no scale.
        let scale = [1.0, 0.5, 1.0, 0.0];
        let basis = Basis { vectors: vec![0.0, 3.0, 0.0, 1.0, 0.0, 3.0, 4.0, 0.0] };
        let found = basis.components(&rows, &scale);
        assert_eq!(found.count(), 2);
        assert!(found.vector(0)[1].abs() > 0.99, "{:?}", found.vectors);
        for k in 0..2 {
            let v = found.vector(k);
            assert!(v[0].abs() < 1e-6 && v[3] == 0.0, "{v:?}");
            let along: f64 = rows
                .chunks(4)
                .map(|r| {
                    f64::from(r.iter().zip(v).map(|(x, v)| x * v).sum::<f32>()).powi(2) / 300.0
                })
                .sum();
            assert!((along / found.variance[k] - 1.0).abs() < 1e-4);
        }
        let all = Components::fit(&rows, 4);
        assert!(all.count() == 4 && all.variance[0] > found.variance[0]);
        assert_eq!(all.columns, found.columns);
        let none = Basis::default().components(&rows, &scale);
        assert!(none.count() == 0 && none.columns == all.columns);
    }
}
