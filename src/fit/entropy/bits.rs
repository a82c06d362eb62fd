//! How many bits an integer costs, from the variance of the number it was rounded from.

use std::sync::OnceLock;

/// Tabulated from `2^-LOW` on, in steps of 1/8 octave.
const LOW: f64 = 24.0;
const STEPS: usize = 8 * 56;

/// Entropy in bits of a logistic variable with `variance`, rounded to integers.
pub(crate) fn rounded_entropy(variance: f64) -> f64 {
    static TABLE: OnceLock<Vec<f64>> = OnceLock::new();
    let table =
        TABLE.get_or_init(|| (0..=STEPS).map(|i| exact((i as f64 / 8.0 - LOW).exp2())).collect());
    if variance.is_nan() || variance <= 0.0 {
        return 0.0;
    }
    let x = (variance.log2() + LOW) * 8.0;
    if x >= STEPS as f64 {
        return table[STEPS] + (x - STEPS as f64) / 16.0;
    }
    let x = x.max(0.0);
    let i = (x as usize).min(STEPS - 1);
    table[i] + (table[i + 1] - table[i]) * (x - i as f64)
}

fn exact(variance: f64) -> f64 {
    let scale = (3.0 * variance).sqrt() / std::f64::consts::PI;
    if variance > 400.0 {
        // Differential entropy of the logistic distribution: ln s + 2 nats.
        return scale.log2() + 2.0 * std::f64::consts::LOG2_E;
    }
    // Upper tails keep their precision where 1 − F would not.
    let tail = |x: f64| 1.0 / (1.0 + (x / scale).exp());
    let mut bits = 0.0;
    for k in 0..400 {
        let p = tail(f64::from(k) - 0.5) - tail(f64::from(k) + 0.5);
        if p > 0.0 {
            bits -= p * p.log2() * if k == 0 { 1.0 } else { 2.0 };
        }
    }
    bits
}

/// Bits that one unit of variance adds at `variance`: the derivative of [`rounded_entropy`].
pub(crate) fn slope(variance: f64) -> f64 {
    let v = variance.max(1e-6);
    (rounded_entropy(v * 1.1) - rounded_entropy(v / 1.1)) / (v * (1.1 - 1.0 / 1.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_distributions_have_their_differential_entropy_and_narrow_ones_none() {
        // Doubling the deviation adds a bit.
        let (a, b) = (rounded_entropy(100.0), rounded_entropy(400.0));
        assert!((b - a - 1.0).abs() < 2e-3, "{a} {b}");
        assert!(rounded_entropy(1e-4) < 1e-6);
        assert!((slope(100.0) - 0.5 / 100.0 / 2.0_f64.ln()).abs() < 1e-4);
    }
}
