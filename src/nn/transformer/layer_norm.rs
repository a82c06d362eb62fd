//! Layer normalisation (Ba, Kiros and Hinton 2016, equations 3 and 4).

use crate::kernels::wide::widest;
use std::ops::Range;

/// Added to the variance of a token.
pub(crate) const EPSILON: f32 = 1e-5;
/// Sums that are computed side by side.
const LANES: usize = 8;

/// `y = (x − mean) / √(variance + ε) ⊙ gain + bias`, over the numbers of each token; among the parameters lies
/// the gain, then the bias.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LayerNorm {
    pub(crate) dim: usize,
    start: usize,
}

/// What forward leaves for backward.
#[derive(Debug, Default)]
pub(super) struct Normalised {
    /// The tokens with mean 0 and variance 1.
    unit: Vec<f32>,
    /// What each was multiplied with for that.
    scale: Vec<f32>,
    /// The output.
    pub(super) out: Vec<f32>,
}

impl LayerNorm {
    /// A layer at `at`, which moves behind it.
    pub(super) fn new(dim: usize, at: &mut usize) -> Self {
        let start = *at;
        *at += 2 * dim;
        Self { dim, start }
    }

    pub(crate) fn gain(&self) -> Range<usize> {
        self.start..self.start + self.dim
    }

    pub(crate) fn bias(&self) -> Range<usize> {
        self.start + self.dim..self.start + 2 * self.dim
    }

    /// Normalises tokens `x`, each `dim` numbers.
    pub(super) fn forward(&self, params: &[f32], x: &[f32], to: &mut Normalised) {
        let Normalised { unit, scale, out } = to;
        unit.resize(x.len(), 0.0);
        out.resize(x.len(), 0.0);
        scale.resize(x.len() / self.dim, 0.0);
        let (gain, bias) = (&params[self.gain()], &params[self.bias()]);
        let each = 1.0 / self.dim as f32;
        let tokens = x.chunks_exact(self.dim).zip(scale);
        let outs = unit.chunks_exact_mut(self.dim).zip(out.chunks_exact_mut(self.dim));
        widest(|| {
            for ((x, scale), (unit, out)) in tokens.zip(outs) {
                let mean = sum(x, |x| x) * each;
                unit.iter_mut().zip(x).for_each(|(u, x)| *u = x - mean);
                *scale = 1.0 / (sum(unit, |u| u * u) * each + EPSILON).sqrt();
                unit.iter_mut().for_each(|u| *u *= *scale);
                let affine = unit.iter().zip(gain.iter().zip(bias));
                out.iter_mut().zip(affine).for_each(|(y, (u, (g, b)))| *y = u * g + b);
            }
        });
    }

    /// Writes the gradient of gain and bias to their places in `grad`, and adds that of the input to `d_in`.
    ///
    /// With the unit token `u`, its scale `s` and `d_u = d_out ⊙ gain`:
    /// `d_x = s · (d_u − mean(d_u) − u · mean(d_u ⊙ u))`.
    pub(super) fn backward(
        &self,
        params: &[f32],
        from: &Normalised,
        d_out: &[f32],
        grad: &mut [f32],
        d_in: &mut [f32],
    ) {
        let own = &mut grad[self.start..self.start + 2 * self.dim];
        let (d_gain, d_bias) = own.split_at_mut(self.dim);
        let gain = &params[self.gain()];
        let each = 1.0 / self.dim as f32;
        let tokens = from.unit.chunks_exact(self.dim).zip(&from.scale);
        let ds = d_out.chunks_exact(self.dim).zip(d_in.chunks_exact_mut(self.dim));
        widest(|| {
            d_gain.fill(0.0);
            d_bias.fill(0.0);
            for ((unit, scale), (d_out, d_in)) in tokens.zip(ds) {
                let (mut total, mut along) = ([0.0; LANES], [0.0; LANES]);
                for (i, (u, d)) in unit.iter().zip(d_out).enumerate() {
                    d_gain[i] += d * u;
                    d_bias[i] += d;
                    total[i % LANES] += d * gain[i];
                    along[i % LANES] += d * gain[i] * u;
                }
                let mean = total.iter().sum::<f32>() * each;
                let along = along.iter().sum::<f32>() * each;
                for ((d_in, u), (d, g)) in d_in.iter_mut().zip(unit).zip(d_out.iter().zip(gain)) {
                    *d_in += scale * (d * g - mean - u * along);
                }
            }
        });
    }
}

/// Sums `f` of all numbers, in lanes, so that they are computed side by side.
#[inline(always)]
fn sum(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for values in whole {
        lanes.iter_mut().zip(values).for_each(|(lane, x)| *lane += f(*x));
    }
    lanes.iter_mut().zip(rest).for_each(|(lane, x)| *lane += f(*x));
    lanes.iter().sum()
}
