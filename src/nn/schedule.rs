//! How large steps are over time.

/// A straight rise, then half a cosine down (Loshchilov and Hutter 2017, *SGDR*, equation 5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Schedule {
    pub(crate) peak: f32,
    /// What the last step ends at.
    pub(crate) last: f32,
    /// Steps of the rise.
    pub(crate) warm_up: usize,
    /// All steps.
    pub(crate) steps: usize,
}

impl Schedule {
    /// A rise over a twentieth of `steps`, at most 500, then down to nothing.
    pub(crate) fn new(peak: f32, steps: usize) -> Self {
        Self { peak, last: 0.0, warm_up: (steps / 20).min(500), steps }
    }

    /// The rate of `step`, the first being 0.
    pub(crate) fn rate(&self, step: usize) -> f32 {
        if step < self.warm_up {
            return self.peak * ((step + 1) as f32 / self.warm_up as f32);
        }
        let left = self.steps.saturating_sub(step) as f64;
        let share = left / (self.steps.max(self.warm_up + 1) - self.warm_up) as f64;
        self.last + (self.peak - self.last) * rise(share) as f32
    }
}

/// `½ − ½ cos πx` on `[0, 1]`, from its series so that it is the same everywhere.
fn rise(x: f64) -> f64 {
    // sin²(πx/2), of the smaller half.
    let (x, mirror) = if x > 0.5 { (1.0 - x, true) } else { (x, false) };
    let a = x * std::f64::consts::FRAC_PI_2;
    let z = a * a;
    let series = 1.0 - z / 6.0 * (1.0 - z / 20.0 * (1.0 - z / 42.0 * (1.0 - z / 72.0)));
    let sine = a * series;
    if mirror { 1.0 - sine * sine } else { sine * sine }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_and_falls_as_a_cosine() {
        let s = Schedule { peak: 2.0, last: 0.5, warm_up: 10, steps: 110 };
        assert_eq!((s.rate(0), s.rate(4), s.rate(9), s.rate(10)), (0.2, 1.0, 2.0, 2.0));
        for step in 10..=110 {
            let cosine = (std::f64::consts::PI * (step - 10) as f64 / 100.0).cos();
            let exact = 0.5 + 1.5 * 0.5 * (1.0 + cosine);
            assert!((f64::from(s.rate(step)) - exact).abs() < 1e-6, "{step}");
        }
        assert_eq!((s.rate(110), s.rate(1_000)), (0.5, 0.5));
    }

    #[test]
    fn short_schedules_are_sound() {
        for steps in 0..4 {
            let s = Schedule::new(1.0, steps);
            assert!((0..10).all(|i| (0.0..=1.0).contains(&s.rate(i))));
        }
        assert_eq!(Schedule::new(1.0, 0).rate(0), 0.0);
    }
}
