//! How finely a network's weights are rounded: bits of weights against bits of rows.

use crate::fit::search::builder::Builder;
use crate::fit::search::choice::{Choice, Costs, solve};
use crate::fit::search::coordinate::{Coordinate, descend};
use crate::fit::search::family::{Family, NetworkFamily};
use crate::fit::search::goal::Goal;
use std::f64::consts::LN_2;

/// Where the search begins: hidden weights of about three bits, which refitting makes up for, and
/// errors that weigh three times what the step says, which keeps latents near those that the
/// network was trained for. At level 3, files of an ECG, spectra and digits change so where one is
/// halved and doubled: output −0.4 to +0.6 % and 0 to +2.4 %, hidden −1.3 to +1.0 % and 0 to +1.5
/// %, error weight −0.6 to +0.8 % and 0 to +2.1 %.
const FIRST: NetworkFamily =
    NetworkFamily { output_step_factor: 1.0, hidden_step: 0.3, trellis: 8, error_weight: 3.0 };

/// More weight for errors, or else less, as long as that is better, four times at most. Each trial
/// is a search of its own, so changes are large.
const ERROR_WEIGHTS: Coordinate<'_, Choice> = Coordinate {
    changes: &[
        |c| c.family = c.family.with_error_weight(1.5),
        |c| c.family = c.family.with_error_weight(0.7),
    ],
    most: 4,
};

/// How much finer weights are rounded to see what their rounding costs: three bits, which leave a
/// 64th of the loss.
const FINER: f64 = 8.0;

/// Share of the rows' bytes that rounding weights may cost where weights do not take much more
/// for it.
const LOST: f64 = 0.009;
/// Least loss that weights are rounded for, as a share of that which makes the file smallest.
const LEAST: f64 = 0.25;
/// How much larger the file may be for finer weights, and for such that are finer once more: by
/// theory the first cost next to nothing, but few rows measure that badly.
const ALIKE: f64 = 1.02;
const MORE_ALIKE: f64 = 1.005;
/// Share of the rows' bytes below which a loss is not told from none.
const NOISE: f64 = 0.001;
/// Least and largest change of a resolution at once: the loss is only known to fall by 4 with each
/// bit nearby.
const CHANGES: (f64, f64) = (0.2, 4.0);
/// The same for weights that are made finer once more, and the change from which on that is not
/// worth another trial.
const LEAST_SECOND_CHANGE: f64 = 0.5;
const NO_CHANGE: f64 = 0.95;

/// Searches precisions of a network on one sample.
pub(crate) struct PrecisionSearch<'a> {
    /// It has the network.
    pub(crate) builder: &'a Builder<'a>,
    pub(crate) goal: Goal,
}

impl PrecisionSearch<'_> {
    /// The best precision of the network and its step, from a step of `start` on; with `first`,
    /// what was best of another network, only a new step for it. None where no step keeps the goal.
    pub(crate) fn choose(&self, start: f64, first: Option<Choice>) -> Option<Choice> {
        if let Some(c) = first {
            return self.solve(c.family, c.step, &mut Costs::of(&c));
        }
        let mut costs = Costs::new(self.goal);
        let first = Family::Network(FIRST);
        // Hidden layers this coarse may err too much whatever the step.
        let first = self
            .solve(first, start, &mut costs)
            .or_else(|| self.solve(first.with_finer_weights(FINER), start, &mut costs))?;
        let trial = |c: Choice| {
            let solved = self.solve(c.family, c.step, &mut costs)?;
            Some((solved, solved.cost))
        };
        Some(self.balanced(descend((first, first.cost), &[ERROR_WEIGHTS], 0.0, trial).0))
    }

    fn solve(&self, family: Family, start: f64, costs: &mut Costs) -> Option<Choice> {
        solve(self.builder, self.goal, family, start, costs)
    }

    /// Rounds weights so finely that no bit is better spent elsewhere.
    ///
    /// A bit more for each weight of a kind, of hidden layers or of the output, costs `M` bytes;
    /// what their rounding costs the rows, `L` bytes, falls by 4 with it. So the file is smallest
    /// where `L = M / (2 ln 2)` for both, but it hardly grows with less: with half of that `L`,
    /// weights take `0.14 · M` more than rows take less. A decoder that rounding has hardly changed
    /// is worth that: see [`LOST`].
    pub(crate) fn balanced(&self, at: Choice) -> Choice {
        let Family::Network(network) = at.family else { return at };
        let NetworkFamily { output_step_factor, hidden_step, .. } = network;
        let mut costs = Costs::of(&at);
        let Some(base) = self.solve(at.family, at.step, &mut costs) else { return at };
        let finer = [
            NetworkFamily { output_step_factor: output_step_factor / FINER, ..network },
            NetworkFamily { hidden_step: hidden_step / FINER, ..network },
        ];
        let mut losses = [Loss::default(); 2];
        for (network, loss) in finer.into_iter().zip(&mut losses) {
            let finer = self.solve(Family::Network(network), base.step, &mut costs);
            let Some(finer) = finer else { return base };
            *loss = Loss::between(&base, &finer, self.goal);
        }
        let share = best_share(&base, losses.iter().map(|l| l.bit).sum());
        let [output, hidden] = losses.map(|l| l.factor(share).clamp(CHANGES.0, CHANGES.1));
        let network = NetworkFamily {
            output_step_factor: output_step_factor * output,
            hidden_step: hidden_step * hidden,
            ..network
        };
        self.if_alike(base, Family::Network(network), ALIKE, costs)
    }

    /// A choice of [`Self::balanced`], finer where rounding still costs rows more than it should:
    /// where many weights are rounded to 0 the loss falls more slowly than by 4.
    pub(crate) fn confirmed(&self, base: Choice) -> Choice {
        let mut costs = Costs::of(&base);
        let finest = base.family.with_finer_weights(FINER);
        let Some(finer) = self.solve(finest, base.step, &mut costs) else { return base };
        let loss = Loss::between(&base, &finer, self.goal);
        let by = loss.factor(best_share(&base, loss.bit)).clamp(LEAST_SECOND_CHANGE, 1.0);
        if by > NO_CHANGE {
            return base;
        }
        self.if_alike(base, base.family.with_finer_weights(1.0 / by), MORE_ALIKE, costs)
    }

    /// `family`, where its files are smaller than those of `base`, or where its weights are finer
    /// and its files no larger than `alike` times those: with few rows it may come out otherwise.
    fn if_alike(&self, base: Choice, family: Family, alike: f64, costs: Costs) -> Choice {
        let finer = family.has_finer_weights_than(base.family);
        let most = base.bytes * if finer { alike } else { 1.0 };
        let next = self.solve(family, base.step, &mut costs.for_coarser());
        next.filter(|next| next.bytes_for(&base, self.goal) < most).unwrap_or(base)
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
        let more = finer.model_bytes - base.model_bytes;
        let rows = base.bytes - finer.bytes_for(base, goal) + more;
        let noise = NOISE * (base.bytes - base.model_bytes);
        Self { rows: rows.max(noise), bit: more / FINER.log2() }
    }

    /// What the resolution is to be multiplied by, so that rows lose `share` of a bit's bytes.
    fn factor(self, share: f64) -> f64 {
        let by = (share * self.bit / self.rows).sqrt();
        if by.is_finite() && self.bit > 0.0 { by } else { 1.0 }
    }
}

/// The loss of the rows that is best, as a share of the bytes that another bit for all weights
/// takes, `bit`.
fn best_share(base: &Choice, bit: f64) -> f64 {
    let smallest = 0.5 / LN_2;
    let share = LOST * (base.bytes - base.model_bytes) / bit;
    if share.is_finite() { share.clamp(LEAST * smallest, smallest) } else { smallest }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOAL: Goal = Goal::Nmse(0.1);

    /// A choice whose rows take `rows` bytes and whose model takes `model`.
    fn of(rows: f64, model: f64) -> Choice {
        let bytes = rows + model;
        Choice { bytes, model_bytes: model, ..Choice::of_cost(bytes) }
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
    fn resolutions_are_where_the_file_is_smallest() {
        // Rows lose `rows · 4^x` with weights coarser by `x` bits, which take `bit · x` less.
        let (rows, bit) = (30.0, 50.0);
        let file = |x: f64| rows * 4_f64.powf(x) - bit * x;
        let loss = Loss { rows, bit };
        let best = loss.factor(best_share(&of(1e9, 0.0), bit)).log2();
        assert!(file(best) < file(best - 0.05) && file(best) < file(best + 0.05), "{best}");
    }

    #[test]
    fn rows_lose_less_than_a_hundredth_where_weights_allow_it() {
        let smallest = 0.5 / LN_2;
        // A bit for each weight takes a percent of the rows, two thirds, nothing.
        for (bit, expected) in [(100.0, smallest), (200.0, 0.45), (6600.0, LEAST * smallest)] {
            let share = best_share(&of(10_000.0, 500.0), bit);
            assert!((share - expected).abs() < 1e-9, "{bit}: {share}");
        }
        for nothing in [0.0, f64::NAN] {
            assert_eq!(best_share(&of(10_000.0, 500.0), nothing), smallest);
            assert_eq!(Loss { rows: 1.0, bit: nothing }.factor(0.5), 1.0);
        }
    }
}
