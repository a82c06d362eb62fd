//! Principal components of normalised rows.

use crate::encode::project::multiply;
use faer::{Mat, Side};

/// Components of at most this many rows or columns are found; beyond, rows are left out.
const MAX_ORDER: usize = 2048;

/// Principal components, largest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Components {
    /// Variance along each.
    pub(crate) variance: Vec<f64>,
    /// Unit vectors, one after another, `width` numbers each.
    pub(crate) vectors: Vec<f32>,
    /// Variance of each column.
    pub(crate) columns: Vec<f64>,
}

impl Components {
    /// Component `k`.
    pub(crate) fn vector(&self, k: usize) -> &[f32] {
        let width = self.columns.len();
        &self.vectors[k * width..(k + 1) * width]
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.variance.len()
    }

    /// Fits to centred rows of `width` numbers: the eigenvectors of the covariance matrix, or of
    /// the rows' inner products where there are fewer rows than columns (the same subspace).
    pub(crate) fn fit(rows: &[f32], width: usize) -> Self {
        let mut count = rows.len() / width.max(1);
        let columns = column_variances(rows, width);
        if width == 0 || count == 0 {
            return Self { columns, ..Self::default() };
        }
        let thinned;
        let mut rows = rows;
        if width.min(count) > MAX_ORDER {
            let every = count.div_ceil(MAX_ORDER);
            thinned =
                rows.chunks_exact(width).step_by(every).flatten().copied().collect::<Vec<_>>();
            rows = &thinned;
            count = rows.len() / width;
        }
        let fitted = if width <= count {
            by_columns(rows, width, count)
        } else {
            by_rows(rows, width, count)
        };
        let Some((variance, vectors)) = fitted else {
            return Self { columns, ..Self::default() };
        };
        Self { variance, vectors, columns }
    }
}

/// Directions in the data's units, from a codec; any scale, not orthogonal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Basis {
    /// `directions × columns`, row-major.
    pub(crate) vectors: Vec<f64>,
}

impl Basis {
    /// Components within the span of these directions only, in coordinates where column `j` is
    /// divided by `scale[j]`; columns without a scale are left out.
    pub(crate) fn components(&self, rows: &[f32], scale: &[f64]) -> Components {
        let width = scale.len();
        // Gram–Schmidt, twice for orthogonality in spite of rounding.
        let mut span: Vec<Vec<f64>> = Vec::new();
        for v in self.vectors.chunks_exact(width) {
            let inverse = scale.iter().map(|s| if *s > 0.0 { 1.0 / s } else { 0.0 });
            let mut v: Vec<f64> = v.iter().zip(inverse).map(|(x, i)| x * i).collect();
            let before = norm(&v);
            for _ in 0..2 {
                for u in &span {
                    let dot: f64 = u.iter().zip(&v).map(|(a, b)| a * b).sum();
                    v.iter_mut().zip(u).for_each(|(x, u)| *x -= dot * u);
                }
            }
            let after = norm(&v);
            if after > 1e-6 * before && after.is_finite() {
                v.iter_mut().for_each(|x| *x /= after);
                span.push(v);
            }
        }
        let count = span.len();
        if count == 0 {
            // A codec of rows that had no latents.
            return Components { columns: column_variances(rows, width), ..Components::default() };
        }
        let flat: Vec<f32> =
            (0..width).flat_map(|j| span.iter().map(move |v| v[j] as f32)).collect();
        let n = rows.len() / width.max(1);
        let mut inside = vec![0.0; n * count];
        multiply(rows, &flat, &mut inside, (n, width, count));
        let own = Components::fit(&inside, count);
        let mut vectors = Vec::with_capacity(own.count() * width);
        for k in 0..own.count() {
            let mix = own.vector(k);
            vectors.extend((0..width).map(|j| {
                span.iter().zip(mix).map(|(v, m)| v[j] * f64::from(*m)).sum::<f64>() as f32
            }));
        }
        Components { variance: own.variance, vectors, columns: column_variances(rows, width) }
    }
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn column_variances(rows: &[f32], width: usize) -> Vec<f64> {
    let mut columns = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        for (c, x) in columns.iter_mut().zip(row) {
            *c += f64::from(*x) * f64::from(*x);
        }
    }
    let count = (rows.len() / width.max(1)).max(1) as f64;
    columns.iter_mut().for_each(|c| *c /= count);
    columns
}

/// Eigenvalues and vectors of a symmetric matrix, largest first; none if it is not finite.
fn eigen(matrix: &[f64], n: usize) -> Option<Vec<(f64, Vec<f64>)>> {
    let m = Mat::from_fn(n, n, |i, j| matrix[i * n + j]);
    let e = m.self_adjoint_eigen(Side::Lower).ok()?;
    let (values, vectors) = (e.S(), e.U());
    let mut out: Vec<(f64, Vec<f64>)> = (0..n)
        .map(|k| (values.column_vector()[k], (0..n).map(|i| vectors[(i, k)]).collect()))
        .collect();
    out.sort_by(|a, b| b.0.total_cmp(&a.0));
    Some(out)
}

/// `rowsᵀ rows`, summed in `f64` over parts of fixed size.
pub(crate) fn gram(rows: &[f32], width: usize) -> Vec<f64> {
    use rayon::prelude::*;
    const PART: usize = 1024;
    let part = |rows: &[f32]| {
        let n = rows.len() / width;
        let mut transposed = vec![0.0; rows.len()];
        for (i, row) in rows.chunks_exact(width).enumerate() {
            for (j, x) in row.iter().enumerate() {
                transposed[j * n + i] = *x;
            }
        }
        let mut out = vec![0.0; width * width];
        multiply(&transposed, rows, &mut out, (width, n, width));
        out
    };
    // Two at a time bounds the memory; the order of addition does not depend on threads.
    let mut sum = vec![0.0; width * width];
    let parts: Vec<&[f32]> = rows.chunks(PART * width).collect();
    for parts in parts.chunks(4) {
        let parts: Vec<Vec<f32>> = parts.par_iter().map(|p| part(p)).collect();
        for p in parts {
            sum.iter_mut().zip(p).for_each(|(s, x)| *s += f64::from(x));
        }
    }
    sum
}

type Pairs = Option<(Vec<f64>, Vec<f32>)>;

fn by_columns(rows: &[f32], width: usize, count: usize) -> Pairs {
    let mut covariance = gram(rows, width);
    covariance.iter_mut().for_each(|c| *c /= count as f64);
    let pairs = eigen(&covariance, width)?;
    let variance = pairs.iter().map(|p| p.0.max(0.0)).collect();
    Some((variance, pairs.iter().flat_map(|p| p.1.iter().map(|&x| x as f32)).collect()))
}

fn by_rows(rows: &[f32], width: usize, count: usize) -> Pairs {
    let transposed: Vec<f32> =
        (0..width).flat_map(|j| (0..count).map(move |i| rows[i * width + j])).collect();
    let inner = gram(&transposed, count);
    let pairs = eigen(&inner, count)?;
    let (mut variance, mut vectors) = (Vec::new(), Vec::new());
    for (value, u) in &pairs {
        // Directions without variance have no meaning.
        if *value <= pairs[0].0 * 1e-12 {
            break;
        }
        let mut v = vec![0.0_f64; width];
        for (row, u) in rows.chunks_exact(width).zip(u) {
            v.iter_mut().zip(row).for_each(|(v, x)| *v += u * f64::from(*x));
        }
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        vectors.extend(v.iter().map(|x| (x / norm) as f32));
        variance.push(value / count as f64);
    }
    Some((variance, vectors))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of two latent directions in five columns.
    fn rows(count: usize) -> Vec<f32> {
        let wave = |i: usize, f: f32| (i as f32 * f).sin();
        (0..count)
            .flat_map(|i| {
                let (a, b) = (10.0 * wave(i, 0.7), 3.0 * wave(i, 1.9));
                [a, a + b, -b, 0.5 * a, 0.0]
            })
            .collect()
    }

    #[test]
    fn both_ways_find_the_same_subspace() {
        for count in [4, 400] {
            let c = Components::fit(&rows(count), 5);
            let total: f64 = c.columns.iter().sum();
            let two: f64 = c.variance[..2].iter().sum();
            assert!((two / total - 1.0).abs() < 1e-5, "{count}: {two} of {total}");
            assert!(c.vector(0)[4].abs() < 1e-5);
            let norm: f32 = c.vector(1).iter().map(|x| x * x).sum();
            assert!((norm - 1.0).abs() < 1e-5);
        }
    }
}
