//! What each level spends.

use crate::fit::config::TrainConfig;
use crate::fit::entropy::classes::ClassEffort;
use crate::fit::neighbours::effort::ContextEffort;
use crate::fit::network::context::{Budget, RelativeStart};
use crate::fit::search::bounded::SearchEffort;

/// What a level stands for. Each line of [`LEVELS`] takes longer than the one before, mostly 1.2 to 3
/// times, as far as the data give reason to use it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    /// Numbers of the rows that codecs are fitted on: more of them cost time and memory in
    /// proportion, and pay where rows differ along the file.
    pub(super) sample_values: usize,
    /// zstd level for what is stored exactly: higher is slower to write and as fast to read; beyond 19,
    /// zstd takes much more memory.
    pub(super) zstd: i32,
    /// The search among codecs.
    pub(super) search: SearchEffort,
    /// What networks may cost; without it, none are tried.
    pub(super) networks: Option<Budget>,
}

/// A network begins with as many latents as the linear codec has; with fewer, where a curved
/// surface is hoped for; and with coarse ones, where residuals are cheaper than it seems. Each
/// start is one more short training.
const STARTS: [RelativeStart; 3] = [
    RelativeStart { latents: 1.0, step: 1.0 },
    RelativeStart { latents: 0.7, step: 1.0 },
    RelativeStart { latents: 1.0, step: 3.0 },
];
const ONE_START: &[RelativeStart] = STARTS.split_at(1).0;
const TWO_STARTS: &[RelativeStart] = STARTS.split_at(2).0;
const ALL_STARTS: &[RelativeStart] = &STARTS;

/// Contexts of level 1: coefficients are not found anew, which takes a quarter of its time. (Fields of temperature would
/// be 3 % smaller.)
const QUICK_CONTEXTS: ContextEffort =
    ContextEffort { cells: 150_000, leaves: 128, predictions: 2, refits: false };

/// Contexts of the other levels.
const fn contexts(cells: usize, leaves: usize, predictions: usize) -> Option<ContextEffort> {
    Some(ContextEffort { cells, leaves, predictions, refits: true })
}

/// Levels 1 to 9.
const LEVELS: [Level; 9] = [
    // Level 1.
    Level {
        sample_values: 1 << 20,
        zstd: 3,
        search: SearchEffort {
            trial_rows: 1024,
            trials: 0,
            classes: ClassEffort { classes: 1, rounds: 0 },
            refine_rounds: 2,
            refit_turns: 2,
            contexts: Some(QUICK_CONTEXTS),
            measures: false,
        },
        networks: None,
    },
    // Level 2.
    Level {
        sample_values: 1 << 21,
        zstd: 6,
        search: SearchEffort {
            trial_rows: 1024,
            trials: 4,
            classes: ClassEffort { classes: 4, rounds: 2 },
            refine_rounds: 2,
            refit_turns: 2,
            contexts: contexts(150_000, 192, 2),
            measures: false,
        },
        networks: Some(Budget {
            work: 1e11,
            epochs: 20,
            widths: &[64],
            starts: ONE_START,
            classes: 4,
        }),
    },
    // Level 3.
    Level {
        sample_values: 1 << 22,
        zstd: 9,
        search: SearchEffort {
            trial_rows: 2048,
            trials: 8,
            classes: ClassEffort { classes: 8, rounds: 3 },
            refine_rounds: 3,
            refit_turns: 2,
            contexts: contexts(300_000, 256, 3),
            measures: false,
        },
        networks: Some(Budget {
            work: 2.5e11,
            epochs: 40,
            widths: &[64],
            starts: ONE_START,
            classes: 8,
        }),
    },
    // Level 4.
    Level {
        sample_values: 5 << 20,
        zstd: 12,
        search: SearchEffort {
            trial_rows: 2048,
            trials: 12,
            classes: ClassEffort { classes: 16, rounds: 3 },
            refine_rounds: 3,
            refit_turns: 2,
            contexts: contexts(300_000, 256, 3),
            measures: false,
        },
        networks: Some(Budget {
            work: 6e11,
            epochs: 60,
            widths: &[96],
            starts: ONE_START,
            classes: 8,
        }),
    },
    // Level 5.
    Level {
        sample_values: 10 << 20,
        zstd: 19,
        search: SearchEffort {
            trial_rows: 4096,
            trials: 16,
            classes: ClassEffort { classes: 64, rounds: 4 },
            refine_rounds: 5,
            refit_turns: 3,
            contexts: contexts(600_000, 512, 4),
            measures: false,
        },
        networks: Some(Budget {
            work: 1.2e12,
            epochs: 100,
            widths: &[64, 192],
            starts: TWO_STARTS,
            classes: 16,
        }),
    },
    // Level 6.
    Level {
        sample_values: 12 << 20,
        zstd: 19,
        search: SearchEffort {
            trial_rows: 4096,
            trials: 24,
            classes: ClassEffort { classes: 64, rounds: 5 },
            refine_rounds: 5,
            refit_turns: 4,
            contexts: contexts(600_000, 512, 4),
            measures: false,
        },
        networks: Some(Budget {
            work: 2.4e12,
            epochs: 160,
            widths: &[64, 192],
            starts: TWO_STARTS,
            classes: 16,
        }),
    },
    // Level 7.
    Level {
        sample_values: 20 << 20,
        zstd: 19,
        search: SearchEffort {
            trial_rows: 8192,
            trials: 24,
            classes: ClassEffort { classes: 64, rounds: 6 },
            refine_rounds: 8,
            refit_turns: 6,
            contexts: contexts(1_000_000, 1024, 4),
            measures: false,
        },
        networks: Some(Budget {
            work: 4e12,
            epochs: 200,
            widths: &[64, 192],
            starts: ALL_STARTS,
            classes: 32,
        }),
    },
    // Level 8.
    Level {
        sample_values: 32 << 20,
        zstd: 19,
        search: SearchEffort {
            trial_rows: 8192,
            trials: 32,
            classes: ClassEffort { classes: 128, rounds: 6 },
            refine_rounds: 8,
            refit_turns: 9,
            contexts: contexts(1_000_000, 1024, 4),
            measures: false,
        },
        networks: Some(Budget {
            work: 6e12,
            epochs: 300,
            widths: &[64, 192],
            starts: ALL_STARTS,
            classes: 32,
        }),
    },
    // Level 9.
    Level {
        sample_values: 64 << 20,
        zstd: 19,
        search: SearchEffort {
            trial_rows: 16_384,
            trials: 40,
            classes: ClassEffort { classes: 128, rounds: 8 },
            refine_rounds: 8,
            refit_turns: 12,
            contexts: contexts(2_000_000, 2048, 4),
            measures: false,
        },
        networks: Some(Budget {
            work: 8e12,
            epochs: 320,
            widths: &[64, 192, 320],
            starts: ALL_STARTS,
            classes: 32,
        }),
    },
];

/// Least number of linear candidates where a network may be trained: it begins from the best.
const LEAST_TRIALS_OF_NETWORKS: usize = 4;

/// Most linear candidates where a textbook objective's network is taken whatever the linear codec
/// costs: that is then not worth much time.
const MOST_TRIALS_OF_TEXTBOOK: usize = 4;

impl Level {
    /// Level `level`, from 1 to 9, with what is asked of the network.
    pub(super) fn new(level: u8, request: &TrainConfig) -> Self {
        let mut own = LEVELS[usize::from(level) - 1];
        if request.wants_network() == Some(true) {
            // One that is asked for is trained at every level.
            own.networks = own.networks.or(LEVELS[1].networks);
        }
        let trials = &mut own.search.trials;
        if own.networks.is_some() {
            *trials = (*trials).max(LEAST_TRIALS_OF_NETWORKS);
        }
        if request.is_kind() {
            *trials = (*trials).min(MOST_TRIALS_OF_TEXTBOOK);
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_spends_as_much_as_the_one_before_or_more() {
        let work = |level: &Level| level.networks.map_or(0.0, |n| n.work);
        for pair in LEVELS.windows(2) {
            let [a, b] = [&pair[0], &pair[1]];
            assert!(a.sample_values < b.sample_values && a.zstd <= b.zstd);
            assert!(a.search.trials <= b.search.trials && work(a) < work(b));
            assert!(a.search.classes.classes <= b.search.classes.classes);
        }
    }

    #[test]
    fn a_network_that_is_asked_for_is_trained_at_every_level() {
        let mut request = TrainConfig::default();
        assert!(Level::new(1, &request).networks.is_none());
        request.hidden = Some(vec![8]);
        let level = Level::new(1, &request);
        assert!(level.networks.is_some() && level.search.trials == LEAST_TRIALS_OF_NETWORKS);
        request.linear = true;
        assert_eq!(Level::new(9, &request).search.trials, MOST_TRIALS_OF_TEXTBOOK);
    }
}
