//! Coefficients of predictors as integers.

use crate::codec::row_predictors::ONE;
use crate::container::model::COEFFICIENT_END;
use crate::linalg;

/// Most bits that coefficients are coarser by.
const MOST_COARSER: u32 = 6;

/// Rounds coefficients as coarsely as adds no more than `most` to the squares that they leave, of which
/// `matrix` says how they grow: each coefficient makes up for the rounding of those before (Babai's nearest
/// plane).
pub(super) fn rounded(own: &[f64], matrix: &[f64], most: f64) -> Vec<i64> {
    let n = own.len();
    let limit = COEFFICIENT_END - 1;
    let stored = |units: f64, coarser: u32| {
        ((units as i64).saturating_mul(1 << coarser)).clamp(-limit, limit)
    };
    let mut best: Vec<i64> = own.iter().map(|a| stored((a * ONE as f64).round(), 0)).collect();
    let Some(root) = linalg::cholesky(matrix, n) else { return best };
    for coarser in 0..=MOST_COARSER {
        let unit = (1_i64 << coarser) as f64 / ONE as f64;
        let mut units = vec![0.0; n];
        let mut added = 0.0;
        for i in (0..n).rev() {
            let after = |k: usize| root[k * n + i] * (units[k] * unit - own[k]);
            let owed: f64 = (i + 1..n).map(after).sum();
            let exact = own[i] - owed / root[i * n + i];
            units[i] = (exact / unit).round();
            let off = root[i * n + i] * (units[i] * unit - exact);
            added += off * off;
        }
        if coarser > 0 && (added > most || added.is_nan()) {
            break;
        }
        best = units.iter().map(|units| stored(*units, coarser)).collect();
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_make_up_for_each_others_rounding() {
        // Two values that are nearly the same: only the sum of their coefficients matters.
        let matrix = [1e6, 0.999_999e6, 0.999_999e6, 1e6];
        let exact = [0.300_1, 0.700_03];
        for most in [0.0, 1e-3] {
            let stored = rounded(&exact, &matrix, most);
            let sum = stored.iter().sum::<i64>() as f64 / ONE as f64;
            assert!((sum - 1.000_13).abs() < 0.5 / ONE as f64, "{stored:?}");
        }
    }
}
