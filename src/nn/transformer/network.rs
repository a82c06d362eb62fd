//! The parameters of a masked transformer, and those that training begins with.

use super::shape::{Layers, Shape};
use crate::matrix::rng::Rng;
use crate::nn::parameters::Parameters;

/// Size of the random positions that training begins with: smaller ones are not told apart for long, larger ones
/// drown what patches hold.
const POSITION: f32 = 0.5;
/// Size of the mask token, which is learned quickly.
const MASK: f32 = 0.02;

/// A masked transformer.
#[derive(Debug, Clone)]
pub(crate) struct Transformer {
    pub(crate) shape: Shape,
    pub(crate) layers: Layers,
    /// Layer after layer, in the order of [`Layers`].
    pub(crate) params: Vec<f32>,
}

impl Transformer {
    /// The transformer of these parameters.
    ///
    /// # Panics
    /// If there are not as many as the shape has.
    #[cfg(any(test, feature = "apps"))]
    pub(crate) fn of(shape: Shape, params: Vec<f32>) -> Self {
        let layers = Layers::new(&shape);
        assert_eq!(params.len(), layers.count, "parameters of a transformer");
        Self { shape, layers, params }
    }

    /// Random weights: uniform with variance `2 / (inputs + outputs)` (Glorot and Bengio 2010), biases 0, gains 1;
    /// positions and the mask token are normally distributed.
    pub(crate) fn new(shape: Shape, rng: &mut Rng) -> Self {
        let layers = Layers::new(&shape);
        let mut params = vec![0.0; layers.count];
        for dense in layers.dense() {
            let bound = (6.0 / (dense.inputs + dense.outputs) as f32).sqrt();
            let weights = params[dense.weights()].iter_mut();
            weights.for_each(|w| *w = (2.0 * rng.unit() - 1.0) * bound);
        }
        layers.norms().for_each(|norm| params[norm.gain()].fill(1.0));
        let tables = [
            (&layers.position, POSITION),
            (&layers.decoder_position, POSITION),
            (&layers.mask, MASK),
        ];
        for (place, size) in tables {
            params[place.clone()].iter_mut().for_each(|x| *x = size * rng.normal());
        }
        Self { shape, layers, params }
    }

    /// All parameters, and the matrices of the dense layers.
    pub(crate) fn parameters(&mut self) -> Parameters<'_> {
        let matrices = self.layers.dense().map(|dense| dense.matrix()).collect();
        Parameters { values: &mut self.params, matrices }
    }
}
