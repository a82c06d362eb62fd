//! What is asked of a textbook's kind, and the networks it begins with.

use crate::kernels::activation::Activation;
use crate::matrix::rng::Rng;
use crate::nn::corruption::Corruption;
use crate::nn::network::{Network, Shape};
use crate::nn::sum;

/// What is trained.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) latents: usize,
    /// Hidden layers of each, from its input on.
    pub(crate) encoder: Vec<usize>,
    pub(crate) decoder: Vec<usize>,
    pub(crate) activation: Activation,
    pub(crate) decoder_activation: Activation,
    pub(crate) corruption: Corruption,
    /// `L`: latents are ReLUs, and each one's weights in the decoder have norm 1.
    pub(crate) sparse: Option<f32>,
    /// `C`; the decoder's norms as with `sparse`, or latents would only become smaller.
    pub(crate) contractive: Option<f32>,
    /// `B`: the encoder gives `μ` and `ln σ²`, and `z` is drawn.
    pub(crate) variational: Option<f32>,
}

/// Two networks.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) encoder: Network,
    pub(crate) decoder: Network,
}

impl Kind {
    /// Random networks for rows of `width` values.
    pub(crate) fn start(&self, width: usize, rng: &mut Rng) -> Pair {
        let shape = |inputs: usize, hidden: &[usize], f: Activation, last: (usize, Activation)| {
            let layers = hidden.iter().map(|&n| (n, f)).chain([last]).collect();
            Shape { inputs, layers, skip: false }
        };
        let top = if self.sparse.is_some() { Activation::Relu } else { Activation::Identity };
        let inputs = width * if self.corruption.masks.is_some() { 2 } else { 1 };
        let outputs = self.latents * if self.variational.is_some() { 2 } else { 1 };
        let down = shape(inputs, &self.encoder, self.activation, (outputs, top));
        let up = (width, Activation::Identity);
        let up = shape(self.latents, &self.decoder, self.decoder_activation, up);
        let mut pair = Pair { encoder: Network::new(down, rng), decoder: Network::new(up, rng) };
        if self.variational.is_some() {
            self.shrink_variance_head(&mut pair.encoder);
        }
        self.normalise_decoder(&mut pair.decoder);
        pair
    }

    /// Weights of the variance's head close to 0: training begins with variances of 1.
    fn shrink_variance_head(&self, encoder: &mut Network) {
        let place = encoder.weights(encoder.shape.layers.len() - 1);
        for row in encoder.params[place].chunks_exact_mut(2 * self.latents) {
            row[self.latents..].iter_mut().for_each(|w| *w *= 0.1);
        }
    }

    /// Brings each latent's weights in the decoder to norm 1, where a term could otherwise be
    /// evaded with small latents and large weights.
    pub(super) fn normalise_decoder(&self, decoder: &mut Network) {
        if self.sparse.is_none() && self.contractive.is_none() {
            return;
        }
        let (place, width) = (decoder.weights(0), decoder.shape.layers[0].0);
        for row in decoder.params[place].chunks_exact_mut(width) {
            let norm = sum::squares_in_lanes(row).sqrt();
            if norm > 0.0 {
                row.iter_mut().for_each(|w| *w = (f64::from(*w) / norm) as f32);
            }
        }
    }

    /// The kind with a share of what divergence costs in the end.
    pub(super) fn with_divergence(&self, share: f32) -> Kind {
        Kind { variational: self.variational.map(|b| b * share), ..self.clone() }
    }

    /// The encoder as it is used after training: of a variational one the means alone.
    pub(crate) fn means(&self, encoder: &Network) -> Network {
        if self.variational.is_none() {
            return encoder.clone();
        }
        half(encoder)
    }
}

/// A network of the first half of the outputs.
fn half(net: &Network) -> Network {
    let last = net.shape.layers.len() - 1;
    let mut layers = net.shape.layers.clone();
    let all = layers[last].0;
    layers[last].0 = all / 2;
    let shape = Shape { layers, ..net.shape.clone() };
    let mut params = net.params[..net.weights(last).start].to_vec();
    for row in net.params[net.weights(last).start..net.bias(last).end].chunks_exact(all) {
        params.extend_from_slice(&row[..all / 2]);
    }
    Network { shape, params }
}

/// Adds the gradient of what [`half`] gives to that of the whole.
pub(super) fn add_half(half: &Network, grad: &[f32], whole: &mut [f32]) {
    let last = half.shape.layers.len() - 1;
    let (start, width) = (half.weights(last).start, half.shape.layers[last].0);
    let add = |(a, b): (&mut f32, &f32)| *a += b;
    whole[..start].iter_mut().zip(&grad[..start]).for_each(add);
    let rows = whole[start..].chunks_exact_mut(2 * width).zip(grad[start..].chunks_exact(width));
    rows.for_each(|(a, b)| a.iter_mut().zip(b).for_each(add));
}
