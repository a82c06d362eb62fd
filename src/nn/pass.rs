//! Forward, and backward beside it.

use crate::kernels::activation::Activation;
use crate::kernels::gemm::{Finish, View, gemm};
use crate::nn::network::Network;
use crate::nn::sum;

/// Rows that [`Network::infer`] takes at once.
const BATCH: usize = 512;

/// What forward leaves for backward. Kept between batches, so that nothing is allocated
/// after the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tape {
    layers: Vec<Kept>,
    /// The output, where it is not the last layer's.
    output: Vec<f32>,
    separate: bool,
    /// Gradients on their way down.
    d: Vec<f32>,
    d_below: Vec<f32>,
    parts: Vec<f32>,
}

/// Of one layer: before the activation, if that is kept, and after.
#[derive(Debug, Clone, Default)]
struct Kept {
    before: Vec<f32>,
    after: Vec<f32>,
}

impl Kept {
    /// What [`Activation::backward`] wants.
    fn of(&self, f: Activation) -> &[f32] {
        if f.keeps_input() { &self.before } else { &self.after }
    }
}

impl Tape {
    /// What `layer` kept of the last batch for its derivative, see [`Activation::keeps_input`].
    pub(super) fn kept(&self, layer: usize, f: Activation) -> &[f32] {
        self.layers[layer].of(f)
    }

    /// The output of `layer` for the last batch.
    pub(crate) fn after(&self, layer: usize) -> &[f32] {
        &self.layers[layer].after
    }

    /// The output of the last batch: rows × outputs.
    pub(crate) fn output(&self) -> &[f32] {
        match self.layers.last() {
            Some(last) if !self.separate => &last.after,
            _ => &self.output,
        }
    }
}

impl Network {
    /// The output for `rows` rows `x`: rows × outputs.
    pub(crate) fn forward<'t>(&self, x: &[f32], rows: usize, tape: &'t mut Tape) -> &'t [f32] {
        let (shape, outputs) = (&self.shape, self.outputs());
        let last = shape.layers.last();
        // Whether the last layer's own output is needed beside the sum with the linear path.
        tape.separate = last.is_some_and(|l| shape.skip && l.1 != Activation::Identity);
        tape.layers.resize_with(shape.layers.len(), Kept::default);
        let x = View::new(x, rows, shape.inputs);
        let mut below = x;
        let mut rest = &mut tape.layers[..];
        for (layer, &(width, f)) in shape.layers.iter().enumerate() {
            let (kept, above) = rest.split_first_mut().expect("one for each layer");
            let Kept { before, after } = kept;
            after.resize(rows * width, 0.0);
            let bias = &self.params[self.bias(layer)];
            if f.keeps_input() {
                before.resize(rows * width, 0.0);
                let plain = Finish::Activate(bias, Activation::Identity);
                gemm(below, self.matrix(layer), before, plain);
                sum::apply(f, before, after);
            } else {
                gemm(below, self.matrix(layer), after, Finish::Activate(bias, f));
            }
            below = View::new(after, rows, width);
            rest = above;
        }
        if shape.skip {
            let s = self.skip_matrix();
            match tape.layers.last_mut() {
                Some(last) if tape.separate => {
                    tape.output.clear();
                    tape.output.extend_from_slice(&last.after);
                    gemm(x, s, &mut tape.output, Finish::Add);
                }
                Some(last) => gemm(x, s, &mut last.after, Finish::Add),
                None => {
                    tape.output.resize(rows * outputs, 0.0);
                    gemm(x, s, &mut tape.output, Finish::Store);
                }
            }
        }
        tape.output()
    }

    /// Writes the gradient of the parameters to `grad`, laid out as they are, for the batch that
    /// went forward last: `x` is what it was, `d_out` is rows × outputs. Writes the gradient of
    /// `x` to `d_in` if asked. Nothing need be cleared before.
    ///
    /// With `δ_L = d_out ⊙ f'_L` and `δₗ₋₁ = (δₗ·Wₗᵀ) ⊙ f'ₗ₋₁` (Rumelhart, Hinton and Williams
    /// 1986): `dWₗ = hₗ₋₁ᵀ·δₗ`, `dbₗ` the column sums of `δₗ`, `dS = xᵀ·d_out`.
    pub(crate) fn backward(
        &self,
        x: &[f32],
        tape: &mut Tape,
        d_out: &[f32],
        grad: &mut [f32],
        mut d_in: Option<&mut [f32]>,
    ) {
        assert_eq!(grad.len(), self.params.len());
        let shape = &self.shape;
        let rows = x.len() / shape.inputs.max(1);
        let Tape { layers, d, d_below, parts, .. } = tape;
        let x = View::new(x, rows, shape.inputs);
        for layer in (0..shape.layers.len()).rev() {
            let (width, f) = shape.layers[layer];
            let bias = &mut grad[self.bias(layer)];
            bias.fill(0.0);
            let top = layer + 1 == shape.layers.len();
            let d_here: &[f32] = if top && f == Activation::Identity {
                sum::bias(d_out, bias, parts);
                d_out
            } else {
                if top {
                    d.clear();
                    d.extend_from_slice(d_out);
                }
                sum::activation_and_bias(f, layers[layer].of(f), d, bias, parts);
                d
            };
            let d_here = View::new(d_here, rows, width);
            let below = match layer {
                0 => x,
                _ => View::new(&layers[layer - 1].after, rows, shape.layers[layer - 1].0),
            };
            gemm(below.t(), d_here, &mut grad[self.weights(layer)], Finish::Store);
            if layer > 0 {
                d_below.resize(rows * below.columns, 0.0);
                gemm(d_here, self.matrix(layer).t(), d_below, Finish::Store);
                std::mem::swap(d, d_below);
            } else if let Some(d_in) = d_in.as_deref_mut() {
                gemm(d_here, self.matrix(layer).t(), d_in, Finish::Store);
            }
        }
        if shape.skip {
            let d_out = View::new(d_out, rows, self.outputs());
            gemm(x.t(), d_out, &mut grad[self.skip()], Finish::Store);
            if let Some(d_in) = d_in {
                let finish = if shape.layers.is_empty() { Finish::Store } else { Finish::Add };
                gemm(d_out, self.skip_matrix().t(), d_in, finish);
            }
        }
    }

    /// Writes the gradient of the input alone, `δ₀`, for the batch that went forward last.
    pub(crate) fn input_gradient(
        &self,
        rows: usize,
        tape: &mut Tape,
        d_out: &[f32],
        d_in: &mut [f32],
    ) {
        let shape = &self.shape;
        let Tape { layers, d, d_below, .. } = tape;
        d.clear();
        d.extend_from_slice(d_out);
        for layer in (0..shape.layers.len()).rev() {
            let (width, f) = shape.layers[layer];
            f.backward(layers[layer].of(f), d);
            let above = View::new(d, rows, width);
            if layer > 0 {
                d_below.resize(rows * shape.layers[layer - 1].0, 0.0);
                gemm(above, self.matrix(layer).t(), d_below, Finish::Store);
                std::mem::swap(d, d_below);
            } else {
                gemm(above, self.matrix(layer).t(), d_in, Finish::Store);
            }
        }
        if shape.skip {
            let d_out = View::new(d_out, rows, self.outputs());
            let finish = if shape.layers.is_empty() { Finish::Store } else { Finish::Add };
            gemm(d_out, self.skip_matrix().t(), d_in, finish);
        }
    }

    /// The output for many rows, some at a time: rows × outputs.
    pub(crate) fn infer(&self, x: &[f32], rows: usize) -> Vec<f32> {
        let mut out = Vec::with_capacity(rows * self.outputs());
        let mut tape = Tape::default();
        for first in (0..rows).step_by(BATCH) {
            let some = BATCH.min(rows - first);
            let inputs = self.shape.inputs;
            out.extend_from_slice(self.forward(
                &x[first * inputs..][..some * inputs],
                some,
                &mut tape,
            ));
        }
        out
    }
}
