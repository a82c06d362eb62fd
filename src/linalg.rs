//! Linear algebra on row-major slices; the only user of the `faer` crate.

use faer::linalg::matmul::matmul;
use faer::traits::ComplexField;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};
use rayon::prelude::*;

/// Largest order of a matrix whose eigenvectors are computed, which takes time by its third power
/// (seconds at this order); principal components of more rows and columns are those of some rows.
const MOST_ORDER: usize = 2048;

/// Share of the largest eigenvalue below which a direction found from inner products of rows is
/// nothing but their rounding.
const NO_VARIANCE: f64 = 1e-12;

/// Share of a vector's length outside the span of others below which it is taken to lie in it.
const DEPENDENT: f64 = 1e-6;

/// Rows whose products are summed in `f32`, and how many such sums are made before they are
/// added up in `f64`: this bounds the memory.
const GRAM_ROWS: usize = 1024;
const GRAM_PARTS: usize = 4;

/// The floats that matrices are made of.
pub(crate) trait Float: ComplexField + Copy + Into<f64> + Send + Sync {
    const ZERO: Self;
    const ONE: Self;
}

impl Float for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl Float for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

/// The product of `a`, `n × inner`, and `b`, `inner × m`, on this thread.
pub(crate) fn multiply<T: Float>(a: &[T], b: &[T], inner: usize) -> Vec<T> {
    if a.is_empty() || b.is_empty() {
        return Vec::new();
    }
    let (n, m) = (a.len() / inner, b.len() / inner);
    let mut out = vec![T::ZERO; n * m];
    let a = MatRef::from_row_major_slice(a, n, inner);
    let b = MatRef::from_row_major_slice(b, inner, m);
    let product = MatMut::from_row_major_slice_mut(&mut out, n, m);
    matmul(product, Accum::Replace, a, b, T::ONE, Par::Seq);
    out
}

/// `rowsᵀ · rows`, `width × width`, in `f64` and on this thread.
pub(crate) fn cross_products(rows: &[f64], width: usize) -> Vec<f64> {
    let mut out = vec![0.0; width * width];
    let rows = MatRef::from_row_major_slice(rows, rows.len() / width.max(1), width);
    let sum = MatMut::from_row_major_slice_mut(&mut out, width, width);
    matmul(sum, Accum::Replace, rows.transpose(), rows, 1.0, Par::Seq);
    out
}

/// The inverse of a symmetric matrix, `n × n`; `None` where it is not positive definite, or not
/// by more than rounding.
pub(crate) fn inverse(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    use faer::linalg::solvers::DenseSolveCore;
    let inverse = square(matrix, n).llt(Side::Lower).ok()?.inverse();
    let flat: Vec<f64> = (0..n * n).map(|at| inverse[(at / n, at % n)]).collect();
    flat.iter().all(|x| x.is_finite()).then_some(flat)
}

/// `rowsᵀ · rows`, `width × width`. The order of addition does not depend on the number of threads.
pub(crate) fn gram<T: Float>(rows: &[T], width: usize) -> Vec<f64> {
    let mut sum = vec![0.0; width * width];
    add_gram(&mut sum, rows, width);
    sum
}

/// Adds [`gram`] to that of rows before; it is the same as that of all if those were a multiple of 1024.
pub(crate) fn add_gram<T: Float>(sum: &mut [f64], rows: &[T], width: usize) {
    let part = |rows: &[T]| multiply(&transposed(rows, width), rows, rows.len() / width);
    let parts: Vec<&[T]> = rows.chunks(GRAM_ROWS * width).collect();
    for parts in parts.chunks(GRAM_PARTS) {
        let parts: Vec<Vec<T>> = parts.par_iter().map(|p| part(p)).collect();
        for part in parts {
            sum.iter_mut().zip(part).for_each(|(s, x)| *s += x.into());
        }
    }
}

/// The product of `rows` of `width` numbers and `matrix`, `width × m`, on all threads.
#[cfg(any(feature = "apps", test))]
pub(crate) fn multiply_rows(rows: &[f64], matrix: &[f64], width: usize) -> Vec<f64> {
    rows.par_chunks(GRAM_ROWS * width.max(1))
        .flat_map_iter(|p| multiply(p, matrix, width))
        .collect()
}

/// Columns of `rows` as rows.
pub(crate) fn transposed<T: Float>(rows: &[T], width: usize) -> Vec<T> {
    let n = rows.len() / width.max(1);
    let mut out = vec![T::ZERO; rows.len()];
    for (i, row) in rows.chunks_exact(width).enumerate() {
        for (j, x) in row.iter().enumerate() {
            out[j * n + i] = *x;
        }
    }
    out
}

/// An eigenvalue of a symmetric matrix and its unit vector.
pub(crate) struct EigenPair {
    pub(crate) value: f64,
    pub(crate) vector: Vec<f64>,
}

/// Eigenvalues and vectors of a symmetric `n × n` matrix, largest first; `None` if the matrix is
/// not finite.
pub(crate) fn symmetric_eigen(matrix: &[f64], n: usize) -> Option<Vec<EigenPair>> {
    if !matrix.iter().all(|x| x.is_finite()) {
        return None;
    }
    let eigen = square(matrix, n).self_adjoint_eigen(Side::Lower).ok()?;
    let (values, vectors) = (eigen.S(), eigen.U());
    let pair = |k: usize| EigenPair {
        value: values.column_vector()[k],
        vector: (0..n).map(|i| vectors[(i, k)]).collect(),
    };
    let mut pairs: Vec<EigenPair> = (0..n).map(pair).collect();
    pairs.sort_by(|a, b| b.value.total_cmp(&a.value));
    Some(pairs)
}

fn square(matrix: &[f64], n: usize) -> Mat<f64> {
    Mat::from_fn(n, n, |i, j| matrix[i * n + j])
}

/// Directions of the largest variance, largest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct PrincipalComponents {
    /// Variance along each direction.
    pub(crate) variance: Vec<f64>,
    /// Unit vectors, `components × width`.
    pub(crate) vectors: Vec<f32>,
}

/// Principal components of centred rows, `rows × width`; `None` if rows are not finite.
///
/// They are the eigenvectors of the covariance matrix or, where there are fewer rows than columns,
/// follow from those of the rows' inner products.
pub(crate) fn principal_components(rows: &[f32], width: usize) -> Option<PrincipalComponents> {
    let mut count = rows.len() / width.max(1);
    if count == 0 {
        return Some(PrincipalComponents::default());
    }
    let mut rows = std::borrow::Cow::Borrowed(rows);
    if width.min(count) > MOST_ORDER {
        let every = count.div_ceil(MOST_ORDER);
        rows = rows.chunks_exact(width).step_by(every).flatten().copied().collect();
        count = rows.len() / width;
    }
    if width <= count { from_covariance(&rows, width) } else { from_inner_products(&rows, width) }
}

fn from_covariance(rows: &[f32], width: usize) -> Option<PrincipalComponents> {
    let count = rows.len() / width;
    let mut covariance = gram(rows, width);
    covariance.iter_mut().for_each(|c| *c /= count as f64);
    let pairs = symmetric_eigen(&covariance, width)?;
    let variance = pairs.iter().map(|p| p.value.max(0.0)).collect();
    let vectors = pairs.iter().flat_map(|p| p.vector.iter().map(|&x| x as f32)).collect();
    Some(PrincipalComponents { variance, vectors })
}

fn from_inner_products(rows: &[f32], width: usize) -> Option<PrincipalComponents> {
    let count = rows.len() / width;
    let pairs = symmetric_eigen(&gram(&transposed(rows, width), count), count)?;
    let pairs: Vec<&EigenPair> =
        pairs.iter().take_while(|p| p.value > pairs[0].value * NO_VARIANCE).collect();
    let of_rows: Vec<f64> = pairs.iter().flat_map(|p| p.vector.iter().copied()).collect();
    let rows: Vec<f64> = rows.iter().map(|&x| f64::from(x)).collect();
    let vectors = multiply(&of_rows, &rows, count);
    let mut found = PrincipalComponents::default();
    for (pair, vector) in pairs.iter().zip(vectors.chunks_exact(width)) {
        let norm = norm(vector);
        found.vectors.extend(vector.iter().map(|x| (x / norm) as f32));
        found.variance.push(pair.value / count as f64);
    }
    Some(found)
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// An orthonormal basis, `directions × width`, of the span of `vectors`, which are rows of any
/// length; vectors that are not finite, or all but 0, are left out.
pub(crate) fn orthonormal_basis(vectors: &[f64], width: usize) -> Vec<f64> {
    let units: Vec<Vec<f64>> = vectors
        .chunks_exact(width.max(1))
        .map(|v| (v, norm(v)))
        .filter(|(_, norm)| *norm > 0.0 && norm.is_finite())
        .map(|(v, norm)| v.iter().map(|x| x / norm).collect())
        .collect();
    let qr = Mat::from_fn(width, units.len(), |j, k| units[k][j]).col_piv_qr();
    let r = qr.thin_R();
    // Pivots fall: those that follow the first small one are small too.
    let rank = (0..r.nrows()).take_while(|&k| r[(k, k)].abs() > DEPENDENT).count();
    let q = qr.compute_thin_Q();
    (0..rank).flat_map(|k| q.col(k).iter().copied().collect::<Vec<f64>>()).collect()
}

/// The solution of `matrix · x = right`, `matrix` symmetric, `n × n`; `None` where it is not positive
/// definite.
pub(crate) fn solve(matrix: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let n = right.len();
    let l = cholesky(matrix, n)?;
    let mut x = right.to_vec();
    for i in 0..n {
        let known: f64 = (0..i).map(|k| l[i * n + k] * x[k]).sum();
        x[i] = (x[i] - known) / l[i * n + i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| l[k * n + i] * x[k]).sum();
        x[i] = (x[i] - known) / l[i * n + i];
    }
    x.iter().all(|x| x.is_finite()).then_some(x)
}

/// The lower triangular `L` with `L·Lᵀ = matrix`, `n × n` with zeros above the diagonal; `None`
/// where the matrix is not positive definite.
pub(crate) fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let llt = square(matrix, n).llt(Side::Lower).ok()?;
    let lower = llt.L();
    let at = |at: usize| if at % n <= at / n { lower[(at / n, at % n)] } else { 0.0 };
    Some((0..n * n).map(at).collect())
}

/// `(V·Vᵀ)⁻¹·V` of `latents × width` directions `V`: what gives the latents whose sum of directions
/// is nearest to a row. The squared length of each direction is taken to be larger by the share
/// `ridge`, so that latents stay small where one direction is a sum of others. `None` if directions
/// are not finite or still cannot be told apart.
pub(crate) fn pseudo_inverse(
    directions: &[f64],
    latents: usize,
    width: usize,
    ridge: f64,
) -> Option<Vec<f64>> {
    use faer::linalg::solvers::Solve;
    let v = MatRef::from_row_major_slice(directions, latents, width);
    let mut products = v * v.transpose();
    for k in 0..latents {
        // The least number there is makes something even of a direction that is 0.
        products[(k, k)] += ridge * products[(k, k)] + f64::MIN_POSITIVE;
    }
    let solved = products.llt(Side::Lower).ok()?.solve(v);
    let flat: Vec<f64> =
        (0..latents).flat_map(|k| solved.row(k).iter().copied().collect::<Vec<f64>>()).collect();
    flat.iter().all(|x| x.is_finite()).then_some(flat)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn products_are_those_of_rows_and_columns() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, 2.0, 1.0, 0.0, 3.0]);
        assert_eq!(multiply(&a, &b, 3), [5.0, 11.0, 14.0, 23.0]);
        assert_eq!(multiply(&a, &b, 2).len(), 9);
        assert!(multiply(&[], &b, 3).is_empty() && multiply(&a, &[], 3).is_empty());
        assert_eq!(gram(&a, 3), [17.0, 22.0, 27.0, 22.0, 29.0, 36.0, 27.0, 36.0, 45.0]);
        // More parts than are added up at once.
        let ones = vec![1.0; 2 * (GRAM_PARTS * GRAM_ROWS + 1)];
        assert_eq!(gram(&ones, 2), [(GRAM_PARTS * GRAM_ROWS + 1) as f64; 4]);
    }

    #[test]
    fn few_rows_and_many_have_the_same_components() {
        // Rows of two latent directions in five columns.
        let wave = |i: usize, f: f32| (i as f32 * f).sin();
        let row = |i: usize| {
            let (a, b) = (10.0 * wave(i, 0.7), 3.0 * wave(i, 1.9));
            [a, a + b, -b, 0.5 * a, 0.0]
        };
        for count in [4, 400] {
            let rows: Vec<f32> = (0..count).flat_map(row).collect();
            let found = principal_components(&rows, 5).unwrap();
            let total = rows.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / count as f64;
            let two: f64 = found.variance[..2].iter().sum();
            assert!((two / total - 1.0).abs() < 1e-5, "{count}: {two} of {total}");
            assert!(found.variance[0] > found.variance[1]);
            let vector = |k: usize| -> Vec<f64> {
                found.vectors[k * 5..(k + 1) * 5].iter().map(|x| f64::from(*x)).collect()
            };
            assert!(vector(0)[4].abs() < 1e-5 && (norm(&vector(1)) - 1.0).abs() < 1e-5);
            assert!(dot(&vector(0), &vector(1)).abs() < 1e-5);
            // The variance is that of the rows along the vector.
            let along = rows.chunks(5).map(|r| {
                r.iter().zip(vector(1)).map(|(x, v)| f64::from(*x) * v).sum::<f64>().powi(2)
            });
            let own = along.sum::<f64>() / count as f64;
            assert!((own / found.variance[1] - 1.0).abs() < 1e-4, "{own} {:?}", found.variance);
        }
        assert!(principal_components(&[f32::NAN; 8], 2).is_none());
        assert!(principal_components(&[], 3).unwrap().variance.is_empty());
    }

    #[test]
    fn a_basis_spans_what_its_vectors_do_and_no_more() {
        let mut rng = Rng::new(3);
        let width = 7;
        let mut vectors: Vec<f64> = (0..3 * width).map(|_| f64::from(rng.unit()) - 0.5).collect();
        let sum: Vec<f64> = (0..width).map(|j| 1e9 * (vectors[j] - vectors[width + j])).collect();
        vectors.extend(sum);
        vectors.extend([0.0; 7]);
        vectors.extend([f64::NAN; 7]);
        let basis = orthonormal_basis(&vectors, width);
        let basis: Vec<&[f64]> = basis.chunks(width).collect();
        assert_eq!(basis.len(), 3);
        for (i, a) in basis.iter().enumerate() {
            for (k, b) in basis.iter().enumerate() {
                assert!((dot(a, b) - f64::from(u8::from(i == k))).abs() < 1e-12);
            }
        }
        for v in vectors.chunks(width).take(4) {
            let inside: f64 = basis.iter().map(|b| dot(b, v).powi(2)).sum();
            assert!((inside / dot(v, v) - 1.0).abs() < 1e-9);
        }
        assert!(orthonormal_basis(&[], 4).is_empty());
        // More vectors than columns.
        assert_eq!(orthonormal_basis(&vectors[..6], 2).len(), 4);
    }

    #[test]
    fn a_triangle_times_itself_is_the_matrix() {
        let matrix = [4.0, 2.0, 0.4, 2.0, 5.0, 1.0, 0.4, 1.0, 3.0];
        let l = cholesky(&matrix, 3).unwrap();
        assert_eq!((l[1], l[2], l[5]), (0.0, 0.0, 0.0));
        for (i, row) in l.chunks(3).enumerate() {
            for (j, other) in l.chunks(3).enumerate() {
                assert!((dot(row, other) - matrix[i * 3 + j]).abs() < 1e-12);
            }
        }
        assert!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(cholesky(&[f64::NAN; 4], 2).is_none());
    }

    #[test]
    fn skew_directions_are_told_apart() {
        let v = [2.0, 0.0, 1.0, 0.0, 1.0, 3.0, -1.0, 0.5];
        let p = pseudo_inverse(&v, 2, 4, 1e-9).unwrap();
        // Rows of P times directions give 1 for the own one, 0 for the other.
        for (k, p) in p.chunks(4).enumerate() {
            for (i, v) in v.chunks(4).enumerate() {
                let dot = dot(p, v);
                assert!((dot - f64::from(u8::from(i == k))).abs() < 1e-7, "{k} {i}: {dot}");
            }
        }
        // One direction twice: each latent gets its half; and one that is 0 gets none.
        let p = pseudo_inverse(&[1.0, 0.0, 1.0, 0.0, 0.0, 0.0], 3, 2, 1e-9).unwrap();
        for (k, share) in [0.5, 0.5, 0.0].into_iter().enumerate() {
            assert!((p[2 * k] - share).abs() < 1e-6 && p[2 * k + 1].abs() < 1e-6, "{p:?}");
        }
        assert!(pseudo_inverse(&[f64::NAN, 1.0], 1, 2, 1e-9).is_none());
        assert!(pseudo_inverse(&[], 0, 2, 1e-9).unwrap().is_empty());
    }
}
