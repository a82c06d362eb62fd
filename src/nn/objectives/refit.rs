//! After the noise, the real thing: rounding that is chosen by what a row costs gives latents that
//! training has only seen blurred, and cheaper ones than noise makes believe.
//!
//! So the two take turns, as in entropy-constrained vector quantisation (Chou, Lookabaugh and Gray
//! 1989): latents are chosen for the decoder as it is, the decoder is trained on the latents as
//! chosen. The encoder is trained to find them too, so that the next choice begins nearby.

use crate::fit::config::TrainConfig;
use crate::fit::network::choose::{BATCH, RATES};
use crate::matrix::rng::Rng;
use crate::nn::adam::Adam;
use crate::nn::autoencoder::inputs;
use crate::nn::autoencoder::{Autoencoder, divided};
use crate::nn::network::{Network, Tape};
use crate::nn::schedule::Schedule;

/// How long the two are trained, and in which steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefitConfig {
    /// Least passes over the rows and least steps of [`BATCH`] rows, of which the one that is more
    /// counts: few rows are passed over often.
    pub(crate) least: (usize, usize),
    /// Most passes.
    pub(crate) most: usize,
    /// Rows of a batch.
    pub(crate) batch: usize,
    /// Peak of the learning rate.
    pub(crate) rate: f32,
}

impl RefitConfig {
    /// A turn; what is wished for the first training holds for it too, at an eighth of the rate.
    pub(crate) fn new(wish: &TrainConfig) -> Self {
        Self {
            least: (6, 940),
            most: wish.epochs.unwrap_or(usize::MAX),
            batch: wish.batch.unwrap_or(BATCH),
            rate: wish.rate.unwrap_or(RATES.1) as f32 / 8.0,
        }
    }
}

/// Lowers the squared error of normalised `rows` that are decoded from `latents`, in steps, and
/// that of the latents that the encoder finds.
pub(crate) fn refit(
    net: &mut Autoencoder,
    rows: &[f32],
    latents: &[f32],
    turn: RefitConfig,
    seed: u64,
) {
    let (width, count) = (net.column.len(), net.latent.len());
    let n = rows.len() / width;
    let batch = turn.batch.min(n);
    let steps = n / BATCH.min(n);
    let epochs = turn.least.0.max(turn.least.1.div_ceil(steps)).min(turn.most);
    let schedule = Schedule::new(turn.rate, epochs * (n / batch));
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
            decoder.step(&mut net.decoder, &divided(&y, units), (&x, columns), rate);
            encoder.step(&mut net.encoder, &inputs(&x, columns, net.flags), (&y, units), rate);
            step += 1;
        }
    }
}

/// One of the two networks in training, with its buffers.
struct Side {
    adam: Adam,
    grad: Vec<f32>,
    tape: Tape,
    d_out: Vec<f32>,
}

impl Side {
    fn new(net: &Network) -> Self {
        let count = net.params.len();
        let (tape, d_out) = (Tape::default(), Vec::new());
        Self { adam: Adam::new(count), grad: vec![0.0; count], tape, d_out }
    }

    /// A step of `net` from a batch of inputs to what its outputs times `scale` ought to be.
    fn step(&mut self, net: &mut Network, x: &[f32], (to, scale): (&[f32], &[f32]), rate: f32) {
        let batch = to.len() / scale.len();
        let out = net.forward(x, batch, &mut self.tape);
        self.d_out.clear();
        for (p, t) in out.chunks_exact(scale.len()).zip(to.chunks_exact(scale.len())) {
            let numbers = p.iter().zip(t).zip(scale);
            self.d_out.extend(numbers.map(|((p, t), s)| (p * s - t) * s / batch as f32));
        }
        self.grad.fill(0.0);
        net.backward(x, batch, &mut self.tape, &self.d_out, &mut self.grad, None);
        self.adam.step(&mut net.params, &self.grad, rate);
    }
}
