//! What an error is worth in bits.

/// Bits that one squared unit of error is worth where latents are rounded to multiples of `step`.
///
/// A uniform quantiser of step Δ errs by D = Δ²/12 and takes log₂(1/Δ) bits and a constant, so that
/// −dR/dD = 6 / (ln 2 · Δ²): at this price finer latents and smaller errors are worth the same.
pub(crate) fn error_price(step: f64) -> f64 {
    6.0 / (std::f64::consts::LN_2 * step * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_slope_of_bits_over_error() {
        let (error, bits) = (|step: f64| step * step / 12.0, |step: f64| -step.log2());
        for step in [0.01, 1.0, 30.0] {
            let (a, b) = (step * 0.999, step * 1.001);
            let slope = (bits(a) - bits(b)) / (error(b) - error(a));
            assert!((error_price(step) / slope - 1.0).abs() < 1e-4, "{step}");
        }
    }
}
