//! Training of a network that was trained before, with new layers on top, to predict something
//! else: the new layers alone at first, so that their random weights do not spoil the old ones,
//! then all, the old ones with smaller steps (Howard and Ruder 2018, *Universal language model
//! fine-tuning*, sections 3.2 and 3.3, with one rate for all old layers).

use crate::matrix::rng::Rng;
use crate::nn::adam::Adam;
use crate::nn::loss::{cross_entropy, mean_squared};
use crate::nn::network::{Network, Tape};
use crate::nn::schedule::Schedule;

/// What shall come out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim<'a> {
    /// The class of each row; the head gives logits.
    Classes(&'a [usize]),
    /// Numbers, rows × outputs.
    Values(&'a [f32]),
}

/// The networks, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) encoder: Network,
    /// What the encoder's outputs are shifted by and divided by before the head sees them.
    pub(crate) centre: Vec<f32>,
    pub(crate) scale: Vec<f32>,
    pub(crate) head: Network,
}

/// How to train.
#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    pub(crate) epochs: usize,
    pub(crate) batch: usize,
    /// Peak of the head's learning rate.
    pub(crate) rate: f32,
    /// The encoder's, as a share of the head's.
    pub(crate) share: f32,
    /// First passes, in which the encoder stays as it is.
    pub(crate) frozen: usize,
    /// Decoupled decay of weights.
    pub(crate) decay: f32,
    /// Share of the rows that is only looked at.
    pub(crate) held_out: f64,
    /// Passes without a better one after which to stop; not counted before the encoder moves.
    pub(crate) patience: usize,
    pub(crate) seed: u64,
}

/// What a pass reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pass {
    /// From 0.
    pub(crate) index: usize,
    /// Mean loss of the batches.
    pub(crate) loss: f64,
    /// Loss of the rows held out; without such rows that of the batches.
    pub(crate) judged: f64,
    /// Of the rows held out, or of the batches: the share of right classes, or of the variance
    /// that is explained.
    pub(crate) right: f64,
}

impl Stack {
    /// Outputs of the head.
    pub(crate) fn infer(&self, x: &[f32]) -> Vec<f32> {
        let rows = x.len() / self.encoder.shape.inputs;
        let mut h = self.encoder.infer(x, rows);
        self.normalise(&mut h);
        self.head.infer(&h, rows)
    }

    fn normalise(&self, h: &mut [f32]) {
        for row in h.chunks_exact_mut(self.centre.len()) {
            let pairs = self.centre.iter().zip(&self.scale);
            row.iter_mut().zip(pairs).for_each(|(h, (c, s))| *h = (*h - c) / s);
        }
    }
}

impl Aim<'_> {
    /// Loss and its gradient for `rows`.
    fn loss(&self, out: &[f32], rows: &[usize], d: &mut Vec<f32>) -> f64 {
        d.resize(out.len(), 0.0);
        let outputs = out.len() / rows.len().max(1);
        match self {
            Aim::Classes(all) => {
                let own: Vec<usize> = rows.iter().map(|&i| all[i]).collect();
                cross_entropy(out, &own, d)
            }
            Aim::Values(all) => {
                let own: Vec<f32> = rows
                    .iter()
                    .flat_map(|&i| &all[i * outputs..(i + 1) * outputs])
                    .copied()
                    .collect();
                mean_squared(out, &own, d)
            }
        }
    }

    /// Share of right classes; for numbers, 1 less the squared error over its variance.
    fn right(&self, out: &[f32], rows: &[usize], loss: f64) -> f64 {
        let outputs = out.len() / rows.len().max(1);
        match self {
            Aim::Classes(all) => {
                let hits = out.chunks_exact(outputs).zip(rows);
                let hits = hits.filter(|(out, i)| largest(out) == all[**i]).count();
                hits as f64 / rows.len().max(1) as f64
            }
            Aim::Values(all) => {
                let n = rows.len().max(1) as f64;
                let mut variance = 0.0;
                for j in 0..outputs {
                    let x = || rows.iter().map(|i| f64::from(all[i * outputs + j]));
                    let mean = x().sum::<f64>() / n;
                    variance += x().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
                }
                1.0 - loss * outputs as f64 / variance.max(f64::MIN_POSITIVE)
            }
        }
    }
}

/// Place of the largest number.
pub(crate) fn largest(out: &[f32]) -> usize {
    let better = |best: usize, i: usize| if out[i] > out[best] { i } else { best };
    (0..out.len()).fold(0, better)
}

/// Trains `stack` on `rows` towards `aim`; the weights of the best pass are kept, which is given.
/// `progress` says whether to go on.
pub(crate) fn tune(
    stack: &mut Stack,
    rows: &[f32],
    aim: Aim<'_>,
    how: &Tuning,
    progress: &mut dyn FnMut(&Pass) -> bool,
) -> Option<Pass> {
    let width = stack.encoder.shape.inputs;
    let mut rng = Rng::new(how.seed);
    let mut order: Vec<usize> = (0..rows.len() / width.max(1)).collect();
    rng.shuffle(&mut order);
    let aside = ((order.len() as f64 * how.held_out) as usize).min(order.len().saturating_sub(1));
    let held: Vec<usize> = order.drain(..aside).collect();
    let gathered = |chosen: &[usize]| -> Vec<f32> {
        chosen.iter().flat_map(|&i| &rows[i * width..(i + 1) * width]).copied().collect()
    };
    let held_rows = gathered(&held);
    let per_epoch = order.len().div_ceil(how.batch.max(1));
    let schedule = Schedule::new(how.rate, per_epoch * how.epochs);
    let new = |net: &Network| {
        let mut adam = Adam::new(net.params.len());
        adam.decay = how.decay;
        adam
    };
    let (mut adam, mut top) = (new(&stack.encoder), new(&stack.head));
    let mut grads = [vec![0.0; stack.encoder.params.len()], vec![0.0; stack.head.params.len()]];
    let (mut low, mut high) = (Tape::default(), Tape::default());
    let (mut d, mut step) = (Vec::new(), 0);
    let mut best: Option<(Pass, Stack)> = None;
    for index in 0..how.epochs {
        rng.shuffle(&mut order);
        let (mut loss, mut right) = (0.0, 0.0);
        for chosen in order.chunks(how.batch.max(1)) {
            let (x, n) = (gathered(chosen), chosen.len());
            let mut h = stack.encoder.forward(&x, n, &mut low).to_vec();
            stack.normalise(&mut h);
            let out = stack.head.forward(&h, n, &mut high);
            let own = aim.loss(out, chosen, &mut d);
            let share = n as f64 / order.len() as f64;
            loss += share * own;
            right += share * aim.right(out, chosen, own);
            let mut d_h = vec![0.0; h.len()];
            grads[1].fill(0.0);
            stack.head.backward(&h, n, &mut high, &d, &mut grads[1], Some(&mut d_h));
            let rate = schedule.rate(step);
            top.step(&mut stack.head.params, &grads[1], rate);
            step += 1;
            if index < how.frozen || how.share == 0.0 {
                continue;
            }
            for row in d_h.chunks_exact_mut(stack.scale.len()) {
                row.iter_mut().zip(&stack.scale).for_each(|(d, s)| *d /= s);
            }
            stack.encoder.backward_into(&x, n, &mut low, &d_h, &mut grads[0]);
            adam.step(&mut stack.encoder.params, &grads[0], rate * how.share);
        }
        let mut pass = Pass { index, loss, judged: loss, right };
        if !held.is_empty() {
            let out = stack.infer(&held_rows);
            pass.judged = aim.loss(&out, &held, &mut d);
            pass.right = aim.right(&out, &held, pass.judged);
        }
        if best.as_ref().is_none_or(|(b, _)| pass.judged < b.judged) {
            best = Some((pass, stack.clone()));
        }
        let since = index - best.as_ref().map_or(index, |b| b.0.index).max(how.frozen.min(index));
        if !progress(&pass) || since >= how.patience {
            break;
        }
    }
    let (pass, kept) = best?;
    *stack = kept;
    Some(pass)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::activation::Activation;
    use crate::nn::network::Shape;

    #[test]
    fn two_rings_are_told_apart_once_the_encoder_moves() {
        let mut rng = Rng::new(4);
        let (mut rows, mut classes) = (Vec::new(), Vec::new());
        for i in 0..600 {
            let class = i % 2;
            let (x, y) = (rng.normal(), rng.normal());
            let size = (x * x + y * y).sqrt().max(0.01);
            let radius = 1.0 + class as f32 + 0.1 * rng.normal();
            rows.extend([x / size * radius, y / size * radius]);
            classes.push(class);
        }
        let net = |inputs, hidden, outputs, rng: &mut Rng| {
            let layers = vec![(hidden, Activation::Tanh), (outputs, Activation::Identity)];
            Network::new(Shape { inputs, layers, skip: false }, rng)
        };
        let mut head = net(2, 1, 2, &mut rng);
        head.shape.layers.remove(0);
        head.params.truncate(6);
        let stack = Stack {
            encoder: net(2, 16, 2, &mut rng),
            centre: vec![0.0; 2],
            scale: vec![1.0; 2],
            head,
        };
        let mut how = Tuning {
            epochs: 60,
            batch: 32,
            rate: 0.02,
            share: 1.0,
            frozen: 5,
            decay: 0.0,
            held_out: 0.2,
            patience: 60,
            seed: 0,
        };
        let mut moved = stack.clone();
        let aim = Aim::Classes(&classes);
        let pass = tune(&mut moved, &rows, aim, &how, &mut |_| true).unwrap();
        assert!(pass.right > 0.95, "{pass:?}");
        how.share = 0.0;
        let mut fixed = stack.clone();
        let still = tune(&mut fixed, &rows, aim, &how, &mut |_| true).unwrap();
        assert_eq!(fixed.encoder.params, stack.encoder.params);
        assert!(still.right < pass.right);
    }
}
