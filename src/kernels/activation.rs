//! Elementwise functions of hidden units.

/// An elementwise function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Activation {
    Identity,
    /// `x`, or `slope · x` below 0.
    LeakyRelu(f32),
}

impl Activation {
    /// Replaces each `x` by `f(x)`.
    pub(crate) fn apply(self, values: &mut [f32]) {
        match self {
            Activation::Identity => {}
            Activation::LeakyRelu(slope) => {
                values.iter_mut().for_each(|x| *x = if *x < 0.0 { *x * slope } else { *x });
            }
        }
    }
}
