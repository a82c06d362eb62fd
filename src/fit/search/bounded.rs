//! The smallest codec under a bound on each value: no model, linear with how many latents of which
//! step, or a network, by bytes of the whole file.
//!
//! An estimate ranks all linear codecs at once ([`rank`]); the best is then built and measured on
//! the sample, and from there the search walks to better neighbours.

use crate::codec::program::Program;
use crate::encode::encoder::BlockEncoder;
use crate::error::Result;
use crate::fit::candidate::{Candidate, LinearChoice};
use crate::fit::context::FitContext;
use crate::fit::data::columns::normaliser;
use crate::fit::data::components::Basis;
use crate::fit::data::sample::Sample;
use crate::fit::entropy::classes::ClassEffort;
use crate::fit::flat;
use crate::fit::linear;
use crate::fit::milestones;
use crate::fit::neighbours::effort::{ContextEffort, NeighbourEffort};
use crate::fit::neighbours::plain;
use crate::fit::network::bounded::BoundedNetwork;
use crate::fit::network::context::{LinearBaseline, TrainingContext};
use crate::fit::search::planned::{Planned, planned};
use crate::fit::search::rank::{Place, linear_choice, rank};
use crate::fit::search::walk::{Measured, beside, best_with_latents, measure};
use crate::limits::Limits;
use crate::nn::objectives::bits::Distortion;
use std::borrow::Cow;

/// How long to search for a codec, as a level says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SearchEffort {
    /// Rows that candidates are built and compared on: with more, the comparison is more exact, and
    /// each takes longer in proportion.
    pub(crate) trial_rows: usize,
    /// Linear candidates built after the first, each of which takes about as long; with 0, the
    /// search takes a short cut. The walk among them seldom takes more than 30.
    pub(crate) trials: usize,
    /// Row classes: more of them fit rows better, cost tables and time in proportion.
    pub(crate) classes: ClassEffort,
    /// Rounds of refining a network's latents row by row: time of fitting and writing against bits,
    /// of which the first rounds save most.
    pub(crate) refine_rounds: usize,
    /// Turns of choosing a network's latents and refitting it to them, for a promise about a sum or
    /// about each row: each is another short training, and the first save most.
    pub(crate) refit_turns: usize,
    /// Contexts of neighbours, if they are looked at.
    pub(crate) contexts: Option<ContextEffort>,
    /// Whether errors are added up.
    pub(crate) measures: bool,
}

/// A sample of up to so many rows that has more than so many values is one of very wide rows. Each candidate then
/// takes as long as the rest of the file, so that the search takes its short cut. (40 rows of 400,000 columns took
/// many minutes at level 2, for no smaller a file.)
const FEW_ROWS: usize = 256;
const WIDE_CELLS: usize = 1 << 23;

/// Candidates built after the first on so many rows and values; all of them where a network or a codec was asked for,
/// which the short cut does not know.
fn trials(most: usize, rows: usize, cells: usize, is_asked: bool) -> usize {
    let is_very_wide = rows <= FEW_ROWS && cells > WIDE_CELLS;
    if is_very_wide && !is_asked { 0 } else { most }
}

/// Effort at fitting classes of candidates that are only compared.
const QUICK: ClassEffort = ClassEffort { classes: 4, rounds: 2 };

/// Share of the bytes without latents that a file with latents may have in the short cut: latents
/// double the work of reading and writing, and want to save something for it. (With 0.8, files of
/// an ECG, spectra, embeddings and digits at level 1 stay the same; with 1, embeddings within ±0.03
/// are 6 % smaller and digits within ±3 1.5 % larger.)
const WORTH_LATENTS: f64 = 0.9;

/// States of dependent quantisation that are tried at the end: the most that the format has, as
/// they cost time of writing alone.
const TRELLIS: usize = 8;

/// Bits per value of the linear codec beyond which no network is tried: where most bits say what
/// no model foretells, what can be learned is a small share of the file. It trades the time of
/// training for that share.
const MOST_BITS: f64 = 6.0;

/// How much larger than the best the linear codec with latents may be, for a network to be tried:
/// where flat latents are far from paying, curved ones seldom do. It trades the time of training
/// for the rare file in which they would.
const PROMISING: f64 = 1.3;

/// Plans columns for absolute bounds on all of them and finds the smallest codec that keeps them,
/// fitted to the whole sample. Networks are tried with `training` only.
///
/// # Errors
/// None that are known: where readers would refuse all models, values are stored exactly.
pub(crate) fn with_bounds(
    sample: &Sample,
    bounds: Vec<f64>,
    effort: SearchEffort,
    basis: Option<&Basis>,
    training: Option<&TrainingContext<'_>>,
) -> Result<Candidate> {
    smallest(sample, bounds, effort, basis, training)
}

/// The same without networks, its errors on the sample added up, and without a look at neighbours.
///
/// # Errors
/// As [`with_bounds`].
pub(crate) fn measured_with_bounds(
    sample: &Sample,
    bounds: Vec<f64>,
    effort: SearchEffort,
    basis: Option<&Basis>,
) -> Result<Candidate> {
    let effort = SearchEffort { contexts: None, measures: true, ..effort };
    smallest(sample, bounds, effort, basis, None)
}

/// The smallest codec of all kinds.
fn smallest(
    sample: &Sample,
    bounds: Vec<f64>,
    effort: SearchEffort,
    basis: Option<&Basis>,
    training: Option<&TrainingContext<'_>>,
) -> Result<Candidate> {
    let for_codec = training.is_some_and(|t| t.is_for_codec);
    let contexts = effort.contexts.filter(|_| !for_codec);
    let measures = effort.measures;
    let Planned { columns, normalised, components, atoms } =
        planned(sample, bounds, basis, contexts.is_some());
    let thinned = sample.thinned(effort.trial_rows);
    let thin_sample = thinned.as_ref().unwrap_or(sample);
    let thin = match &thinned {
        Some(thin) => Cow::Owned(normaliser(&columns).normalise(
            thin.schema.dtype,
            &thin.schema.fill_values,
            &thin.bytes,
        )),
        None => Cow::Borrowed(&normalised[..]),
    };
    let is_asked = training.is_some_and(|t| t.is_asked() || t.is_for_codec);
    let trials = trials(effort.trials, thin_sample.rows(), thin_sample.cells(), is_asked);
    let effort = SearchEffort { trials, ..effort };
    let classes = effort.classes;
    let quick = ClassEffort { classes: classes.classes.min(QUICK.classes), ..QUICK };
    let context = |sample, normalised, effort| FitContext {
        sample,
        columns: &columns,
        components: &components,
        normalised,
        effort,
        keeps_zero_rows: false,
        neighbours: None,
        atoms: &[],
        measures,
    };
    let searches = if contexts.is_some() { 2 } else { 1 };
    milestones::expect(searches * ((effort.trials + 3) * thin_sample.cells() + sample.cells()));
    let trial_effort = if effort.trials > 0 { quick } else { classes };
    let trial = context(thin_sample, &thin, trial_effort);
    let full = context(sample, &normalised, classes);
    let floor = |full: &FitContext<'_>, limit: f64| match contexts {
        Some(effort) => plain::build(full, effort, limit).unwrap_or(None),
        None => None,
    };
    if effort.trials == 0 {
        let linear = short_cut(&trial)?;
        let floor = floor(&full, linear.fitted_bytes);
        return Ok(floor.filter(|f| f.fitted_bytes < linear.fitted_bytes).unwrap_or(linear));
    }
    let search = BoundedSearch { full, trial, effort };
    search.smallest(contexts, &atoms, training, &floor)
}

/// The linear codec `choice` under absolute bounds on all columns.
///
/// # Errors
/// As [`with_bounds`].
pub(crate) fn linear_with_bounds(
    sample: &Sample,
    bounds: Vec<f64>,
    effort: ClassEffort,
    basis: Option<&Basis>,
    choice: &LinearChoice,
) -> Result<Candidate> {
    let Planned { columns, normalised, components, .. } = planned(sample, bounds, basis, false);
    let context = FitContext {
        sample,
        columns: &columns,
        components: &components,
        normalised: &normalised,
        effort,
        keeps_zero_rows: false,
        neighbours: None,
        atoms: &[],
        measures: true,
    };
    linear::build(&context, choice)
}

/// What is left where readers would refuse every model that was fitted.
fn last_resort(context: &FitContext<'_>) -> Result<Candidate> {
    flat::codec(context.sample, context.columns.iter().map(|c| c.bound).collect())
}

/// The quick way: two candidates, and the better one as it is.
fn short_cut(trial: &FitContext<'_>) -> Result<Candidate> {
    let rows = trial.sample.total as f64;
    let plain = linear::build(trial, &LinearChoice { patient: false, ..LinearChoice::NO_LATENTS })
        .or_else(|_| last_resort(trial))?;
    let Some(place) = rank(trial.components, rows).first().copied().filter(|p| p.latents > 0)
    else {
        return Ok(plain);
    };
    // Rows may be so wide that two codecs at once take much memory: one is kept as its bytes.
    let Candidate { encoder, fitted_bytes, model, tally, linear: no_latents } = plain;
    let temporal = encoder.program.temporal;
    drop(encoder);
    let choice = linear_choice(trial.components, place, rows);
    let linear = linear::build(trial, &LinearChoice { temporal, patient: false, ..choice });
    match linear.ok().filter(|l| l.fitted_bytes < WORTH_LATENTS * fitted_bytes) {
        Some(linear) => Ok(linear),
        None => {
            let schema = &trial.sample.schema;
            let program = Program::decode(&model.payload, 0, schema, &Limits::default())?;
            let bounds = trial.columns.iter().map(|c| c.bound).collect();
            let encoder =
                BlockEncoder::without_latents(program, bounds, schema.fill_values.clone());
            Ok(Candidate { encoder, fitted_bytes, model, tally, linear: no_latents })
        }
    }
}

/// What the search among linear codecs found.
struct Linear {
    /// The best of all.
    best: Measured,
    /// The best with latents, and where it is.
    with_latents: Measured,
    place: Option<Place>,
}

/// What the searches among linear codecs found, on the trial rows: of those that look at no neighbours, and of those
/// that do.
struct Found {
    alone: Linear,
    near: Option<Linear>,
}

impl Found {
    /// Bytes of the smallest.
    fn bytes(&self) -> f64 {
        let alone = self.alone.best.bytes;
        self.near.as_ref().map_or(alone, |near| near.best.bytes.min(alone))
    }

    fn near_is_smaller(&self) -> bool {
        let near = self.near.as_ref();
        near.is_some_and(|near| near.best.bytes < MUCH_SMALLER * self.alone.best.bytes)
    }
}

struct BoundedSearch<'a> {
    /// To build on all of the sample, with all effort.
    full: FitContext<'a>,
    /// To compare on fewer rows.
    trial: FitContext<'a>,
    effort: SearchEffort,
}

/// Values by which predictions from neighbours are compared while the number of latents is looked for,
/// and for the codec that is chosen.
const COMPARED: [usize; 2] = [100_000, 300_000];

/// Numbers of latents that are looked at where neighbours are, and where there are contexts.
const FEW: [usize; 3] = [3, 8, 20];
const FEWEST: [usize; 3] = [1, 3, 8];
/// Contexts of codecs that are only compared.
const QUICK_CONTEXTS: ContextEffort = ContextEffort { cells: 40_000, ..ContextEffort::QUICK };

/// Share of the bytes without neighbours below which codecs that look at them are so much smaller, on the trial
/// rows, that no other is built on all rows.
const MUCH_SMALLER: f64 = 0.9;

/// Share of the bytes without neighbours below which no network is tried where neighbours alone, without
/// latents, make the smallest file: a network would have to make up for all that they say. (Those of an
/// ECG take 0.81 of them, and a network makes that 8 % smaller.)
const FAR_BELOW: f64 = 0.7;

/// Share of the bytes of linear codecs on the trial rows below which a network's is taken, if the floor is not
/// smaller: latents with contexts are not looked for. (These came to 0.84 to 0.92 of those bytes for spectra, to 0.92
/// for fields, to 0.85 for an ECG.)
const FAR_SMALLER: f64 = 0.8;

impl<'a> BoundedSearch<'a> {
    /// The smallest codec of all kinds, or a network's that leaves little hope for those not looked for; `floor` makes
    /// one without latents that looks at neighbours, if
    /// it is worth it beside one of so many bytes.
    fn smallest(
        self,
        contexts: Option<ContextEffort>,
        atoms: &'a [i64],
        training: Option<&TrainingContext<'_>>,
        floor: &dyn Fn(&FitContext<'_>, f64) -> Option<Candidate>,
    ) -> Result<Candidate> {
        let ranked = self.ranked();
        let Ok(alone) = self.linear(ranked.as_slice()) else { return last_resort(&self.full) };
        let looking = contexts.map(|effort| self.looking_at_neighbours(effort, atoms));
        let near = looking.as_ref().and_then(|looking| {
            let mut starts = beside(ranked, &FEW);
            starts.extend(ranked);
            looking.linear(&starts).ok()
        });
        let found = Found { alone, near };
        let (enough, say_all) = (FAR_SMALLER * found.bytes(), FAR_BELOW * found.alone.best.bytes);
        let low = looking.as_ref().and_then(|looking| floor(&looking.full, enough.max(say_all)));
        let low_bytes = low.as_ref().map_or(f64::INFINITY, |low| low.fitted_bytes);
        let bytes = found.bytes().min(low_bytes);
        let search = looking.as_ref().unwrap_or(&self);
        let insists = training.is_some_and(TrainingContext::insists);
        // Where a network is likely it comes first, as one that is far smaller leaves nothing to look for.
        let first = training.filter(|training| {
            let is_likely = search.is_promising(&found, bytes) && low_bytes >= say_all;
            looking.is_some() && training.may_train() && (training.is_asked() || is_likely)
        });
        let mut network = first.and_then(|training| search.network(training, &found, bytes));
        let is_enough = |n: &mut Candidate| insists || n.fitted_bytes < enough.min(low_bytes);
        if let Some(network) = network.take_if(is_enough) {
            return Ok(network);
        }
        let floor = |full: &FitContext<'_>, limit| low.or_else(|| floor(full, limit));
        let (smallest, bytes_alone) = self.built(&found, looking.as_ref(), ranked, floor)?;
        let has_latents = smallest.encoder.program.record.latents() > 0;
        let neighbours_say_all = !has_latents && smallest.fitted_bytes < FAR_BELOW * bytes_alone;
        if first.is_none() {
            let training = training.filter(|t| t.is_asked() || !neighbours_say_all);
            network = training.and_then(|t| search.network(t, &found, smallest.fitted_bytes));
        }
        let network = network.filter(|n| insists || n.fitted_bytes < smallest.fitted_bytes);
        Ok(network.unwrap_or(smallest))
    }

    /// The smallest codec without a network, built on all rows, what `floor` makes among them, and bytes of the
    /// smallest that looks at no neighbours.
    fn built(
        &self,
        found: &Found,
        looking: Option<&Self>,
        ranked: Option<Place>,
        floor: impl FnOnce(&FitContext<'_>, f64) -> Option<Candidate>,
    ) -> Result<(Candidate, f64)> {
        let build_alone = || {
            linear::build(&self.full, &found.alone.best.choice)
                .or_else(|_| linear::build(&self.full, &LinearChoice::NO_LATENTS))
                .or_else(|_| last_resort(&self.full))
        };
        let mut smallest = if found.near_is_smaller() { None } else { Some(build_alone()?) };
        let bytes_alone = smallest.as_ref().map_or(found.alone.best.bytes, |c| c.fitted_bytes);
        if let Some(looking) = looking {
            let near = found.near.as_ref();
            let built = near.and_then(|near| looking.with_contexts(near, ranked));
            let limit = built.as_ref().map_or(bytes_alone, |b| b.fitted_bytes.min(bytes_alone));
            let floor = floor(&looking.full, limit);
            let all = smallest.into_iter().chain(built).chain(floor);
            smallest = all.min_by(|a, b| a.fitted_bytes.total_cmp(&b.fitted_bytes));
        }
        Ok((smallest.map_or_else(build_alone, Ok)?, bytes_alone))
    }

    /// The same search for codecs whose residuals look at their neighbours.
    fn looking_at_neighbours(&self, contexts: ContextEffort, atoms: &'a [i64]) -> Self {
        let [quick, thorough] = COMPARED;
        let thorough = contexts.cells.max(thorough);
        let quick = NeighbourEffort { compared: quick, thorough: false, contexts: None };
        let contexts = Some(contexts);
        let thorough = NeighbourEffort { compared: thorough, thorough: true, contexts };
        Self {
            trial: FitContext { neighbours: Some(quick), atoms, ..self.trial },
            full: FitContext { neighbours: Some(thorough), atoms, ..self.full },
            effort: self.effort,
        }
    }

    /// The place that is ranked first, if there is any.
    fn ranked(&self) -> Option<Place> {
        rank(self.trial.components, self.trial.sample.total as f64).first().copied()
    }

    /// The best linear codec on the trial rows, of those that a walk from the best of `starts` finds.
    fn linear(&self, starts: &[Place]) -> Result<Linear> {
        let bytes = linear::build(&self.trial, &LinearChoice::NO_LATENTS)?.fitted_bytes;
        let mut best = Measured { choice: LinearChoice::NO_LATENTS, bytes };
        let (with_latents, place) = best_with_latents(&self.trial, self.effort.trials, starts);
        if with_latents.bytes < best.bytes {
            best = with_latents;
        }
        if best.choice.latents > 0 {
            let trellis = measure(&self.trial, LinearChoice { trellis: TRELLIS, ..best.choice });
            if trellis.bytes < best.bytes {
                best = trellis;
            }
        }
        Ok(Linear { best, with_latents, place })
    }

    /// The smallest linear codec whose residuals have contexts, if it has latents: contexts may make up
    /// for nearly all of them, so that it can be far from `near`, the one before there are any.
    fn with_contexts(&self, near: &Linear, ranked: Option<Place>) -> Option<Candidate> {
        let quick =
            self.trial.neighbours.map(|n| NeighbourEffort { contexts: Some(QUICK_CONTEXTS), ..n });
        let search = BoundedSearch {
            trial: FitContext { neighbours: quick, ..self.trial },
            full: FitContext { ..self.full },
            effort: SearchEffort { trials: self.effort.trials / 2, ..self.effort },
        };
        let mut starts = beside(ranked, &FEWEST);
        starts.extend(near.place);
        let best = search.linear(&starts).ok()?.best;
        // Without latents, other codecs are at least as small.
        (best.choice.latents > 0).then(|| linear::build(&self.full, &best.choice).ok())?
    }

    /// Whether a network may learn anything beside a codec of so many bytes, and latents pay.
    fn is_promising(&self, found: &Found, bytes: f64) -> bool {
        let values = self.full.sample.total.max(1) as f64 * self.full.columns.len() as f64;
        let linear = &found.alone;
        bytes * 8.0 < MOST_BITS * values
            && linear.with_latents.bytes < PROMISING * linear.best.bytes
    }

    /// The smallest codec with a network, beside one of `bytes`, if it looks as if one may pay or it was asked for.
    fn network(
        &self,
        training: &TrainingContext<'_>,
        found: &Found,
        bytes: f64,
    ) -> Option<Candidate> {
        if !training.is_asked() && !self.is_promising(found, bytes) {
            return None;
        }
        let Found { alone, near } = found;
        let few = near.as_ref().filter(|near| near.with_latents.choice.latents > 0);
        let start = few.filter(|_| wants_many(alone, self.full.columns.len())).unwrap_or(alone);
        let LinearChoice { latents, step, weight_step, .. } = start.with_latents.choice;
        let baseline = LinearBaseline {
            // One that is asked for is trained even where the linear codec wants no latents.
            latents: latents.max(usize::from(training.is_asked())),
            step,
            distortion: Distortion::Coded,
            linear: bytes / self.full.sample.total.max(1) as f64,
            is_filtered: near.is_some(),
        };
        let (full, trial, refine) = (&self.full, &self.trial, self.effort.refine_rounds);
        let linear_bytes = near.as_ref().map_or(alone.best.bytes, |near| near.best.bytes);
        let network = BoundedNetwork { full, trial, baseline, weight_step, linear_bytes, refine };
        network.smallest(training)
    }
}

/// Latents of the linear codec that looks at no neighbours, as a share of the columns, beyond which a
/// network has as many as the one that does: so many say what lies near each other is alike, and the
/// neighbours say that for nothing. (Spectra within ±8, where it wants 90 of 200, take 3 % less with 3;
/// within ±86, where it wants 19, they take 10 % more with 3.)
const MANY_LATENTS: f64 = 0.25;

/// Whether a linear codec has so many latents.
fn wants_many(linear: &Linear, width: usize) -> bool {
    linear.with_latents.choice.latents as f64 > MANY_LATENTS * width as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_very_wide_rows_take_the_short_cut_unless_a_network_is_asked_for() {
        let wide = WIDE_CELLS + 1;
        assert_eq!(trials(4, 40, wide, false), 0);
        assert_eq!(trials(4, 40, wide, true), 4);
        assert_eq!(trials(4, 40, WIDE_CELLS, false), 4);
        assert_eq!(trials(4, FEW_ROWS + 1, wide, false), 4);
    }
}
