//! The expected size of the file.
//!
//! Latents cost what an entropy coder with a mixture of logistic distributions would take, rounding
//! being replaced by uniform noise of the same width (Ballé, Laparra and Simoncelli 2017, *End-to-end
//! optimized image compression*). What is left over costs the bits of its bin in the same way, or
//! its squared error is paid for. The decoder's weights are paid for too. Distributions come in
//! classes, and each row is in the one that codes it with the fewest bits.

mod classes;
mod filter;
pub(crate) mod likelihood;
mod logistic;
mod weights;

use crate::matrix::rng::Rng;
use crate::nn::autoencoder::Autoencoder;
use crate::nn::batch::gather;
use crate::nn::parameters::Parameters;
use crate::nn::pass::Tape;
use crate::nn::price::error_price;
use crate::nn::trainer::{Gradients, Measure, Objective, Position};
use classes::ClassChoice;
use filter::RowFilter;
use likelihood::{Likelihood, LikelihoodGradients};

/// What errors of the prediction cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Distortion {
    /// What is left over is coded, with a bin of one step.
    Coded,
    /// The mean squared error of a row, summed over columns in squared steps, is driven to this.
    Target(f64),
}

/// What is trained for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BitsConfig {
    pub(crate) distortion: Distortion,
    /// A latent's step in residual steps.
    pub(crate) step: f32,
    /// Row classes in the end.
    pub(crate) classes: usize,
    /// Rows of the file, among which the weights' cost is shared.
    pub(crate) file_rows: f64,
    /// Rows that are measured at once.
    pub(crate) batch: usize,
    /// Sets the noise on rows held out.
    pub(crate) seed: u64,
}

/// What rows came to, in bytes per row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) latent: f64,
    /// 0 where errors have a target.
    pub(crate) residual: f64,
    pub(crate) weights: f64,
    /// Squared error of a row, in squared steps.
    pub(crate) error: f64,
}

impl Measure for Cost {
    /// Weights are counted once for all rows and not added.
    fn add(&mut self, other: &Self, share: f64) {
        self.latent += share * other.latent;
        self.residual += share * other.residual;
        self.error += share * other.error;
    }
}

/// How far the price of errors goes in a step, as a share of how far errors are from their target.
/// Three times as fast, and it runs away while errors are large only because steps are.
const FOLLOW: f64 = 0.001;
/// The price of errors stays between a thirtieth of the first one and thirty times it: what cannot be
/// reached is not asked for at any price.
const MOST_PRICE: f64 = 30.0;
/// Share of the passes in which the network learns without its neighbours' help.
const ALONE: f64 = 0.1;
/// Rows that a filter is fitted to, at most.
const FILTER_ROWS: usize = 2048;
/// Told from the seeds of training.
const HELD_OUT: u64 = 0x0068_656c_645f_6f75;

/// An autoencoder in training on normalised rows.
#[derive(Debug)]
pub(crate) struct Bits<'a> {
    config: BitsConfig,
    /// Normalised rows, rows × columns.
    rows: &'a [f32],
    pub(crate) net: Autoencoder,
    prior: Likelihood,
    residual: Likelihood,
    /// How residuals are foretold by those before them in the row, where that pays.
    filter: Option<RowFilter>,
    /// Columns that may foretell each, until they are looked at.
    neighbours: Vec<Vec<usize>>,
    /// The class of each row.
    classes: Vec<u8>,
    /// Bits per squared step of error.
    pub(crate) error_price: f64,
    buffers: Buffers,
}

/// Everything a batch needs, kept between batches.
#[derive(Debug, Default)]
struct Buffers {
    input: Vec<f32>,
    target: Vec<f32>,
    classes: Vec<u8>,
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
    residual: LikelihoodGradients,
    prior: LikelihoodGradients,
}

impl<'a> Bits<'a> {
    /// Begins with `net`, whose latents' scales are their deviations, on normalised `rows`; the
    /// prediction leaves of each column the deviation `left`, in residual steps.
    pub(crate) fn new(net: Autoencoder, rows: &'a [f32], left: &[f32], config: BitsConfig) -> Self {
        Self {
            prior: Likelihood::new(&net.encoder.latent, false, 2),
            residual: Likelihood::new(left, true, 1),
            filter: None,
            neighbours: Vec::new(),
            classes: vec![0; rows.len() / net.width()],
            error_price: error_price(f64::from(config.step)),
            config,
            rows,
            net,
            buffers: Buffers::default(),
        }
    }

    /// Lets residuals be foretold by those of some columns before, the `neighbours` of each column, once
    /// the network has learned for a while, if that then saves enough: from the first pass on, neighbours
    /// would say what the network is to learn.
    pub(crate) fn look_at_neighbours(&mut self, neighbours: Vec<Vec<usize>>) {
        self.neighbours = neighbours;
    }

    /// Begins to look at neighbours, if they save enough.
    fn begin_to_look(&mut self) {
        let neighbours = std::mem::take(&mut self.neighbours);
        if let Some((filter, _)) = RowFilter::chosen(&neighbours, &self.left_of_some()) {
            // Scales are as wide as before at first, and follow.
            self.filter = Some(filter);
        }
    }

    /// What the prediction leaves over of some rows, evenly from all.
    fn left_of_some(&self) -> Vec<f32> {
        let width = self.net.width();
        let every = self.rows().div_ceil(FILTER_ROWS).max(1);
        let some: Vec<f32> =
            self.rows.chunks_exact(width).step_by(every).flatten().copied().collect();
        let y: Vec<f32> =
            self.net.encoder.encode(&some).iter().map(|y| y.round_ties_even()).collect();
        let predicted = self.net.decode(&y);
        some.iter().zip(predicted).map(|(x, p)| x - p).collect()
    }

    /// Fits the filter to what the prediction leaves over by now.
    fn refit_filter(&mut self) {
        if let Some(filter) = &self.filter {
            self.filter = Some(filter.fitted(&self.left_of_some()));
        }
    }

    fn is_coded(&self) -> bool {
        self.config.distortion == Distortion::Coded
    }

    fn assign_classes(&mut self, frequencies: &[f32]) {
        let residual = self.is_coded().then_some(&self.residual);
        let (net, rows, prior, filter) = (&self.net, self.rows, &self.prior, self.filter.as_ref());
        ClassChoice { net, rows, prior, residual, filter }.assign(&mut self.classes, frequencies);
    }

    fn gather(&mut self, batch: &[usize]) {
        let Buffers { input, target, classes, .. } = &mut self.buffers;
        gather(self.rows, self.net.width(), batch, target);
        classes.clear();
        classes.extend(batch.iter().map(|&i| self.classes[i]));
        input.clear();
        input.extend_from_slice(target);
        for row in input.chunks_exact_mut(self.net.width()) {
            row.iter_mut().zip(&self.net.encoder.column).for_each(|(x, s)| *x /= s);
        }
    }

    /// What a batch costs; the gradients of that by what both networks give are left in the buffers.
    fn forward(&mut self, batch: &[usize], rng: &mut Rng) -> Cost {
        self.gather(batch);
        self.encode(batch.len(), rng);
        let error = self.decode(batch.len());
        let (n, scale) = (batch.len() as f64, 1.0 / batch.len() as f32);
        let mut cost = Cost { error: error / n, ..Cost::default() };
        let (coded, price) = (self.is_coded(), self.error_price);
        let b = &mut self.buffers;
        if coded {
            match &self.filter {
                None => self.residual.backward(&b.left, &b.classes, scale, &mut b.residual),
                Some(filter) => {
                    filter.forward(&b.left, &mut b.filtered);
                    self.residual.backward(&b.filtered, &b.classes, scale, &mut b.residual);
                    filter.backward(&b.filtered, &mut b.residual.d);
                }
            }
            cost.residual = sum(&b.residual.bits) / n / 8.0;
        } else {
            let twice = 2.0 * price as f32 * scale;
            b.residual.d.clear();
            b.residual.d.extend(b.left.iter().map(|e| e * twice));
        }
        let columns = &self.net.encoder.column;
        b.d_out.clear();
        for row in b.residual.d.chunks_exact(columns.len()) {
            b.d_out.extend(row.iter().zip(columns).map(|(d, s)| -d * s));
        }
        self.prior.backward(&b.latent, &b.classes, scale, &mut b.prior);
        cost.latent = sum(&b.prior.bits) / n / 8.0;
        cost
    }

    /// Latents with noise in place of their rounding.
    fn encode(&mut self, rows: usize, rng: &mut Rng) {
        let Buffers { input, latent, scaled, encode, .. } = &mut self.buffers;
        let encoder = &self.net.encoder;
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
    fn decode(&mut self, rows: usize) -> f64 {
        let Buffers { scaled, left, target, decode, .. } = &mut self.buffers;
        let columns = &self.net.encoder.column;
        let out = self.net.decoder.forward(scaled, rows, decode);
        left.clear();
        for (p, t) in out.chunks_exact(columns.len()).zip(target.chunks_exact(columns.len())) {
            left.extend(p.iter().zip(t).zip(columns).map(|((p, t), s)| t - p * s));
        }
        left.iter().map(|e| f64::from(*e).powi(2)).sum()
    }

    /// Gradients of both networks' parameters from those that [`Self::forward`] left.
    fn backward(&mut self, gradients: &mut [Vec<f32>]) {
        let [encoder_grad, decoder_grad] = gradients else { unreachable!("two networks") };
        let Buffers { input, scaled, encode, decode, d_out, d_latent, prior, .. } =
            &mut self.buffers;
        let encoder = &self.net.encoder;
        d_latent.resize(scaled.len(), 0.0);
        self.net.decoder.backward(scaled, decode, d_out, decoder_grad, Some(d_latent));
        weights::add_price(&self.net.decoder, self.config.file_rows, decoder_grad);
        let latents = encoder.latent.len();
        for (row, prior) in d_latent.chunks_exact_mut(latents).zip(prior.d.chunks_exact(latents)) {
            // Latents are `latent · output`: the prior's part is brought to the output.
            row.iter_mut().zip(prior).zip(&encoder.latent).for_each(|((d, p), s)| *d += p * s);
        }
        encoder.network.backward(input, encode, d_latent, encoder_grad, None);
    }
}

impl Objective for Bits<'_> {
    type Measure = Cost;

    fn rows(&self) -> usize {
        self.classes.len()
    }

    fn networks(&mut self) -> Vec<Parameters<'_>> {
        vec![self.net.encoder.network.parameters(), self.net.decoder.parameters()]
    }

    fn tables(&mut self) -> Vec<&mut Vec<f32>> {
        let coded = self.is_coded().then_some(&mut self.residual.params);
        [Some(&mut self.prior.params), coded].into_iter().flatten().collect()
    }

    fn begin_pass(&mut self, at: Position) {
        let count = self.prior.classes;
        let splits = count < classes::due(at, self.config.classes);
        if !self.neighbours.is_empty() && at.pass as f64 >= ALONE * at.passes as f64 {
            self.begin_to_look();
        } else if at.pass > 0 && (splits || classes::is_choice_due(at)) {
            self.refit_filter();
        }
        if splits {
            self.prior.split();
            self.residual.split();
            // Nobody is in a class yet.
            self.assign_classes(&vec![1.0; 2 * count]);
        } else if count > 1 && classes::is_choice_due(at) {
            self.assign_classes(&classes::frequencies(&self.classes, count));
        }
    }

    fn gradient(&mut self, batch: &[usize], rng: &mut Rng, gradients: &mut Gradients) -> Cost {
        let cost = self.forward(batch, rng);
        self.backward(&mut gradients.networks);
        let b = &self.buffers;
        let tables = [(&self.prior, &b.prior), (&self.residual, &b.residual)];
        for ((table, from), grad) in tables.into_iter().zip(&mut gradients.tables) {
            table.gather(&b.classes, from, grad);
        }
        cost
    }

    fn after_step(&mut self, batch: &Cost, rate_share: f32) {
        self.prior.changed();
        let Distortion::Target(target) = self.config.distortion else {
            self.residual.changed();
            return;
        };
        // As slowly as networks follow, or the two would chase each other; and not at all when they
        // no longer do.
        let follow = FOLLOW * f64::from(rate_share);
        let miss = (batch.error / target).max(1e-9).ln().clamp(-1.0, 1.0);
        let first = error_price(f64::from(self.config.step));
        if !first.is_finite() {
            // A step of 0 has no price; whatever is learned, no codec comes of it.
            return;
        }
        let price = self.error_price * (follow * miss).exp();
        self.error_price = price.clamp(first / MOST_PRICE, first * MOST_PRICE);
    }

    fn measure(&mut self, rows: &[usize]) -> Cost {
        let mut rng = Rng::new(self.config.seed ^ HELD_OUT);
        let mut cost = Cost::default();
        for some in rows.chunks(self.config.batch) {
            let own = self.forward(some, &mut rng);
            cost.add(&own, some.len() as f64 / rows.len() as f64);
        }
        cost
    }

    /// Bytes of a row, with the error where it is not coded at its price of now.
    fn score(&self, cost: &Cost) -> f64 {
        let error = if self.is_coded() { 0.0 } else { self.error_price * cost.error / 8.0 };
        cost.latent + cost.residual + error
    }

    fn end_pass(&mut self, trained: &mut Cost) {
        trained.weights = weights::bits(&self.net.decoder) / 8.0 / self.config.file_rows;
    }
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum()
}
