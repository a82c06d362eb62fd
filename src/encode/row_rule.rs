//! What each row must hold: judged with proof as it will be decoded, and followed in floats.

use crate::codec::bound::rounding;
use crate::codec::fill::is_ordinary;
use crate::codec::value::Cell;
use crate::encode::project::Projection;
use crate::matrix::FillValues;

/// What each row must hold, judged in `f64` with a margin for every rounding of the sums.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RowRule {
    /// `‖x − x̂‖² ≤ limit · ‖x − means‖²`, with the columns' means.
    Nmse { limit: f64, means: Vec<f64> },
    /// The cosine of `x` and `x̂` is at least `limit`.
    Cosine { limit: f64 },
    /// `‖x − x̂‖² ≤ limit`.
    Length { limit: f64 },
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Judged {
    /// Whether the promise is kept, which is proven.
    pub(super) holds: bool,
    /// About which share of the error that the promise allows is used up.
    pub(super) used: f64,
}

/// Relative error that sums of up to 2^24 terms in `f64` stay well below: 2^24 · 2^-53 is 2e-9.
const MARGIN: f64 = 1e-7;

/// Sums of squares from here on are not trusted.
pub(crate) const LARGEST_SQUARE: f64 = 1e280;

/// Whether a sum of squares is far from where squares lose their digits or overflow: `f64` ends at
/// 1e±308, and has all digits down to 1e-292 for sums of 2^24 terms or fewer.
fn trusted(squares: f64) -> bool {
    (1e-280..LARGEST_SQUARE).contains(&squares)
}

/// Returns the squared error, not 0, over the squared deviation; infinite where it cannot be told.
fn ratio(error: f64, deviation: f64) -> f64 {
    if trusted(error) && deviation.is_finite() { error / deviation } else { f64::INFINITY }
}

impl RowRule {
    /// Judges `y` in place of the values of `x` but `fills`, where `error(j)` is the distance of the
    /// two in column `j`.
    pub(super) fn judge<T: Cell>(
        &self,
        x: &[T],
        y: &[f64],
        fills: &FillValues,
        error_of: impl Fn(usize) -> f64,
    ) -> Judged {
        let finite = x.iter().zip(y).filter(|(x, _)| is_ordinary(**x, fills));
        match self {
            RowRule::Nmse { limit, means } => {
                let (mut error, mut deviation, mut same) = (0.0, 0.0, true);
                for (j, (x, mean)) in x.iter().zip(means).enumerate() {
                    if is_ordinary(*x, fills) {
                        let (x, own) = (x.to_f64(), error_of(j));
                        same &= own == 0.0;
                        error += own * own;
                        // The mean is rounded as well.
                        let least = (x - mean).abs() - 2.0 * rounding::<T>(x);
                        deviation += least.max(0.0).powi(2);
                    }
                }
                let ratio = ratio(error, deviation);
                Judged { holds: same || ratio <= limit * (1.0 - MARGIN), used: ratio / limit }
            }
            RowRule::Length { limit } => {
                let errors = (0..x.len()).filter(|&j| is_ordinary(x[j], fills)).map(&error_of);
                let (mut error, mut same) = (0.0, true);
                for own in errors {
                    same &= own == 0.0;
                    error += own * own;
                }
                let ratio = ratio(error, 1.0);
                Judged { holds: same || ratio <= limit * (1.0 - MARGIN), used: ratio / limit }
            }
            RowRule::Cosine { limit } => {
                let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
                let mut same = true;
                for (x, y) in finite {
                    let x = x.to_f64();
                    same &= x == *y;
                    xx += x * x;
                    yy += y * y;
                    xy += x * y;
                }
                let least = limit + (1.0 - limit) * MARGIN;
                let lengths = xx.sqrt() * yy.sqrt();
                Judged {
                    holds: same || (trusted(xx) && trusted(yy) && xy >= least * lengths),
                    used: (1.0 - xy / lengths) / (1.0 - limit),
                }
            }
        }
    }

    /// The same rule for normalised rows, without proof.
    pub(crate) fn normalised(&self, projection: &Projection) -> NormalisedRule {
        let scale = |s: &f64| if *s > 0.0 { (1.0 / s) as f32 } else { 0.0 };
        let scale: Vec<f32> = projection.inverse_scale.iter().map(scale).collect();
        let (limit, figure, means) = match self {
            RowRule::Nmse { limit, means } => (*limit, Figure::Nmse, Some(means)),
            RowRule::Cosine { limit } => (1.0 - limit, Figure::Cosine, None),
            RowRule::Length { limit } => (*limit, Figure::Length, None),
        };
        let origin = |j: usize| projection.centre[j] - means.map_or(0.0, |means| means[j]);
        NormalisedRule {
            origin: (0..scale.len()).map(|j| origin(j) as f32).collect(),
            scale,
            allowed: limit as f32,
            figure,
        }
    }
}

/// A rule for normalised rows, in `f32`: it leads a search and proves nothing.
#[derive(Debug, Clone)]
pub(crate) struct NormalisedRule {
    /// The data's units in one normalised step.
    scale: Vec<f32>,
    /// What normalised values count from, in the data's units: from 0, or from the columns' means.
    origin: Vec<f32>,
    /// Error over deviation, what the cosine may lack, or the squared error.
    allowed: f32,
    figure: Figure,
}

/// What is promised of a row.
#[derive(Debug, Clone, Copy)]
enum Figure {
    Nmse,
    Cosine,
    Length,
}

impl NormalisedRule {
    /// Returns about which share is used up of what is allowed in `row`, when it is decoded with
    /// `errors`: both in normalised steps.
    pub(super) fn used(&self, row: &[f32], errors: &[f32]) -> f32 {
        let (mut xx, mut ee, mut xe) = (0.0_f32, 0.0_f32, 0.0_f32);
        for ((z, e), (scale, origin)) in
            row.iter().zip(errors).zip(self.scale.iter().zip(&self.origin))
        {
            let (x, e) = (origin + z * scale, e * scale);
            xx += x * x;
            ee += e * e;
            xe += x * e;
        }
        let lost = match self.figure {
            Figure::Cosine => 1.0 - (xx - xe) / (xx * (xx - 2.0 * xe + ee).max(0.0)).sqrt(),
            Figure::Nmse => ee / xx,
            Figure::Length => ee,
        };
        let used = lost / self.allowed;
        if used.is_nan() { f32::INFINITY } else { used }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::rng::Rng;

    #[test]
    fn normalised_rows_are_judged_as_rows_are() {
        const WIDTH: usize = 20;
        let mut rng = Rng::new(2);
        let numbers = |rng: &mut Rng, spread: f64, from: f64| -> Vec<f64> {
            (0..WIDTH).map(|_| from + spread * f64::from(rng.unit())).collect()
        };
        for _ in 0..50 {
            let (centre, means) = (numbers(&mut rng, 4.0, -2.0), numbers(&mut rng, 2.0, 0.0));
            let steps = numbers(&mut rng, 2.0, 0.5);
            let row = numbers(&mut rng, 9.0, -3.0);
            let errors = numbers(&mut rng, 1.0, -0.5);
            let decoded: Vec<f64> = row.iter().zip(&errors).map(|(x, e)| x - e).collect();
            let inverse_scale = steps.iter().map(|s| 1.0 / s).collect();
            let projection = Projection { centre, inverse_scale, ..Projection::default() };
            let z = |j: usize| ((row[j] - projection.centre[j]) / steps[j]) as f32;
            let z: Vec<f32> = (0..WIDTH).map(z).collect();
            let e: Vec<f32> = errors.iter().zip(&steps).map(|(e, s)| (e / s) as f32).collect();
            let rules = [
                RowRule::Nmse { limit: 0.02, means },
                RowRule::Cosine { limit: 0.99 },
                RowRule::Length { limit: 1.2 },
            ];
            for rule in rules {
                let none = FillValues::default();
                let judged = rule.judge(&row, &decoded, &none, |j| errors[j]);
                let used = f64::from(rule.normalised(&projection).used(&z, &e));
                assert!((used / judged.used - 1.0).abs() < 1e-2, "{used} {judged:?}");
                assert_eq!(judged.holds, judged.used <= 1.0);
            }
        }
    }
}
