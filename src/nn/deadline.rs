//! A time limit that training is planned around.

use std::time::Instant;

/// A number of seconds, counted from when the deadline was set.
///
/// Whatever asks a clock gives other results on other machines, so a deadline is only there where
/// the caller has asked for one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    begun: Instant,
    seconds: f64,
}

impl Deadline {
    /// Ends `seconds` from now.
    pub(crate) fn new(seconds: f64) -> Self {
        Self { begun: Instant::now(), seconds }
    }

    /// The share of the time that has passed: 1 or more once all of it has.
    pub(crate) fn passed(self) -> f64 {
        if self.seconds <= 0.0 {
            return 1.0;
        }
        self.begun.elapsed().as_secs_f64() / self.seconds
    }

    /// Whether all of the time has passed.
    pub(crate) fn is_over(self) -> bool {
        self.passed() >= 1.0
    }

    /// A deadline from now until `share` of this one has passed.
    pub(crate) fn until(self, share: f64) -> Self {
        Self::new((self.seconds * share - self.begun.elapsed().as_secs_f64()).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_and_parts_of_it_do_not_outlast_the_whole() {
        let none = Deadline::new(0.0);
        assert!(none.is_over() && none.until(1.0).is_over());
        let long = Deadline::new(1e6);
        assert!(!long.is_over() && long.passed() < 1e-3);
        assert!(long.until(0.25).seconds <= 0.25e6 && long.until(0.0).is_over());
    }
}
