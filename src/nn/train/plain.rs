//! Training of a plain autoencoder, one network of any shape: mean squared error, shuffled batches,
//! Adam. The simplest loop there is, to measure speed by, and to compare with what is known.

#[cfg(test)]
mod tests;

use crate::matrix::rng::Rng;
use crate::nn::adam::Adam;
use crate::nn::loss::mean_squared;
use crate::nn::network::{Network, Tape};
use crate::nn::schedule::Schedule;
use crate::nn::sum;
use crate::nn::train::{Training, gather};

/// What a pass reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Epoch {
    /// From 0.
    pub(crate) index: usize,
    /// Mean squared error of the batches while training.
    pub(crate) loss: f64,
    /// That of the rows held out, if there are any.
    pub(crate) held_out: Option<f64>,
}

/// Buffers of a step, used again by the next.
#[derive(Debug, Default)]
pub(crate) struct Step {
    tape: Tape,
    d_out: Vec<f32>,
    grad: Vec<f32>,
}

impl Step {
    /// One step of `adam` towards `net(x) = target`; the mean squared error before it.
    pub(crate) fn take(
        &mut self,
        net: &mut Network,
        adam: &mut Adam,
        (x, target): (&[f32], &[f32]),
        rows: usize,
        rate: f32,
    ) -> f64 {
        self.grad.resize(net.params.len(), 0.0);
        self.d_out.resize(target.len(), 0.0);
        let out = net.forward(x, rows, &mut self.tape);
        let loss = mean_squared(out, target, &mut self.d_out);
        net.backward_into(x, rows, &mut self.tape, &self.d_out, &mut self.grad);
        adam.step(&mut net.params, &self.grad, rate);
        loss
    }
}

/// Trains `net` to give back `rows`, each as wide as its input and its output. `progress` is told
/// of each pass and says whether to go on. Gives the pass whose weights were kept.
pub(crate) fn autoencoder(
    net: &mut Network,
    rows: &[f32],
    how: &Training,
    progress: &mut dyn FnMut(&Epoch) -> bool,
) -> Option<Epoch> {
    let width = net.shape.inputs;
    assert_eq!(net.outputs(), width, "an autoencoder gives back what it gets");
    let mut rng = Rng::new(how.seed);
    let mut order: Vec<usize> = (0..rows.len() / width.max(1)).collect();
    rng.shuffle(&mut order);
    let aside = (order.len() as f64 * f64::from(how.held_out)) as usize;
    let held_out = gathered(rows, width, &order[..aside]);
    let mut order = order.split_off(aside);
    let total = order.len() * how.epochs;
    let warm_up = (total as f64 * f64::from(how.warm_up)) as usize;
    let schedule = Schedule { peak: how.rate, last: 0.0, warm_up, steps: total };
    let mut adam = Adam::new(net.params.len());
    (adam.clip, adam.decay) = (how.clip, how.decay);
    let (mut step, mut batch, mut seen) = (Step::default(), Vec::new(), 0);
    let mut best: Option<(Epoch, Vec<f32>)> = None;
    for index in 0..how.epochs {
        rng.shuffle(&mut order);
        let mut sum = 0.0;
        for chosen in order.chunks(how.batch.max(1)) {
            gather(rows, width, chosen, &mut batch);
            // The rate in the middle of the batch.
            let rate = schedule.rate(seen + chosen.len() / 2);
            let loss = step.take(net, &mut adam, (&batch, &batch), chosen.len(), rate);
            sum += loss * chosen.len() as f64;
            seen += chosen.len();
        }
        let loss = sum / order.len().max(1) as f64;
        let held_out = (aside > 0).then(|| error(net, &held_out, aside));
        let epoch = Epoch { index, loss, held_out };
        let better = |b: &Epoch| epoch.held_out.is_none() || epoch.held_out < b.held_out;
        if best.as_ref().is_none_or(|(b, _)| better(b)) {
            let mut weights = best.take().map_or_else(Vec::new, |b| b.1);
            if aside > 0 {
                weights.clone_from(&net.params);
            }
            best = Some((epoch, weights));
        }
        let since = index - best.as_ref().map_or(index, |b| b.0.index);
        if !progress(&epoch) || since >= how.patience {
            break;
        }
    }
    let (epoch, weights) = best?;
    if aside > 0 {
        net.params = weights;
    }
    Some(epoch)
}

/// Mean squared error of `rows` rows.
fn error(net: &Network, x: &[f32], rows: usize) -> f64 {
    let out = net.infer(x, rows);
    let square = |part: std::ops::Range<usize>| {
        let pairs = out[part.clone()].iter().zip(&x[part]);
        pairs.map(|(o, x)| f64::from(o - x) * f64::from(o - x)).sum()
    };
    sum::over_parts(x.len(), square) / x.len() as f64
}

fn gathered(rows: &[f32], width: usize, chosen: &[usize]) -> Vec<f32> {
    let mut out = Vec::new();
    gather(rows, width, chosen, &mut out);
    out
}
