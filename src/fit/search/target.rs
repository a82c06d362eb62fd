//! Promises about sums: the codec that keeps one with the fewest bytes, or with the least error
//! where bytes are limited.
//!
//! Families are compared on a sample; then the step is corrected until the whole file, really
//! encoded, keeps the promise and hardly more.

use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::fit::candidate::Candidate;
use crate::fit::data::components::Basis;
use crate::fit::data::sample::Sample;
use crate::fit::milestones;
use crate::fit::network::context::TrainingContext;
use crate::fit::network::train::TrainedNetwork;
use crate::fit::search::alternate::Alternation;
use crate::fit::search::bounded::SearchEffort;
use crate::fit::search::builder::Builder;
use crate::fit::search::choice::{CLOSE, USUAL_TRIALS, choose};
use crate::fit::search::family::Family;
use crate::fit::search::goal::Goal;
use crate::fit::search::solver::{AIM, LEAST_USED, StepSearch, Trial, coarsest};
use crate::nn::deadline::Deadline;
use crate::quality::Tally;

/// Most files written in a search: each takes as long as writing. It is two less than on the
/// sample, as it begins where that ended.
const TRIALS: usize = 12;
/// Files that a search takes mostly.
const USUAL_FILES: usize = 3;

/// Most rows that families are compared on.
const MOST_ROWS: usize = 4096;

/// Share of what is allowed below which a file misses the goal by so much that a search is worth
/// repeating: 3 % of the error are 1 to 2 % of the bytes.
const MISSED: f64 = 0.97;

/// Least share that is used where time is short, and what is then aimed for: most files are written
/// once less, and 0.3 % larger.
const SHORTLY_USED: f64 = 0.992;
const SHORT_AIM: f64 = 0.996;

/// How many times a sample a file has to be for its step to be solved on the sample: each file that is written then
/// takes longer than that.
const MANY_SAMPLES: usize = 16;
/// Files that are written with steps that are solved on the sample; the share that is to be used there, which is
/// nearer to what is aimed for than a file's need be, and the trials for that.
const FILES_BY_SAMPLE: usize = 2;
const USED_OF_SAMPLE: f64 = 0.9945;
const TRIALS_ON_SAMPLE: usize = 6;

/// Powers of the used share below which costs hardly fall where all of it is used: bytes seldom
/// fall as fast as the third power of the error grows, the error as the eighth power of bytes.
const MOST_BYTES_POWER: i32 = 3;
const MOST_ERROR_POWER: i32 = 8;

/// A file of all rows.
pub(crate) struct EncodedFile<F> {
    /// Its size.
    pub(crate) bytes: f64,
    /// How good its rows are decoded.
    pub(crate) tally: Tally,
    pub(crate) file: F,
}

/// A search for one promise on one file.
pub(crate) struct TargetSearch<'a, F> {
    pub(crate) promise: &'a Fidelity,
    pub(crate) goal: Goal,
    pub(crate) sample: &'a Sample,
    pub(crate) effort: SearchEffort,
    pub(crate) basis: Option<&'a Basis>,
    pub(crate) training: &'a TrainingContext<'a>,
    /// Encodes all rows of the file.
    pub(crate) encode: &'a dyn Fn(Candidate) -> Result<EncodedFile<F>>,
}

/// A file that keeps the promise.
struct Settled<F> {
    step: f64,
    /// The share of what is allowed that is used up.
    used: f64,
    encoded: EncodedFile<F>,
    /// The family with this codec's number of latents, whatever the step.
    kept_as: Family,
}

impl<F> Settled<F> {
    /// What is to be small.
    fn cost(&self, goal: Goal) -> f64 {
        goal.cost(&self.encoded.tally, self.encoded.bytes)
    }

    /// What the cost hardly falls below where all that is allowed is used.
    fn least_cost(&self, goal: Goal) -> f64 {
        let power = if goal.is_size() { MOST_ERROR_POWER } else { MOST_BYTES_POWER };
        self.cost(goal) * self.used.powi(power)
    }
}

impl<F> TargetSearch<'_, F> {
    /// The best file that keeps the promise; none where no step of any family does.
    ///
    /// # Errors
    /// `Argument` where a textbook objective was asked for and no step of its network keeps the
    /// promise; those of encoding.
    pub(crate) fn run(&self) -> Result<Option<F>> {
        let start = self.goal.starting_step(self.sample);
        let builder = Builder::new(self.sample, self.effort, start, self.basis)
            .keeping_zero_rows(matches!(self.goal, Goal::Cosine(_)));
        let thin_sample = self.sample.thin(self.effort.trial_rows.min(MOST_ROWS));
        let thin = builder.thin(&thin_sample);
        let trials = USUAL_TRIALS + self.effort.trials;
        milestones::expect(trials * thin_sample.cells() + USUAL_FILES * self.sample.cells());
        let Some(chosen) = choose(&thin, self.goal, start) else { return Ok(None) };
        // Where a network may follow, the linear codec need not be exact yet.
        let enough = if self.training.may_train() { CLOSE } else { self.least_used() };
        let linear = self.settle(&builder, chosen.family, chosen.step, enough)?;
        let Some(linear) = linear else { return Ok(None) };
        let network = match self.training.may_train() {
            true => self.with_network(&builder, &thin, chosen.family, linear.step)?,
            false => None,
        };
        if let Some(network) = network {
            if self.training.insists() || network.cost(self.goal) < linear.least_cost(self.goal) {
                return Ok(Some(network.encoded.file));
            }
            let linear = self.made_exact(&builder, chosen.family, linear)?;
            let is_smaller = network.cost(self.goal) < linear.cost(self.goal);
            return Ok(Some(if is_smaller { network.encoded.file } else { linear.encoded.file }));
        }
        Ok(Some(self.made_exact(&builder, chosen.family, linear)?.encoded.file))
    }

    /// Whether a file that is nearly the best is as good, if it is written sooner.
    fn is_short(&self) -> bool {
        self.effort.trials == 0
    }

    /// The share of what is allowed that is to be used.
    fn least_used(&self) -> f64 {
        if self.is_short() { SHORTLY_USED } else { LEAST_USED }
    }

    /// A file of the same family that uses nearly all that is allowed.
    fn made_exact(
        &self,
        builder: &Builder<'_>,
        family: Family,
        linear: Settled<F>,
    ) -> Result<Settled<F>> {
        if linear.used >= self.least_used() {
            return Ok(linear);
        }
        let exact = self.settle(builder, family, linear.step, self.least_used())?;
        Ok(exact.filter(|e| e.cost(self.goal) < linear.cost(self.goal)).unwrap_or(linear))
    }

    /// The file with a network, if one is trained and keeps the promise; `family` and `step` are
    /// the linear codec's.
    fn with_network(
        &self,
        builder: &Builder<'_>,
        thin: &Builder<'_>,
        family: Family,
        step: f64,
    ) -> Result<Option<Settled<F>>> {
        let (training, goal) = (self.training, self.goal);
        let time = training.request.seconds.map(Deadline::new);
        let Ok(linear) = builder.build(family, step) else { return Ok(None) };
        let Some(trained) = builder.train(training, goal, step, &linear) else { return Ok(None) };
        let alternation = Alternation { builder, thin, goal, step, training, time };
        let (trained, chosen) = alternation.run(trained);
        let builder = builder.with_network(&trained);
        let factor = training.weight_precision_factor.unwrap_or(1.0);
        let network = match chosen {
            Some(c) => {
                let family = c.family.with_finer_weights(factor);
                self.settle(&builder, family, c.step, self.least_used())?
            }
            None => None,
        };
        if network.is_none() && training.trains_textbook_objective() {
            return Err(self.out_of_reach(&trained));
        }
        Ok(network)
    }

    /// The file of `family` that keeps the promise with the largest step, searched from `start` on
    /// until it uses `enough` of what is allowed.
    fn settle(
        &self,
        builder: &Builder<'_>,
        family: Family,
        start: f64,
        enough: f64,
    ) -> Result<Option<Settled<F>>> {
        let Some(first) = self.settle_family(builder, family, start, enough)? else {
            return Ok(None);
        };
        if first.used >= MISSED || first.kept_as == family {
            return Ok(Some(first));
        }
        // Shares jump over the goal where another linear codec is chosen for the next step.
        let second = self.settle_family(builder, first.kept_as, first.step, enough)?;
        let goal = self.goal;
        Ok(Some(second.filter(|s| s.cost(goal) < first.cost(goal)).unwrap_or(first)))
    }

    fn settle_family(
        &self,
        builder: &Builder<'_>,
        family: Family,
        start: f64,
        enough: f64,
    ) -> Result<Option<Settled<F>>> {
        let (mut near, mut start) = (None, start);
        if self.is_short() && self.sample.total >= MANY_SAMPLES * self.sample.rows() {
            (near, start) = self.settle_by_sample(builder, family, start)?;
            if near.as_ref().is_some_and(|near: &Settled<F>| near.used >= enough) {
                return Ok(near);
            }
        }
        let search = StepSearch {
            start,
            slope: self.goal.slope(),
            enough,
            aim: if self.is_short() { SHORT_AIM } else { AIM },
            most: 1.0,
            can_be_kept: false,
            trials: TRIALS,
        };
        let found = coarsest(&search, |step| -> Result<_> {
            let Ok(fitted) = builder.build(family, step) else { return Ok(None) };
            let settled = self.encoded(family, step, fitted)?;
            let cost = settled.cost(self.goal);
            Ok(Some(Trial { used: settled.used, cost, value: settled }))
        })?;
        let found = found.map(|f| f.value);
        let cost = |settled: &Settled<F>| settled.cost(self.goal);
        let least = near.into_iter().chain(found).min_by(|a, b| cost(a).total_cmp(&cost(b)));
        Ok(least)
    }

    /// The same with few files written: the step is solved on the sample, and once more after a file has shown by
    /// which factor the sample is wrong. None where neither file keeps the promise; and the last step.
    fn settle_by_sample(
        &self,
        builder: &Builder<'_>,
        family: Family,
        mut start: f64,
    ) -> Result<(Option<Settled<F>>, f64)> {
        let mut factor = 1.0;
        let mut best: Option<Settled<F>> = None;
        for _ in 0..FILES_BY_SAMPLE {
            let search = StepSearch {
                start,
                slope: self.goal.slope(),
                enough: USED_OF_SAMPLE,
                aim: SHORT_AIM,
                most: 1.0,
                can_be_kept: false,
                trials: TRIALS_ON_SAMPLE,
            };
            let found = coarsest(&search, |step| -> Result<_> {
                let Ok(fitted) = builder.build(family, step) else { return Ok(None) };
                let used = factor * self.goal.used(&fitted.tally, fitted.fitted_bytes);
                let cost = (SHORT_AIM - used).abs();
                Ok(Some(Trial { used, cost, value: fitted }))
            })?;
            let Some(found) = found else { break };
            start = found.step;
            let settled = self.encoded(family, start, found.value)?;
            let used = settled.used;
            let is_better = |best: &Settled<F>| settled.cost(self.goal) < best.cost(self.goal);
            if used <= 1.0 && best.as_ref().is_none_or(is_better) {
                best = Some(settled);
            }
            if (SHORTLY_USED..=1.0).contains(&used) || !(used > 0.0 && used.is_finite()) {
                break;
            }
            factor *= used / found.used;
            start *= (SHORT_AIM / used).powf(1.0 / self.goal.slope());
        }
        Ok((best, start))
    }

    /// The file of all rows with a codec.
    fn encoded(&self, family: Family, step: f64, fitted: Candidate) -> Result<Settled<F>> {
        let kept_as = family.kept_as(&fitted);
        let encoded = (self.encode)(fitted)?;
        let used = self.goal.used(&encoded.tally, encoded.bytes);
        Ok(Settled { step, used, encoded, kept_as })
    }

    fn out_of_reach(&self, trained: &TrainedNetwork) -> Error {
        Error::argument(format!(
            "{} cannot be reached with {} latents of this network and nothing else: ask for more \
             latents, or promise a bound on each value, which residuals keep",
            self.promise,
            trained.autoencoder.latents()
        ))
    }
}
