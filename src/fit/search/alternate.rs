//! A network and the latents chosen for it, made for each other in turn.

use crate::fit::network::context::TrainingContext;
use crate::fit::network::refit::RefitConfig;
use crate::fit::network::train::TrainedNetwork;
use crate::fit::search::builder::Builder;
use crate::fit::search::choice::Choice;
use crate::fit::search::goal::Goal;
use crate::fit::search::precision::PrecisionSearch;
use crate::nn::deadline::Deadline;

/// How many times as often a codec's network is refitted as one that was trained on these rows.
const TURNS_OF_A_CODEC: usize = 2;

/// What the turns share.
pub(crate) struct Alternation<'a> {
    /// Of the whole sample, and of fewer rows to compare precisions on.
    pub(crate) builder: &'a Builder<'a>,
    pub(crate) thin: &'a Builder<'a>,
    pub(crate) goal: Goal,
    /// The linear codec's step.
    pub(crate) step: f64,
    pub(crate) training: &'a TrainingContext<'a>,
    /// No turn but the first begins after it.
    pub(crate) time: Option<Deadline>,
}

impl Alternation<'_> {
    /// Chooses a precision and refits the network to the latents that it gives, as often as the
    /// level says but once at least; then looks for the precision once more. Without a choice, the
    /// network cannot keep the goal.
    pub(crate) fn run(&self, mut trained: TrainedNetwork) -> (TrainedNetwork, Option<Choice>) {
        let mut turns = self.builder.effort.refit_turns;
        if self.training.codec_network.is_some() {
            turns *= TURNS_OF_A_CODEC;
        }
        let how = RefitConfig::new(self.training.request, self.training.seed);
        let mut chosen: Option<Choice> = None;
        for turn in 0..turns {
            self.training.observer.refit(turn, turns);
            let thin = self.thin.with_network(&trained);
            let search = PrecisionSearch { builder: &thin, goal: self.goal };
            let Some(better) = search.choose(self.step, chosen) else { break };
            chosen = Some(better);
            let builder = self.builder.with_network(&trained);
            let refitted = builder.refitted(better.family, better.step, how);
            let Some(refitted) = refitted else { break };
            trained = refitted;
            if self.is_late() {
                break;
            }
        }
        if let Some(c) = chosen.filter(|_| !self.is_late()) {
            let thin = self.thin.with_network(&trained);
            let search = PrecisionSearch { builder: &thin, goal: self.goal };
            chosen = Some(search.confirmed(search.balanced(c)));
        }
        self.training.observer.refit(turns, turns);
        (trained, chosen)
    }

    fn is_late(&self) -> bool {
        self.time.is_some_and(Deadline::is_over)
    }
}
