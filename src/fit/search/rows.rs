//! Promises about each row: the codec that keeps one with the fewest bytes.
//!
//! Every step keeps such a promise, as each row's latents are chosen by it and rows for which none
//! are enough have residuals. So steps are compared by the bytes of the file.

use crate::codec::fill::is_ordinary;
use crate::codec::value::{Cell, with_cell};
use crate::encode::project::cells;
use crate::encode::row_rule::{LARGEST_SQUARE, RowRule};
use crate::encode::rows::RowPromise;
use crate::error::Result;
use crate::fidelity::Fidelity;
use crate::fit::candidate::Candidate;
use crate::fit::data::components::Basis;
use crate::fit::data::sample::Sample;
use crate::fit::milestones;
use crate::fit::network::context::TrainingContext;
use crate::fit::network::refit::RefitConfig;
use crate::fit::search::alternate::Alternation;
use crate::fit::search::bounded::SearchEffort;
use crate::fit::search::builder::Builder;
use crate::fit::search::choice::USUAL_TRIALS;
use crate::fit::search::coordinate::{Coordinate, descend};
use crate::fit::search::family::{Family, LatentFamily};
use crate::fit::search::goal::Goal;
use crate::fit::search::row_codec::{Built, build};
use crate::matrix::Rows;
use crate::nn::deadline::Deadline;
use crate::quality::FileStats;

/// Most rows that codecs are compared on.
const MOST_ROWS: usize = 4096;

/// Weights of errors that are tried for each row, and mixtures of two, where rows are written; where
/// codecs are compared; and where time is short: the first few find most of what there is. On
/// embeddings, files are 1 % larger with 5 weights and no mixture, and 0.1 % smaller with twice both.
const PATIENT: Patience = Patience { weights: 8, mixtures: 4 };
const QUICK: Patience = Patience { weights: 5, mixtures: 0 };
const SHORT: Patience = Patience { weights: 6, mixtures: 0 };
/// The same weight for all rows: where many have residuals, these say more for their bits.
const ALIKE: Patience = Patience { weights: 1, mixtures: 0 };

/// Larger or else smaller steps, and fewer or else more latents, as long as the file gets smaller.
const STEPS: Coordinate<'_, Codec> =
    Coordinate { changes: &[|c| c.step *= 1.12, |c| c.step /= 1.12], most: 8 };
const LATENTS: Coordinate<'_, Codec> = Coordinate {
    changes: &[
        |c| c.family = c.family.with_latents(0.85),
        |c| c.family = c.family.with_latents(1.18),
    ],
    most: 3,
};
/// Share of rows with residuals from which on that is tried at the end, and from which on it is tried
/// at once: looking for latents that do without would be in vain.
const MANY_RESIDUALS: f64 = 0.1;
const MOSTLY_RESIDUALS: f64 = 0.5;

/// Least share of the squared deviation that steps are found for.
const LEAST_NMSE: f64 = 1e-12;

/// Share of its bytes that a file must fall by for a change to be made: less is within noise.
const GAIN: f64 = 0.0005;

/// Share of its bytes that the file must fall by for the network to be fitted to the rows' latents
/// once more: a turn takes as long as fitting a codec.
const WORTH_A_TURN: f64 = 0.003;

/// How patiently latents of a row are looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Patience {
    weights: usize,
    mixtures: usize,
}

/// A promise about each row of a file.
pub(crate) struct RowSearch<'a> {
    pub(crate) rows: &'a dyn Rows,
    pub(crate) promise: &'a Fidelity,
    pub(crate) sample: &'a Sample,
    pub(crate) effort: SearchEffort,
    pub(crate) basis: Option<&'a Basis>,
    pub(crate) training: &'a TrainingContext<'a>,
}

/// What was fitted.
pub(crate) struct RowCodecs {
    pub(crate) linear: Candidate,
    pub(crate) network: Option<Candidate>,
}

/// A codec that is compared with others.
#[derive(Debug, Clone, Copy)]
struct Codec {
    family: Family,
    /// In the data's units.
    step: f64,
    patience: Patience,
    /// Share of the rows that have residuals, once that was seen.
    with_residuals: f64,
}

impl RowSearch<'_> {
    /// Fits codecs that keep the promise for each row; none where no decoder in integers can.
    ///
    /// # Errors
    /// Those of reading rows.
    pub(crate) fn run(&self) -> Result<Option<RowCodecs>> {
        let (rule, goal) = match self.promise {
            Fidelity::RowNmse(d) => {
                let (limit, means) = (d.floor(), FileStats::scan(self.rows)?.means);
                (RowRule::Nmse { limit, means }, Goal::Nmse(limit))
            }
            Fidelity::RowCosine(d) => (RowRule::Cosine { limit: d.ceil() }, Goal::Cosine(d.ceil())),
            Fidelity::RowL2(d) => {
                // Squares beyond this are not judged: rows then come back exactly.
                let limit = (d.floor() * d.floor()).min(LARGEST_SQUARE);
                let share = limit / squared_deviation(self.sample);
                (RowRule::Length { limit }, Goal::Nmse(share.clamp(LEAST_NMSE, 1.0)))
            }
            _ => unreachable!("only promises about rows come here"),
        };
        let start = goal.starting_step(self.sample);
        let builder = Builder::new(self.sample, self.effort, start, self.basis);
        let thin_sample = self.sample.thin(self.effort.trial_rows.min(MOST_ROWS));
        milestones::expect(
            (USUAL_TRIALS + self.effort.trials) * thin_sample.cells() + self.sample.cells(),
        );
        let fit = RowFit { search: self, rule, goal, thin: builder.thin(&thin_sample), builder };
        let family = Family::Latents(LatentFamily::default());
        let usual = Codec { family, step: start, patience: QUICK, with_residuals: 0.0 };
        let Some(codec) = fit.smallest(&fit.thin, usual) else { return Ok(None) };
        let Some(Built { candidate: linear, .. }) = fit.final_codec(&fit.builder, codec) else {
            return Ok(None);
        };
        let may_train = self.training.may_train();
        let network = if may_train { fit.network(codec.step, &linear) } else { None };
        Ok(Some(RowCodecs { linear, network }))
    }
}

/// Returns the mean squared length of a row of a sample, from its columns' means.
fn squared_deviation(sample: &Sample) -> f64 {
    let (width, fills) = (sample.schema.width(), &sample.schema.fill_values);
    with_cell!(sample.schema.dtype, T => {
        let cells = cells::<T>(&sample.bytes);
        let of_column = |j: usize| {
            let own = cells.iter().skip(j).step_by(width).filter(|x| is_ordinary(**x, fills));
            let count = own.clone().count().max(1) as f64;
            let mean = own.clone().map(|x| x.to_f64() / count).sum::<f64>();
            own.map(|x| (x.to_f64() - mean).powi(2) / count).sum::<f64>()
        };
        (0..width).map(of_column).sum()
    })
}

/// A search that has begun.
struct RowFit<'a> {
    search: &'a RowSearch<'a>,
    rule: RowRule,
    /// The promise as one about the file: errors of all rows together, each of which errs as it may.
    goal: Goal,
    builder: Builder<'a>,
    /// Codecs of fewer rows, which are compared.
    thin: Builder<'a>,
}

impl RowFit<'_> {
    fn build(&self, builder: &Builder<'_>, codec: Codec) -> Option<Built> {
        let Patience { weights, mixtures } = codec.patience;
        let promise = RowPromise { rule: self.rule.clone(), weights, mixtures };
        build(builder, &promise, codec.family, codec.step).ok()
    }

    /// The codec as rows are written with it.
    fn final_codec(&self, builder: &Builder<'_>, codec: Codec) -> Option<Built> {
        let patience = match codec.patience {
            QUICK if self.search.effort.trials == 0 => SHORT,
            QUICK => PATIENT,
            other => other,
        };
        self.build(builder, Codec { patience, ..codec })
    }

    /// The codec of the smallest file, from `first` on; none where that cannot be built.
    fn smallest(&self, thin: &Builder<'_>, first: Codec) -> Option<Codec> {
        let trial = |codec: Codec| {
            let Built { candidate, with_residuals, .. } = self.build(thin, codec)?;
            Some((Codec { with_residuals, ..codec }, candidate.fitted_bytes))
        };
        // A network has the latents that it was trained with.
        let is_linear = matches!(first.family, Family::Latents(_));
        let coordinates: &[_] = match is_linear && self.search.effort.trials > 0 {
            true => &[STEPS, LATENTS],
            false => &[STEPS],
        };
        let other_patience = |codec: Codec| {
            let patience = if codec.patience == ALIKE { QUICK } else { ALIKE };
            trial(Codec { patience, ..codec })
        };
        let mut best = trial(first)?;
        if best.0.with_residuals > MOSTLY_RESIDUALS {
            best = other_patience(first).filter(|other| other.1 < best.1).unwrap_or(best);
        }
        best = descend(best, coordinates, GAIN, trial);
        if best.0.with_residuals > MANY_RESIDUALS
            && let Some(other) = other_patience(best.0).filter(|other| other.1 < best.1)
        {
            best = descend(other, &[STEPS], GAIN, trial);
        }
        Some(best.0)
    }

    /// The codec with a network, if one is trained: for errors of all rows together, then fitted to
    /// latents chosen row by row. `step` is that of the codec `linear`.
    fn network(&self, step: f64, linear: &Candidate) -> Option<Candidate> {
        let (training, goal, builder) = (self.search.training, self.goal, &self.builder);
        let time = training.request.seconds.map(Deadline::new);
        let trained = builder.train(training, goal, step, linear)?;
        let alternation = Alternation { builder, thin: &self.thin, goal, step, training, time };
        let (mut trained, chosen) = alternation.run(trained);
        let chosen = chosen?;
        let factor = training.weight_precision_factor.unwrap_or(1.0);
        let family = chosen.family.with_finer_weights(factor);
        let mut codec = Codec { family, step: chosen.step, patience: QUICK, with_residuals: 0.0 };
        let how = RefitConfig::new(training.request, training.seed);
        let turns = self.search.effort.refit_turns.max(1);
        let mut best: Option<Candidate> = None;
        for turn in 1..=turns {
            let Some(next) = self.smallest(&self.thin.with_network(&trained), codec) else { break };
            codec = next;
            let own = builder.with_network(&trained);
            let Some(Built { candidate, latents, .. }) = self.final_codec(&own, codec) else {
                break;
            };
            let before = best.as_ref().map_or(f64::INFINITY, |b| b.fitted_bytes);
            let bytes = candidate.fitted_bytes;
            let projection = candidate.encoder.projection.clone();
            if bytes < before {
                best = Some(candidate);
            }
            let is_late = time.is_some_and(Deadline::is_over);
            if turn == turns || is_late || bytes > before * (1.0 - WORTH_A_TURN) {
                break;
            }
            let Some(refitted) = own.refitted_to(&projection, &latents, how) else { break };
            trained = refitted;
        }
        best
    }
}
