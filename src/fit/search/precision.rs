//! How finely a network's weights are rounded: bits of weights against bits of rows.

use crate::error::Result;
use crate::fit::search::solver::{Choice, Costs, solve};
use crate::fit::search::target::{Builder, Family, Goal};
use std::f64::consts::LN_2;

/// Where the search begins.
const FIRST: Family = Family::Network { output: 1.0, hidden: 0.3, trellis: 8, weight: 3.0 };

/// Most changes of what errors weigh against bits.
const TRIES: usize = 4;

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
        // More weight for errors, or else less, as long as that is better.
        for by in [1.5, 0.7] {
            let before = best.family;
            for _ in 0..TRIES {
                let next = (best.family.weighing(by), best.step);
                match solve(self, goal, next, &mut costs)? {
                    Some(c) if c.cost < best.cost => best = c,
                    _ => break,
                }
            }
            if best.family != before {
                break;
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
        let Family::Network { output, hidden, trellis, weight } = at.family else {
            return Ok(at);
        };
        let mut costs = Costs::of(&at);
        let with = |output: f64, hidden: f64| Family::Network { output, hidden, trellis, weight };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::search::solver::tests::choice;

    const GOAL: Goal = Goal::Nmse(0.1);

    /// A choice whose rows take `rows` bytes and whose model takes `model`.
    fn of(rows: f64, model: f64) -> Choice {
        let mut of = choice(rows + model);
        (of.bytes, of.model) = (rows + model, model);
        of
    }

    #[test]
    fn a_loss_is_what_rows_take_more_and_a_bit_is_a_third_of_three() {
        let loss = Loss::between(&of(1000.0, 100.0), &of(960.0, 190.0), GOAL);
        assert_eq!((loss.rows, loss.bit), (40.0, 30.0));
        // Where finer weights save nothing, the loss is not told from none.
        let loss = Loss::between(&of(1000.0, 100.0), &of(1003.0, 190.0), GOAL);
        assert_eq!(loss.rows, 1.0);
    }

    #[test]
    fn grains_are_where_the_file_is_smallest() {
        // Rows lose `rows · 4^x` with weights coarser by `x` bits, which take `bit · x` less.
        let (rows, bit) = (30.0, 50.0);
        let file = |x: f64| rows * 4_f64.powf(x) - bit * x;
        let loss = Loss { rows, bit };
        let best = loss.factor(share(&of(1e9, 0.0), bit)).log2();
        assert!(file(best) < file(best - 0.05) && file(best) < file(best + 0.05), "{best}");
    }

    #[test]
    fn rows_lose_less_than_a_hundredth_where_weights_allow_it() {
        let smallest = 0.5 / LN_2;
        // A bit for each weight takes a percent of the rows, two thirds, nothing.
        for (bit, expected) in [(100.0, smallest), (200.0, 0.45), (6600.0, LEAST * smallest)] {
            let share = share(&of(10_000.0, 500.0), bit);
            assert!((share - expected).abs() < 1e-9, "{bit}: {share}");
        }
        for nothing in [0.0, f64::NAN] {
            assert_eq!(share(&of(10_000.0, 500.0), nothing), smallest);
            assert_eq!(Loss { rows: 1.0, bit: nothing }.factor(0.5), 1.0);
        }
    }

    #[test]
    fn finer_means_one_of_both() {
        let with =
            |output: f64, hidden: f64| Family::Network { output, hidden, trellis: 8, weight: 1.0 };
        let base = with(1.0, 0.3);
        assert!(base.finer(2.0) == with(0.5, 0.15) && base.finer(2.0).is_finer(base));
        assert!(with(0.9, 0.6).is_finer(base) && with(2.0, 0.2).is_finer(base));
        assert!(!with(2.0, 0.3).is_finer(base) && !base.is_finer(base));
    }
}
