//! Elementwise functions of hidden units, with their derivatives.

use super::math::{sigmoids, tanh};

/// An elementwise function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Activation {
    /// `x`
    Identity,
    /// `x`, or `slope · x` below 0; `slope > 0` (Maas et al. 2013).
    LeakyRelu(f32),
    /// `max(x, 0)`
    Relu,
    /// `tanh x`
    Tanh,
    /// `x · Φ(x)` in the form `½x (1 + tanh(√(2/π) (x + 0.044715 x³)))` (Hendrycks and Gimpel
    /// 2016, section 2).
    Gelu,
}

impl Default for Activation {
    /// Returns the function of hidden layers: its slope is one that integers can have by a shift.
    fn default() -> Self {
        Activation::LeakyRelu(0.125)
    }
}

impl Activation {
    /// Replaces each `x` by `f(x)`.
    #[inline(always)]
    pub(crate) fn apply(self, values: &mut [f32]) {
        match self {
            Activation::Identity => {}
            Activation::LeakyRelu(slope) => each(values, |x| if x < 0.0 { x * slope } else { x }),
            // NaN stays.
            Activation::Relu => each(values, |x| if x < 0.0 { 0.0 } else { x }),
            Activation::Tanh => each(values, tanh),
            Activation::Gelu => each(values, |x| x * gate(x).s),
        }
    }

    /// Says whether derivatives are computed from `x`; else `f(x)` is enough to know them.
    pub(crate) fn keeps_input(self) -> bool {
        self == Activation::Gelu
    }

    /// Sets `d ← d · f'(x)`, elementwise. `kept` holds `x` or `f(x)`, see [`Self::keeps_input`].
    #[inline(always)]
    pub(crate) fn backward(self, kept: &[f32], d: &mut [f32]) {
        match self {
            Activation::Identity => {}
            Activation::LeakyRelu(slope) => {
                both(kept, d, |y, d| if y < 0.0 { d * slope } else { d });
            }
            Activation::Relu => both(kept, d, |y, d| if y > 0.0 { d } else { 0.0 }),
            Activation::Tanh => both(kept, d, |y, d| d * (1.0 - y * y)),
            Activation::Gelu => both(kept, d, |x, d| {
                let Gate { x, s, t, slope, .. } = gate(x);
                d * (s + x * s * t * slope)
            }),
        }
    }

    /// Sets `d ← d · f''(x)`, elementwise; 0 where `f` is straight.
    pub(crate) fn curve(self, kept: &[f32], d: &mut [f32]) {
        match self {
            Activation::Identity | Activation::LeakyRelu(_) | Activation::Relu => d.fill(0.0),
            Activation::Tanh => both(kept, d, |y, d| d * -2.0 * y * (1.0 - y * y)),
            Activation::Gelu => both(kept, d, |x, d| {
                let Gate { x, s, t, slope, bend } = gate(x);
                d * (s * t) * (2.0 * slope + x * ((t - s) * slope * slope + bend))
            }),
        }
    }

    /// Says whether `f''` is 0 everywhere but at kinks.
    pub(crate) fn is_straight(self) -> bool {
        !matches!(self, Activation::Tanh | Activation::Gelu)
    }
}

/// The factors of GELU, which is `x · s(w(x))` with the sigmoid `s`, and of its derivatives.
struct Gate {
    /// Kept within ±10, beyond which nothing changes.
    x: f32,
    s: f32,
    /// `1 − s`
    t: f32,
    /// `w'`
    slope: f32,
    /// `w''`
    bend: f32,
}

#[inline(always)]
fn gate(x: f32) -> Gate {
    /// `2√(2/π)`
    const A: f32 = 1.595_769;
    const B: f32 = 0.044_715;
    let x = if x > 10.0 { 10.0 } else { x };
    let x = if x < -10.0 { -10.0 } else { x };
    let (s, t) = sigmoids(A * (x + B * x * x * x));
    Gate { x, s, t, slope: A * (1.0 + 3.0 * B * x * x), bend: A * 6.0 * B * x }
}

#[inline(always)]
fn each(values: &mut [f32], f: impl Fn(f32) -> f32) {
    values.iter_mut().for_each(|x| *x = f(*x));
}

#[inline(always)]
fn both(kept: &[f32], d: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    assert_eq!(kept.len(), d.len());
    d.iter_mut().zip(kept).for_each(|(d, k)| *d = f(*k, *d));
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const ALL: [Activation; 6] = [
        Activation::Identity,
        Activation::LeakyRelu(0.125),
        Activation::LeakyRelu(0.01),
        Activation::Relu,
        Activation::Tanh,
        Activation::Gelu,
    ];

    /// Computes the function in `f64`, as its formula is printed.
    pub(crate) fn exact(f: Activation, x: f64) -> f64 {
        match f {
            Activation::Identity => x,
            Activation::LeakyRelu(slope) => x.max(x * f64::from(slope)),
            Activation::Relu => x.max(0.0),
            Activation::Tanh => x.tanh(),
            Activation::Gelu => {
                let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
                0.5 * x * (1.0 + u.tanh())
            }
        }
    }

    #[test]
    fn values_and_derivatives_are_those_of_the_formula() {
        let h = 1e-4;
        for f in ALL {
            for i in -700..700 {
                // Never at a kink.
                let x = (i as f32 + 0.37) * 0.02;
                let mut y = [x];
                f.apply(&mut y);
                let e = |x: f64| exact(f, x);
                let x64 = f64::from(x);
                assert!((f64::from(y[0]) - e(x64)).abs() < 1e-6 * (1.0 + x64.abs()), "{f:?} {x}");
                let kept = if f.keeps_input() { [x] } else { y };
                let mut d = [3.0];
                f.backward(&kept, &mut d);
                let slope = (e(x64 + h) - e(x64 - h)) / (2.0 * h);
                assert!((f64::from(d[0]) - 3.0 * slope).abs() < 4e-6, "{f:?} {x}: {d:?} {slope}");
                let mut d = [3.0];
                f.curve(&kept, &mut d);
                let bend = (e(x64 + h) - 2.0 * e(x64) + e(x64 - h)) / (h * h);
                assert!((f64::from(d[0]) - 3.0 * bend).abs() < 1e-5, "{f:?} {x}: {d:?} {bend}");
                assert!(!f.is_straight() || d[0] == 0.0);
            }
        }
    }

    #[test]
    fn nan_is_not_hidden_and_large_numbers_are_tame() {
        for f in ALL {
            let mut y = [f32::NAN];
            f.apply(&mut y);
            assert!(y[0].is_nan(), "{f:?}");
            for x in [1e30, -1e30] {
                let mut y = [x];
                f.apply(&mut y);
                let mut d = [1.0];
                let kept = if f.keeps_input() { [x] } else { y };
                f.backward(&kept, &mut d);
                assert!(y[0].is_finite() && d[0].is_finite(), "{f:?} {x} {y:?} {d:?}");
            }
        }
    }
}
