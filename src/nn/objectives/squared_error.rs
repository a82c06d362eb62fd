//! The squared error of one network that gives back what it gets: the simplest objective, to
//! measure speed by and to compare with what is known.

use crate::matrix::rng::Rng;
use crate::nn::batch::gather;
use crate::nn::loss::mean_squared;
use crate::nn::network::Network;
use crate::nn::parameters::Parameters;
use crate::nn::pass::Tape;
use crate::nn::trainer::{Gradients, Objective};

/// Trains `network` to give back `rows`, each as wide as its input and its output.
#[derive(Debug)]
pub(crate) struct SquaredError<'a> {
    pub(crate) network: &'a mut Network,
    pub(crate) rows: &'a [f32],
    pub(crate) buffers: &'a mut Buffers,
}

/// What a batch needs, kept between batches.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    x: Vec<f32>,
    tape: Tape,
    d_out: Vec<f32>,
}

impl Objective for SquaredError<'_> {
    /// The mean squared error of a value.
    type Measure = f64;

    fn rows(&self) -> usize {
        self.rows.len() / self.network.shape.inputs.max(1)
    }

    fn networks(&mut self) -> Vec<Parameters<'_>> {
        vec![self.network.parameters()]
    }

    fn gradient(&mut self, batch: &[usize], _: &mut Rng, gradients: &mut Gradients) -> f64 {
        let Buffers { x, tape, d_out } = self.buffers;
        gather(self.rows, self.network.shape.inputs, batch, x);
        d_out.resize(x.len(), 0.0);
        let error = mean_squared(self.network.forward(x, batch.len(), tape), x, d_out);
        self.network.backward(x, tape, d_out, &mut gradients.networks[0], None);
        error
    }

    fn measure(&mut self, rows: &[usize]) -> f64 {
        let Buffers { x, d_out, .. } = self.buffers;
        gather(self.rows, self.network.shape.inputs, rows, x);
        d_out.resize(x.len(), 0.0);
        mean_squared(&self.network.infer(x, rows.len()), x, d_out)
    }

    fn score(&self, error: &f64) -> f64 {
        *error
    }
}
