//! Codecs of each family for any step, fitted to a sample.

use crate::encode::project::Projection;
use crate::error::{Error, Result};
use crate::fit::assemble::{complete, decoded_latents};
use crate::fit::candidate::Candidate;
use crate::fit::candidate::{Coding, LinearChoice, Prepared};
use crate::fit::context::FitContext;
use crate::fit::data::columns::{ColumnPlan, Tolerance, normaliser, plan};
use crate::fit::data::components::{Basis, Components};
use crate::fit::data::sample::Sample;
use crate::fit::entropy::classes::ClassEffort;
use crate::fit::linear;
use crate::fit::network::choose::train_network;
use crate::fit::network::context::{LinearBaseline, TrainingContext};
use crate::fit::network::refit::{RefitConfig, refit};
use crate::fit::network::train::TrainedNetwork;
use crate::fit::quantise::network::Precision;
use crate::fit::quantise::prepare::prepare;
use crate::fit::search::bounded::{SearchEffort, linear_with_bounds, measured_with_bounds};
use crate::fit::search::family::{Family, LatentFamily, NetworkFamily};
use crate::fit::search::goal::Goal;
use crate::fit::search::rank::components;
use crate::nn::objectives::bits::Distortion;
use crate::nn::price::error_price;
use std::sync::Arc;

/// Most row classes and rounds of fitting them: latents alone have little use for many classes,
/// and every step of the search fits them anew.
const MOST_CLASSES: usize = 32;
const MOST_ROUNDS: usize = 4;

/// The same on a thinned sample, where families and steps are only compared.
const QUICK: ClassEffort = ClassEffort { classes: 2, rounds: 1 };

/// Share of the linear codec's error that a network is trained for: a little less than all, as
/// rounding its weights adds to it. (At level 3, 0.9 makes files 0.5 % smaller to 1.9 % larger, 1
/// makes them 0.5 % smaller to 0.1 % larger.) Where the size is given, a better codec of that size
/// errs less, and by how much is not known before.
const ERROR_SHARE: f64 = 0.97;
const ERROR_SHARE_OF_SIZE: f64 = 0.8;

/// Builds codecs of each family for any step. A clone shares the rows.
#[derive(Clone)]
pub(crate) struct Builder<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) effort: SearchEffort,
    columns: Arc<[ColumnPlan]>,
    components: Arc<Components>,
    /// The sample's rows, normalised.
    normalised: Arc<[f32]>,
    /// One normalised step in the data's units.
    unit: f64,
    basis: Option<&'a Basis>,
    network: Option<&'a TrainedNetwork>,
    /// Whether rows of zeros must be decoded to rows of zeros.
    keeps_zero_rows: bool,
}

impl<'a> Builder<'a> {
    /// Plans columns and finds components for errors of about `step`, in the data's units.
    pub(crate) fn new(
        sample: &'a Sample,
        effort: SearchEffort,
        step: f64,
        basis: Option<&'a Basis>,
    ) -> Self {
        let ClassEffort { classes, rounds } = effort.classes;
        let classes =
            ClassEffort { classes: classes.min(MOST_CLASSES), rounds: rounds.min(MOST_ROUNDS) };
        let columns = plan(sample, &Tolerance::Step(step));
        let normalised = normaliser(&columns).normalise(
            sample.schema.dtype,
            &sample.schema.fill_values,
            &sample.bytes,
        );
        let components = components(&normalised, &columns, basis);
        let unit = columns.iter().map(|c| c.scale).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        Self {
            sample,
            effort: SearchEffort { classes, contexts: None, ..effort },
            columns: columns.into(),
            components: Arc::new(components),
            normalised: normalised.into(),
            unit,
            basis,
            network: None,
            keeps_zero_rows: false,
        }
    }

    /// The same codecs for a promise about the rows' directions, which rows of zeros do not have.
    pub(crate) fn keeping_zero_rows(self, keeps_zero_rows: bool) -> Self {
        Self { keeps_zero_rows, ..self }
    }

    /// The same codecs fitted to `sample`, fewer of the same rows, and with less effort.
    pub(crate) fn thin(&self, sample: &'a Sample) -> Self {
        let classes =
            ClassEffort { classes: self.effort.classes.classes.min(QUICK.classes), ..QUICK };
        let normalised = normaliser(&self.columns).normalise(
            sample.schema.dtype,
            &sample.schema.fill_values,
            &sample.bytes,
        );
        Self {
            sample,
            effort: SearchEffort { trials: 0, classes, ..self.effort },
            normalised: normalised.into(),
            ..self.clone()
        }
    }

    /// The same codecs, with other row classes.
    pub(crate) fn with_classes(&self, classes: ClassEffort) -> Self {
        Self { effort: SearchEffort { classes, ..self.effort }, ..self.clone() }
    }

    /// The same codecs, with a network beside them.
    pub(crate) fn with_network<'b>(&self, network: &'b TrainedNetwork) -> Builder<'b>
    where
        'a: 'b,
    {
        Builder { network: Some(network), ..self.clone() }
    }

    /// One normalised step in the data's units.
    pub(crate) fn unit(&self) -> f64 {
        self.unit
    }

    /// Whether rows differ from each other, so that latents have something to say.
    pub(crate) fn has_components(&self) -> bool {
        self.components.count() > 0
    }

    /// A codec of `family` whose error is about that of rounding to `step`, in the data's units.
    ///
    /// # Errors
    /// `Corrupt` where no decoder in integers can do it: what a reader would refuse is not written.
    pub(crate) fn build(&self, family: Family, step: f64) -> Result<Candidate> {
        match family {
            Family::Latents(family) => self.build_latents(family, step / self.unit),
            Family::Bounded(choice) => {
                let bounds = vec![step / 2.0; self.columns.len()];
                let mut bounded = match choice {
                    None => measured_with_bounds(self.sample, bounds, self.effort, self.basis)?,
                    Some(choice) => {
                        let classes = self.effort.classes;
                        linear_with_bounds(self.sample, bounds, classes, self.basis, &choice)?
                    }
                };
                bounded.encoder.keeps_zero_rows = self.keeps_zero_rows;
                Ok(bounded)
            }
            Family::Network(family) => {
                let (prepared, coding) = self.prepare_network(family, step / self.unit)?;
                complete(&self.context(), prepared, coding)
            }
        }
    }

    /// `step` is in normalised units, here and below.
    fn build_latents(&self, family: LatentFamily, step: f64) -> Result<Candidate> {
        let least = family.variance_threshold * step * step / 12.0;
        let above = self.components.variance.iter().take_while(|v| **v > least).count();
        let latents = family.latents.unwrap_or(above);
        linear::build(
            &self.context(),
            &LinearChoice {
                latents: latents.max(1),
                step,
                trellis: family.trellis,
                weight_step: family.weight_step_factor * self.weight_step(step),
                temporal: true,
                residual: false,
                patient: true,
                error_weight: family.error_weight * error_price(step),
            },
        )
    }

    /// Resolution at which rounding a weight adds as much squared error to all rows together as
    /// rounding a latent adds to one: then a bit buys the same in either.
    fn weight_step(&self, step: f64) -> f64 {
        step / (self.sample.total as f64).sqrt()
    }

    fn prepare_network(&self, family: NetworkFamily, step: f64) -> Result<(Prepared, Coding)> {
        let Some(trained) = self.network else {
            return Err(Error::argument("no network was trained"));
        };
        let finer = trained.step / step;
        let precision = Precision {
            // With a trellis, values are twice as fine.
            units: finer as f32 * if family.trellis > 0 { 2.0 } else { 1.0 },
            trellis: family.trellis,
            output: family.output_step_factor * self.weight_step(step),
            hidden: family.hidden_step,
            error_weight: Some(family.error_weight * trained.error_price * finer * finer),
        };
        let prepared = prepare(&trained.autoencoder, &self.columns, &self.normalised, &precision)?;
        let refine = self.effort.refine_rounds;
        Ok((prepared, Coding { temporal: true, residual: false, patient: true, refine }))
    }

    fn context(&self) -> FitContext<'_> {
        FitContext {
            sample: self.sample,
            columns: &self.columns,
            components: &self.components,
            normalised: &self.normalised,
            effort: self.effort.classes,
            keeps_zero_rows: self.keeps_zero_rows,
            neighbours: None,
            atoms: &[],
            measures: true,
        }
    }

    /// Trains a network for the error that the codec `linear` of `step` has, or for less where the
    /// size is given; none where nothing is trained.
    pub(crate) fn train(
        &self,
        training: &TrainingContext<'_>,
        goal: Goal,
        step: f64,
        linear: &Candidate,
    ) -> Option<TrainedNetwork> {
        let rows = self.sample.total.max(1) as f64;
        let share = if goal.is_size() { ERROR_SHARE_OF_SIZE } else { ERROR_SHARE };
        let variance: f64 = self.components.columns.iter().sum();
        let latents = linear.encoder.program.record.latents();
        let baseline = LinearBaseline {
            // One that is asked for is trained even where the linear codec wants no latents.
            latents: latents.max(usize::from(training.is_asked())),
            step: step / self.unit,
            is_filtered: false,
            distortion: Distortion::Target((share * linear.tally.nmse() * variance).max(1e-9)),
            linear: linear.fitted_bytes / rows,
        };
        train_network(training, &self.context(), baseline)
    }

    /// The network after a little training on the latents that `family` and `step` really give;
    /// none where it has to stay as it is.
    pub(crate) fn refitted(
        &self,
        family: Family,
        step: f64,
        how: RefitConfig,
    ) -> Option<TrainedNetwork> {
        let Family::Network(family) = family else { return None };
        let network = self.network?;
        if network.autoencoder.has_no_linear_path() {
            // It was trained to have none.
            return None;
        }
        let (prepared, coding) = self.prepare_network(family, step / self.unit).ok()?;
        let projection = prepared.projection.clone();
        let decoded = decoded_latents(&self.context(), prepared, coding).ok()?;
        self.refitted_to(&projection, &decoded, how)
    }

    /// The same for latents as decoded, in the latent units of a codec of this network that has
    /// `projection`.
    pub(crate) fn refitted_to(
        &self,
        projection: &Projection,
        decoded: &[i32],
        how: RefitConfig,
    ) -> Option<TrainedNetwork> {
        let mut trained = self.network.filter(|n| !n.autoencoder.has_no_linear_path())?.clone();
        // The encoder's scale says how many integers a step has.
        let units = projection.network.as_ref()?.latent[0] / trained.autoencoder.encoder.latent[0];
        let latents: Vec<f32> = decoded.iter().map(|y| *y as f32 / units).collect();
        refit(&mut trained.autoencoder, &self.normalised, &latents, how);
        Some(trained)
    }
}
