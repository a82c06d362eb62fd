//! Promises about sums: NMSE, PSNR, cosine, size. A step is looked for that just keeps them.
//!
//! Three families of codecs can keep them. *Latents only*: principal components with one step for
//! all, which reverse water-filling says is best (Cover & Thomas, *Elements of Information
//! Theory*, 10.3.3). *Bounded*: the codec of the bounded promises with a bound chosen so that
//! the sum comes out right; best where the promise is tight or rows are narrow. *Network*: latents
//! alone too, of the autoencoder that was trained.

pub(crate) use super::solver::{CLOSE, Choice, LEAST_USED, Solver, choose};

use crate::error::{Error, Result};
use crate::fit::assemble::{complete, decoded_latents};
use crate::fit::candidate::{Candidate, Coding, Prepared};
use crate::fit::context::FitContext;
use crate::fit::data::columns::{Tolerance, normaliser, plan};
use crate::fit::data::components::{Basis, Components};
use crate::fit::data::sample::Sample;
use crate::fit::entropy::classes::ClassEffort;
use crate::fit::linear::{self, LinearChoice};
use crate::fit::network::context::{LinearBaseline, TrainingContext};
use crate::fit::quantise::network::Precision;
use crate::fit::quantise::prepare::prepare;
use crate::fit::search::bounded::{SearchEffort, components, with_bounds};
use crate::nn::objectives::bits::{Objective, TrainedNetwork};
use crate::nn::objectives::refit::{RefitConfig, refit};
use crate::quality::Tally;

/// What a sum may be at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// Normalised mean squared error.
    Nmse(f64),
    /// Peak signal-to-noise ratio in dB.
    Psnr(f64),
    /// Mean cosine of the rows.
    Cosine(f64),
    /// Bytes of the whole file.
    Bytes(f64),
}

impl Goal {
    /// The share of what is allowed that is used up: the goal is met up to 1.
    pub(crate) fn used(self, tally: &Tally, bytes: f64) -> f64 {
        match self {
            Goal::Nmse(most) => tally.nmse() / most,
            Goal::Psnr(least) => 10_f64.powf((least - tally.psnr()) / 10.0),
            Goal::Cosine(least) => (1.0 - tally.mean_cosine()) / (1.0 - least),
            Goal::Bytes(most) => bytes / most,
        }
    }

    /// How fast the used share changes with the step, in logarithms, about.
    pub(super) fn slope(self) -> f64 {
        if self.is_size() { -0.4 } else { 2.0 }
    }

    /// Whether the file's size is what is limited.
    pub(crate) fn is_size(self) -> bool {
        matches!(self, Goal::Bytes(_))
    }
}

/// Most row classes.
const MOST_CLASSES: usize = 32;

/// Which family, and everything but the step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Family {
    /// Components of at least this multiple of the error's variance; trellis states; weight of
    /// error against bits; fineness of weights.
    Latents { threshold: f64, trellis: usize, weight: f64, grain: f64 },
    /// A bound on every value.
    Bounded,
    /// The trained network with this precision; the weight of error against bits.
    Network { output: f64, hidden: f64, trellis: usize, weight: f64 },
}

impl Family {
    /// The same with a network's weights rounded `by` times as finely.
    pub(crate) fn finer(self, by: f64) -> Self {
        match self {
            Family::Network { output, hidden, trellis, weight } => {
                Family::Network { output: output / by, hidden: hidden / by, trellis, weight }
            }
            other => other,
        }
    }

    /// The same with errors of a network that weigh `by` times as much.
    pub(crate) fn weighing(self, by: f64) -> Self {
        match self {
            Family::Network { output, hidden, trellis, weight } => {
                Family::Network { output, hidden, trellis, weight: weight * by }
            }
            other => other,
        }
    }

    /// Whether output or hidden weights are rounded more finely than those of `other`.
    pub(crate) fn is_finer(self, other: Self) -> bool {
        let grains = |family: Self| match family {
            Family::Network { output, hidden, .. } => (output, hidden),
            _ => (0.0, 0.0),
        };
        let (own, other) = (grains(self), grains(other));
        own.0 < other.0 || own.1 < other.1
    }
}

/// Builds codecs of each family for any step.
pub(crate) struct Builder<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) effort: SearchEffort,
    columns: Vec<crate::fit::data::columns::ColumnPlan>,
    components: Components,
    normalised: Vec<f32>,
    /// One normalised step in the data's units.
    unit: f64,
    basis: Option<&'a Basis>,
    network: Option<&'a TrainedNetwork>,
}

impl<'a> Builder<'a> {
    /// Prepares the latents' family for errors of about `step`.
    pub(crate) fn new(
        sample: &'a Sample,
        effort: SearchEffort,
        step: f64,
        basis: Option<&'a Basis>,
    ) -> Self {
        // Latents alone have little use for many classes, and every step fits them anew.
        let classes = ClassEffort {
            classes: effort.classes.classes.min(MOST_CLASSES),
            rounds: effort.classes.rounds.min(4),
        };
        let effort = SearchEffort { classes, ..effort };
        let columns = plan(sample, &Tolerance::Step(step));
        let normalised = normaliser(&columns).normalise(sample.schema.dtype, &sample.bytes);
        let components = components(&normalised, &columns, basis);
        let unit = columns.iter().map(|c| c.scale).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        Self { sample, effort, columns, components, normalised, unit, basis, network: None }
    }

    /// The same codecs on fewer rows and with less effort.
    pub(crate) fn thin<'b>(&'b self, sample: &'b Sample) -> Builder<'b> {
        let quick = ClassEffort { classes: self.effort.classes.classes.min(2), rounds: 1 };
        Builder {
            sample,
            effort: SearchEffort { trials: 0, classes: quick, ..self.effort },
            columns: self.columns.clone(),
            components: self.components.clone(),
            normalised: normaliser(&self.columns).normalise(sample.schema.dtype, &sample.bytes),
            unit: self.unit,
            basis: self.basis,
            network: self.network,
        }
    }

    /// One normalised step in the data's units.
    pub(crate) fn unit(&self) -> f64 {
        self.unit
    }

    /// Whether there is anything for latents to say.
    pub(crate) fn has_components(&self) -> bool {
        self.components.count() > 0
    }

    /// A codec of `family` whose error is about that of rounding to `step`.
    pub(crate) fn build(&self, family: Family, step: f64) -> Result<Candidate> {
        let (threshold, trellis, weight, grain) = match family {
            Family::Latents { threshold, trellis, weight, grain } => {
                (threshold, trellis, weight, grain)
            }
            Family::Bounded => {
                let bounds = vec![step / 2.0; self.columns.len()];
                return with_bounds(self.sample, bounds, self.effort, self.basis, None);
            }
            Family::Network { .. } => return self.build_network(family, step),
        };
        let step = step / self.unit;
        let level = threshold * step * step / 12.0;
        let latents = self.components.variance.iter().take_while(|v| **v > level).count();
        let choice = LinearChoice {
            latents: latents.max(1),
            step,
            trellis,
            weight_step: grain * step / (self.sample.total as f64).sqrt(),
            temporal: true,
            residual: false,
            patient: true,
            // dD/dR of a uniform quantiser: a bit less costs 2 ln 2 · step² / 12.
            error_weight: weight * 6.0 / (std::f64::consts::LN_2 * step * step),
        };
        linear::build(&self.ground(), &choice)
    }

    fn ground(&self) -> FitContext<'_> {
        FitContext {
            sample: self.sample,
            columns: &self.columns,
            components: &self.components,
            normalised: &self.normalised,
            effort: self.effort.classes,
        }
    }

    fn build_network(&self, family: Family, step: f64) -> Result<Candidate> {
        let (prepared, coding) = self.prepare_network(family, step)?;
        complete(&self.ground(), prepared, coding)
    }

    fn prepare_network(&self, family: Family, step: f64) -> Result<(Prepared, Coding)> {
        let (Family::Network { output, hidden, trellis, weight }, Some(trained)) =
            (family, self.network)
        else {
            return Err(Error::argument("no network was trained"));
        };
        let step = step / self.unit;
        let finer = trained.step / step;
        let precision = Precision {
            units: finer as f32 * if trellis > 0 { 2.0 } else { 1.0 },
            trellis,
            output: output * step / (self.sample.total as f64).sqrt(),
            hidden,
            error_weight: Some(weight * trained.lambda * finer * finer),
        };
        let prepared = prepare(&trained.autoencoder, &self.columns, &self.normalised, &precision);
        let refine = self.effort.refine;
        Ok((prepared, Coding { temporal: true, residual: false, patient: true, refine }))
    }

    /// Trains a network for the error that `linear` has, or less where the size is given.
    pub(crate) fn train(
        &self,
        training: &TrainingContext<'_>,
        goal: Goal,
        (step, linear): (f64, &Candidate),
    ) -> Option<TrainedNetwork> {
        let rows = self.sample.total.max(1) as f64;
        let used = if goal.is_size() { 0.8 } else { 0.97 };
        let variance: f64 = self.components.columns.iter().sum();
        let hint = LinearBaseline {
            // One that is asked for is trained even where the linear codec wants no latents.
            latents: linear.encoder.program.record.latents().max(usize::from(training.is_asked())),
            step: step / self.unit,
            objective: Objective::Error((used * linear.tally.nmse() * variance).max(1e-9)),
            linear: linear.fitted_bytes / rows,
        };
        training.train(&self.ground(), hint)
    }

    /// The network after a little training on the latents that `choice` really gives; none where
    /// it is to stay as it is.
    pub(crate) fn refitted(
        &self,
        choice: Choice,
        turn: RefitConfig,
        seed: u64,
    ) -> Option<TrainedNetwork> {
        if self.network?.autoencoder.has_no_linear_path() {
            // It was trained to have none.
            return None;
        }
        let mut trained = self.network?.clone();
        let (prepared, coding) = self.prepare_network(choice.family, choice.step).ok()?;
        // The encoder's scale says how many integers a step has.
        let net = prepared.projection.network.clone()?;
        let units = net.latent[0] / trained.autoencoder.latent[0];
        let decoded = decoded_latents(&self.ground(), prepared, coding).ok()?;
        let latents: Vec<f32> = decoded.iter().map(|y| *y as f32 / units).collect();
        refit(&mut trained.autoencoder, &self.normalised, &latents, turn, seed);
        Some(trained)
    }

    /// The same codecs, with a network beside them.
    pub(crate) fn with_network<'b>(&'b self, network: &'b TrainedNetwork) -> Builder<'b> {
        Builder {
            columns: self.columns.clone(),
            components: self.components.clone(),
            normalised: self.normalised.clone(),
            network: Some(network),
            ..*self
        }
    }
}
