//! The coarsest quantisation step that keeps a promise about a sum.
//!
//! A promise allows a sum so much: squared error, deviation of the cosine from 1, bytes. A trial
//! with a step uses up a share of that. The search makes secant steps on the logarithms of both,
//! inside a bracket that shrinks, until the share is just below 1.

/// Least share of what is allowed that ought to be used: the last 0.2 % of error are worth about
/// 0.1 % of bytes, less than another encoding of the file is worth in time.
pub(crate) const LEAST_USED: f64 = 0.998;

/// Share that is aimed for: the middle of what ends a search, so that a step misses it rarely.
pub(crate) const AIM: f64 = 0.999;

/// Largest change of a step's logarithm between two trials, a factor of 55: enough to come from a
/// bad start to the goal in a few trials, and not out of the numbers' range.
const MOST_STRIDE: f64 = 4.0;

/// Least product of the slope seen and the one before that counts as a slope: below it the two
/// disagree in sign, or one is flat, which is noise.
const LEAST_SLOPES: f64 = 0.02;

/// Distance of the next step to both ends of the bracket, as a share of it: a secant that always
/// falls onto one end would hardly shrink it.
const MARGIN: f64 = 0.08;

/// Secant steps within a bracket, after which it is halved instead: the function bends, and the
/// secant comes nearer from one side only.
const SECANTS: usize = 5;

/// Width of the bracket, as a difference of the steps' logarithms, at which the search ends: two
/// steps this near give files of the same size, within noise.
const NARROW: f64 = 1e-4;

/// Change of a share's logarithm below which it is the same: strides double there. The search ends
/// where the promise is kept and it stays the same so often in a row, over a factor of e of the step
/// or more each time.
const FLAT: f64 = 1e-9;
const FLAT_TRIALS: usize = 2;

/// Least and largest share that slopes are computed with, so that 0 and infinity have logarithms.
const SHARES: (f64, f64) = (1e-12, 1e12);

/// What is searched, and what ends it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepSearch {
    /// Step of the first trial.
    pub(crate) start: f64,
    /// How the logarithm of the share changes with that of the step: a guess, of the right sign.
    pub(crate) slope: f64,
    /// Share that is enough: a trial that uses this much or more, and not too much, is the last.
    pub(crate) enough: f64,
    /// Share that is aimed for.
    pub(crate) aim: f64,
    /// Largest share of a result, at least 1; it holds from the first trial on that keeps the
    /// promise.
    pub(crate) most: f64,
    /// Whether it is known beforehand that the promise can be kept.
    pub(crate) can_be_kept: bool,
    /// Most trials.
    pub(crate) trials: usize,
}

impl StepSearch {
    /// Whether the share falls with the step, as a file's size does.
    fn is_falling(&self) -> bool {
        self.slope < 0.0
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trial<T> {
    /// The share of what is allowed that is used up: the promise is kept up to 1.
    pub(crate) used: f64,
    /// What is to be least among results.
    pub(crate) cost: f64,
    pub(crate) value: T,
}

/// The step that was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<T> {
    pub(crate) step: f64,
    pub(crate) used: f64,
    pub(crate) value: T,
}

/// Looks for the step whose share is nearest to 1, and finds the trial of the least cost among those
/// with shares up to `search.most`; none where no trial had such a share.
///
/// `trial` gives none for a step with which nothing can be built. Where shares fall with the step,
/// that is taken for a step too fine; elsewhere, and before any step was good, it ends the search.
///
/// # Errors
/// Those of `trial`.
pub(crate) fn coarsest<T, E>(
    search: &StepSearch,
    mut trial: impl FnMut(f64) -> Result<Option<Trial<T>>, E>,
) -> Result<Option<Found<T>>, E> {
    let mut secant = Secant::new(search);
    let mut kept = search.can_be_kept;
    let mut best: Option<(f64, Found<T>)> = None;
    for _ in 0..search.trials {
        let step = secant.step();
        let Some(Trial { used, cost, value }) = trial(step)? else {
            if best.is_none() || !search.is_falling() {
                break;
            }
            secant.took(f64::INFINITY);
            continue;
        };
        secant.took(used);
        kept |= used <= 1.0;
        let most = if kept { search.most } else { 1.0 };
        if used <= most && best.as_ref().is_none_or(|b| cost < b.0) {
            best = Some((cost, Found { step, used, value }));
        }
        if secant.is_flat() {
            break;
        }
        let near = (LEAST_USED..=1.0).contains(&used) || (search.enough..=most).contains(&used);
        if near || secant.is_exhausted() {
            break;
        }
    }
    Ok(best.map(|b| b.1))
}

/// The trials so far, and the step to try next.
#[derive(Debug)]
struct Secant {
    slope: f64,
    /// Logarithm of the share that is aimed for.
    aim: f64,
    /// `ln step` and `ln used` of the last trial.
    last: Option<(f64, f64)>,
    trials: usize,
    /// `ln step` of the last trial that kept the promise, and of the last that did not.
    good: Option<f64>,
    bad: Option<f64>,
    /// `ln step` of the next trial.
    next: f64,
    /// Trials in a row, far from each other, that used up the same share.
    flat: usize,
}

impl Secant {
    fn new(search: &StepSearch) -> Self {
        let next = search.start.clamp(f64::MIN_POSITIVE, f64::MAX).ln();
        Self {
            slope: search.slope,
            aim: search.aim.ln(),
            last: None,
            trials: 0,
            good: None,
            bad: None,
            next,
            flat: 0,
        }
    }

    fn step(&self) -> f64 {
        // Beyond these, more strides change nothing.
        self.next.exp().clamp(f64::MIN_POSITIVE, f64::MAX)
    }

    /// Whether the bracket has become too small to be worth going on.
    fn is_exhausted(&self) -> bool {
        self.good.zip(self.bad).is_some_and(|(g, b)| (g - b).abs() < NARROW)
    }

    /// Whether the share no longer changes with the step.
    fn is_flat(&self) -> bool {
        self.flat >= FLAT_TRIALS
    }

    /// Takes the share that trying [`Self::step`] used up, and chooses the next step.
    fn took(&mut self, used: f64) {
        let used = if used.is_nan() { f64::INFINITY } else { used };
        let x = self.next;
        let side = if used <= 1.0 { &mut self.good } else { &mut self.bad };
        *side = Some(x);
        let y = used.clamp(SHARES.0, SHARES.1).ln();
        let mut stride = (self.aim - y) / self.slope;
        if let Some((x0, y0)) = self.last
            && (x - x0).abs() > 1e-9
        {
            let slope = (y - y0) / (x - x0);
            if slope * self.slope > LEAST_SLOPES {
                self.slope = slope;
            }
            stride = (self.aim - y) / self.slope;
            let is_same = (y - y0).abs() < FLAT && (SHARES.0..=SHARES.1).contains(&used);
            if is_same {
                stride = stride.signum() * stride.abs().max(2.0 * (x - x0).abs());
            }
            let is_flat = is_same && used <= 1.0 && (x - x0).abs() > 1.0;
            self.flat = if is_flat { self.flat + 1 } else { 0 };
        }
        self.last = Some((x, y));
        self.trials += 1;
        self.next = self.inside_bracket(x + stride.clamp(-MOST_STRIDE, MOST_STRIDE));
    }

    /// `next`, kept away from the ends of the bracket if there is one.
    fn inside_bracket(&self, next: f64) -> f64 {
        let Some((good, bad)) = self.good.zip(self.bad) else { return next };
        let (low, high) = (good.min(bad), good.max(bad));
        let next = if self.trials > SECANTS { (low + high) / 2.0 } else { next };
        let margin = (high - low) * MARGIN;
        next.clamp(low + margin, high - margin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// A search for the largest step, from 1, as over the whole file.
    fn rising() -> StepSearch {
        StepSearch {
            start: 1.0,
            slope: 2.0,
            enough: LEAST_USED,
            aim: AIM,
            most: 1.0,
            can_be_kept: false,
            trials: 12,
        }
    }

    /// The same for a size, which falls with the step.
    fn falling() -> StepSearch {
        StepSearch { slope: -0.4, ..rising() }
    }

    /// The result where `used` gives the share of each step, or none; and the number of trials.
    fn search(how: StepSearch, used: impl Fn(f64) -> Option<f64>) -> (Option<Found<f64>>, usize) {
        let mut trials = 0;
        let result: Result<_, Infallible> = coarsest(&how, |step| {
            trials += 1;
            Ok(used(step).map(|used| Trial { used, cost: used.ln().abs(), value: step }))
        });
        let Ok(found) = result;
        (found, trials)
    }

    #[track_caller]
    fn converges(how: StepSearch, most: usize, used: impl Fn(f64) -> f64) {
        let (found, trials) = search(how, |step| Some(used(step)));
        let found = found.expect("a step");
        assert!((LEAST_USED..=1.0).contains(&found.used), "{found:?} after {trials}");
        assert!(found.used == used(found.step) && found.value == found.step);
        assert!(trials <= most, "{trials} trials");
    }

    #[test]
    fn monotone_shares_come_just_below_one() {
        // The step is right after one correction if the slope is, whatever the distance.
        converges(rising(), 2, |step| (step / 20.0).powi(2));
        converges(rising(), 2, |step| (step * 20.0).powi(2));
        // Other slopes, and shares that bend on the way.
        converges(rising(), 4, |step| (step / 3e-3).powf(0.8));
        converges(rising(), 8, |step| step.powi(2) / (1.0 + step) / 50.0);
        converges(rising(), 8, |step| (step / 5.0).powi(2) + 0.3 * (step / 5.0).powi(6));
        // Beyond one stride.
        converges(rising(), 12, |step| (step / 1e6).powi(2));
    }

    #[test]
    fn sizes_fall_with_the_step() {
        converges(falling(), 2, |step| (step / 7.0).powf(-0.4));
        converges(falling(), 8, |step| 0.4 - 0.1 * step.log2());
        // What cannot be built is too fine, once something was good.
        let used = |step: f64| (step > 0.2).then(|| 0.5 + 0.5 * (0.25 / step).powi(8));
        let (found, _) = search(falling(), used);
        assert!((0.9..=1.0).contains(&found.unwrap().used), "{found:?}");
    }

    #[test]
    fn noise_does_not_lead_it_astray() {
        // 1 % up and down, without any order.
        let noise = |step: f64| 1.0 + 0.01 * (step * 1e4).sin();
        for target in [0.02, 3.0, 70.0] {
            let (found, _) = search(rising(), |s| Some((s / target).powi(2) * noise(s)));
            assert!((0.95..=1.0).contains(&found.unwrap().used), "{target}: {found:?}");
        }
        // Two trials near each other say that finer steps use more: the next is finer all the same.
        let used = |s: f64| if (0.94..1.0).contains(&s) { 1.6 - 0.5 * s } else { 1.1 * s * s };
        let (found, _) = search(StepSearch { trials: 3, ..rising() }, |s| Some(used(s)));
        assert!(found.is_some());
    }

    #[test]
    fn no_stride_is_longer_than_what_is_known_allows() {
        let (mut last, mut longest) = (0.0_f64, 0.0_f64);
        let _: Result<_, Infallible> = coarsest(&rising(), |step| {
            longest = longest.max((step.ln() - last).abs());
            last = step.ln();
            Ok(Some(Trial { used: (step / 1e6).powi(2), cost: 0.0, value: () }))
        });
        assert!((longest - MOST_STRIDE).abs() < 1e-9, "{longest}");
    }

    #[test]
    fn where_shares_are_flat_it_ends() {
        let (found, trials) = search(rising(), |_| Some(0.5));
        assert!(found.unwrap().used == 0.5 && trials <= 6, "{trials}");
        let (found, _) = search(rising(), |_| Some(3.0));
        assert!(found.is_none());
        // A jump over 1: the bracket shrinks to it.
        let jump = |s: f64| Some(if s < 5.0 { 0.3 + 1e-3 * s } else { 4.0 });
        let (found, _) = search(rising(), jump);
        let step = found.unwrap().step;
        assert!((4.0..5.0).contains(&step), "{step}");
        let (found, trials) = search(StepSearch { trials: 99, ..rising() }, jump);
        assert!(trials <= 20 && found.unwrap().step > 5.0 * (1.0 - 2.0 * NARROW), "{trials}");
    }

    #[test]
    fn impossible_targets_give_none() {
        assert!(search(rising(), |s| Some(2.0 + s)).0.is_none());
        assert!(search(rising(), |_| Some(f64::NAN)).0.is_none());
        assert!(search(falling(), |s| Some(2.0 + 1.0 / s)).0.is_none());
        let (found, trials) = search(rising(), |_| None);
        assert!(found.is_none() && trials == 1);
        let (found, trials) = search(falling(), |_| None);
        assert!(found.is_none() && trials == 1);
        assert!(coarsest(&rising(), |_| Err::<Option<Trial<()>>, _>("broken")).is_err());
    }

    #[test]
    fn a_comparison_may_exceed_what_can_be_kept() {
        let compare = StepSearch { enough: 0.95, most: 1.0 / 0.95, ..rising() };
        // The first trial uses 1.02: near enough only where it is known to be possible.
        let used = |step: f64| Some(1.02 * step * step);
        let known = StepSearch { can_be_kept: true, ..compare };
        let (found, trials) = search(known, used);
        assert!(found.unwrap().used == 1.02 && trials == 1);
        let (found, trials) = search(compare, used);
        assert!(found.unwrap().used <= 1.0 && trials == 2);
        // One that cannot be kept at all is none, however near.
        assert!(search(compare, |_| Some(1.02)).0.is_none());
    }
}
