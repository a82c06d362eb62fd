//! How much the errors of a row's latents weigh: as little as its promise allows.
//!
//! The less errors weigh against bits, the fewer bits a row's latents take and the more of what the
//! promise allows is used up. A row's share is followed by secant steps on the logarithms of both.

use super::row_rule::Judged;

/// Share of what a promise allows that is aimed for: latents are whole numbers, so that shares jump.
const AIM: f64 = 0.995;

/// Share from which on a row is not looked at any further: the last percent is worth half a percent
/// of its bits.
const ENOUGH: f64 = 0.99;

/// How the logarithm of the share changes with that of the weight, before it is seen, and what it
/// can be seen to be.
const SLOPE: f64 = -0.4;
const SLOPES: (f64, f64) = (-2.0, -0.05);

/// Least and largest logarithm of a weight: beyond these, errors alone decide, or bits.
const RANGE: (f64, f64) = (-5.0, 5.0);

/// Distance from the ends of a bracket, as a share of it, that the next weight has at least.
const DISTANCE: f64 = 0.1;

/// Width of a bracket below which shares between its ends are not told from theirs.
const NARROW: f64 = 1e-3;

/// The weights that were tried for one row, as logarithms, and the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeightSearch {
    next: f64,
    slope: f64,
    /// The last weight, with the logarithm of its share.
    last: Option<(f64, f64)>,
    /// The largest weight with which the promise was missed, and the least with which it held.
    misses: Option<f64>,
    holds: Option<f64>,
}

impl WeightSearch {
    /// Begins with the weight whose logarithm is `start`.
    pub(super) fn new(start: f64) -> Self {
        Self { next: start, slope: SLOPE, last: None, misses: None, holds: None }
    }

    /// The weight to try next.
    pub(super) fn weight(&self) -> f32 {
        self.next.exp() as f32
    }

    /// Takes what became of the row with [`Self::weight`]; returns whether there is another to try.
    pub(super) fn took(&mut self, judged: Judged) -> bool {
        let x = self.next;
        let y = judged.used.clamp(1e-9, 1e9).ln();
        match judged.holds {
            true => self.holds = Some(self.holds.map_or(x, |h| h.min(x))),
            false => self.misses = Some(self.misses.map_or(x, |m| m.max(x))),
        }
        if let Some((x0, y0)) = self.last
            && (x - x0).abs() > 1e-6
        {
            self.slope = ((y - y0) / (x - x0)).clamp(SLOPES.0, SLOPES.1);
        }
        self.last = Some((x, y));
        let mut next = x + (AIM.ln() - y) / self.slope;
        if let Some((misses, holds)) = self.bracket() {
            let distance = DISTANCE * (holds - misses);
            next = next.clamp(misses + distance, holds - distance);
        }
        self.next = next.clamp(RANGE.0, RANGE.1);
        let is_enough = judged.holds && judged.used >= ENOUGH;
        !is_enough && (self.next - x).abs() > NARROW
    }

    /// The largest weight that missed the promise and the least that held it, as logarithms.
    fn bracket(&self) -> Option<(f64, f64)> {
        self.misses.zip(self.holds).filter(|(misses, holds)| misses < holds)
    }

    /// The same, as weights.
    pub(super) fn ends(&self) -> Option<(f32, f32)> {
        self.bracket().map(|(misses, holds)| (misses.exp() as f32, holds.exp() as f32))
    }

    /// Logarithm of the least weight that held the promise; the largest there is where none did.
    pub(super) fn found(&self) -> f64 {
        self.holds.unwrap_or(RANGE.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The weight that is found, where `used` gives the share of each.
    fn search(start: f64, trials: usize, used: impl Fn(f64) -> f64) -> f64 {
        let mut search = WeightSearch::new(start);
        for _ in 0..trials {
            let used = used(f64::from(search.weight()));
            if !search.took(Judged { holds: used <= 1.0, used }) {
                break;
            }
        }
        search.found().exp()
    }

    #[test]
    fn the_weight_is_as_small_as_the_promise_allows() {
        for at in [0.05, 1.0, 30.0] {
            for start in [-1.0, 0.0, 2.0] {
                let found = search(start, 8, |w| (w / at).powf(-0.6));
                assert!((1.0..1.03).contains(&(found / at)), "{at} from {start}: {found}");
            }
        }
        // Shares that jump, as those of whole numbers do.
        let found = search(0.0, 12, |w| ((w / 3.0).powf(-0.5) * 10.0).ceil() / 10.0);
        assert!((3.0..3.8).contains(&found), "{found}");
    }

    #[test]
    fn a_promise_out_of_reach_is_given_up_at_once() {
        let tried = std::cell::Cell::new(0);
        for share in [|w: f64| 1.5 + 1.0 / w, |_| f64::INFINITY] {
            let count = |w: f64| {
                tried.set(tried.get() + 1);
                share(w)
            };
            assert_eq!(search(0.0, 12, count), RANGE.1.exp());
            assert!(tried.take() <= 5);
            // The next row begins where this one ended.
            search(RANGE.1, 12, count);
            assert_eq!(tried.take(), 1);
        }
    }
}
