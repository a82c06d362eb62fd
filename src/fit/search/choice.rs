//! Families compared on a sample: each with the step that keeps the goal, by the bytes of the file.

use crate::fit::search::builder::Builder;
use crate::fit::search::family::{Family, LatentFamily};
use crate::fit::search::goal::Goal;
use crate::fit::search::solver::{AIM, StepSearch, Trial, coarsest};
use std::convert::Infallible;

/// The share of what is allowed from which on families can be compared, and its inverse, up to
/// which they can where the goal is known to be within reach: costs are brought to the goal with a
/// slope, whose error over 5 % is less than what distinguishes families.
pub(crate) const CLOSE: f64 = 0.95;

/// Most trials of a search on the sample: where shares jump, more of them would only shrink the
/// bracket.
const TRIALS: usize = 14;

/// Trials that families take together, about; what else is tried depends on how long may be searched.
pub(super) const USUAL_TRIALS: usize = 12;

/// How costs change with the share used up, both as logarithms, before that was seen. 1 % more
/// squared error saves 0.007 bits of each latent: 0.6 % where latents take 1.2 bits. Where bytes
/// are limited and errors are the cost it is about the inverse.
const BYTES_SLOPE: f64 = -0.6;
const ERROR_SLOPE: f64 = -2.0;

/// Trials nearer to each other than this, in logarithms of their shares, tell more noise than
/// slope.
const LEAST_DISTANCE: f64 = 0.05;

/// A slope seen may differ from that before by this factor: two trials may be unlike each other,
/// with another number of latents or other classes.
const SLOPE_CHANGE: f64 = 4.0;

/// A family with the step that keeps the goal on the sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    pub(crate) family: Family,
    /// The family with this codec's number of latents, whatever the step.
    pub(super) kept_as: Family,
    /// In the data's units.
    pub(crate) step: f64,
    /// The share of what is allowed that is used up.
    pub(super) used: f64,
    /// Bytes, or for a limited size the error, where the goal is just met: less is better.
    pub(crate) cost: f64,
    /// Bytes of the whole file, and of the model in it.
    pub(crate) bytes: f64,
    pub(crate) model_bytes: f64,
    /// Slope of [`Costs`].
    pub(super) slope: f64,
}

impl Choice {
    /// Bytes of the file with the error that `other` has.
    pub(crate) fn bytes_for(&self, other: &Choice, goal: Goal) -> f64 {
        if goal.is_size() {
            return self.bytes * (self.cost / other.cost).powf(-1.0 / other.slope);
        }
        self.bytes
    }

    /// A choice of the bounded family with 100 bytes of model.
    #[cfg(test)]
    pub(crate) fn of_cost(cost: f64) -> Self {
        let (bytes, model_bytes) = (1000.0, 100.0);
        let family = Family::Bounded(None);
        Self {
            family,
            kept_as: family,
            step: 1.0,
            used: 1.0,
            cost,
            bytes,
            model_bytes,
            slope: ERROR_SLOPE,
        }
    }
}

/// What brings costs to where the goal would be met exactly: there families compare.
pub(crate) struct Costs {
    /// How the cost falls with what is used up, both as logarithms: guessed, then seen.
    slope: f64,
    /// Both logarithms of the family's last trial.
    last: Option<(f64, f64)>,
    /// Whether families like these can keep the goal: then one that nearly does is near enough.
    can_be_kept: bool,
}

impl Costs {
    pub(crate) fn new(goal: Goal) -> Self {
        let slope = if goal.is_size() { ERROR_SLOPE } else { BYTES_SLOPE };
        Self { slope, last: None, can_be_kept: false }
    }

    /// What was seen on the way to `choice`.
    pub(crate) fn of(choice: &Choice) -> Self {
        Self { slope: choice.slope, last: None, can_be_kept: true }
    }

    /// The same for a family that may be unable to keep the goal.
    pub(crate) fn for_coarser(self) -> Self {
        Self { can_be_kept: false, ..self }
    }

    /// The cost that a trial which used up `used` would have at the goal.
    fn at_goal(&mut self, used: f64, cost: f64) -> f64 {
        if !(used > 0.0 && cost > 0.0 && used.is_finite() && cost.is_finite()) {
            return cost;
        }
        let now = (used.ln(), cost.ln());
        if let Some(last) = self.last.filter(|last| (last.0 - now.0).abs() > LEAST_DISTANCE) {
            let slope = (last.1 - now.1) / (last.0 - now.0);
            self.slope = slope.clamp(SLOPE_CHANGE * self.slope, self.slope / SLOPE_CHANGE);
        }
        self.last = Some(now);
        (now.1 - self.slope * now.0).exp()
    }
}

/// Finds the step for `family` on the builder's sample, from `start` on and near enough to compare
/// costs; none where the family cannot keep the goal.
pub(crate) fn solve(
    builder: &Builder<'_>,
    goal: Goal,
    family: Family,
    start: f64,
    costs: &mut Costs,
) -> Option<Choice> {
    costs.last = None;
    let first = solve_family(builder, goal, family, start, costs)?;
    costs.can_be_kept = true;
    let fixed = first.kept_as;
    if first.used >= CLOSE || fixed == family {
        return Some(first);
    }
    // Shares jump over the goal where another linear codec is chosen for the next step.
    costs.last = None;
    let second = solve_family(builder, goal, fixed, first.step, costs);
    Some(second.filter(|s| s.cost < first.cost).unwrap_or(first))
}

/// A finer step than that of `choice` whose file is smaller all the same, as happens where all
/// there is to code are a few numbers; `choice` itself where there is none.
fn with_finer_step(builder: &Builder<'_>, goal: Goal, choice: Choice) -> Choice {
    let mut best = choice;
    let mut step = choice.step;
    for _ in 0..FINER_STEPS {
        step /= FINER;
        let Ok(built) = builder.build(choice.family, step) else { break };
        let used = goal.used(&built.tally, built.fitted_bytes);
        let cost = goal.cost(&built.tally, built.fitted_bytes);
        if used <= 1.0 && cost < best.cost {
            let (bytes, model_bytes) = (built.fitted_bytes, built.model_bytes() as f64);
            best = Choice { step, used, cost, bytes, model_bytes, ..best };
        }
        if cost > MUCH_LARGER * best.cost {
            break;
        }
    }
    best
}

fn solve_family(
    builder: &Builder<'_>,
    goal: Goal,
    family: Family,
    start: f64,
    costs: &mut Costs,
) -> Option<Choice> {
    let search = StepSearch {
        start,
        slope: goal.slope(),
        enough: CLOSE,
        aim: AIM,
        most: 1.0 / CLOSE,
        can_be_kept: costs.can_be_kept,
        trials: TRIALS,
    };
    let found = coarsest(&search, |step| -> Result<_, Infallible> {
        // Steps far from the data's scale need weights that no network can be proved for.
        let Ok(built) = builder.build(family, step) else { return Ok(None) };
        let used = goal.used(&built.tally, built.fitted_bytes);
        let seen = goal.cost(&built.tally, built.fitted_bytes);
        let at_goal = costs.at_goal(used, seen);
        // Far from the goal there may be nothing nearer, and what the cost would be is not known.
        let cost = if used < CLOSE { seen } else { at_goal };
        let bytes = if goal.is_size() { built.fitted_bytes / used } else { cost };
        let model_bytes = built.model_bytes() as f64;
        let kept_as = family.kept_as(&built);
        let slope = costs.slope;
        let value = Choice { family, kept_as, step, used, cost, bytes, model_bytes, slope };
        Ok(Some(Trial { used, cost: used.ln().abs(), value }))
    });
    let Ok(found) = found;
    found.map(|f| f.value)
}

/// Rows of the sample above which other precisions of the latents' family are tried: with fewer,
/// their differences are within noise.
const ROWS_FOR_VARIANTS: usize = 1024;

/// Share of the model in the file from which on all families are tried: rows are few, so that trying
/// takes little time, and what distinguishes families is what their models cost.
const HEAVY_MODEL: f64 = 0.25;

/// Finer steps that are tried after the search where models weigh so much, the factor between them,
/// and the cost, relative to the least, beyond which still finer ones are not tried.
const FINER_STEPS: usize = 8;
const FINER: f64 = 1.25;
const MUCH_LARGER: f64 = 1.1;

/// Bits per value from which on the bounded family is tried, as for a tight promise: residuals,
/// which share nothing, are then about as cheap.
const TIGHT_BITS: f64 = 1.5;

/// Columns up to which the bounded family is always tried: over few columns, residuals cost little
/// and latents have little to share.
const FEW_COLUMNS: usize = 16;

/// Values from which on a promise is tight, so that residuals may be cheaper than ever more
/// latents. Elsewhere the bounded family would only take time.
const TIGHT_NMSE: f64 = 0.02;
const TIGHT_PSNR: f64 = 35.0;
const TIGHT_COSINE: f64 = 0.99;

/// The best linear family and its step for `goal`, from a step of `start` on.
pub(crate) fn choose(builder: &Builder<'_>, goal: Goal, start: f64) -> Option<Choice> {
    let mut costs = Costs::new(goal);
    let mut best: Option<Choice> = None;
    let mut attempt = |family: Family, best: &mut Option<Choice>| {
        let from = best.map_or(start, |c| c.step);
        if let Some(c) = solve(builder, goal, family, from, &mut costs)
            && best.is_none_or(|b| c.cost < b.cost)
        {
            *best = Some(c);
        }
    };
    if builder.has_components() {
        let usual = LatentFamily::default();
        attempt(Family::Latents(usual), &mut best);
        let heavy = best.is_some_and(|b| b.model_bytes > HEAVY_MODEL * b.bytes);
        if heavy || builder.effort.trial_rows > ROWS_FOR_VARIANTS {
            let fewer_latents = LatentFamily { variance_threshold: 2.5, ..usual };
            let cheaper_latents = LatentFamily { error_weight: 0.7, ..usual };
            attempt(Family::Latents(fewer_latents), &mut best);
            attempt(Family::Latents(cheaper_latents), &mut best);
            if let Some(Family::Latents(chosen)) = best.map(|c| c.family) {
                let coarser_weights = LatentFamily { weight_step_factor: 2.0, ..chosen };
                let independent = LatentFamily { trellis: 0, ..chosen };
                attempt(Family::Latents(coarser_weights), &mut best);
                attempt(Family::Latents(independent), &mut best);
            }
        }
    }
    let heavy = best.is_some_and(|b| b.model_bytes > HEAVY_MODEL * b.bytes);
    let width = builder.sample.schema.width();
    let values = builder.sample.total as f64 * width as f64;
    let has_many_bits = best.is_none_or(|b| b.bytes * 8.0 > TIGHT_BITS * values);
    if is_tight(goal) || heavy || has_many_bits || width <= FEW_COLUMNS {
        attempt(Family::Bounded(None), &mut best);
    }
    best.map(|c| if heavy { with_finer_step(builder, goal, c) } else { c })
}

fn is_tight(goal: Goal) -> bool {
    match goal {
        Goal::Nmse(x) => x < TIGHT_NMSE,
        Goal::Psnr(x) => x > TIGHT_PSNR,
        Goal::Cosine(x) => x > TIGHT_COSINE,
        Goal::Bytes(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_brought_to_the_goal_with_the_slope_that_was_seen() {
        let mut costs = Costs::new(Goal::Nmse(0.1));
        let bytes = |used: f64| 1000.0 * used.powf(-1.4);
        // With the first of a family alone, the slope is a guess.
        assert!((costs.at_goal(0.7, bytes(0.7)) - 1000.0).abs() > 100.0);
        assert!((costs.at_goal(0.9, bytes(0.9)) - 1000.0).abs() < 1e-6);
        // Another family, also of a choice made before.
        let at = Choice { slope: costs.slope, ..Choice::of_cost(1000.0) };
        assert!((Costs::of(&at).at_goal(0.8, 3.0 * bytes(0.8)) - 3000.0).abs() < 1e-6);
    }

    #[test]
    fn errors_of_the_same_size_are_sizes_of_the_same_error() {
        let (a, b) = (Choice::of_cost(0.01), Choice::of_cost(0.02));
        assert_eq!(b.bytes_for(&a, Goal::Nmse(0.1)), 1000.0);
        // Half the error takes 2^(1/2) as many bytes.
        let more = b.bytes_for(&a, Goal::Bytes(1000.0));
        assert!((more - 1000.0 * 2_f64.sqrt()).abs() < 1e-6, "{more}");
    }
}
