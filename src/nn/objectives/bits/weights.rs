//! What the decoder's weights cost the file.

use crate::nn::network::Network;
use std::f64::consts::LOG2_E;

/// The least scale of a layer's weights, as a share of what is usual for random ones, `1/√inputs`:
/// weights are rounded, and without a least scale they would draw each other towards 0.
const LEAST_SCALE: f64 = 0.3;
/// Bits of a weight that is not 0: those of a Laplace distribution with a resolution of a sixth of its
/// mean magnitude, which is about how finely weights come to be rounded.
const BITS: f64 = 5.0;
/// Weights nearer to 0 than this are rounded to it, whatever the resolution.
const NOTHING: f32 = 1e-4;

/// Adds to `grad` the gradient of what a decoder's weights cost, shared among `rows` rows: bits of a
/// Laplace distribution whose scale is the mean magnitude of the layer.
pub(super) fn add_price(decoder: &Network, rows: f64, grad: &mut [f32]) {
    let layers = decoder.shape.layers.len();
    let dense = (0..layers).map(|l| (decoder.weights(l), decoder.shape.inputs_of(l)));
    for (place, inputs) in dense.chain([(decoder.skip(), decoder.shape.inputs)]) {
        let own = &decoder.params[place.clone()];
        let mean = own.iter().map(|w| f64::from(w.abs())).sum::<f64>() / own.len() as f64;
        let usual = LEAST_SCALE / (inputs as f64).sqrt();
        let price = LOG2_E / (mean.max(usual) * rows);
        for (g, w) in grad[place].iter_mut().zip(own) {
            *g += (price as f32) * if *w == 0.0 { 0.0 } else { w.signum() };
        }
    }
}

/// What a decoder's weights cost, about.
pub(super) fn bits(decoder: &Network) -> f64 {
    BITS * decoder.params.iter().filter(|w| w.abs() > NOTHING).count() as f64
}
