//! What an error of a quantised number is worth in bits.

use std::f64::consts::LN_2;

/// Bits that a uniform quantiser of this step saves for each unit by which its mean squared error
/// grows: `−dR/dD = 6 / (ln 2 · step²)`, as `D = step² / 12` and a bit less doubles the step
/// (Gish and Pierce 1968, *Asymptotically efficient quantizing*).
///
/// Whoever weighs errors at this price spends bits as evenly as the quantiser does. `step` is in
/// the units of the errors, the price in bits per squared unit.
pub(crate) fn error_price(step: f64) -> f64 {
    6.0 / (LN_2 * step * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_is_the_slope_of_bits_against_squared_error() {
        let (step, by) = (0.7_f64, 1e-4_f64);
        // A step that is 2^by times as large takes `by` bits less.
        let more = ((step * by.exp2()).powi(2) - step * step) / 12.0;
        assert!((error_price(step) * more / by - 1.0).abs() < 1e-3);
    }
}
