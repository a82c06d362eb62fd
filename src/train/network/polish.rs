//! After the noise, the real thing: rounding that is chosen by what a row costs gives latents that
//! training has only seen blurred, and cheaper ones than noise makes believe.
//!
//! So the two take turns, as in entropy-constrained vector quantisation (Chou, Lookabaugh and Gray
//! 1989): latents are chosen for the decoder as it is, the decoder is trained on the latents as
//! chosen. The encoder is trained to find them too, so that the next choice begins nearby.

use super::Autoencoder;
use crate::matrix::rng::Rng;
use crate::nn::adam::Adam;
use crate::nn::network::{Network, Tape};
use crate::nn::schedule::Schedule;

/// Rows of a batch.
const BATCH: usize = 256;

/// Lowers the squared error of normalised `rows` that are decoded from `latents`, in steps, and
/// that of the latents that the encoder finds.
pub(crate) fn polish(
    net: &mut Autoencoder,
    rows: &[f32],
    latents: &[f32],
    (epochs, rate): (usize, f32),
    seed: u64,
) {
    let (width, count) = (net.column.len(), net.latent.len());
    let n = rows.len() / width;
    let batch = BATCH.min(n);
    let schedule = Schedule::new(rate, epochs * (n / batch));
    let mut decoder = Side::new(&net.decoder);
    let mut encoder = Side::new(&net.encoder);
    let mut order: Vec<usize> = (0..n).collect();
    let mut rng = Rng::new(seed);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    let mut step = 0;
    for _ in 0..epochs {
        rng.shuffle(&mut order);
        for some in order.chunks_exact(batch) {
            x.clear();
            y.clear();
            for &i in some {
                x.extend_from_slice(&rows[i * width..(i + 1) * width]);
                y.extend_from_slice(&latents[i * count..(i + 1) * count]);
            }
            let rate = schedule.rate(step);
            let (columns, units) = (&net.column[..], &net.latent[..]);
            decoder.step(&mut net.decoder, (&y, units), (&x, columns), rate);
            encoder.step(&mut net.encoder, (&x, columns), (&y, units), rate);
            step += 1;
        }
    }
}

/// One of the two networks in training, with its buffers.
struct Side {
    adam: Adam,
    grad: Vec<f32>,
    tape: Tape,
    input: Vec<f32>,
    d_out: Vec<f32>,
}

impl Side {
    fn new(net: &Network) -> Self {
        let count = net.params.len();
        let (input, d_out) = (Vec::new(), Vec::new());
        Self { adam: Adam::new(count), grad: vec![0.0; count], tape: Tape::default(), input, d_out }
    }

    /// A step of `net` from a batch to what it ought to be, each with the scales that the network
    /// sees and gives its numbers over.
    fn step(
        &mut self,
        net: &mut Network,
        (from, from_scale): (&[f32], &[f32]),
        (to, to_scale): (&[f32], &[f32]),
        rate: f32,
    ) {
        let batch = from.len() / from_scale.len();
        self.input.clear();
        for row in from.chunks_exact(from_scale.len()) {
            self.input.extend(row.iter().zip(from_scale).map(|(v, s)| v / s));
        }
        let out = net.forward(&self.input, batch, &mut self.tape);
        self.d_out.clear();
        for (p, t) in out.chunks_exact(to_scale.len()).zip(to.chunks_exact(to_scale.len())) {
            let numbers = p.iter().zip(t).zip(to_scale);
            self.d_out.extend(numbers.map(|((p, t), s)| (p * s - t) * s / batch as f32));
        }
        self.grad.fill(0.0);
        net.backward(&self.input, batch, &mut self.tape, &self.d_out, &mut self.grad, None);
        self.adam.step(&mut net.params, &self.grad, rate);
    }
}
