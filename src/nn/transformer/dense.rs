//! A dense layer among the parameters of a larger network.

use crate::kernels::activation::Activation;
use crate::kernels::gemm::{Finish, View, gemm};
use crate::kernels::wide::widest;
use crate::nn::parameters::Matrix;
use std::ops::Range;

/// `y = x·W + b`; among the parameters lie `W` (inputs × outputs, row-major), then `b`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dense {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    start: usize,
}

impl Dense {
    /// A layer at `at`, which moves behind it.
    pub(super) fn new(inputs: usize, outputs: usize, at: &mut usize) -> Self {
        let start = *at;
        *at += (inputs + 1) * outputs;
        Self { inputs, outputs, start }
    }

    pub(crate) fn weights(&self) -> Range<usize> {
        self.start..self.start + self.inputs * self.outputs
    }

    pub(crate) fn bias(&self) -> Range<usize> {
        let end = self.weights().end;
        end..end + self.outputs
    }

    pub(super) fn matrix(&self) -> Matrix {
        Matrix { place: self.weights(), columns: self.outputs }
    }

    fn view<'p>(&self, params: &'p [f32]) -> View<'p> {
        View::new(&params[self.weights()], self.inputs, self.outputs)
    }

    /// Writes `x·W + b` to `out`.
    pub(super) fn forward(&self, params: &[f32], x: &[f32], out: &mut Vec<f32>) {
        let rows = x.len() / self.inputs;
        out.resize(rows * self.outputs, 0.0);
        let finish = Finish::Activate(&params[self.bias()], Activation::Identity);
        gemm(View::new(x, rows, self.inputs), self.view(params), out, finish);
    }

    /// Adds `x·W + b` to `out`.
    pub(super) fn add(&self, params: &[f32], x: &[f32], out: &mut [f32]) {
        let bias = &params[self.bias()];
        widest(|| {
            for row in out.chunks_exact_mut(self.outputs) {
                row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
            }
        });
        let rows = x.len() / self.inputs;
        gemm(View::new(x, rows, self.inputs), self.view(params), out, Finish::Add);
    }

    /// Writes the gradient of the layer's own parameters, `xᵀ·d_out` and the column sums of `d_out`, to their
    /// places in `grad`.
    pub(super) fn backward(&self, x: &[f32], d_out: &[f32], grad: &mut [f32]) {
        let rows = x.len() / self.inputs;
        let (x, d) = (View::new(x, rows, self.inputs), View::new(d_out, rows, self.outputs));
        gemm(x.t(), d, &mut grad[self.weights()], Finish::Store);
        column_sums(d_out, &mut grad[self.bias()]);
    }

    /// Writes the gradient of the input, `d_out·Wᵀ`, to `d_in`.
    pub(super) fn input_gradient(&self, params: &[f32], d_out: &[f32], d_in: &mut Vec<f32>) {
        d_in.resize(d_out.len() / self.outputs * self.inputs, 0.0);
        self.through(params, d_out, d_in, Finish::Store);
    }

    /// Adds the gradient of the input to `d_in`.
    pub(super) fn add_input_gradient(&self, params: &[f32], d_out: &[f32], d_in: &mut [f32]) {
        self.through(params, d_out, d_in, Finish::Add);
    }

    fn through(&self, params: &[f32], d_out: &[f32], d_in: &mut [f32], finish: Finish<'_>) {
        let d = View::new(d_out, d_out.len() / self.outputs, self.outputs);
        gemm(d, self.view(params).t(), d_in, finish);
    }
}

/// Writes the sum of each column of `d` to `sums`.
fn column_sums(d: &[f32], sums: &mut [f32]) {
    widest(|| {
        sums.fill(0.0);
        for row in d.chunks_exact(sums.len()) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
    });
}
