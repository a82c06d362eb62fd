//! Training: stochastic gradient descent on the expected size of the file.

pub(crate) mod likelihood;
mod logistic;

use crate::fit::data::components::Components;
use crate::kernels::activation::Activation;
use crate::kernels::math::ln;
use crate::matrix::rng::Rng;
use crate::nn::adam::Adam;
use crate::nn::autoencoder::Autoencoder;
use crate::nn::autoencoder::EncoderFlags;
use crate::nn::early_stopping::EarlyStopping;
use crate::nn::network::{Network, Shape, Tape};
use crate::nn::objectives::bits::likelihood::{Gradients, Likelihood};
pub(crate) use crate::nn::plan::{BitsConfig, Cost, Objective, Time, TrainedNetwork};
use crate::nn::schedule::Schedule;
use rayon::prelude::*;

/// How far the price of errors goes in a step, as a share of how far they are from what is wanted.
/// Three times as fast, and it runs away while errors are large only because steps are.
const FOLLOW: f64 = 0.001;

/// Adam's memory of squared gradients, a hundred steps. Of a thousand, as is usual, it is too slow to
/// see when steps have become too long: errors grow tenfold in a few steps near the peak of the
/// rate, and files came out 2 to 20 % larger, some seeds more than others.
const MEMORY: f32 = 0.99;

/// Everything a batch needs, kept between batches.
#[derive(Default)]
struct Work {
    input: Vec<f32>,
    target: Vec<f32>,
    latent: Vec<f32>,
    scaled: Vec<f32>,
    left: Vec<f32>,
    d_out: Vec<f32>,
    d_latent: Vec<f32>,
    classes: Vec<u8>,
    encode: Tape,
    decode: Tape,
    residual: Gradients,
    prior: Gradients,
}

struct BitsTrainer<'a> {
    plan: &'a BitsConfig,
    rows: &'a [f32],
    width: usize,
    net: Autoencoder,
    prior: Likelihood,
    residual: Likelihood,
    classes: Vec<u8>,
    /// Bits per squared step of error.
    lambda: f64,
    rng: Rng,
}

/// Trains on normalised rows, from principal components on.
pub(crate) fn train(
    rows: &[f32],
    components: &Components,
    plan: &BitsConfig,
    log: &dyn Fn(f64, &Cost),
) -> TrainedNetwork {
    let width = components.columns.len();
    let mut rng = Rng::new(plan.seed);
    let net = start(components, plan, &mut rng);
    let deviation: Vec<f32> = net.latent.clone();
    let left = left_over(components, plan);
    let mut t = BitsTrainer {
        prior: Likelihood::new(&deviation, false, 2),
        residual: Likelihood::new(&left, true, 1),
        classes: vec![0; rows.len() / width],
        // dD/dR of a uniform quantiser.
        lambda: 6.0 / (std::f64::consts::LN_2 * f64::from(plan.step).powi(2)),
        plan,
        rows,
        width,
        net,
        rng,
    };
    let cost = t.run(log);
    TrainedNetwork { cost, lambda: t.lambda, step: f64::from(plan.step), autoencoder: t.net }
}

/// Networks that do what the components do.
fn start(c: &Components, plan: &BitsConfig, rng: &mut Rng) -> Autoencoder {
    let (width, latents) = (c.columns.len(), plan.latents);
    let column: Vec<f32> = c.columns.iter().map(|v| (v.sqrt() as f32).max(0.05)).collect();
    let latent: Vec<f32> =
        (0..latents).map(|k| (c.variance[k].sqrt() as f32 / plan.step).max(0.05)).collect();
    let shape = |inputs: usize, hidden: &[usize], outputs: usize, f: Activation| Shape {
        inputs,
        layers: hidden.iter().map(|&w| (w, f)).chain([(outputs, Activation::Identity)]).collect(),
        skip: true,
    };
    let mut encoder = Network::new(shape(width, &plan.encoder, latents, plan.activation), rng);
    let mut decoder =
        Network::new(shape(latents, &plan.decoder, width, plan.decoder_activation), rng);
    for net in [&mut encoder, &mut decoder] {
        let last = net.weights(net.shape.layers.len() - 1);
        net.params[last].fill(0.0);
    }
    let (down, up) = (encoder.skip(), decoder.skip());
    for (k, scale) in latent.iter().enumerate() {
        for (j, v) in c.vector(k).iter().enumerate() {
            encoder.params[down.start + j * latents + k] = column[j] * v / (plan.step * scale);
            decoder.params[up.start + k * width + j] = scale * plan.step * v / column[j];
        }
    }
    Autoencoder { encoder, decoder, column, latent, flags: EncoderFlags::default() }
}

/// Deviation of what the components and the latents' rounding leave of each column.
fn left_over(c: &Components, plan: &BitsConfig) -> Vec<f32> {
    let mut left = c.columns.clone();
    for k in 0..plan.latents {
        let (variance, noise) = (c.variance[k], f64::from(plan.step).powi(2) / 12.0);
        for (l, v) in left.iter_mut().zip(c.vector(k)) {
            *l += f64::from(*v).powi(2) * (noise - variance);
        }
    }
    left.iter().map(|l| l.max(0.001).sqrt() as f32).collect()
}

impl BitsTrainer<'_> {
    fn run(&mut self, log: &dyn Fn(f64, &Cost)) -> Cost {
        let plan = self.plan;
        let mut order: Vec<usize> = (0..self.classes.len()).collect();
        let mut held_out = EarlyStopping::new(&mut order, plan, &mut self.rng);
        let batch = plan.batch.min(order.len());
        let per_epoch = order.len() / batch;
        let steps = per_epoch * plan.epochs;
        let schedule = Schedule::new(plan.rate, steps);
        let mut work = Work::default();
        let mut adams =
            [&self.net.encoder, &self.net.decoder].map(|net| Adam::new(net.params.len()));
        adams.iter_mut().for_each(|adam| adam.beta2 = MEMORY);
        let mut tables = self.of_tables();
        let mut grads =
            [vec![0.0; self.net.encoder.params.len()], vec![0.0; self.net.decoder.params.len()]];
        let mut cost = Cost::default();
        let mut step = 0;
        let first = self.lambda;
        for epoch in 0..plan.epochs {
            // Classes double in the first quarter.
            let gone = plan.time.map_or(0.0, Time::gone);
            let part = (epoch * 20 / plan.epochs.max(1)).max((gone * 20.0) as usize);
            let due = 1_usize << part.min(7);
            if self.prior.classes < due.min(plan.classes) {
                self.prior.split();
                self.residual.split();
                tables = self.of_tables();
                self.classify(true);
            } else if self.prior.classes > 1 && epoch % 4 == 3 {
                self.classify(false);
            }
            self.rng.shuffle(&mut order);
            let (mut sums, mut made, mut late) = (Cost::default(), 0.0, false);
            for rows in order.chunks_exact(batch) {
                grads.iter_mut().for_each(|g| g.fill(0.0));
                let own = self.batch(rows, &mut work, &mut grads, &mut tables);
                sums.add(&own, 1.0);
                made += 1.0;
                let gone = plan.time.map_or(0.0, Time::gone);
                let rate = schedule.rate(step.max((gone * steps as f64) as usize));
                self.weigh(&mut grads[1]);
                adams.iter_mut().zip(&grads).for_each(|(adam, grad)| adam.clip_unusual(grad));
                adams[0].step(&mut self.net.encoder.params, &grads[0], rate);
                adams[1].step(&mut self.net.decoder.params, &grads[1], rate);
                step += 1;
                if let Objective::Error(wanted) = plan.objective {
                    // As slowly as networks follow, or the two would chase each other; and not
                    // at all when they no longer do.
                    let follow = FOLLOW * f64::from(rate / plan.rate);
                    let miss = (own.error / wanted).max(1e-9).ln().clamp(-1.0, 1.0);
                    self.lambda *= (follow * miss).exp();
                    // What cannot be reached is not wished for at any price.
                    self.lambda = self.lambda.clamp(first / 30.0, first * 30.0);
                }
                late = gone >= 1.0;
                if late {
                    break;
                }
            }
            cost = Cost::default();
            cost.add(&sums, 1.0 / made);
            cost.weights = self.weights_bits() / 8.0 / plan.rows;
            let gone = plan.time.map_or(0.0, Time::gone).min(1.0);
            log(((epoch + 1) as f64 / plan.epochs as f64).max(gone), &cost);
            if !held_out.rows.is_empty() {
                let now = self.measure(&held_out.rows, batch, &mut work);
                late |= held_out.is_over(epoch, (now, self.lambda), (&self.net, cost));
            }
            if late {
                break;
            }
        }
        if let Some((best, its)) = held_out.best {
            (self.net, cost) = (best, its);
        }
        cost
    }

    /// What makes steps of the distributions. It clips nothing, but passes over what is not finite.
    fn of_tables(&self) -> [Adam; 2] {
        [&self.prior, &self.residual].map(|table| {
            let mut adam = Adam::new(table.params.len());
            adam.clip = f32::MAX;
            adam
        })
    }

    /// What rows cost that are not trained on, with the same noise each time.
    fn measure(&mut self, rows: &[usize], batch: usize, work: &mut Work) -> Cost {
        let noise = Rng::new(self.plan.seed ^ 0x0068_656c_645f_6f75);
        let rng = std::mem::replace(&mut self.rng, noise);
        let mut cost = Cost::default();
        for some in rows.chunks(batch) {
            let (own, share) = (self.forward(some, work), some.len() as f64 / rows.len() as f64);
            cost.add(&own, share);
        }
        self.rng = rng;
        cost
    }

    /// The gradient of what the decoder's weights cost: bits of a Laplace distribution, its scale
    /// the layer's mean magnitude or, as weights are rounded, a share of what is usual if that is
    /// more. Without it weights would draw each other towards 0.
    fn weigh(&self, grad: &mut [f32]) {
        let net = &self.net.decoder;
        let layers = net.shape.layers.len();
        let mut places: Vec<_> =
            (0..layers).map(|l| (net.weights(l), net.shape.inputs_of(l))).collect();
        places.push((net.skip(), net.shape.inputs));
        for (place, inputs) in places {
            let own = &net.params[place.clone()];
            let mean = own.iter().map(|w| f64::from(w.abs())).sum::<f64>() / own.len() as f64;
            let usual = 0.3 / (inputs as f64).sqrt();
            let price = std::f64::consts::LOG2_E / (mean.max(usual) * self.plan.rows);
            for (g, w) in grad[place].iter_mut().zip(own) {
                *g += (price as f32) * if *w == 0.0 { 0.0 } else { w.signum() };
            }
        }
    }

    /// What the decoder's weights cost, about: each as many bits as a Laplace distribution of
    /// the layer's mean magnitude takes with a resolution of a sixth of it.
    fn weights_bits(&self) -> f64 {
        let net = &self.net.decoder;
        5.0 * net.params.iter().filter(|w| w.abs() > 1e-4).count() as f64
    }

    fn gather(&self, rows: &[usize], work: &mut Work) {
        let width = self.width;
        work.target.clear();
        work.classes.clear();
        for &i in rows {
            work.target.extend_from_slice(&self.rows[i * width..(i + 1) * width]);
            work.classes.push(self.classes[i]);
        }
        work.input.clear();
        work.input.extend_from_slice(&work.target);
        for row in work.input.chunks_exact_mut(width) {
            row.iter_mut().zip(&self.net.column).for_each(|(x, s)| *x /= s);
        }
    }

    /// What a batch costs, and the gradients of that by what both networks give.
    fn forward(&mut self, rows: &[usize], work: &mut Work) -> Cost {
        let (n, latents) = (rows.len(), self.plan.latents);
        let scale = 1.0 / n as f32;
        self.gather(rows, work);
        self.net.encoder.forward(&work.input, n, &mut work.encode);
        work.latent.clear();
        work.latent.extend_from_slice(work.encode.output());
        work.scaled.clear();
        for row in work.latent.chunks_exact_mut(latents) {
            for (y, s) in row.iter_mut().zip(&self.net.latent) {
                *y = *y * s + (self.rng.unit() - 0.5);
                work.scaled.push(*y / s);
            }
        }
        self.net.decoder.forward(&work.scaled, n, &mut work.decode);
        work.left.clear();
        let out = work.decode.output();
        for (p, t) in out.chunks_exact(self.width).zip(work.target.chunks_exact(self.width)) {
            let columns = p.iter().zip(t).zip(&self.net.column);
            work.left.extend(columns.map(|((p, t), s)| t - p * s));
        }
        let squares: f64 = work.left.iter().map(|e| f64::from(*e).powi(2)).sum();
        let mut cost = Cost { error: squares / n as f64, ..Cost::default() };
        if self.plan.objective == Objective::Residual {
            self.residual.backward(&work.left, &work.classes, scale, &mut work.residual);
            cost.residual = sum(&work.residual.bits) / n as f64 / 8.0;
        } else {
            let twice = 2.0 * self.lambda as f32 * scale;
            work.residual.d.clear();
            work.residual.d.extend(work.left.iter().map(|e| e * twice));
        }
        work.d_out.clear();
        for row in work.residual.d.chunks_exact(self.width) {
            work.d_out.extend(row.iter().zip(&self.net.column).map(|(d, s)| -d * s));
        }
        self.prior.backward(&work.latent, &work.classes, scale, &mut work.prior);
        cost.latent = sum(&work.prior.bits) / n as f64 / 8.0;
        cost
    }

    /// One batch: gradients of both networks, and a step of the tables.
    fn batch(
        &mut self,
        rows: &[usize],
        work: &mut Work,
        grads: &mut [Vec<f32>; 2],
        tables: &mut [Adam; 2],
    ) -> Cost {
        let (n, latents) = (rows.len(), self.plan.latents);
        let cost = self.forward(rows, work);
        work.d_latent.resize(n * latents, 0.0);
        self.net.decoder.backward(
            &work.scaled,
            n,
            &mut work.decode,
            &work.d_out,
            &mut grads[1],
            Some(&mut work.d_latent),
        );
        let d = work.d_latent.chunks_exact_mut(latents).zip(work.prior.d.chunks_exact(latents));
        for (row, prior) in d {
            // Latents are `latent · output`: the prior's part is brought to the output.
            row.iter_mut().zip(prior).zip(&self.net.latent).for_each(|((d, p), s)| *d += p * s);
        }
        self.net.encoder.backward(
            &work.input,
            n,
            &mut work.encode,
            &work.d_latent,
            &mut grads[0],
            None,
        );
        let coded = self.plan.objective == Objective::Residual;
        let parts =
            [(&mut self.prior, &work.prior, true), (&mut self.residual, &work.residual, coded)];
        for ((table, from, used), adam) in parts.into_iter().zip(tables) {
            if used {
                let mut grad = vec![0.0; table.params.len()];
                table.gather(&work.classes, from, &mut grad);
                adam.step(&mut table.params, &grad, 0.01);
                table.changed();
            }
        }
        cost
    }

    /// Each row to its cheapest class.
    fn classify(&mut self, fresh: bool) {
        let latents = self.plan.latents;
        let coded = self.plan.objective == Objective::Residual;
        const PART: usize = 256;
        let y: Vec<f32> = self.net.encode(self.rows);
        let rounded: Vec<f32> = y.iter().map(|y| y.round_ties_even()).collect();
        let p = self.net.decode(&rounded);
        let (prior, residual, width) = (&self.prior, &self.residual, self.width);
        let rows = self.rows;
        // What it costs to say the class.
        let mut counts = vec![1.0_f32; prior.classes];
        if !fresh {
            self.classes.iter().for_each(|&c| counts[usize::from(c)] += 1.0);
        }
        let total: f32 = counts.iter().sum();
        let say: Vec<f32> = counts.iter().map(|n| ln(total / n)).collect();
        self.classes.par_chunks_mut(PART).enumerate().for_each(|(part, classes)| {
            let mut left = vec![0.0; width];
            for (i, class) in classes.iter_mut().enumerate() {
                let i = part * PART + i;
                for (j, l) in left.iter_mut().enumerate() {
                    *l = (rows[i * width + j] - p[i * width + j]).round_ties_even();
                }
                let own = &rounded[i * latents..(i + 1) * latents];
                let cost = |c: usize| {
                    say[c] + prior.nats(own, c) + if coded { residual.nats(&left, c) } else { 0.0 }
                };
                let costs: Vec<f32> = (0..prior.classes).map(cost).collect();
                let best = (0..prior.classes).min_by(|&a, &b| costs[a].total_cmp(&costs[b]));
                *class = best.unwrap_or(0) as u8;
            }
        });
    }
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum()
}
