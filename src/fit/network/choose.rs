//! Which network, for how long: short trainings against each other, then a long one.
//!
//! What a training may cost is counted in multiply-adds and fixed before it begins, so that the
//! result does not depend on the machine's speed.

use super::context::{Budget, LinearBaseline, RelativeStart, TrainingContext, TrainingProgress};
use super::plan::NetworkPlan;
use super::textbook;
use super::train::{TrainedNetwork, train_on_bits};
use crate::fit::context::FitContext;
use crate::fit::neighbours::geometry;
use crate::nn::deadline::Deadline;
use crate::nn::objectives::bits::{Cost, Distortion};

/// Share of the work that goes into finding the width.
const SCOUTING: f64 = 0.25;
/// Passes of a training that finds the width: an eighth of the level's at most, but four in any case,
/// unless the caller asks for fewer.
const LEAST_SCOUTING_PASSES: usize = 4;
const SCOUTING_PART: usize = 8;
/// Least width of the encoder's hidden layers where the level chooses: the encoder is not stored,
/// only trained.
const LEAST_ENCODER: usize = 128;

/// Rows of a batch where nothing else is said.
pub(crate) const BATCH: usize = 256;
/// Peak of the learning rate where nothing else is said, under a bound on each value. (0.004 made all
/// files 1 to 3 % larger.)
const BOUNDED_RATE: f64 = 6e-3;
/// The same for a figure over the file. (Where latents alone say all, 0.006 made some files 1 %
/// larger.)
pub(crate) const TARGET_RATE: f64 = 4e-3;

/// Share of the rows that is not trained on where there are others to come.
const HELD_OUT: f64 = 0.05;

/// Rows below which no network is trained.
pub(crate) const LEAST_ROWS: usize = 64;
/// Rows and columns below which no network is tried unless asked for: it could not pay for its
/// weights.
const LEAST_PAYING_ROWS: usize = 512;
const LEAST_PAYING_WIDTH: usize = 4;

/// Bytes of a weight at the least, and the share of the linear codec's bytes that weights may take at
/// the most, for a width to be tried.
const WEIGHT_BYTES: f64 = 0.5;
const MOST_SAVED: f64 = 0.4;

/// Latents to begin with for a figure over the file, relative to the linear codec's: without
/// residuals latents say all, and a curved surface needs fewer.
const TARGET_START: RelativeStart = RelativeStart { latents: 0.8, step: 1.0 };

/// As many latents as the linear codec, with its step.
const LINEAR_START: RelativeStart = RelativeStart { latents: 1.0, step: 1.0 };

/// Trains the most promising network; none if the level has no time for any, or rows are
/// too few or too narrow for one to pay.
pub(crate) fn train_network(
    context: &TrainingContext<'_>,
    fit: &FitContext<'_>,
    baseline: LinearBaseline,
) -> Option<TrainedNetwork> {
    if let Some(codec) = context.codec_network {
        return Some(codec.trained(fit.columns, fit.normalised));
    }
    let budget = context.budget?;
    let rows = fit.sample.rows();
    if rows < LEAST_ROWS {
        return None;
    }
    if context.request.is_kind() {
        return textbook::train_kind(context, fit, baseline, budget);
    }
    let asked = context.request.wants_network();
    if asked == Some(false) || fit.components.count() == 0 {
        return None;
    }
    let narrow = rows < LEAST_PAYING_ROWS || fit.columns.len() < LEAST_PAYING_WIDTH;
    if asked.is_none() && (narrow || baseline.latents == 0) {
        return None;
    }
    let deadline = context.request.seconds.map(Deadline::new);
    NetworkChoice { context, fit, baseline, budget, deadline }.train()
}

/// Networks that are compared.
struct NetworkChoice<'a> {
    context: &'a TrainingContext<'a>,
    fit: &'a FitContext<'a>,
    baseline: LinearBaseline,
    budget: Budget,
    deadline: Option<Deadline>,
}

/// A part of all that is trained.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// The share that is done before it.
    done: f64,
    share: f64,
}

impl NetworkChoice<'_> {
    fn train(&self) -> Option<TrainedNetwork> {
        if let Some(hidden) = &self.context.request.hidden {
            let decoder: Vec<usize> = hidden.iter().rev().copied().collect();
            let plan = NetworkPlan { encoder: hidden.clone(), ..self.plan(decoder, LINEAR_START) };
            let passes = self.passes(&plan, self.budget.work);
            return Some(self.run(NetworkPlan { passes, ..plan }, Part { done: 0.0, share: 1.0 }));
        }
        let plans = self.candidates();
        let (mut done, mut chosen) = (0.0, 0);
        if plans.len() > 1 {
            let (best, trained) = self.scout(&plans)?;
            if self.deadline.is_some_and(Deadline::is_over) {
                // There is no time for more than this.
                self.tell(1.0, &trained.cost);
                return Some(trained);
            }
            (done, chosen) = (SCOUTING, best);
        }
        let plan = plans.into_iter().nth(chosen)?;
        let passes = self.passes(&plan, self.budget.work * (1.0 - done));
        let deadline = self.deadline.map(|deadline| deadline.until(1.0));
        let plan = NetworkPlan { passes, deadline, ..plan };
        Some(self.run(plan, Part { done, share: 1.0 - done }))
    }

    /// A network whose decoder has these hidden layers.
    fn plan(&self, decoder: Vec<usize>, start: RelativeStart) -> NetworkPlan {
        let (request, baseline) = (self.context.request, self.baseline);
        let latents = (baseline.latents as f64 * start.latents).round() as usize;
        let rate = match baseline.distortion {
            Distortion::Coded => BOUNDED_RATE,
            Distortion::Target(_) => TARGET_RATE,
        };
        NetworkPlan {
            distortion: baseline.distortion,
            latents: request.latents.unwrap_or(latents).clamp(1, self.fit.components.count()),
            step: (baseline.step * start.step) as f32,
            encoder: decoder.iter().rev().map(|&n| n.max(LEAST_ENCODER)).collect(),
            decoder,
            activation: request.activation.function(),
            decoder_activation: request.activation.of_decoder().function(),
            passes: self.budget.epochs,
            batch: request.batch.unwrap_or(BATCH),
            rate: request.rate.unwrap_or(rate) as f32,
            classes: self.budget.classes,
            file_rows: self.fit.sample.total as f64,
            seed: self.context.seed,
            held_out: if self.context.is_for_codec { HELD_OUT } else { 0.0 },
            deadline: self.deadline,
            neighbours: self.neighbours(),
        }
    }

    /// Columns whose residuals may foretell each, if training is to look at them.
    fn neighbours(&self) -> Vec<Vec<usize>> {
        if !self.baseline.is_filtered {
            return Vec::new();
        }
        geometry::columns_before(&self.fit.sample.schema.row_shape, self.fit.normalised)
    }

    /// The networks to be compared, all of which could pay for their weights.
    fn candidates(&self) -> Vec<NetworkPlan> {
        let (width, baseline) = (self.fit.columns.len(), self.baseline);
        let most = MOST_SAVED * baseline.linear * self.fit.sample.total as f64;
        let affordable =
            |w: &&usize| (**w * (width + baseline.latents)) as f64 * WEIGHT_BYTES < most;
        let mut widths: Vec<usize> =
            self.budget.widths.iter().filter(affordable).copied().collect();
        let mut starts = self.budget.starts;
        if matches!(baseline.distortion, Distortion::Target(_)) {
            starts = &[TARGET_START];
            // What is wide learns slowly, and would lose a short comparison that it wins in the end.
            widths = widths.split_off(widths.len().saturating_sub(1));
        }
        let pairs = starts.iter().flat_map(|&s| widths.iter().map(move |&w| (w, s)));
        pairs.map(|(w, s)| self.plan(vec![w], s)).collect()
    }

    /// Trains each for a short time: which one takes the fewest bytes, and what came of it.
    fn scout(&self, plans: &[NetworkPlan]) -> Option<(usize, TrainedNetwork)> {
        let share = SCOUTING / plans.len() as f64;
        let most = (self.budget.epochs / SCOUTING_PART).max(LEAST_SCOUTING_PASSES);
        let mut best: Option<(f64, usize, TrainedNetwork)> = None;
        for (i, plan) in plans.iter().enumerate() {
            let deadline = self.deadline.map(|t| t.until(share * (i + 1) as f64));
            if best.is_some() && deadline.is_some_and(Deadline::is_over) {
                break;
            }
            let fits = self.affordable_passes(plan, self.budget.work * share);
            let fits = fits.clamp(LEAST_SCOUTING_PASSES, most);
            let passes = self.context.request.epochs.map_or(fits, |n| n.min(most));
            let plan = NetworkPlan { passes, deadline, ..plan.clone() };
            let trained = self.run(plan, Part { done: share * i as f64, share });
            // Only under bounds are there several, so that all err alike.
            let Cost { latent, residual, weights, .. } = trained.cost;
            let bytes = latent + residual + weights;
            // One that ran away has cost all.
            let bytes = if bytes.is_nan() { f64::INFINITY } else { bytes };
            if best.as_ref().is_none_or(|best| bytes < best.0) {
                best = Some((bytes, i, trained));
            }
        }
        best.map(|(_, i, trained)| (i, trained))
    }

    /// Passes that `work` multiply-adds allow.
    fn affordable_passes(&self, plan: &NetworkPlan, work: f64) -> usize {
        (work / plan.work(self.fit.columns.len(), self.fit.sample.rows())) as usize
    }

    /// Passes of a long training.
    fn passes(&self, plan: &NetworkPlan, work: f64) -> usize {
        let fits = || self.affordable_passes(plan, work).clamp(1, self.budget.epochs);
        self.context.request.epochs.unwrap_or_else(fits)
    }

    fn run(&self, plan: NetworkPlan, part: Part) -> TrainedNetwork {
        let tell = |done: f64, cost: &Cost| self.tell(part.done + part.share * done, cost);
        let trained = train_on_bits(&plan, self.fit.normalised, self.fit.components, &tell);
        // Also where time has ended it.
        tell(1.0, &trained.cost);
        trained
    }

    fn tell(&self, share: f64, cost: &Cost) {
        let linear = self.baseline.linear;
        self.context.observer.training(&TrainingProgress {
            share,
            cost: *cost,
            linear,
            epoch: None,
        });
    }
}
