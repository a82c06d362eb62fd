//! Linear codecs by their bytes on some rows: from the best of some places, a walk to better ones.

use crate::fit::candidate::LinearChoice;
use crate::fit::context::FitContext;
use crate::fit::linear;
use crate::fit::search::rank::{Place, linear_choice};

/// Relative change of the number of latents with which the walk begins, halved where no neighbour
/// is better, and the one below which it ends. (At level 3, half of the first makes an ECG 0.6 %
/// smaller, twice of it embeddings 0.04 % larger; half and twice of the last change nothing.)
const FIRST_STRIDE: f64 = 0.4;
const LEAST_STRIDE: f64 = 0.08;

/// Factor between a step and its neighbours in the walk. (At level 3, 1.2 makes files 0.2 % smaller
/// to 0.5 % larger, 2 makes them 0.3 % smaller to 3 % larger.)
const STEP_RATIO: f64 = 1.4;

/// A linear codec that was measured on the trial rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    pub(super) choice: LinearChoice,
    /// Bytes of the whole file; infinite for what cannot be built.
    pub(super) bytes: f64,
}

/// What cannot be proved to be decoded without overflow is no candidate.
pub(super) fn measure(trial: &FitContext<'_>, choice: LinearChoice) -> Measured {
    let bytes = linear::build(trial, &choice).map_or(f64::INFINITY, |c| c.fitted_bytes);
    Measured { choice, bytes }
}

/// The best codec with latents: the best of `starts`, or one that a walk of up to `most` trials finds from
/// there; and its place.
pub(super) fn best_with_latents(
    trial: &FitContext<'_>,
    most: usize,
    starts: &[Place],
) -> (Measured, Option<Place>) {
    let (components, rows) = (trial.components, trial.sample.total as f64);
    let mut best = Measured { choice: LinearChoice::NO_LATENTS, bytes: f64::INFINITY };
    let mut at = None;
    let mut seen: Vec<LinearChoice> = Vec::new();
    let mut improves = |place: Place| {
        let choice = linear_choice(components, place, rows);
        let exists = (1..=components.count()).contains(&place.latents);
        if !exists || seen.contains(&choice) {
            return false;
        }
        seen.push(choice);
        let measured = measure(trial, choice);
        let better = measured.bytes < best.bytes;
        if better {
            (best, at) = (measured, Some(place));
        }
        better
    };
    let start = starts.iter().copied().filter(|&place| improves(place)).last();
    if let Some(start) = start {
        walk(start, most, improves);
    }
    (best, at)
}

/// Places with `few` latents beside the one that is ranked first, as far as these are fewer: where neighbours
/// say most, few latents do, and theirs must be known well.
pub(super) fn beside(ranked: Option<Place>, few: &[usize]) -> Vec<Place> {
    let of = |first: Place| {
        let fewer = few.iter().filter(move |&&latents| latents < first.latents);
        fewer.map(move |&latents| Place { latents, weights: FINE_WEIGHTS, ..first })
    };
    ranked.into_iter().flat_map(of).collect()
}

/// Resolution of weights where latents are few, relative to the usual one: errors of weights are noise, which no
/// neighbour foretells.
const FINE_WEIGHTS: f64 = 0.25;

/// Walks from `first`, the best so far, to better neighbours in up to about `most` trials; `improves` says
/// whether a place is better than all before.
fn walk(first: Place, most: usize, mut improves: impl FnMut(Place) -> bool) {
    let (mut place, mut trials, mut stride) = (first, 0, FIRST_STRIDE);
    while trials < most && stride >= LEAST_STRIDE {
        let better = neighbours(place, stride).into_iter().find(|near| {
            trials += 1;
            improves(*near)
        });
        match better {
            Some(better) => place = better,
            None => stride /= 2.0,
        }
    }
}

/// More or fewer latents, then coarser or finer, then with other weights.
fn neighbours(place: Place, stride: f64) -> Vec<Place> {
    let Place { latents, relative_step, weights } = place;
    let more = ((latents as f64 * (1.0 + stride)) as usize).max(latents + 1);
    let fewer = (latents as f64 / (1.0 + stride)).round() as usize;
    let with = |latents: usize| Place { latents, ..place };
    let of = |relative_step: f64| Place { relative_step, ..place };
    let mut near = vec![
        with(more),
        with(fewer.min(latents.saturating_sub(1))),
        of(relative_step * STEP_RATIO),
        of(relative_step / STEP_RATIO),
    ];
    if weights < 1.0 {
        near.extend([0.5, 2.0].map(|f| Place { weights: weights * f, ..place }));
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_goes_down_to_the_bottom() {
        for (latents, octaves) in [(40_usize, 1.0), (7, -1.0), (20, 0.0)] {
            let cost = |p: &Place| {
                let (k, step) = ((p.latents as f64 / latents as f64).ln(), p.relative_step.log2());
                k * k + 0.1 * (step - octaves).powi(2)
            };
            let (mut best, mut trials) = (f64::INFINITY, 0);
            let mut place = Place { latents: 20, relative_step: 1.0, weights: 1.0 };
            walk(place, 40, |p| {
                trials += 1;
                let better = cost(&p) < best;
                if better {
                    (best, place) = (cost(&p), p);
                }
                better
            });
            assert!(place.latents.abs_diff(latents) <= latents / 12, "{latents}: {place:?}");
            assert!((place.relative_step.log2() - octaves).abs() < 0.3, "{octaves}: {place:?}");
            assert!(trials <= 44, "{trials}");
        }
    }

    #[test]
    fn the_walk_ends_where_nothing_can_be_built_or_trials_are_used_up() {
        let count = |most: usize, good: usize| {
            let (mut trials, first) = (0, Place { latents: 5, relative_step: 1.0, weights: 1.0 });
            walk(first, most, |_| {
                trials += 1;
                trials <= good
            });
            trials
        };
        assert_eq!(count(40, 0), 12);
        assert_eq!(count(3, 99), 3);
        // No neighbour is better: strides of 0.4, 0.2 and 0.1.
        assert_eq!(count(40, 1), 13);
    }
}
