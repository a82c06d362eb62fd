//! How much of the variance along each component is noise.
//!
//! Noise that is independent from value to value and of one strength has a known spectrum: the
//! eigenvalues of its covariance lie within the edges that Marchenko and Pastur found in 1967. The
//! components of least variance that fit between such edges are taken to be noise (Veraart et al.
//! 2016, *Denoising of diffusion MRI using random matrix theory*), which gives its strength; what
//! is then the best factor for each component is known in closed form (Gavish and Donoho 2017,
//! *Optimal shrinkage of singular values*).

/// The fewest components that are taken to be noise: of one or two nothing tells that they are, as
/// they fit between some edges whatever they are.
const LEAST_TAIL: usize = 3;
/// Standard deviations by which noise must seem to follow itself along the longer side before that
/// is believed.
const SIGNIFICANT: f64 = 4.0;
/// Structure follows itself with a correlation of at least this, so that the share of noise is less
/// than 1 by the correlation seen over it.
const CORRELATION_OF_STRUCTURE: f64 = 0.25;
/// The share of the largest variance below which a variance is the rounding of its computation.
const ROUNDING: f64 = 1e-12;

/// Variances along components, largest first, as sums of squares over `long`.
pub(super) struct Spectrum {
    variances: Vec<f64>,
    /// How many independent numbers there are along each component.
    long: f64,
}

/// The components that look like noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tail {
    /// The first of them.
    pub(super) first: usize,
    /// The variance of noise in each value.
    pub(super) variance: f64,
}

impl Spectrum {
    /// `squares` are the sums of squares along components of rows whose mean is 0, largest first.
    pub(super) fn new(mut squares: Vec<f64>, rows: usize, width: usize) -> Self {
        // A mean was taken away, and with it the freedom of one row.
        let free = rows.saturating_sub(1);
        let (short, long) = (free.min(width), free.max(width).max(1) as f64);
        squares.truncate(short);
        Self { variances: squares.iter().map(|s| s.max(0.0) / long).collect(), long }
    }

    /// Finds the most components, from the one of least variance on, whose variances lie between
    /// the edges that the variances themselves, if they are noise, let expect.
    pub(super) fn tail(&self) -> Option<Tail> {
        let least = *self.variances.last()?;
        let mut found = None;
        let mut sum = 0.0;
        for (k, variance) in self.variances.iter().enumerate().rev() {
            sum += variance;
            let count = self.variances.len() - k;
            let mean = sum / count as f64;
            // The edges are (1 ± √γ)² times the variance of noise for γ = count / long.
            if variance - least <= 4.0 * (count as f64 / self.long).sqrt() * mean {
                found = Some(Tail { first: k, variance: mean });
            }
        }
        let is_rounding = |t: &Tail| t.variance <= ROUNDING * self.variances[0];
        found.filter(|t| self.variances.len() - t.first >= LEAST_TAIL && !is_rounding(t))
    }

    /// The median variance: about that of noise where most components are noise.
    pub(super) fn usual(&self) -> f64 {
        self.variances.get(self.variances.len() / 2).copied().unwrap_or(0.0)
    }

    /// The tail with less noise where its numbers are not independent along the longer side but
    /// have the given `correlation` with those before them; `None` where it then has none.
    pub(super) fn corrected(&self, tail: Tail, correlation: f64) -> Option<Tail> {
        let count = (self.variances.len() - tail.first) as f64;
        if correlation <= SIGNIFICANT / (count * self.long).sqrt() {
            return Some(tail);
        }
        let share = 1.0 - correlation / CORRELATION_OF_STRUCTURE;
        (share > 0.0).then_some(Tail { variance: share * tail.variance, ..tail })
    }

    /// What to multiply each component with, from 0 to 1, to be nearest, in squares, to what it is
    /// without noise of variance `noise`.
    pub(super) fn factors(&self, noise: f64) -> Vec<f64> {
        let gamma = self.variances.len() as f64 / self.long;
        let factor = |variance: &f64| {
            let y = variance / noise.max(f64::MIN_POSITIVE);
            let rest = (y - gamma - 1.0).powi(2) - 4.0 * gamma;
            if y > (1.0 + gamma.sqrt()).powi(2) && rest > 0.0 { rest.sqrt() / y } else { 0.0 }
        };
        self.variances.iter().map(factor).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squares along components of noise of variance 1 between its edges, and of others before.
    fn squares(signal: &[f64], noise: usize, rows: usize) -> Vec<f64> {
        let gamma = noise as f64 / (rows - 1) as f64;
        let (low, high) = ((1.0 - gamma.sqrt()).powi(2), (1.0 + gamma.sqrt()).powi(2));
        let bulk = (0..noise).rev().map(|k| low + (high - low) * (k as f64 + 0.5) / noise as f64);
        signal.iter().copied().chain(bulk).map(|v| v * (rows - 1) as f64).collect()
    }

    #[test]
    fn noise_is_told_by_its_edges() {
        let spectrum = Spectrum::new(squares(&[90.0, 20.0], 18, 400), 400, 20);
        let tail = spectrum.tail().unwrap();
        assert!(tail.first == 2 && (tail.variance - 1.0).abs() < 0.1, "{tail:?}");
        let factors = spectrum.factors(tail.variance);
        assert!(factors[0] > 0.98 && factors[1] > 0.9 && factors[2..].iter().all(|f| *f == 0.0));
    }

    #[test]
    fn what_falls_steadily_or_is_too_little_is_no_noise() {
        let steady = (0..20).map(|k| 0.5_f64.powi(k)).collect();
        assert_eq!(Spectrum::new(steady, 4000, 20).tail(), None);
        assert_eq!(Spectrum::new(squares(&[9.0, 5.0], 2, 400), 400, 4).tail(), None);
        assert_eq!(Spectrum::new(vec![1.0, 0.0, 0.0, 0.0, 0.0], 400, 5).tail(), None);
        assert_eq!(Spectrum::new(Vec::new(), 0, 5).tail(), None);
    }

    #[test]
    fn what_follows_itself_is_not_all_noise() {
        let spectrum = Spectrum::new(squares(&[90.0], 9, 400), 400, 10);
        let tail = spectrum.tail().unwrap();
        assert_eq!(spectrum.corrected(tail, 0.01), Some(tail));
        let less = spectrum.corrected(tail, 0.125).unwrap();
        assert_eq!(less.variance, 0.5 * tail.variance);
        assert_eq!(spectrum.corrected(tail, 0.3), None);
    }
}
