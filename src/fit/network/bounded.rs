//! The smallest codec with a network under a bound on each value.

use super::choose::train_network;
use super::context::{Budget, LinearBaseline, TrainingContext, TrainingObserver, TrainingProgress};
use super::train::TrainedNetwork;
use crate::error::Result;
use crate::fit::assemble::complete;
use crate::fit::candidate::Candidate;
use crate::fit::candidate::Coding;
use crate::fit::context::FitContext;
use crate::fit::quantise::network::Precision;
use crate::fit::quantise::prepare::prepare;
use crate::fit::search::coordinate::{Coordinate, descend};

/// Where the search for a precision begins: errors of hidden weights, as a share of the root mean
/// square of their layer.
const HIDDEN: f64 = 0.12;
/// The same where integers are hardly to change what the network gives, and errors of the output, in
/// steps of the finest column.
const PRECISE_HIDDEN: f64 = 0.01;
const PRECISE_OUTPUT: f64 = 0.005;

/// What a network is searched on.
pub(crate) struct BoundedNetwork<'a> {
    /// All rows of the sample, and the part of them on which the precision is decided.
    pub(crate) full: &'a FitContext<'a>,
    pub(crate) trial: &'a FitContext<'a>,
    /// Where trainings begin: at the first alone, if the caller says how long, how, or with how
    /// many latents.
    pub(crate) baselines: Vec<LinearBaseline>,
    /// Rounds of refining latents.
    pub(crate) refine: usize,
}

impl BoundedNetwork<'_> {
    /// The smallest codec that has a network, if one can be trained and built. The work is shared among
    /// trainings from all baselines: a codec shows only when it is built what neighbours say of it, and
    /// after a short training many latents seem to cost more than they do in the end.
    pub(crate) fn smallest(&self, context: &TrainingContext<'_>) -> Option<Candidate> {
        let request = context.request;
        let is_fixed = request.seconds.is_some()
            || request.epochs.is_some()
            || request.latents.is_some()
            || request.is_kind()
            || context.codec_network.is_some();
        let count = if is_fixed { 1 } else { self.baselines.len() };
        let share = 1.0 / count as f64;
        let budget = context.budget.map(|b| Budget { work: b.work * share, ..b });
        let built = self.baselines.iter().take(count).enumerate().filter_map(|(i, baseline)| {
            let observer = PartObserver { all: context.observer, done: share * i as f64, share };
            let part = TrainingContext { budget, observer: &observer, ..*context };
            self.smallest_from(*baseline, &part)
        });
        built.min_by(|a, b| a.fitted_bytes.total_cmp(&b.fitted_bytes))
    }

    /// The same with one training.
    fn smallest_from(
        &self,
        baseline: LinearBaseline,
        context: &TrainingContext<'_>,
    ) -> Option<Candidate> {
        let trained = train_network(context, self.full, baseline)?;
        let start = first_precision(&trained, baseline);
        let coding = Coding { temporal: true, residual: true, patient: true, refine: 0 };
        if context.is_for_codec && context.request.is_kind() {
            return build(&trained, self.full, &precise(&trained, start), coding).ok();
        }
        let trial = |p: Precision| {
            let built = build(&trained, self.trial, &p, coding);
            Some((p, built.map_or(f64::INFINITY, |c| c.fitted_bytes)))
        };
        let (mut precision, _) = descend(trial(start)?, &COORDINATES, GAIN, trial);
        if let Some(finer) = context.weight_precision_factor {
            precision.output /= finer;
            precision.hidden /= finer;
        }
        // Refining counts on residuals that grow evenly with errors, which is not always so.
        let built = [0, self.refine].into_iter().filter_map(|refine| {
            build(&trained, self.full, &precision, Coding { refine, ..coding }).ok()
        });
        built.min_by(|a, b| a.fitted_bytes.total_cmp(&b.fitted_bytes))
    }
}

/// Hears of one of several trainings, and tells of all of them together.
struct PartObserver<'a> {
    all: &'a dyn TrainingObserver,
    /// The share that was done before, and that of this training.
    done: f64,
    share: f64,
}

impl TrainingObserver for PartObserver<'_> {
    fn training(&self, progress: &TrainingProgress) {
        let share = self.done + self.share * progress.share;
        self.all.training(&TrainingProgress { share, ..*progress });
    }

    fn refit(&self, turn: usize, turns: usize) {
        self.all.refit(turn, turns);
    }
}

/// Where the search for a precision begins.
fn first_precision(trained: &TrainedNetwork, baseline: LinearBaseline) -> Precision {
    let step = baseline.step;
    Precision {
        units: if step > 0.0 { (trained.step / step) as f32 } else { 1.0 },
        trellis: 0,
        output: baseline.weight_step,
        hidden: HIDDEN,
        error_weight: None,
    }
}

fn build(
    trained: &TrainedNetwork,
    fit: &FitContext<'_>,
    precision: &Precision,
    coding: Coding,
) -> Result<Candidate> {
    let prepared = prepare(&trained.autoencoder, fit.columns, fit.normalised, precision)?;
    complete(fit, prepared, coding)
}

/// Integers that hardly change what the network gives, whatever the bound.
fn precise(trained: &TrainedNetwork, start: Precision) -> Precision {
    let net = &trained.autoencoder;
    let least = net.encoder.column.iter().copied().fold(f32::INFINITY, f32::min);
    let inputs = net.decoder.shape.inputs_of(net.decoder.shape.layers.len() - 1);
    let output = PRECISE_OUTPUT * f64::from(least) / (inputs as f64).sqrt();
    Precision { output: start.output.min(output), hidden: PRECISE_HIDDEN, ..start }
}

/// Share of the bytes that a change of precision has to save: less is noise of the trial rows.
const GAIN: f64 = 0.0005;

/// What is changed, one after the other. Weights as powers of two; units by a quarter, as latents cost
/// more than weights. Dependent quantisation, whose units count double, is tried at last, as it takes
/// longer; it may want somewhat coarser units.
const COORDINATES: [Coordinate<'_, Precision>; 5] = [
    Coordinate { changes: &[|p| p.output *= 2.0, |p| p.output /= 2.0], most: usize::MAX },
    Coordinate { changes: &[|p| p.hidden *= 2.0, |p| p.hidden /= 2.0], most: usize::MAX },
    Coordinate { changes: &[|p| p.units *= 1.25, |p| p.units /= 1.25], most: usize::MAX },
    Coordinate { changes: &[|p| (p.trellis, p.units) = (8, p.units * 2.0)], most: 1 },
    Coordinate { changes: &[|p| p.units /= 1.25], most: 1 },
];
