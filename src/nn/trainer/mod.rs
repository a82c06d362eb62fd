//! The only training loop: batches in random order, steps of Adam or of Muon, a rate that rises and falls,
//! rows held out, the best weights, a deadline.
//!
//! What is learned is an [`Objective`]; a new one is one file in `objectives`.

#[cfg(test)]
mod tests;

use super::adam::{Adam, Clip};
use super::deadline::Deadline;
use super::early_stopping::EarlyStopping;
use super::muon::Muon;
use super::parameters::Parameters;
use super::schedule::Schedule;
use crate::interrupt::checkpoint;
use crate::matrix::rng::Rng;
use rayon::prelude::*;

/// What networks learn from rows: a loss, its gradient, and what is judged by rows held out.
pub(crate) trait Objective {
    /// What rows came to: a mean over them, whatever the objective counts.
    type Measure: Measure;

    /// Rows that there are, those to be held out among them.
    fn rows(&self) -> usize;

    /// The networks that are trained, always in the same order.
    fn networks(&mut self) -> Vec<Parameters<'_>>;

    /// Other parameters, stepped at [`TABLE_RATE`], always in the same order. Where the length of
    /// one changes, its steps begin anew.
    fn tables(&mut self) -> Vec<&mut Vec<f32>> {
        Vec::new()
    }

    /// The rate of a network in this pass, as a share of the schedule's; at 0 it is not stepped.
    fn rate_share(&self, _network: usize) -> f32 {
        1.0
    }

    /// Called before each pass over the rows.
    fn begin_pass(&mut self, _at: Position) {}

    /// Writes the gradient of the loss of a batch to `gradients`, and gives what the batch came to.
    /// Gradients of networks are to be overwritten, but where their rate is 0; those of tables are 0
    /// before.
    fn gradient(
        &mut self,
        batch: &[usize],
        rng: &mut Rng,
        gradients: &mut Gradients,
    ) -> Self::Measure;

    /// Called after each step, with what the batch came to before it and the rate of the step as a
    /// share of the peak.
    fn after_step(&mut self, _batch: &Self::Measure, _rate_share: f32) {}

    /// What some rows come to, with the same noise each time.
    fn measure(&mut self, rows: &[usize]) -> Self::Measure;

    /// What a measure is worth by the standard of now: less is better.
    fn score(&self, measure: &Self::Measure) -> f64;

    /// Called after each pass, with what its batches came to, to add what is not counted by batch.
    fn end_pass(&mut self, _trained: &mut Self::Measure) {}
}

/// What rows came to, as a mean that can be put together from means of parts.
pub(crate) trait Measure: Copy + Default {
    /// Adds `share` times what `other` came to.
    fn add(&mut self, other: &Self, share: f64);
}

impl Measure for f64 {
    fn add(&mut self, other: &Self, share: f64) {
        *self += share * other;
    }
}

/// How far training is when a pass begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    /// The pass, from 0, and how many there are at most.
    pub(crate) pass: usize,
    pub(crate) passes: usize,
    /// The share of the time until the deadline that has passed; 0 without a deadline.
    pub(crate) time: f64,
}

/// Gradients of a step, each laid out as what it is the gradient of.
#[derive(Debug, Default)]
pub(crate) struct Gradients {
    pub(crate) networks: Vec<Vec<f32>>,
    pub(crate) tables: Vec<Vec<f32>>,
}

/// How to train.
#[derive(Debug, Clone)]
pub(crate) struct TrainerConfig {
    /// Most passes over the rows.
    pub(crate) passes: usize,
    /// Rows of a batch. (Batches that grow from pass to pass were tried for the linear
    /// autoencoder: beside a rate that falls they end too early, its slowest directions a hundred
    /// times further from where they belong.)
    pub(crate) batch: usize,
    /// Whether rows that do not fill a batch are a batch too; else each pass leaves out others.
    /// Gradients of few rows are noisy, most of all those of distributions by class.
    pub(crate) short_batches: bool,
    /// Peak of the learning rate.
    pub(crate) rate: f32,
    pub(crate) steps: StepConfig,
    pub(crate) held_out: HeldOut,
    /// What ends training, however far it is; until then the rate falls as if it were the last step.
    pub(crate) deadline: Option<Deadline>,
}

impl Default for TrainerConfig {
    fn default() -> Self {
        Self {
            passes: 30,
            batch: 256,
            short_batches: true,
            rate: 1e-3,
            steps: StepConfig::default(),
            held_out: HeldOut::default(),
            deadline: None,
        }
    }
}

/// How each network is stepped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepConfig {
    /// Adam's memory of squared gradients, `β₂`.
    pub(crate) beta2: f32,
    /// Decoupled decay of weights.
    pub(crate) decay: f32,
    pub(crate) clip: Clip,
    /// Length of Muon's steps of the layers' matrices, in what is like Adam's; none where these are Adam's, too.
    pub(crate) muon: Option<f32>,
}

impl Default for StepConfig {
    fn default() -> Self {
        Self { beta2: 0.999, decay: 0.0, clip: Clip::None, muon: None }
    }
}

/// Rows that are not trained on, by which the best pass is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldOut {
    /// Their share of all.
    pub(crate) share: f64,
    /// The fewest that say anything: of fewer none are held out.
    pub(crate) least: usize,
    /// Passes without a better one after which training ends, and the first pass that counts.
    pub(crate) patience: usize,
    pub(crate) patient_from: usize,
}

impl Default for HeldOut {
    fn default() -> Self {
        Self { share: 0.0, least: 1, patience: usize::MAX, patient_from: 0 }
    }
}

/// What a pass came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pass<M> {
    /// From 0.
    pub(crate) index: usize,
    /// The share of the training that is done, by passes or by time, whichever is more.
    pub(crate) done: f64,
    /// The mean of the batches while training.
    pub(crate) trained: M,
    /// The mean of the rows held out, if there are any.
    pub(crate) held_out: Option<M>,
}

impl<M: Copy> Pass<M> {
    /// What the pass is judged by: rows held out or, without such rows, those trained on.
    pub(crate) fn judged(&self) -> M {
        self.held_out.unwrap_or(self.trained)
    }
}

/// The rate of steps of tables: they have few parameters, each seen in many rows, and may follow
/// faster than networks. It does not fall, as they must follow to the end.
const TABLE_RATE: f32 = 0.01;

/// Trains `objective`'s networks. `progress` is told of each pass and says whether to go on. The
/// networks' weights that are left are those of the best pass on rows held out, or else of the last; that
/// pass is given back, or none where no pass was asked for. Tables are left as after the last pass.
pub(crate) fn train<O: Objective>(
    objective: &mut O,
    config: &TrainerConfig,
    rng: &mut Rng,
    progress: &mut dyn FnMut(&Pass<O::Measure>) -> bool,
) -> Option<Pass<O::Measure>> {
    let mut order: Vec<usize> = (0..objective.rows()).collect();
    let held_out = hold_out(&mut order, config.held_out, rng);
    let batches = Batches::new(order.len(), config);
    let mut run = Run {
        schedule: Schedule::new(config.rate, batches.each_pass * config.passes),
        stepper: Stepper::new(objective, config.steps),
        step: 0,
        config,
        batches,
    };
    let mut stopping = EarlyStopping::new(config.held_out.patience, config.held_out.patient_from);
    let mut last = None;
    for index in 0..config.passes {
        let time = config.deadline.map_or(0.0, Deadline::passed);
        objective.begin_pass(Position { pass: index, passes: config.passes, time });
        rng.shuffle(&mut order);
        let trained = run.pass(objective, &order, rng);
        let measured = (!held_out.is_empty()).then(|| objective.measure(&held_out));
        let done = (index + 1) as f64 / config.passes as f64;
        let done = done.max(config.deadline.map_or(0.0, Deadline::passed).min(1.0));
        let pass = Pass { index, done, trained, held_out: measured };
        last = Some(pass);
        let mut over = !progress(&pass) || config.deadline.is_some_and(Deadline::is_over);
        if measured.is_some() {
            let before =
                stopping.best().map(|best: &Pass<O::Measure>| objective.score(&best.judged()));
            let now = objective.score(&pass.judged());
            stopping.take(index, pass, now, before, objective.networks());
            over |= stopping.is_over(index);
        }
        if over {
            break;
        }
    }
    stopping.restore(objective.networks()).or(last)
}

/// Takes rows out of `order` at random.
fn hold_out(order: &mut Vec<usize>, held_out: HeldOut, rng: &mut Rng) -> Vec<usize> {
    let count = (order.len() as f64 * held_out.share) as usize;
    let count = count.min(order.len().saturating_sub(1));
    if count < held_out.least {
        return Vec::new();
    }
    rng.shuffle(order);
    order.split_off(order.len() - count)
}

/// The batches of a pass.
#[derive(Debug, Clone, Copy)]
struct Batches {
    /// Rows of each.
    size: usize,
    /// How many each pass has.
    each_pass: usize,
}

impl Batches {
    fn new(rows: usize, config: &TrainerConfig) -> Self {
        let size = config.batch.clamp(1, rows.max(1));
        let each_pass = if config.short_batches { rows.div_ceil(size) } else { rows / size };
        Self { size, each_pass }
    }
}

/// A training under way.
struct Run<'a> {
    config: &'a TrainerConfig,
    batches: Batches,
    schedule: Schedule,
    stepper: Stepper,
    /// Steps made.
    step: usize,
}

impl Run<'_> {
    /// A pass over the rows in this order; what its batches came to.
    fn pass<O: Objective>(
        &mut self,
        objective: &mut O,
        order: &[usize],
        rng: &mut Rng,
    ) -> O::Measure {
        let Batches { size, each_pass } = self.batches;
        let (mut sum, mut seen) = (O::Measure::default(), 0);
        for batch in order.chunks(size).take(each_pass) {
            checkpoint();
            let passed = self.config.deadline.map_or(0.0, Deadline::passed);
            let rate =
                self.schedule.rate(self.step.max((passed * self.schedule.steps as f64) as usize));
            let measure = self.stepper.step(objective, batch, rng, rate);
            objective.after_step(&measure, rate / self.config.rate);
            sum.add(&measure, batch.len() as f64);
            seen += batch.len();
            self.step += 1;
            if passed >= 1.0 {
                break;
            }
        }
        let mut trained = O::Measure::default();
        trained.add(&sum, 1.0 / seen.max(1) as f64);
        objective.end_pass(&mut trained);
        trained
    }
}

/// What steps everything that an objective learns, with room for its gradients.
#[derive(Debug, Default)]
pub(crate) struct Stepper {
    networks: Vec<NetworkStepper>,
    tables: Vec<Adam>,
    gradients: Gradients,
}

/// What steps a network: Adam, with Muon for its matrices if there is one.
#[derive(Debug)]
struct NetworkStepper {
    adam: Adam,
    muon: Option<Muon>,
}

impl NetworkStepper {
    fn new(params: usize, config: StepConfig) -> Self {
        let mut adam = Adam::new(params);
        (adam.beta2, adam.decay, adam.clip) = (config.beta2, config.decay, config.clip);
        Self { adam, muon: config.muon.map(|length| Muon::new(params, length)) }
    }

    fn step(&mut self, net: Parameters<'_>, grad: &[f32], rate: f32) {
        match &mut self.muon {
            Some(muon) => muon.step(net, grad, &mut self.adam, rate),
            None => self.adam.step(net.values, grad, rate),
        }
    }
}

impl Stepper {
    pub(crate) fn new<O: Objective>(objective: &mut O, config: StepConfig) -> Self {
        let sizes: Vec<usize> = objective.networks().iter().map(|net| net.values.len()).collect();
        Self {
            networks: sizes.iter().map(|size| NetworkStepper::new(*size, config)).collect(),
            tables: Vec::new(),
            gradients: Gradients {
                networks: sizes.iter().map(|size| vec![0.0; *size]).collect(),
                tables: Vec::new(),
            },
        }
    }

    /// One step down the gradient of a batch, at `rate`; what the batch came to before it. The caller
    /// tells the objective of passes and steps, where it needs that.
    pub(crate) fn step<O: Objective>(
        &mut self,
        objective: &mut O,
        batch: &[usize],
        rng: &mut Rng,
        rate: f32,
    ) -> O::Measure {
        self.fit_tables(objective);
        let measure = objective.gradient(batch, rng, &mut self.gradients);
        let tables = self.tables.iter_mut().zip(&self.gradients.tables);
        for (params, (adam, grad)) in objective.tables().into_iter().zip(tables) {
            adam.step(params, grad, TABLE_RATE);
        }
        let shares: Vec<f32> =
            (0..self.networks.len()).map(|network| objective.rate_share(network)).collect();
        let networks = objective.networks().into_par_iter().zip(shares);
        let steppers = self.networks.par_iter_mut().zip(&self.gradients.networks);
        // Most of a step of Muon is too small to be shared between threads.
        networks.zip(steppers).for_each(|((net, share), (stepper, grad))| {
            if rate * share > 0.0 {
                stepper.step(net, grad, rate * share);
            }
        });
        measure
    }

    /// Room for the gradients of tables, which are 0 at first, and an Adam for each.
    fn fit_tables<O: Objective>(&mut self, objective: &mut O) {
        let tables = objective.tables();
        self.tables.resize_with(tables.len(), || Adam::new(0));
        self.gradients.tables.resize_with(tables.len(), Vec::new);
        for (table, (adam, grad)) in
            tables.iter().zip(self.tables.iter_mut().zip(&mut self.gradients.tables))
        {
            if adam.m.len() != table.len() {
                *adam = Adam::new(table.len());
                // Nothing is too long, but what is not finite is passed over.
                adam.clip = Clip::Norm(f32::MAX);
            }
            grad.clear();
            grad.resize(table.len(), 0.0);
        }
    }
}
