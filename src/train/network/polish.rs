//! After the noise, the real thing: the decoder is trained on a little with the latents that
//! rounding really gives, which it has only seen blurred.

use super::Autoencoder;
use crate::matrix::rng::Rng;
use crate::nn::adam::Adam;
use crate::nn::network::Tape;
use crate::nn::schedule::Schedule;

/// Rows of a batch.
const BATCH: usize = 256;

/// Lowers the squared error of normalised `rows` that are decoded from `latents`, in steps.
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
    let mut adam = Adam::new(net.decoder.params.len());
    let mut grad = vec![0.0; net.decoder.params.len()];
    let mut tape = Tape::default();
    let mut order: Vec<usize> = (0..n).collect();
    let mut rng = Rng::new(seed);
    let (mut x, mut d_out) = (Vec::new(), Vec::new());
    let mut step = 0;
    for _ in 0..epochs {
        rng.shuffle(&mut order);
        for some in order.chunks_exact(batch) {
            x.clear();
            for &i in some {
                let own = latents[i * count..(i + 1) * count].iter().zip(&net.latent);
                x.extend(own.map(|(y, s)| y / s));
            }
            let out = net.decoder.forward(&x, batch, &mut tape);
            d_out.clear();
            for (p, &i) in out.chunks_exact(width).zip(some) {
                let t = &rows[i * width..(i + 1) * width];
                let columns = p.iter().zip(t).zip(&net.column);
                d_out.extend(columns.map(|((p, t), s)| (p * s - t) * s / batch as f32));
            }
            grad.fill(0.0);
            net.decoder.backward(&x, batch, &mut tape, &d_out, &mut grad, None);
            adam.step(&mut net.decoder.params, &grad, schedule.rate(step));
            step += 1;
        }
    }
}
