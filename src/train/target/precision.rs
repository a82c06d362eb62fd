//! How finely a network's weights are rounded: bits of weights against bits of rows.

use super::solve::{Choice, Costs, solve};
use super::{Builder, Family, Goal};
use crate::error::Result;
use std::f64::consts::LN_2;

/// Where the search begins.
const FIRST: Family = Family::Network { output: 1.0, hidden: 0.3, trellis: 8, thrift: 2.0 };

/// How much finer weights are rounded to see what their rounding costs.
const FINER: f64 = 8.0;

/// Share of the rows' bytes that rounding weights may cost where weights do not take much more
/// for it.
const LOST: f64 = 0.009;
/// Least loss that weights are rounded for, as a share of that which makes the file smallest.
const LEAST: f64 = 0.25;
/// How much larger the file may be for finer weights, and for such that are finer once more.
const ALIKE: f64 = 1.02;
const MORE_ALIKE: f64 = 1.005;
/// Share of the rows' bytes below which a loss is not told from none.
const NOISE: f64 = 0.001;

impl Builder<'_> {
    /// The best precision of the network and its step; what was best of another network serves
    /// again, with a step of its own.
    pub(crate) fn choose_precision(
        &self,
        goal: Goal,
        start: f64,
        first: Option<Choice>,
    ) -> Result<Option<Choice>> {
        if let Some(c) = first {
            return solve(self, goal, (c.family, c.step), &mut Costs::of(&c));
        }
        let mut costs = Costs::new(goal);
        let first = solve(self, goal, (FIRST, start), &mut costs)?;
        let first = match first {
            // Hidden layers this coarse may err too much whatever the step.
            None => solve(self, goal, (FIRST.finer(FINER), start), &mut costs)?,
            first => first,
        };
        let Some(mut best) = first else { return Ok(None) };
        for by in [0.7, 1.5] {
            let Family::Network { output, hidden, trellis, thrift } = best.family else { break };
            let next = Family::Network { output, hidden, trellis, thrift: thrift * by };
            if let Some(c) = solve(self, goal, (next, best.step), &mut costs)?
                && c.cost < best.cost
            {
                best = c;
            }
        }
        Ok(Some(self.balanced(goal, best)?))
    }

    /// Rounds weights so finely that no bit is better spent elsewhere.
    ///
    /// A bit more for each weight of a kind, of hidden layers or of the output, costs `M` bytes; what
    /// their rounding costs the rows, `L` bytes, falls by 4 with it. So the file is smallest where
    /// `L = M / (2 ln 2)` for both, but it hardly grows with less: with half of that `L`, weights
    /// take `0.14 · M` more than rows take less. A decoder that rounding has hardly changed is worth
    /// that: see [`LOST`].
    pub(crate) fn balanced(&self, goal: Goal, at: Choice) -> Result<Choice> {
        let Family::Network { output, hidden, trellis, thrift } = at.family else {
            return Ok(at);
        };
        let mut costs = Costs::of(&at);
        let with = |output: f64, hidden: f64| Family::Network { output, hidden, trellis, thrift };
        let Some(base) = solve(self, goal, (at.family, at.step), &mut costs)? else {
            return Ok(at);
        };
        let families = [with(output / FINER, hidden), with(output, hidden / FINER)];
        let mut seen = [Loss::default(); 2];
        for (family, seen) in families.into_iter().zip(&mut seen) {
            let Some(finer) = solve(self, goal, (family, base.step), &mut costs)? else {
                return Ok(base);
            };
            *seen = Loss::between(&base, &finer, goal);
        }
        let share = share(&base, seen.iter().map(|s| s.bit).sum());
        let [o, h] = seen.map(|s| s.factor(share).clamp(0.2, 4.0));
        self.if_alike(goal, base, (with(output * o, hidden * h), ALIKE), costs)
    }

    /// A choice of [`Self::balanced`], finer where rounding still costs rows more than it should:
    /// where many weights are rounded to 0 the loss falls more slowly than by 4.
    pub(crate) fn confirmed(&self, goal: Goal, base: Choice) -> Result<Choice> {
        let mut costs = Costs::of(&base);
        let finest = (base.family.finer(FINER), base.step);
        let Some(finer) = solve(self, goal, finest, &mut costs)? else {
            return Ok(base);
        };
        let loss = Loss::between(&base, &finer, goal);
        let by = loss.factor(share(&base, loss.bit)).clamp(0.5, 1.0);
        if by > 0.95 {
            return Ok(base);
        }
        self.if_alike(goal, base, (base.family.finer(1.0 / by), MORE_ALIKE), costs)
    }

    /// `family`, where its files are smaller than those of `base`, or finer and hardly larger: with
    /// few rows it may come out otherwise.
    fn if_alike(
        &self,
        goal: Goal,
        base: Choice,
        (family, alike): (Family, f64),
        mut costs: Costs,
    ) -> Result<Choice> {
        let most = base.bytes * if family.is_finer(base.family) { alike } else { 1.0 };
        // A coarser one may be unable to keep the goal.
        costs.kept = false;
        let next = solve(self, goal, (family, base.step), &mut costs)?;
        Ok(next.filter(|next| next.bytes_for(&base, goal) < most).unwrap_or(base))
    }
}

/// What rounding weights costs.
#[derive(Debug, Clone, Copy, Default)]
struct Loss {
    /// Bytes of the rows.
    rows: f64,
    /// Bytes that weights would take more with another bit for each.
    bit: f64,
}

impl Loss {
    /// What `base` loses against weights [`FINER`] times as fine.
    fn between(base: &Choice, finer: &Choice, goal: Goal) -> Self {
        let more = finer.model - base.model;
        let rows = base.bytes - finer.bytes_for(base, goal) + more;
        let noise = NOISE * (base.bytes - base.model);
        Self { rows: rows.max(noise), bit: more / FINER.log2() }
    }

    /// What grains are to be multiplied by, so that rows lose `share` of a bit's bytes.
    fn factor(self, share: f64) -> f64 {
        let by = (share * self.bit / self.rows).sqrt();
        if by.is_finite() && self.bit > 0.0 { by } else { 1.0 }
    }
}

/// The loss of the rows that is best, in bytes that another bit for all weights takes, `bit`.
fn share(base: &Choice, bit: f64) -> f64 {
    let smallest = 0.5 / LN_2;
    let share = LOST * (base.bytes - base.model) / bit;
    if share.is_finite() { share.clamp(LEAST * smallest, smallest) } else { smallest }
}
