//! The autoencoders of the textbooks, in one loop: denoising, masked, sparse, contractive,
//! variational, and all that can be combined of them.
//!
//! For each row `x` of `W` values, with what the encoder sees of it `x̃`, latents `z` and output
//! `y`, this is made small:
//!
//! `½ Σⱼ (yⱼ − xⱼ)² + L Σₖ |zₖ| + C ‖∂z/∂x̃‖² + B · KL(N(μ, σ²) ‖ N(0, 1))`
//!
//! its mean over rows, times `2/W`, so that the first term is the mean squared error of a value.
//! Where values are hidden, the first sum is over them alone.

mod terms;
#[cfg(test)]
mod tests;

pub(crate) use crate::nn::corruption::{Corruption, Masks};
pub(crate) use terms::{Terms, Work};

use crate::kernels::activation::Activation;
use crate::matrix::rng::Rng;
use crate::nn::adam::Adam;
use crate::nn::network::{Network, Shape};
use crate::nn::schedule::Schedule;
use crate::nn::train::{Training, gather};
use std::time::{Duration, Instant};

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

/// What a pass reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pass {
    /// From 0.
    pub(crate) index: usize,
    /// Of the batches while training.
    pub(crate) trained: Terms,
    /// Of the rows held out, with the same noise in each pass.
    pub(crate) held_out: Option<Terms>,
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
            self.quieten(&mut pair.encoder);
        }
        self.bound(&mut pair.decoder);
        pair
    }

    /// Weights of the variance's head close to 0: training begins with variances of 1.
    fn quieten(&self, encoder: &mut Network) {
        let place = encoder.weights(encoder.shape.layers.len() - 1);
        for row in encoder.params[place].chunks_exact_mut(2 * self.latents) {
            row[self.latents..].iter_mut().for_each(|w| *w *= 0.1);
        }
    }

    /// Brings each latent's weights in the decoder to norm 1, where a term could otherwise be
    /// evaded with small latents and large weights.
    fn bound(&self, decoder: &mut Network) {
        if self.sparse.is_none() && self.contractive.is_none() {
            return;
        }
        let (place, width) = (decoder.weights(0), decoder.shape.layers[0].0);
        for row in decoder.params[place].chunks_exact_mut(width) {
            let norm = crate::nn::sum::squares_in_lanes(row).sqrt();
            if norm > 0.0 {
                row.iter_mut().for_each(|w| *w = (f64::from(*w) / norm) as f32);
            }
        }
    }

    /// The encoder as it is used after training: of a variational one the means alone.
    pub(crate) fn means(&self, encoder: &Network) -> Network {
        if self.variational.is_none() {
            return encoder.clone();
        }
        terms::half(encoder)
    }
}

/// Trains on `rows` of `width` values, for `time` at most: the rate then falls with what is left of
/// it, if that is less than the passes that are left. `progress` is told of each pass and says whether to go on.
/// Gives the networks of the pass that was best on rows held out, and that pass.
pub(crate) fn train(
    kind: &Kind,
    (rows, width): (&[f32], usize),
    how: &Training,
    time: Option<Duration>,
    progress: &mut dyn FnMut(&Pass) -> bool,
) -> (Pair, Option<Pass>) {
    let begun = Instant::now();
    // Share of the time that is gone.
    let gone = || {
        time.map_or(0.0, |t| begun.elapsed().as_secs_f64() / t.as_secs_f64().max(f64::MIN_POSITIVE))
    };
    let mut rng = Rng::new(how.seed);
    let mut pair = kind.start(width, &mut rng);
    let mut order: Vec<usize> = (0..rows.len() / width.max(1)).collect();
    rng.shuffle(&mut order);
    let aside = (order.len() as f64 * f64::from(how.held_out)) as usize;
    let mut held_out = Vec::new();
    gather(rows, width, &order[..aside], &mut held_out);
    let mut order = order.split_off(aside);
    let total = order.len() * how.epochs;
    let warm_up = (total as f64 * f64::from(how.warm_up)) as usize;
    let schedule = Schedule { peak: how.rate, last: 0.0, warm_up, steps: total };
    let mut adams = [&pair.encoder, &pair.decoder].map(|net| {
        let mut adam = Adam::new(net.params.len());
        (adam.clip, adam.decay) = (how.clip, how.decay);
        adam
    });
    let mut grads = [vec![0.0; pair.encoder.params.len()], vec![0.0; pair.decoder.params.len()]];
    let (mut work, mut batch, mut seen) = (Work::default(), Vec::new(), 0);
    let mut best: Option<(Pass, Pair)> = None;
    for index in 0..how.epochs {
        rng.shuffle(&mut order);
        let mut sums = Terms::default();
        // The divergence comes in slowly, or latents give up before they say anything.
        let share = (10.0 * gone()).max(index as f64 / (0.1 * how.epochs as f64).max(1.0));
        let priced = priced(kind, share.min(1.0) as f32);
        let mut late = false;
        for chosen in order.chunks(how.batch.max(1)) {
            gather(rows, width, chosen, &mut batch);
            let spent = (gone() * total as f64) as usize;
            let rate = schedule.rate(spent.max(seen + chosen.len() / 2));
            let seed = rng.next_u64();
            let terms = work.gradient(&priced, &pair, (&batch, chosen.len()), seed, &mut grads);
            adams[0].step(&mut pair.encoder.params, &grads[0], rate);
            adams[1].step(&mut pair.decoder.params, &grads[1], rate);
            kind.bound(&mut pair.decoder);
            sums.add(&terms, chosen.len() as f64 / order.len() as f64);
            seen += chosen.len();
            late = gone() >= 1.0;
            if late {
                break;
            }
        }
        let held =
            (aside > 0).then(|| work.measure(kind, &pair, (&held_out, aside), how.seed ^ HELD_OUT));
        let pass = Pass { index, trained: sums, held_out: held };
        let better = |b: &Pass| match (pass.held_out, b.held_out) {
            (Some(now), Some(before)) => now.total() < before.total(),
            _ => true,
        };
        if best.as_ref().is_none_or(|(b, _)| better(b)) {
            match &mut best {
                Some((b, kept)) => {
                    *b = pass;
                    kept.encoder.params.clone_from(&pair.encoder.params);
                    kept.decoder.params.clone_from(&pair.decoder.params);
                }
                None => best = Some((pass, pair.clone())),
            }
        }
        let since = index - best.as_ref().map_or(index, |b| b.0.index);
        if !progress(&pass) || late || since >= how.patience {
            break;
        }
    }
    match best {
        Some((pass, pair)) => (pair, Some(pass)),
        None => (pair, None),
    }
}

/// The kind with a share of what divergence costs in the end.
fn priced(kind: &Kind, share: f32) -> Kind {
    Kind { variational: kind.variational.map(|b| b * share), ..kind.clone() }
}

/// Sets the noise on rows held out apart from any batch's.
const HELD_OUT: u64 = 0x0068_656c_645f_6f75;
