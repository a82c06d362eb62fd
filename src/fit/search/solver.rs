//! The step with which a family of codecs keeps a promise, and the family that keeps it best.

use crate::error::Result;
use crate::fit::search::target::{Builder, Family, Goal};

/// The share of what is allowed at which families can be compared.
pub(crate) const CLOSE: f64 = 0.95;

/// Least share of what is allowed that ought to be used.
pub(crate) const LEAST_USED: f64 = 0.998;

/// Looks for the step at which `used` is just below 1.
///
/// Secant steps on logarithms inside a shrinking bracket.
#[derive(Debug, Clone)]
pub(crate) struct Solver {
    slope: f64,
    /// `ln step` and `ln used` of the last two.
    seen: Vec<(f64, f64)>,
    /// The last steps found to be valid and not to be.
    good: Option<f64>,
    bad: Option<f64>,
    next: f64,
}

impl Solver {
    pub(crate) fn new(goal: Goal, start: f64) -> Self {
        let next = start.max(f64::MIN_POSITIVE).ln();
        Self { slope: goal.slope(), seen: Vec::new(), good: None, bad: None, next }
    }

    /// The step to try.
    pub(crate) fn step(&self) -> f64 {
        self.next.exp()
    }

    /// Whether the bracket has become too small to be worth going on.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.good.zip(self.bad).is_some_and(|(g, b)| (g - b).abs() < 1e-4)
    }

    /// Takes the result of trying [`Self::step`]; true if it is valid and close enough.
    pub(crate) fn took(&mut self, used: f64) -> bool {
        let used = if used.is_nan() { f64::INFINITY } else { used };
        const AIM: f64 = 0.999;
        let x = self.next;
        if used <= 1.0 {
            self.good = Some(x);
            if used >= LEAST_USED {
                return true;
            }
        } else {
            self.bad = Some(x);
        }
        let y = used.clamp(1e-12, 1e12).ln();
        if let Some(&(x0, y0)) = self.seen.last()
            && (x - x0).abs() > 1e-9
        {
            let slope = (y - y0) / (x - x0);
            // A slope of the wrong sign is noise.
            if slope * self.slope > 0.02 {
                self.slope = slope;
            }
        }
        self.seen.push((x, y));
        let step = ((AIM.ln() - y) / self.slope).clamp(-4.0, 4.0);
        let mut next = x + step;
        if let Some((a, b)) = self.good.zip(self.bad) {
            let (low, high) = (a.min(b), a.max(b));
            let margin = (high - low) * 0.08;
            // Many steps on one side of the bracket mean that the secant misleads.
            if self.seen.len() > 5 {
                next = (low + high) / 2.0;
            }
            next = next.clamp(low + margin, high - margin);
        }
        self.next = next;
        false
    }
}

/// A family with the step that keeps the goal on the sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    pub(crate) family: Family,
    pub(crate) step: f64,
    /// Bytes, or for a limited size the error: less is better.
    pub(super) cost: f64,
    /// Bytes of the whole file, and of the model in it.
    pub(super) bytes: f64,
    pub(super) model: f64,
    /// Of [`Costs`].
    slope: f64,
}

impl Choice {
    /// Bytes of the file with the error that `other` has.
    pub(super) fn bytes_for(&self, other: &Choice, goal: Goal) -> f64 {
        if goal.is_size() {
            return self.bytes * (self.cost / other.cost).powf(-1.0 / other.slope);
        }
        self.bytes
    }
}

/// What brings costs to where the goal would be met exactly: there families compare.
pub(super) struct Costs {
    /// How the cost falls with what is used up, both as logarithms: guessed, then seen.
    slope: f64,
    /// Both logarithms of the family's last try.
    last: Option<(f64, f64)>,
    /// Whether families like these can keep the goal: then one that nearly does is near enough.
    pub(super) kept: bool,
}

impl Costs {
    pub(super) fn new(goal: Goal) -> Self {
        // Bytes fall slowly where more error is allowed, errors fast with more bytes.
        Self { slope: if goal.is_size() { -2.0 } else { -0.6 }, last: None, kept: false }
    }

    /// What was seen on the way to `choice`.
    pub(super) fn of(choice: &Choice) -> Self {
        Self { slope: choice.slope, last: None, kept: true }
    }

    /// The cost of a try that used up `used`.
    fn at_goal(&mut self, used: f64, cost: f64) -> f64 {
        if !(used > 0.0 && cost > 0.0 && used.is_finite() && cost.is_finite()) {
            return cost;
        }
        let now = (used.ln(), cost.ln());
        // Tries near each other tell more noise than slope.
        if let Some(last) = self.last.filter(|last| (last.0 - now.0).abs() > 0.05) {
            let slope = (last.1 - now.1) / (last.0 - now.0);
            self.slope = slope.clamp(4.0 * self.slope, self.slope / 4.0);
        }
        self.last = Some(now);
        (now.1 - self.slope * now.0).exp()
    }
}

/// Finds the step for `family` on the builder's sample, near enough to compare costs.
pub(super) fn solve(
    b: &Builder<'_>,
    goal: Goal,
    (family, start): (Family, f64),
    costs: &mut Costs,
) -> Result<Option<Choice>> {
    let mut solver = Solver::new(goal, start);
    let mut best: Option<(f64, Choice)> = None;
    costs.last = None;
    for _ in 0..14 {
        let step = solver.step();
        // Steps far from the data's scale need weights that no network can be proved for.
        let Ok(built) = b.build(family, step) else {
            if best.is_none() || !goal.is_size() {
                break;
            }
            solver.took(f64::INFINITY);
            continue;
        };
        let used = goal.used(&built.tally, built.fitted_bytes);
        let cost = if goal.is_size() { built.tally.nmse() } else { built.fitted_bytes };
        let cost = costs.at_goal(used, cost);
        let model = built.model_bytes as f64;
        let bytes = if goal.is_size() { built.fitted_bytes / used } else { cost };
        let done = solver.took(used);
        let miss = used.ln().abs();
        costs.kept |= used <= 1.0;
        let most = if costs.kept { 1.0 / CLOSE } else { 1.0 };
        if used <= most && best.is_none_or(|b| miss < b.0) {
            best = Some((miss, Choice { family, step, cost, bytes, model, slope: costs.slope }));
        }
        if done || solver.is_exhausted() || (CLOSE..=most).contains(&used) {
            break;
        }
    }
    Ok(best.map(|b| b.1))
}

/// The best family and step for `goal`.
pub(crate) fn choose(b: &Builder<'_>, goal: Goal, start: f64) -> Result<Option<Choice>> {
    let latents = |threshold: f64, trellis: usize, weight: f64, grain: f64| Family::Latents {
        threshold,
        trellis,
        weight,
        grain,
    };
    let plain = latents(1.5, 8, 1.0, 1.0);
    let mut best: Option<Choice> = None;
    let mut costs = Costs::new(goal);
    let mut attempt = |family: Family, best: &mut Option<Choice>| -> Result<()> {
        let from = best.map_or(start, |c| c.step);
        if let Some(c) = solve(b, goal, (family, from), &mut costs)?
            && best.is_none_or(|b| c.cost < b.cost)
        {
            *best = Some(c);
        }
        Ok(())
    };
    if b.has_components() {
        attempt(plain, &mut best)?;
        if b.effort.rows > 1024 {
            for family in [latents(2.5, 8, 1.0, 1.0), latents(1.5, 8, 0.7, 1.0)] {
                attempt(family, &mut best)?;
            }
            if let Some(Choice { family: Family::Latents { threshold, weight, .. }, .. }) = best {
                attempt(latents(threshold, 8, weight, 2.0), &mut best)?;
                attempt(latents(threshold, 0, weight, 1.0), &mut best)?;
            }
        }
    }
    let tight = match goal {
        Goal::Nmse(x) => x < 0.02,
        Goal::Psnr(x) => x > 35.0,
        Goal::Cosine(x) => x > 0.99,
        Goal::Bytes(_) => true,
    };
    if tight || best.is_none() || b.sample.schema.width() <= 16 {
        attempt(Family::Bounded, &mut best)?;
    }
    Ok(best)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn costs_are_brought_to_the_goal_with_the_slope_that_was_seen() {
        let mut costs = Costs::new(Goal::Nmse(0.1));
        let bytes = |used: f64| 1000.0 * used.powf(-1.4);
        // With the first of a family alone, the slope is a guess.
        assert!((costs.at_goal(0.7, bytes(0.7)) - 1000.0).abs() > 100.0);
        assert!((costs.at_goal(0.9, bytes(0.9)) - 1000.0).abs() < 1e-6);
        // Another family, also of a choice made before.
        let at = Choice { slope: costs.slope, ..choice(1000.0) };
        assert!((Costs::of(&at).at_goal(0.8, 3.0 * bytes(0.8)) - 3000.0).abs() < 1e-6);
    }

    #[test]
    fn errors_of_the_same_size_are_sizes_of_the_same_error() {
        let (a, b) = (choice(0.01), choice(0.02));
        assert_eq!(b.bytes_for(&a, Goal::Nmse(0.1)), 1000.0);
        // Half the error takes 2^(1/2) as many bytes.
        let more = b.bytes_for(&a, Goal::Bytes(1000.0));
        assert!((more - 1000.0 * 2_f64.sqrt()).abs() < 1e-6, "{more}");
    }

    pub(crate) fn choice(cost: f64) -> Choice {
        let family = Family::Bounded;
        Choice { family, step: 1.0, cost, bytes: 1000.0, model: 100.0, slope: -2.0 }
    }
}
