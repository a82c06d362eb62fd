//! Where training on bits begins: with networks that do what principal components do.

use super::plan::NetworkPlan;
use crate::fit::data::components::Components;
use crate::kernels::activation::Activation;
use crate::matrix::rng::Rng;
use crate::nn::autoencoder::{Autoencoder, EncoderFlags, FloatEncoder};
use crate::nn::network::{Network, Shape};

/// Scales of columns and latents are at least this, in steps: what varies less rounds to nothing, and
/// must not be blown up.
const LEAST_SCALE: f32 = 0.05;
/// Variance of what is left over is at least this, in squared steps.
const LEAST_VARIANCE: f64 = 0.001;
/// Variance of an error that is uniform in a step, in squared steps.
const ROUNDING: f64 = 1.0 / 12.0;

/// Networks of the plan's shape that do what `c` does: hidden layers are random but for the last
/// weights, which are 0; all is left to the linear path.
pub(super) fn from_components(c: &Components, plan: &NetworkPlan, rng: &mut Rng) -> Autoencoder {
    let (width, latents) = (c.columns.len(), plan.latents);
    let column: Vec<f32> = c.columns.iter().map(|v| (v.sqrt() as f32).max(LEAST_SCALE)).collect();
    let deviation = |k: usize| c.variance[k].sqrt() as f32 / plan.step;
    let latent: Vec<f32> = (0..latents).map(|k| deviation(k).max(LEAST_SCALE)).collect();
    let shape = |inputs: usize, hidden: &[usize], outputs: usize, f: Activation| Shape {
        inputs,
        layers: hidden.iter().map(|&w| (w, f)).chain([(outputs, Activation::Identity)]).collect(),
        skip: true,
    };
    let mut encoder = Network::new(shape(width, &plan.encoder, latents, plan.activation), rng);
    let up = shape(latents, &plan.decoder, width, plan.decoder_activation);
    let mut decoder = Network::new(up, rng);
    for net in [&mut encoder, &mut decoder] {
        let last = net.weights(net.shape.layers.len() - 1);
        net.params[last].fill(0.0);
    }
    let (down, up) = (encoder.skip(), decoder.skip());
    for (k, scale) in latent.iter().enumerate() {
        for (j, v) in c.vector(k).iter().enumerate() {
            encoder.params[down.start + j * latents + k] = column[j] * v / (plan.step * scale);
            decoder.params[up.start + k * width + j] = scale * plan.step * v / column[j];
        }
    }
    let encoder = FloatEncoder { network: encoder, column, latent, flags: EncoderFlags::default() };
    Autoencoder { encoder, decoder }
}

/// Deviation of what components and the rounding of latents leave of each column, in residual steps.
pub(super) fn remaining_deviation(c: &Components, plan: &NetworkPlan) -> Vec<f32> {
    let mut left = c.columns.clone();
    let noise = f64::from(plan.step).powi(2) * ROUNDING;
    for k in 0..plan.latents {
        for (l, v) in left.iter_mut().zip(c.vector(k)) {
            *l += f64::from(*v).powi(2) * (noise - c.variance[k]);
        }
    }
    left.iter().map(|l| l.max(LEAST_VARIANCE).sqrt() as f32).collect()
}
