//! Functions of `f32` that give the same bits on every machine.
//!
//! Only `+ − × ÷`, comparisons and shifts, in a written order, nothing fused and nothing from the
//! machine's library. Without branches, so that a loop over a slice becomes vector code.
//! Polynomials and reductions are those of Cephes (Moshier 1989, `expf`, `logf`, `tanhf`).
//! Within 3 units in the last place where the tests look; NaN stays NaN.

/// 1.5 · 2²³: added to a small number and taken away again, it rounds to a whole number.
const ROUND: f32 = 12_582_912.0;
/// ln 2 as a short number and what is left of it: whole multiples of the first are exact.
const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);

/// Computes `eˣ`: 0 below about −104, infinite above 88.73.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Written so that NaN passes.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -105.0 { -105.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let whole = shifted - ROUND;
    let r = x - whole * LN_2.0 - whole * LN_2.1;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let y = p * (r * r) + r + 1.0;
    // 2ⁿ in two factors: neither overflows, and a tiny result is rounded once.
    let half = n >> 1;
    y * power_of_2(half) * power_of_2(n.wrapping_sub(half))
}

/// Returns `2ⁿ` for `n` in −126..=127.
#[inline(always)]
fn power_of_2(n: i32) -> f32 {
    f32::from_bits(n.wrapping_add(127).wrapping_shl(23) as u32)
}

/// Computes the natural logarithm: −∞ at ±0, NaN below.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    /// Bits of √½.
    const MIDDLE: i32 = 0x3f35_04f3;
    let small = x < f32::MIN_POSITIVE;
    let scaled = if small { x * 8_388_608.0 } else { x };
    let bits = scaled.to_bits() as i32;
    // x = m · 2ᵉ with m from √½ to √2.
    let e = bits.wrapping_sub(MIDDLE) >> 23;
    let m = f32::from_bits(bits.wrapping_sub(e.wrapping_shl(23)) as u32);
    let e = e as f32 - if small { 23.0 } else { 0.0 };
    let r = m - 1.0;
    let z = r * r;
    let p = 7.037_683_6e-2;
    let p = p * r - 1.151_461e-1;
    let p = p * r + 1.167_699_9e-1;
    let p = p * r - 1.242_014_1e-1;
    let p = p * r + 1.424_932_3e-1;
    let p = p * r - 1.666_805_8e-1;
    let p = p * r + 2.000_071_4e-1;
    let p = p * r - 2.499_999_4e-1;
    let p = p * r + 3.333_333e-1;
    let y = r * z * p + e * LN_2.1 - 0.5 * z;
    let y = r + y + e * LN_2.0;
    // The other cases, one after another.
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 { f32::NAN } else { y }
}

/// Computes the hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let z = a * a;
    let p = -5.704_988_7e-3;
    let p = p * z + 2.063_909e-2;
    let p = p * z - 5.373_971_6e-2;
    let p = p * z + 1.333_144_2e-1;
    let p = p * z - 3.333_328e-1;
    let near = a + a * z * p;
    let far = 1.0 - 2.0 / (exp(2.0 * a) + 1.0);
    let y = if a < 0.625 { near } else { far };
    y.copysign(x)
}

/// Computes the sigmoids `1 / (1 + e⁻ˣ)` of `x` and of `−x`, whose sum is 1, both precise where
/// they are small.
#[inline(always)]
pub(crate) fn sigmoids(x: f32) -> (f32, f32) {
    let e = exp(-x.abs());
    let (large, small) = (1.0 / (1.0 + e), e / (1.0 + e));
    if x < 0.0 { (small, large) } else { (large, small) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the largest error of `f` in units in the last place of the exact value.
    fn worst(f: fn(f32) -> f32, exact: fn(f64) -> f64, points: impl Iterator<Item = f32>) -> f64 {
        let mut worst = 0.0_f64;
        for x in points {
            let (y, e) = (f(x), exact(f64::from(x)));
            let near = (e as f32).abs().max(f32::MIN_POSITIVE);
            let unit = f64::from(near.next_up() - near);
            let error = (f64::from(y) - e).abs() / unit;
            assert!(error < 1e3, "f({x}) = {y}, not {e}");
            worst = worst.max(error);
        }
        worst
    }

    fn points(low: f32, high: f32) -> impl Iterator<Item = f32> {
        const N: usize = 200_003;
        (0..=N).map(move |i| low + (high - low) * (i as f32 / N as f32))
    }

    /// Numbers of all sizes and both signs if asked.
    fn sizes(signs: bool) -> impl Iterator<Item = f32> {
        (1..0x7f80_0000_u32).step_by(9973).flat_map(move |bits| {
            let x = f32::from_bits(bits);
            [x, if signs { -x } else { x }]
        })
    }

    #[test]
    fn errors_are_a_few_units() {
        let (sigmoid, minus) = (|x| sigmoids(x).0, |x| sigmoids(x).1);
        let found = [
            ("exp", worst(exp, f64::exp, points(-103.0, 88.7)), 2.0),
            ("exp near 0", worst(exp, f64::exp, points(-1.0, 1.0)), 1.5),
            ("ln", worst(ln, f64::ln, sizes(false)), 1.5),
            ("ln near 1", worst(ln, f64::ln, points(0.5, 2.0)), 1.5),
            ("tanh", worst(tanh, f64::tanh, points(-12.0, 12.0)), 2.0),
            ("tiny tanh", worst(tanh, f64::tanh, sizes(true)), 2.0),
            ("sigmoid", worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), points(-87.0, 87.0)), 3.0),
            ("sigmoid of −x", worst(minus, |x| 1.0 / (1.0 + x.exp()), points(-87.0, 87.0)), 3.0),
        ];
        for (name, error, allowed) in found {
            println!("{name}: {error:.2} units");
            assert!(error <= allowed, "{name}: {error} units");
        }
    }

    #[test]
    fn special_values() {
        for f in [exp, ln, tanh, |x| sigmoids(x).0, |x| sigmoids(x).1] {
            assert!(f(f32::NAN).is_nan());
        }
        for zero in [0.0, -0.0] {
            assert_eq!(exp(zero), 1.0);
            assert_eq!(ln(zero), f32::NEG_INFINITY);
            assert_eq!(tanh(zero).to_bits(), zero.to_bits());
            assert_eq!(sigmoids(zero), (0.5, 0.5));
        }
        for large in [200.0, f32::MAX, f32::INFINITY] {
            assert_eq!((exp(large), exp(-large)), (f32::INFINITY, 0.0));
            assert_eq!((tanh(large), tanh(-large)), (1.0, -1.0));
            assert_eq!((sigmoids(large), sigmoids(-large)), ((1.0, 0.0), (0.0, 1.0)));
            assert!(ln(-large).is_nan());
        }
        assert_eq!(ln(f32::INFINITY), f32::INFINITY);
        assert_eq!((ln(1.0), exp(f32::MIN_POSITIVE)), (0.0, 1.0));
        assert!(exp(88.7) < f32::INFINITY && exp(-103.0) > 0.0);
    }

    #[test]
    fn bits_are_pinned() {
        // Whatever the machine or its compiler: what was found on the first.
        let mut sum = 0_u64;
        for x in points(-90.0, 90.0) {
            let (large, small) = sigmoids(x);
            for y in [exp(x), ln(x.abs()), tanh(x), large, small] {
                sum = sum.wrapping_mul(31).wrapping_add(u64::from(y.to_bits()));
            }
        }
        assert_eq!(sum, 0xe71a_034c_a4e5_dc66, "{sum:#x}");
    }
}
