//! The expected size of the file.
//!
//! Latents cost what an entropy coder with a mixture of logistic distributions would take, rounding
//! being replaced by uniform noise of the same width (Ballé, Laparra and Simoncelli 2017, *End-to-end
//! optimized image compression*). What is left over costs the bits of its bin in the same way, or
//! its squared error is paid for. The decoder's weights are paid for too. Distributions come in
//! classes, and each row is in the one that codes it with the fewest bits.

mod classes;
mod cost;
mod filter;
pub(crate) mod likelihood;
mod logistic;
mod part;
mod weights;

use crate::matrix::rng::Rng;
use crate::nn::autoencoder::Autoencoder;
use crate::nn::parameters::Parameters;
use crate::nn::price::error_price;
use crate::nn::trainer::{Gradients, Measure, Objective, Position};
use classes::ClassChoice;
use filter::RowFilter;
use likelihood::Likelihood;
use part::{Learned, Part};
use rayon::prelude::*;

pub(crate) use cost::Cost;

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

/// How far the price of errors goes in a step, as a share of how far errors are from their target.
/// Three times as fast, and it runs away while errors are large only because steps are.
const FOLLOW: f64 = 0.001;
/// The price of errors stays between a thirtieth of the first one and thirty times it: what cannot be
/// reached is not asked for at any price.
const MOST_PRICE: f64 = 30.0;
/// Share of the passes in which the network learns without its neighbours' help.
const ALONE: f64 = 0.1;
/// Rows of a batch that go through both networks together, about, for matrix products to run at full speed. A batch of 256
/// has two parts, so that two threads have one each. Its sums are those of its parts, in order, whatever the number of
/// threads.
const PART_ROWS: usize = 128;
/// Parts of a batch, at most, which are larger where it has many rows: each takes memory for gradients of its own.
const PARTS: usize = 16;
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
    parts: Vec<Part>,
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
            parts: Vec::new(),
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

    /// What parts of a batch look at.
    fn learned(&self) -> Learned<'_> {
        Learned {
            rows: self.rows,
            net: &self.net,
            classes: &self.classes,
            prior: &self.prior,
            residual: &self.residual,
            filter: self.filter.as_ref(),
            error_price: Some(self.error_price).filter(|_| !self.is_coded()),
        }
    }

    /// Does `work` with each part of a batch and where its noise comes from; the mean of what that gives.
    fn in_parts(
        &mut self,
        batch: &[usize],
        rng: &mut Rng,
        work: impl Fn(&Learned<'_>, &mut Part, &[usize], Rng) -> Cost + Sync,
    ) -> Cost {
        let most = batch.len().div_ceil(PART_ROWS).clamp(1, PARTS);
        let batches = batch.chunks(batch.len().div_ceil(most).max(1));
        let mut parts = std::mem::take(&mut self.parts);
        parts.resize_with(batches.len(), Part::default);
        let places = parts.iter_mut().zip(batches);
        let places: Vec<_> = places.map(|own| (own, Rng::new(rng.next_u64()))).collect();
        let learned = self.learned();
        let of = |((part, rows), rng): ((&mut Part, &[usize]), Rng)| {
            (work(&learned, part, rows, rng), rows.len())
        };
        let costs: Vec<(Cost, usize)> = places.into_par_iter().map(of).collect();
        self.parts = parts;
        let mut mean = Cost::default();
        costs.iter().for_each(|(cost, rows)| mean.add(cost, *rows as f64 / batch.len() as f64));
        mean
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
        let scale = 1.0 / batch.len() as f32;
        let cost = self.in_parts(batch, rng, |learned, part, rows, mut rng| {
            let cost = part.forward(learned, rows, scale, &mut rng);
            part.backward(learned);
            cost
        });
        let mut parts = self.parts.iter_mut();
        if let Some(first) = parts.next() {
            std::mem::swap(&mut gradients.networks, &mut first.gradients);
        }
        for part in parts {
            for (sum, own) in gradients.networks.iter_mut().zip(&part.gradients) {
                sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
            }
        }
        let [_, decoder] = &mut gradients.networks[..] else { unreachable!("two networks") };
        weights::add_price(&self.net.decoder, self.config.file_rows, decoder);
        for part in &self.parts {
            let tables = [(&self.prior, &part.prior), (&self.residual, &part.residual)];
            for ((table, from), grad) in tables.into_iter().zip(&mut gradients.tables) {
                table.gather(&part.classes, from, grad);
            }
        }
        cost
    }

    fn after_step(&mut self, batch: &Cost, rate_share: f32) {
        let is_coded = self.is_coded();
        let (prior, residual) = (&mut self.prior, Some(&mut self.residual).filter(|_| is_coded));
        rayon::join(|| prior.changed(), || residual.map(Likelihood::changed));
        let Distortion::Target(target) = self.config.distortion else { return };
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
            let own = self.in_parts(some, &mut rng, |learned, part, rows, mut rng| {
                part.forward(learned, rows, 1.0, &mut rng)
            });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::activation::Activation;
    use crate::nn::autoencoder::{EncoderFlags, FloatEncoder};
    use crate::nn::network::{Network, Shape};

    const WIDTH: usize = 6;
    const LATENTS: usize = 3;
    /// Two parts, one of them a row shorter.
    const ROWS: usize = PART_ROWS + 41;

    fn autoencoder(rng: &mut Rng) -> Autoencoder {
        let mut of = |inputs: usize, outputs: usize| {
            let layers = vec![(8, Activation::Tanh), (outputs, Activation::Identity)];
            let mut net = Network::new(Shape { inputs, layers, skip: true }, rng);
            let skip = net.skip();
            net.params[skip].iter_mut().for_each(|p| *p = 0.5 * (rng.unit() - 0.5));
            net
        };
        let (network, decoder) = (of(WIDTH, LATENTS), of(LATENTS, WIDTH));
        let (column, latent) = (vec![3.0; WIDTH], vec![4.0; LATENTS]);
        let flags = EncoderFlags::default();
        Autoencoder { encoder: FloatEncoder { network, column, latent, flags }, decoder }
    }

    /// What a batch of all rows costs in bits, with the same noise each time, and its gradients.
    fn cost(bits: &mut Bits<'_>) -> (f64, Gradients) {
        let networks = bits.networks().iter().map(|net| vec![0.0; net.values.len()]).collect();
        let tables = bits.tables().iter().map(|table| vec![0.0; table.len()]).collect();
        let mut gradients = Gradients { networks, tables };
        let batch: Vec<usize> = (0..ROWS).rev().collect();
        let cost = bits.gradient(&batch, &mut Rng::new(7), &mut gradients);
        let error = if bits.is_coded() { 0.0 } else { bits.error_price * cost.error };
        (8.0 * (cost.latent + cost.residual) + error, gradients)
    }

    /// The difference that it makes to change something, over the change.
    fn slope(bits: &mut Bits<'_>, change: impl Fn(&mut Bits<'_>, f32)) -> f64 {
        let mut moved = |by: f32| {
            change(bits, by);
            bits.prior.changed();
            bits.residual.changed();
            cost(bits).0
        };
        let difference = moved(0.01) - moved(-0.02);
        moved(0.01);
        difference / 0.02
    }

    #[test]
    fn gradients_of_a_batch_in_parts_are_differences_of_what_it_costs() {
        let mut rng = Rng::new(5);
        let rows: Vec<f32> = (0..ROWS * WIDTH).map(|_| 4.0 * rng.normal()).collect();
        for distortion in [Distortion::Coded, Distortion::Target(9.0)] {
            let (step, classes, file_rows, batch, seed) = (1.0, 2, 1e12, 256, 1);
            let config = BitsConfig { distortion, step, classes, file_rows, batch, seed };
            let mut bits = Bits::new(autoencoder(&mut rng), &rows, &[2.0; WIDTH], config);
            bits.prior.split();
            bits.residual.split();
            bits.classes.iter_mut().enumerate().for_each(|(i, c)| *c = u8::from(i % 5 < 2));
            let gradients = cost(&mut bits).1;
            for (k, own) in gradients.networks.iter().enumerate() {
                for (at, own) in own.iter().enumerate().step_by(7) {
                    let slope = slope(&mut bits, |bits, by| bits.networks()[k].values[at] += by);
                    let error = (slope - f64::from(*own)).abs();
                    assert!(
                        error < 0.02 * slope.abs().max(1.0),
                        "network {k}, {at}: {own} {slope}"
                    );
                }
            }
            for (k, own) in gradients.tables.iter().enumerate() {
                // Means of what is left over are 0, whatever their gradients say.
                let means = if k == 1 { 2 * WIDTH } else { 0 };
                for (at, own) in own.iter().enumerate().skip(means) {
                    let slope = slope(&mut bits, |bits, by| bits.tables()[k][at] += by);
                    let error = (slope - f64::from(*own)).abs();
                    assert!(error < 0.02 * slope.abs().max(0.1), "table {k}, {at}: {own} {slope}");
                }
            }
        }
    }
}
