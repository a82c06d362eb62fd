//! Training of a network that was trained before, with new layers on top, to predict something
//! else: the new layers alone at first, so that their random weights do not spoil the old ones,
//! then all, the old ones with smaller steps (Howard and Ruder 2018, *Universal language model
//! fine-tuning*, sections 3.2 and 3.3, with one rate for all old layers).

use crate::matrix::rng::Rng;
use crate::nn::batch::gather;
use crate::nn::loss::{cross_entropy, mean_squared};
use crate::nn::network::Network;
use crate::nn::parameters::Parameters;
use crate::nn::pass::Tape;
use crate::nn::trainer::{Gradients, Measure, Objective, Position};

/// What is to be predicted of each row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answers<'a> {
    /// The class of each row, for which the head gives logits.
    Classes(&'a [usize]),
    /// Numbers, rows × outputs, each of which has mean 0 and variance 1 over all rows.
    Values(&'a [f32]),
}

/// An encoder and a head on top of it.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    /// None where rows are given as something encodes them that stays as it is.
    pub(crate) encoder: Option<Network>,
    /// What the encoder's outputs are shifted by and divided by before the head sees them.
    pub(crate) centre: Vec<f32>,
    pub(crate) scale: Vec<f32>,
    pub(crate) head: Network,
}

/// What rows came to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Prediction {
    /// Cross-entropy in nats, or the mean squared error.
    pub(crate) loss: f64,
    /// The share of right classes, or of the variance that is explained.
    pub(crate) right: f64,
}

impl Measure for Prediction {
    fn add(&mut self, other: &Self, share: f64) {
        self.loss += share * other.loss;
        self.right += share * other.right;
    }
}

impl Stack {
    /// Outputs of the head.
    pub(crate) fn infer(&self, x: &[f32]) -> Vec<f32> {
        let rows = x.len() / self.inputs();
        let mut h = match &self.encoder {
            Some(encoder) => encoder.infer(x, rows),
            None => x.to_vec(),
        };
        self.normalise(&mut h);
        self.head.infer(&h, rows)
    }

    /// Numbers of a row that it is given.
    pub(crate) fn inputs(&self) -> usize {
        self.encoder.as_ref().map_or(self.centre.len(), |encoder| encoder.shape.inputs)
    }

    fn normalise(&self, h: &mut [f32]) {
        for row in h.chunks_exact_mut(self.centre.len()) {
            let pairs = self.centre.iter().zip(&self.scale);
            row.iter_mut().zip(pairs).for_each(|(h, (c, s))| *h = (*h - c) / s);
        }
    }
}

impl Answers<'_> {
    /// Loss and its gradient for `rows`.
    fn loss(&self, out: &[f32], rows: &[usize], d: &mut Vec<f32>) -> f64 {
        d.resize(out.len(), 0.0);
        let outputs = out.len() / rows.len().max(1);
        match self {
            Answers::Classes(all) => {
                let own: Vec<usize> = rows.iter().map(|&i| all[i]).collect();
                cross_entropy(out, &own, d)
            }
            Answers::Values(all) => {
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
            Answers::Classes(all) => {
                let hits = out.chunks_exact(outputs).zip(rows);
                let hits = hits.filter(|(out, i)| largest(out) == all[**i]).count();
                hits as f64 / rows.len().max(1) as f64
            }
            Answers::Values(_) => 1.0 - loss,
        }
    }
}

/// Place of the largest number.
pub(crate) fn largest(out: &[f32]) -> usize {
    let better = |best: usize, i: usize| if out[i] > out[best] { i } else { best };
    (0..out.len()).fold(0, better)
}

/// Fits a stack to answers.
#[derive(Debug)]
pub(crate) struct Supervised<'a> {
    pub(crate) stack: &'a mut Stack,
    /// What the encoder is given, rows × its inputs.
    rows: &'a [f32],
    answers: Answers<'a>,
    tuning: EncoderTuning,
    /// Whether the encoder is trained in this pass.
    trains_encoder: bool,
    buffers: Buffers,
}

/// How the encoder is trained beside the head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EncoderTuning {
    /// Its rate, as a share of the head's; 0 leaves it as it is.
    pub(crate) rate_share: f32,
    /// First passes, in which it stays as it is.
    pub(crate) frozen_passes: usize,
}

/// What a batch needs, kept between batches.
#[derive(Debug, Default)]
struct Buffers {
    x: Vec<f32>,
    encoder: Tape,
    head: Tape,
    d_out: Vec<f32>,
    d_hidden: Vec<f32>,
}

impl<'a> Supervised<'a> {
    pub(crate) fn new(
        stack: &'a mut Stack,
        rows: &'a [f32],
        answers: Answers<'a>,
        tuning: EncoderTuning,
    ) -> Self {
        Self { stack, rows, answers, tuning, trains_encoder: false, buffers: Buffers::default() }
    }

    fn width(&self) -> usize {
        self.stack.inputs()
    }
}

impl Objective for Supervised<'_> {
    type Measure = Prediction;

    fn rows(&self) -> usize {
        self.rows.len() / self.width().max(1)
    }

    fn networks(&mut self) -> Vec<Parameters<'_>> {
        let encoder = self.stack.encoder.as_mut().map(Network::parameters);
        encoder.into_iter().chain([self.stack.head.parameters()]).collect()
    }

    fn rate_share(&self, network: usize) -> f32 {
        match (network, &self.stack.encoder) {
            (0, Some(_)) if self.trains_encoder => self.tuning.rate_share,
            (0, Some(_)) => 0.0,
            _ => 1.0,
        }
    }

    fn begin_pass(&mut self, at: Position) {
        self.trains_encoder = at.pass >= self.tuning.frozen_passes && self.tuning.rate_share > 0.0;
    }

    fn gradient(&mut self, batch: &[usize], _: &mut Rng, gradients: &mut Gradients) -> Prediction {
        let width = self.width();
        let Buffers { x, encoder, head, d_out, d_hidden } = &mut self.buffers;
        let Some((head_grad, encoder_grad)) = gradients.networks.split_last_mut() else {
            unreachable!()
        };
        gather(self.rows, width, batch, x);
        let mut hidden = match &self.stack.encoder {
            Some(network) => network.forward(x, batch.len(), encoder).to_vec(),
            None => x.clone(),
        };
        self.stack.normalise(&mut hidden);
        let out = self.stack.head.forward(&hidden, batch.len(), head);
        let loss = self.answers.loss(out, batch, d_out);
        let right = self.answers.right(out, batch, loss);
        d_hidden.resize(hidden.len(), 0.0);
        self.stack.head.backward(&hidden, head, d_out, head_grad, Some(d_hidden));
        if let (true, Some(network)) = (self.trains_encoder, &self.stack.encoder) {
            for row in d_hidden.chunks_exact_mut(self.stack.scale.len()) {
                row.iter_mut().zip(&self.stack.scale).for_each(|(d, s)| *d /= s);
            }
            network.backward(x, encoder, d_hidden, &mut encoder_grad[0], None);
        }
        Prediction { loss, right }
    }

    fn measure(&mut self, rows: &[usize]) -> Prediction {
        let width = self.width();
        gather(self.rows, width, rows, &mut self.buffers.x);
        let out = self.stack.infer(&self.buffers.x);
        let loss = self.answers.loss(&out, rows, &mut self.buffers.d_out);
        Prediction { loss, right: self.answers.right(&out, rows, loss) }
    }

    fn score(&self, prediction: &Prediction) -> f64 {
        prediction.loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::activation::Activation;
    use crate::nn::network::Shape;
    use crate::nn::trainer::{HeldOut, TrainerConfig, train};

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
            encoder: Some(net(2, 16, 2, &mut rng)),
            centre: vec![0.0; 2],
            scale: vec![1.0; 2],
            head,
        };
        let held_out = HeldOut { share: 0.2, ..HeldOut::default() };
        let config =
            TrainerConfig { passes: 60, batch: 32, rate: 0.02, held_out, ..Default::default() };
        let tuned = |rate_share: f32| {
            let mut own = stack.clone();
            let tuning = EncoderTuning { rate_share, frozen_passes: 5 };
            let answers = Answers::Classes(&classes);
            let mut objective = Supervised::new(&mut own, &rows, answers, tuning);
            let pass = train(&mut objective, &config, &mut Rng::new(0), &mut |_| true).unwrap();
            (own, pass.judged().right)
        };
        let (moved, right) = tuned(1.0);
        let params = |stack: &Stack| stack.encoder.clone().unwrap().params;
        assert!(right > 0.95 && params(&moved) != params(&stack), "{right}");
        let (fixed, still) = tuned(0.0);
        assert_eq!(params(&fixed), params(&stack));
        assert!(still < right);
    }
}
