//! The smallest codec under a bound on each value: no model, linear with how many latents of which
//! step, or a network, by bytes of the whole file.
//!
//! An estimate ranks all linear codecs at once ([`rank`]); the best is then built and measured on
//! the sample, and from there the search walks to better neighbours.

use crate::error::Result;
use crate::fit::candidate::Candidate;
use crate::fit::context::FitContext;
use crate::fit::data::columns::{Tolerance, normaliser, plan};
use crate::fit::data::components::{Basis, Components};
use crate::fit::data::sample::Sample;
use crate::fit::entropy::classes::ClassEffort;
use crate::fit::linear::{self, LinearChoice};
use crate::fit::network::bounded::BoundedNetwork;
use crate::fit::network::context::{LinearBaseline, TrainingContext};
use crate::fit::search::rank::{Place, components, linear_choice, rank};
use crate::nn::objectives::bits::Distortion;

/// How long to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SearchEffort {
    /// Rows to build candidates on.
    pub(crate) trial_rows: usize,
    /// Linear candidates built after the first; with 0, the search takes a short cut.
    pub(crate) trials: usize,
    pub(crate) classes: ClassEffort,
    /// Rounds of refining a network's latents row by row.
    pub(crate) refine_rounds: usize,
    /// Turns of choosing a network's latents and refitting it to them, for a promise about a sum.
    pub(crate) refit_turns: usize,
}

/// ClassEffort at fitting classes of candidates that are only compared.
const QUICK: ClassEffort = ClassEffort { classes: 4, rounds: 2 };

/// Share of the bytes without latents that a file with latents may have in the short cut: latents
/// double the work of reading and writing, and want to save something for it.
const WORTH_LATENTS: f64 = 0.9;

/// Relative change of the number of latents with which the walk begins, halved where no neighbour
/// is better, and the one below which it ends.
const FIRST_STRIDE: f64 = 0.4;
const LEAST_STRIDE: f64 = 0.08;

/// Factor between a step and its neighbours in the walk.
const STEP_RATIO: f64 = 1.4;

/// States of dependent quantisation that are tried at the end: 4 are hardly faster and save less.
const TRELLIS: usize = 8;

/// Bits per value of the linear codec beyond which no network is tried: where most bits say what
/// no model foretells, there is nothing to learn.
const MOST_BITS: f64 = 6.0;

/// How much larger than the best the linear codec with latents may be, for a network to be tried:
/// where flat latents are far from paying, curved ones will not.
const PROMISING: f64 = 1.3;

/// Plans columns for absolute bounds on all of them and finds the smallest codec that keeps them,
/// fitted to the whole sample. Networks are tried with `training` only.
///
/// # Errors
/// `Argument` where no decoder in integers can do it.
pub(crate) fn with_bounds(
    sample: &Sample,
    bounds: Vec<f64>,
    effort: SearchEffort,
    basis: Option<&Basis>,
    training: Option<&TrainingContext<'_>>,
) -> Result<Candidate> {
    let columns = plan(sample, &Tolerance::Bounds(bounds));
    let normalised = normaliser(&columns).normalise(sample.schema.dtype, &sample.bytes);
    let components = components(&normalised, &columns, basis);
    let thin_sample = sample.thin(effort.trial_rows);
    let thin = if thin_sample.rows() == sample.rows() {
        normalised.clone()
    } else {
        normaliser(&columns).normalise(thin_sample.schema.dtype, &thin_sample.bytes)
    };
    let classes = effort.classes;
    let quick = ClassEffort { classes: classes.classes.min(QUICK.classes), ..QUICK };
    let context = |sample, normalised, effort| FitContext {
        sample,
        columns: &columns,
        components: &components,
        normalised,
        effort,
    };
    let trial_effort = if effort.trials > 0 { quick } else { classes };
    let trial = context(&thin_sample, &thin, trial_effort);
    if effort.trials == 0 {
        return short_cut(&trial);
    }
    let search = BoundedSearch { full: context(sample, &normalised, classes), trial, effort };
    let choices = search.linear()?;
    let smallest = linear::build(&search.full, &choices.best.choice);
    let smallest = smallest.or_else(|_| linear::build(&search.full, &NO_LATENTS))?;
    Ok(match training {
        Some(training) => search.with_network(training, &choices, smallest),
        None => smallest,
    })
}

/// Residuals alone.
const NO_LATENTS: LinearChoice = LinearChoice {
    latents: 0,
    step: 1.0,
    trellis: 0,
    weight_step: 1.0,
    temporal: true,
    residual: true,
    error_weight: 0.0,
    patient: true,
};

/// The quick way: two candidates, and the better one as it is.
fn short_cut(trial: &FitContext<'_>) -> Result<Candidate> {
    let rows = trial.sample.total as f64;
    let plain = linear::build(trial, &LinearChoice { patient: false, ..NO_LATENTS })?;
    let Some(place) = rank(trial.components, rows).first().copied().filter(|p| p.latents > 0)
    else {
        return Ok(plain);
    };
    let temporal = plain.encoder.program.temporal;
    let choice = linear_choice(trial.components, place, rows);
    let Ok(linear) = linear::build(trial, &LinearChoice { temporal, patient: false, ..choice })
    else {
        return Ok(plain);
    };
    let is_worth_it = linear.fitted_bytes < WORTH_LATENTS * plain.fitted_bytes;
    Ok(if is_worth_it { linear } else { plain })
}

/// A linear codec that was measured on the trial rows.
#[derive(Debug, Clone, Copy)]
struct Measured {
    choice: LinearChoice,
    /// Bytes of the whole file; infinite for what cannot be built.
    bytes: f64,
}

/// What the search among linear codecs found.
struct Linear {
    /// The best of all.
    best: Measured,
    /// The best with latents.
    with_latents: Measured,
}

struct BoundedSearch<'a> {
    /// To build on all of the sample, with all effort.
    full: FitContext<'a>,
    /// To compare on fewer rows.
    trial: FitContext<'a>,
    effort: SearchEffort,
}

impl BoundedSearch<'_> {
    /// The best linear codec on the trial rows.
    fn linear(&self) -> Result<Linear> {
        let bytes = linear::build(&self.trial, &NO_LATENTS)?.fitted_bytes;
        let mut best = Measured { choice: NO_LATENTS, bytes };
        let with_latents = Walk::new(&self.trial).run(self.effort.trials);
        if with_latents.bytes < best.bytes {
            best = with_latents;
        }
        if best.choice.latents > 0 {
            let trellis = measure(&self.trial, LinearChoice { trellis: TRELLIS, ..best.choice });
            if trellis.bytes < best.bytes {
                best = trellis;
            }
        }
        Ok(Linear { best, with_latents })
    }

    /// `smallest`, or a network's codec that is smaller or was asked for.
    fn with_network(
        &self,
        training: &TrainingContext<'_>,
        linear: &Linear,
        smallest: Candidate,
    ) -> Candidate {
        let per_row = smallest.fitted_bytes / self.full.sample.total.max(1) as f64;
        let learnable = per_row * 8.0 < MOST_BITS * self.full.columns.len() as f64;
        let promising = learnable && linear.with_latents.bytes < PROMISING * linear.best.bytes;
        if !promising && !training.is_asked() {
            return smallest;
        }
        let LinearChoice { latents, step, weight_step, .. } = linear.with_latents.choice;
        let baseline = LinearBaseline {
            // One that is asked for is trained even where the linear codec wants no latents.
            latents: latents.max(usize::from(training.is_asked())),
            step,
            distortion: Distortion::Coded,
            linear: per_row,
        };
        let (full, trial, refine) = (&self.full, &self.trial, self.effort.refine_rounds);
        let network =
            BoundedNetwork { full, trial, baseline, weight_step, refine }.smallest(training);
        let asked = training.is_asked() || training.weight_precision_factor.is_some();
        network.filter(|n| n.fitted_bytes < smallest.fitted_bytes || asked).unwrap_or(smallest)
    }
}

/// What cannot be proved to be decoded without overflow is no candidate.
fn measure(trial: &FitContext<'_>, choice: LinearChoice) -> Measured {
    let bytes = linear::build(trial, &choice).map_or(f64::INFINITY, |c| c.fitted_bytes);
    Measured { choice, bytes }
}

/// A walk over numbers of latents and steps, to the bottom of the bytes.
struct Walk<'a> {
    trial: &'a FitContext<'a>,
    components: &'a Components,
    rows: f64,
    seen: Vec<LinearChoice>,
    best: Measured,
}

impl<'a> Walk<'a> {
    fn new(trial: &'a FitContext<'a>) -> Self {
        let best = Measured { choice: NO_LATENTS, bytes: f64::INFINITY };
        let rows = trial.sample.total as f64;
        Self { trial, components: trial.components, rows, seen: Vec::new(), best }
    }

    /// Begins at the place that is ranked first and tries up to `most` others.
    fn run(mut self, most: usize) -> Measured {
        let Some(mut place) = rank(self.components, self.rows).first().copied() else {
            return self.best;
        };
        self.improves(place);
        let mut trials = 0;
        let mut stride = FIRST_STRIDE;
        while trials < most && self.best.bytes.is_finite() {
            let near = neighbours(place, stride);
            let better = near.into_iter().find(|near| {
                trials += 1;
                self.improves(*near)
            });
            match better {
                Some(better) => place = better,
                None => stride /= 2.0,
            }
            if stride < LEAST_STRIDE {
                break;
            }
        }
        self.best
    }

    /// Whether the codec of a place is the best so far.
    fn improves(&mut self, place: Place) -> bool {
        let choice = linear_choice(self.components, place, self.rows);
        let exists = (1..=self.components.count()).contains(&place.latents);
        if !exists || self.seen.contains(&choice) {
            return false;
        }
        self.seen.push(choice);
        let measured = measure(self.trial, choice);
        let better = measured.bytes < self.best.bytes;
        if better {
            self.best = measured;
        }
        better
    }
}

/// More or fewer latents, then coarser or finer.
fn neighbours(place: Place, stride: f64) -> [Place; 4] {
    let Place { latents, relative_step } = place;
    let more = ((latents as f64 * (1.0 + stride)) as usize).max(latents + 1);
    let fewer = (latents as f64 / (1.0 + stride)).round() as usize;
    let with = |latents: usize| Place { latents, relative_step };
    let of = |relative_step: f64| Place { latents, relative_step };
    [
        with(more),
        with(fewer.min(latents.saturating_sub(1))),
        of(relative_step * STEP_RATIO),
        of(relative_step / STEP_RATIO),
    ]
}
