//! A part of a batch, forward and back through both networks.

use super::cost::Cost;
use super::filter::RowFilter;
use super::likelihood::{Likelihood, LikelihoodGradients};
use crate::matrix::rng::Rng;
use crate::nn::autoencoder::Autoencoder;
use crate::nn::batch::gather;
use crate::nn::pass::Tape;

/// What a step has learned by now, and from what.
pub(super) struct Learned<'a> {
    /// Normalised rows, rows × columns.
    pub(super) rows: &'a [f32],
    pub(super) net: &'a Autoencoder,
    /// The class of each row.
    pub(super) classes: &'a [u8],
    pub(super) prior: &'a Likelihood,
    pub(super) residual: &'a Likelihood,
    pub(super) filter: Option<&'a RowFilter>,
    /// Bits per squared step of error, unless what is left over is coded.
    pub(super) error_price: Option<f64>,
}

/// Everything that a part of a batch needs, kept between batches.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Gradients of the encoder's and the decoder's parameters.
    pub(super) gradients: Vec<Vec<f32>>,
    pub(super) classes: Vec<u8>,
    pub(super) residual: LikelihoodGradients,
    pub(super) prior: LikelihoodGradients,
    input: Vec<f32>,
    target: Vec<f32>,
    /// Latents with noise, in steps, and over their scales.
    latent: Vec<f32>,
    scaled: Vec<f32>,
    /// What is left over, in residual steps.
    left: Vec<f32>,
    /// What neighbours do not foretell of it.
    filtered: Vec<f32>,
    d_out: Vec<f32>,
    d_latent: Vec<f32>,
    encode: Tape,
    decode: Tape,
}

impl Part {
    /// Returns what `rows` cost on average; `scale` times the gradients of what they cost, by what both networks give,
    /// are left here.
    pub(super) fn forward(
        &mut self,
        learned: &Learned<'_>,
        rows: &[usize],
        scale: f32,
        rng: &mut Rng,
    ) -> Cost {
        self.gather(learned, rows);
        self.encode(learned, rows.len(), rng);
        let error = self.decode(learned, rows.len());
        let n = rows.len() as f64;
        let mut cost = Cost { error: error / n, ..Cost::default() };
        if let Some(price) = learned.error_price {
            let twice = 2.0 * price as f32 * scale;
            self.residual.d.clear();
            self.residual.d.extend(self.left.iter().map(|e| e * twice));
        } else {
            let (left, gradients) = (&self.left, &mut self.residual);
            match learned.filter {
                None => learned.residual.backward(left, &self.classes, scale, gradients),
                Some(filter) => {
                    filter.forward(left, &mut self.filtered);
                    learned.residual.backward(&self.filtered, &self.classes, scale, gradients);
                    filter.backward(&self.filtered, &mut gradients.d);
                }
            }
            cost.residual = sum(&self.residual.bits) / n / 8.0;
        }
        let columns = &learned.net.encoder.column;
        self.d_out.clear();
        for row in self.residual.d.chunks_exact(columns.len()) {
            self.d_out.extend(row.iter().zip(columns).map(|(d, s)| -d * s));
        }
        learned.prior.backward(&self.latent, &self.classes, scale, &mut self.prior);
        cost.latent = sum(&self.prior.bits) / n / 8.0;
        cost
    }

    fn gather(&mut self, learned: &Learned<'_>, rows: &[usize]) {
        let Self { input, target, classes, .. } = self;
        gather(learned.rows, learned.net.width(), rows, target);
        classes.clear();
        classes.extend(rows.iter().map(|&i| learned.classes[i]));
        input.clear();
        input.extend_from_slice(target);
        for row in input.chunks_exact_mut(learned.net.width()) {
            row.iter_mut().zip(&learned.net.encoder.column).for_each(|(x, s)| *x /= s);
        }
    }

    /// Latents with noise in place of their rounding.
    fn encode(&mut self, learned: &Learned<'_>, rows: usize, rng: &mut Rng) {
        let Self { input, latent, scaled, encode, .. } = self;
        let encoder = &learned.net.encoder;
        latent.clear();
        latent.extend_from_slice(encoder.network.forward(input, rows, encode));
        scaled.clear();
        for row in latent.chunks_exact_mut(encoder.latent.len()) {
            for (y, s) in row.iter_mut().zip(&encoder.latent) {
                *y = *y * s + (rng.unit() - 0.5);
                scaled.push(*y / s);
            }
        }
    }

    /// What the prediction leaves over, and the sum of its squares.
    fn decode(&mut self, learned: &Learned<'_>, rows: usize) -> f64 {
        let Self { scaled, left, target, decode, .. } = self;
        let columns = &learned.net.encoder.column;
        let out = learned.net.decoder.forward(scaled, rows, decode);
        left.clear();
        for (p, t) in out.chunks_exact(columns.len()).zip(target.chunks_exact(columns.len())) {
            left.extend(p.iter().zip(t).zip(columns).map(|((p, t), s)| t - p * s));
        }
        left.iter().map(|e| f64::from(*e).powi(2)).sum()
    }

    /// Gradients of both networks' parameters from those that [`Self::forward`] left.
    pub(super) fn backward(&mut self, learned: &Learned<'_>) {
        let net = &learned.net;
        let counts = [&net.encoder.network, &net.decoder].map(|net| net.params.len());
        self.gradients.resize_with(counts.len(), Vec::new);
        self.gradients.iter_mut().zip(counts).for_each(|(own, count)| own.resize(count, 0.0));
        let Self { input, scaled, encode, decode, d_out, d_latent, prior, gradients, .. } = self;
        let [encoder_grad, decoder_grad] = &mut gradients[..] else { unreachable!("two networks") };
        let encoder = &net.encoder;
        d_latent.resize(scaled.len(), 0.0);
        net.decoder.backward(scaled, decode, d_out, decoder_grad, Some(d_latent));
        let latents = encoder.latent.len();
        for (row, prior) in d_latent.chunks_exact_mut(latents).zip(prior.d.chunks_exact(latents)) {
            // Latents are `latent · output`: the prior's part is brought to the output.
            row.iter_mut().zip(prior).zip(&encoder.latent).for_each(|((d, p), s)| *d += p * s);
        }
        encoder.network.backward(input, encode, d_latent, encoder_grad, None);
    }
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum()
}
