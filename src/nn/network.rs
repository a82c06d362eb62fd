//! A network of dense layers, with a linear path past them.

use crate::kernels::activation::Activation;
use crate::kernels::gemm::View;
use crate::matrix::rng::Rng;
use crate::nn::parameters::{Matrix, Parameters};
use std::ops::Range;

/// What a network looks like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    pub(crate) inputs: usize,
    /// Width and activation of each layer; the last one's width is that of the output.
    pub(crate) layers: Vec<(usize, Activation)>,
    /// Whether `x·S` is added to the output.
    pub(crate) skip: bool,
}

impl Shape {
    /// Numbers of an output row: without layers as many as inputs, but see [`Network::linear`].
    pub(crate) fn outputs(&self) -> usize {
        self.layers.last().map_or(self.inputs, |l| l.0)
    }

    /// Inputs of `layer`.
    pub(crate) fn inputs_of(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs } else { self.layers[layer - 1].0 }
    }

    /// Where the weights of `layer` begin; behind the last layer, where the linear path does.
    fn start(&self, layer: usize) -> usize {
        (0..layer).map(|l| (self.inputs_of(l) + 1) * self.layers[l].0).sum()
    }
}

/// `h₀ = x`, `hₗ = fₗ(hₗ₋₁·Wₗ + bₗ)`, output `h_L` or `h_L + x·S`; without layers `x·S`.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) shape: Shape,
    /// For each layer the weights `W` (inputs × outputs, row-major), then the bias; at the end
    /// the matrix `S` (inputs × outputs, row-major).
    pub(crate) params: Vec<f32>,
}

impl Network {
    /// Random weights: uniform with variance `2 / inputs` before ReLUs (He et al. 2015), else
    /// `2 / (inputs + outputs)` (Glorot and Bengio 2010). Biases are 0, and the linear path is
    /// unless it is alone.
    pub(crate) fn new(shape: Shape, rng: &mut Rng) -> Self {
        if shape.layers.is_empty() {
            assert!(shape.skip, "a network of nothing");
            return Self::linear(shape.inputs, shape.inputs, rng);
        }
        let end = shape.start(shape.layers.len());
        let skip = if shape.skip { shape.inputs * shape.outputs() } else { 0 };
        let mut net = Self { shape, params: vec![0.0; end + skip] };
        for layer in 0..net.shape.layers.len() {
            let (inputs, (width, f)) = (net.shape.inputs_of(layer), net.shape.layers[layer]);
            let variance = match f {
                Activation::LeakyRelu(a) => 2.0 / ((1.0 + a * a) * inputs as f32),
                Activation::Relu | Activation::Gelu => 2.0 / inputs as f32,
                Activation::Identity | Activation::Tanh => 2.0 / (inputs + width) as f32,
            };
            let place = net.weights(layer);
            draw(&mut net.params[place], variance, rng);
        }
        net
    }

    /// The linear path alone, `x·S` without a bias, with random weights.
    pub(crate) fn linear(inputs: usize, outputs: usize, rng: &mut Rng) -> Self {
        let mut params = vec![0.0; inputs * outputs];
        draw(&mut params, 2.0 / (inputs + outputs) as f32, rng);
        Self { shape: Shape { inputs, layers: Vec::new(), skip: true }, params }
    }

    /// Numbers of an output row.
    pub(crate) fn outputs(&self) -> usize {
        match self.shape.layers.last() {
            Some(last) => last.0,
            None => self.params.len() / self.shape.inputs.max(1),
        }
    }

    /// Where the weights of `layer` are.
    pub(crate) fn weights(&self, layer: usize) -> Range<usize> {
        let start = self.shape.start(layer);
        start..start + self.shape.inputs_of(layer) * self.shape.layers[layer].0
    }

    /// Where the bias of `layer` is.
    pub(crate) fn bias(&self, layer: usize) -> Range<usize> {
        let weights = self.weights(layer);
        weights.end..weights.end + self.shape.layers[layer].0
    }

    /// Where the linear path's matrix is; empty if there is none.
    pub(crate) fn skip(&self) -> Range<usize> {
        self.shape.start(self.shape.layers.len())..self.params.len()
    }

    /// All parameters, and the matrices of the layers. Without hidden layers there are none: what the one layer
    /// does, the linear path does, too.
    pub(crate) fn parameters(&mut self) -> Parameters<'_> {
        let layers = self.shape.layers.iter().enumerate();
        let has_hidden = layers.len() > 1;
        let matrices = layers
            .filter(|_| has_hidden)
            .map(|(at, (columns, _))| Matrix { place: self.weights(at), columns: *columns });
        Parameters { matrices: matrices.collect(), values: &mut self.params }
    }

    /// The weights of `layer`, inputs × outputs.
    pub(super) fn matrix(&self, layer: usize) -> View<'_> {
        let (inputs, outputs) = (self.shape.inputs_of(layer), self.shape.layers[layer].0);
        View::new(&self.params[self.weights(layer)], inputs, outputs)
    }

    /// The linear path's matrix, inputs × outputs.
    pub(super) fn skip_matrix(&self) -> View<'_> {
        View::new(&self.params[self.skip()], self.shape.inputs, self.outputs())
    }
}

/// Uniform numbers with mean 0.
fn draw(weights: &mut [f32], variance: f32, rng: &mut Rng) {
    let bound = (3.0 * variance).sqrt();
    weights.iter_mut().for_each(|w| *w = (2.0 * rng.unit() - 1.0) * bound);
}
