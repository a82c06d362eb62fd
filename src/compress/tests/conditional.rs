//! What ridge regression says of hidden values: for each row its own, from all that are seen.

/// Rows' mean and covariance.
pub(super) struct Gaussian {
    pub(super) mean: Vec<f64>,
    covariance: Vec<f64>,
}

impl Gaussian {
    pub(super) fn new(rows: &[f64], width: usize) -> Self {
        let n = (rows.len() / width) as f64;
        let mut mean = vec![0.0; width];
        for row in rows.chunks(width) {
            mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / n);
        }
        let mut covariance = vec![0.0; width * width];
        for row in rows.chunks(width) {
            for i in 0..width {
                for j in 0..width {
                    covariance[i * width + j] += (row[i] - mean[i]) * (row[j] - mean[j]) / n;
                }
            }
        }
        Self { mean, covariance }
    }

    /// The rows with what `hidden` says replaced by `C_hs (C_ss + weight · 1)⁻¹ (x_s − m_s) + m_h`.
    pub(super) fn filled(&self, rows: &[f64], hidden: &[bool], weight: f64) -> Vec<f64> {
        let width = self.mean.len();
        let mut out = rows.to_vec();
        for (row, hidden) in out.chunks_mut(width).zip(hidden.chunks(width)) {
            let seen: Vec<usize> = (0..width).filter(|&j| !hidden[j]).collect();
            let n = seen.len();
            // The matrix beside its right side.
            let mut system: Vec<Vec<f64>> = seen
                .iter()
                .map(|&i| {
                    let ridge = |j: usize| if i == j { weight } else { 0.0 };
                    let own = seen.iter().map(|&j| self.covariance[i * width + j] + ridge(j));
                    own.chain([row[i] - self.mean[i]]).collect()
                })
                .collect();
            // Positive definite: no pivot is 0.
            for p in 0..n {
                let pivot = system[p].clone();
                for line in system.iter_mut().skip(p + 1) {
                    let factor = line[p] / pivot[p];
                    (p..=n).for_each(|c| line[c] -= factor * pivot[c]);
                }
            }
            let mut solved = vec![0.0; n];
            for p in (0..n).rev() {
                let rest: f64 = (p + 1..n).map(|c| system[p][c] * solved[c]).sum();
                solved[p] = (system[p][n] - rest) / system[p][p];
            }
            for j in (0..width).filter(|&j| hidden[j]) {
                let terms = seen.iter().zip(&solved);
                let sum: f64 = terms.map(|(&i, s)| self.covariance[j * width + i] * s).sum();
                row[j] = self.mean[j] + sum;
            }
        }
        out
    }
}
