//! After the noise, the real thing: rounding that is chosen by what a row costs gives latents that
//! training has only seen blurred.
//!
//! So the two take turns, as in entropy-constrained vector quantisation (Chou, Lookabaugh and Gray
//! 1989): latents are chosen for the decoder as it is, the decoder is trained on the latents as
//! chosen. The encoder is trained to find them too, so that the next choice begins nearby.

use super::super::autoencoder::{Autoencoder, divided};
use crate::matrix::rng::Rng;
use crate::nn::batch::gather;
use crate::nn::parameters::Parameters;
use crate::nn::pass::Tape;
use crate::nn::trainer::{Gradients, Objective};

/// Fits both networks to latents that were chosen: the decoder to give the rows for them, the
/// encoder to find them.
#[derive(Debug)]
pub(crate) struct Refit<'a> {
    pub(crate) net: &'a mut Autoencoder,
    /// Normalised rows, rows × columns.
    rows: &'a [f32],
    /// Latents in steps, rows × latents.
    latents: &'a [f32],
    x: Vec<f32>,
    y: Vec<f32>,
    tape: Tape,
    d_out: Vec<f32>,
}

impl<'a> Refit<'a> {
    /// Of normalised `rows` and their `latents` in steps.
    pub(crate) fn new(net: &'a mut Autoencoder, rows: &'a [f32], latents: &'a [f32]) -> Self {
        let (x, y, tape, d_out) = (Vec::new(), Vec::new(), Tape::default(), Vec::new());
        Self { net, rows, latents, x, y, tape, d_out }
    }

    /// The rows of a batch and their latents to `x` and `y`.
    fn gather(&mut self, batch: &[usize]) {
        gather(self.rows, self.net.width(), batch, &mut self.x);
        gather(self.latents, self.net.latents(), batch, &mut self.y);
    }
}

impl Objective for Refit<'_> {
    /// Half the squared error of a row and that of its latents, in squared steps.
    type Measure = f64;

    fn rows(&self) -> usize {
        self.rows.len() / self.net.width()
    }

    fn networks(&mut self) -> Vec<Parameters<'_>> {
        vec![self.net.encoder.network.parameters(), self.net.decoder.parameters()]
    }

    fn gradient(&mut self, batch: &[usize], _: &mut Rng, gradients: &mut Gradients) -> f64 {
        self.gather(batch);
        let Self { net, x, y, tape, d_out, .. } = self;
        let [encoder_grad, decoder_grad] = &mut gradients.networks[..] else { unreachable!() };
        let (columns, units) = (&net.encoder.column, &net.encoder.latent);
        let inputs = divided(y, units);
        let out = net.decoder.forward(&inputs, batch.len(), tape);
        let rows = half_squared(out, x, columns, d_out);
        net.decoder.backward(&inputs, tape, d_out, decoder_grad, None);
        let inputs = net.encoder.inputs(x);
        let out = net.encoder.network.forward(&inputs, batch.len(), tape);
        let latents = half_squared(out, y, units, d_out);
        net.encoder.network.backward(&inputs, tape, d_out, encoder_grad, None);
        rows + latents
    }

    fn measure(&mut self, rows: &[usize]) -> f64 {
        self.gather(rows);
        let out = self.net.decoder.infer(&divided(&self.y, &self.net.encoder.latent), rows.len());
        let error = half_squared(&out, &self.x, &self.net.encoder.column, &mut self.d_out);
        let encoder = &self.net.encoder;
        let out = encoder.network.infer(&encoder.inputs(&self.x), rows.len());
        error + half_squared(&out, &self.y, &encoder.latent, &mut self.d_out)
    }

    fn score(&self, error: &f64) -> f64 {
        *error
    }
}

/// `½ Σ (scale · out − target)²`, its mean over rows; its gradient by `out` is written to `d_out`.
fn half_squared(out: &[f32], target: &[f32], scale: &[f32], d_out: &mut Vec<f32>) -> f64 {
    let rows = (target.len() / scale.len()).max(1) as f32;
    let mut sum = 0.0;
    d_out.clear();
    for (p, t) in out.chunks_exact(scale.len()).zip(target.chunks_exact(scale.len())) {
        let numbers = p.iter().zip(t).zip(scale);
        d_out.extend(numbers.map(|((p, t), s)| {
            let error = p * s - t;
            sum += error * error;
            error * s / rows
        }));
    }
    f64::from(sum / rows) / 2.0
}
