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
/// The quantile of the rows' squares along noise that is compared with what noise has there, and the
/// same of the normal distribution. It is low, so that noise that is in some rows only, and what is
/// left of structure there, does not count as noise in all.
const QUANTILE: f64 = 0.25;
const NORMAL_QUANTILE: f64 = -0.6745;
/// The share of the least components' variance that must be noise: where less of it is, hardly
/// anything tells that any is.
const LEAST_SHARE: f64 = 0.25;
/// How many times the upper edge of noise a component must have to count as more than noise: the
/// largest of few components of noise is often a little beyond it, and what is so near is of no use.
const BEYOND_EDGE: f64 = 1.1;
/// The share of the variance that the typical square must at least be to be taken for all of it:
/// less may be the chance of few rows.
const TYPICAL: f64 = 0.9;
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

    /// The number of components.
    pub(super) fn len(&self) -> usize {
        self.variances.len()
    }

    /// The median variance: about that of noise where most components are noise.
    pub(super) fn usual(&self) -> f64 {
        self.variances.get(self.variances.len() / 2).copied().unwrap_or(0.0)
    }

    /// The tail with less noise where its coordinates along the longer side do not look like noise
    /// of one strength: where they follow those before them, or are smaller in many places than noise
    /// would be. `None` where there is then no noise.
    pub(super) fn corrected(&self, tail: Tail, along: Along) -> Option<Tail> {
        let independent = along.independent_share(self.long);
        let share = independent * (along.typical_square() / (TYPICAL * tail.variance)).min(1.0);
        (share > LEAST_SHARE).then_some(Tail { variance: share * tail.variance, ..tail })
    }

    /// What to multiply each component with, from 0 to 1, to be nearest, in squares, to what it is
    /// without noise of variance `noise`.
    pub(super) fn factors(&self, noise: f64) -> Vec<f64> {
        let gamma = self.variances.len() as f64 / self.long;
        let factor = |variance: &f64| {
            let y = variance / noise.max(f64::MIN_POSITIVE);
            // As shares of y, which may be as large as numbers are.
            let rest = (1.0 - (gamma + 1.0) / y).powi(2) - 4.0 * gamma / y / y;
            let edge = BEYOND_EDGE * (1.0 + gamma.sqrt()).powi(2);
            if y > edge && rest > 0.0 { rest.sqrt() } else { 0.0 }
        };
        self.variances.iter().map(factor).collect()
    }
}

/// Figures of coordinates along some components, place after place along the longer side.
pub(super) struct Along {
    /// The number of components.
    count: usize,
    /// Sums of squares, and of products with those of the place before.
    squares: f64,
    products: f64,
    /// The mean square at each place.
    at: Vec<f64>,
    /// The coordinates at the last place.
    last: Vec<f64>,
}

impl Along {
    /// Of no place along `count` components.
    pub(super) fn new(count: usize) -> Self {
        Self { count, squares: 0.0, products: 0.0, at: Vec::new(), last: Vec::new() }
    }

    /// Adds coordinates at the places that follow.
    pub(super) fn add(&mut self, along: &[f64]) {
        for place in along.chunks_exact(self.count) {
            let square = place.iter().map(|x| x * x).sum::<f64>();
            place.iter().for_each(|x| self.squares += x * x);
            self.last.iter().zip(place).for_each(|(a, b)| self.products += a * b);
            self.at.push(square / self.count as f64);
            self.last.clear();
            self.last.extend_from_slice(place);
        }
    }

    /// The share of coordinates, at `long` independent places, that does not follow from those before them.
    fn independent_share(&self, long: f64) -> f64 {
        let correlation = self.products / self.squares.max(f64::MIN_POSITIVE);
        if correlation <= SIGNIFICANT / (self.count as f64 * long).sqrt() {
            return 1.0;
        }
        1.0 - correlation / CORRELATION_OF_STRUCTURE
    }

    /// The variance of noise by the [`QUANTILE`] of the mean squares of coordinates.
    fn typical_square(mut self) -> f64 {
        self.at.sort_unstable_by(f64::total_cmp);
        let found = self.at.get((QUANTILE * self.at.len() as f64) as usize).copied().unwrap_or(0.0);
        // That of a chi-squared distribution over its degrees of freedom (Wilson and Hilferty 1931).
        let part = 2.0 / (9.0 * self.count as f64);
        found / (1.0 - part + NORMAL_QUANTILE * part.sqrt()).powi(3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

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
    fn what_follows_itself_or_is_in_some_rows_only_is_not_all_noise() {
        let spectrum = Spectrum::new(squares(&[90.0], 9, 400), 400, 10);
        let tail = spectrum.tail().unwrap();
        let mut rng = Rng::new(1);
        let noise: Vec<f64> = (0..3600).map(|_| f64::from(rng.normal())).collect();
        let corrected = |along: &[f64]| {
            // In pieces: where they begin does not matter.
            let mut seen = Along::new(9);
            along.chunks(90).for_each(|piece| seen.add(piece));
            spectrum.corrected(tail, seen).map(|t| t.variance)
        };
        assert!((corrected(&noise).unwrap() / tail.variance - 1.0).abs() < 0.1);
        let carried = |share: f64| {
            let mut along = noise.clone();
            for at in 9..3600 {
                along[at] = share * along[at - 9] + (1.0 - share * share).sqrt() * noise[at];
            }
            along
        };
        let less = corrected(&carried(0.125)).unwrap() / tail.variance;
        assert!(less > 0.3 && less < 0.7, "{less}");
        assert_eq!(corrected(&carried(0.4)), None);
        let mut some = noise.clone();
        some[..1000].fill(0.0);
        assert_eq!(corrected(&some), None);
    }
}
