//! Where the latents of the rows lie that a codec was learned from: a mixture of normal distributions, at the
//! end of the encoder's section.

use crate::error::{Error, Result};

/// Normal distributions of an encoder's outputs, before the latents' units.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MixtureRecord {
    /// The share of each in all rows, above 0; they need not add up to 1.
    pub(crate) weights: Vec<f32>,
    /// Their means, distributions × latents.
    pub(crate) means: Vec<f32>,
    /// For each the lower triangle, row by row, of a matrix that times its transpose is the covariance.
    pub(crate) factors: Vec<f32>,
}

/// Numbers of the lower triangle of a matrix, the diagonal among them.
#[cfg(feature = "apps")]
pub(crate) fn triangle(latents: usize) -> usize {
    latents * (latents + 1) / 2
}

/// Counts the numbers of so many distributions of so many latents: at most 2^40.
pub(super) fn numbers(count: usize, latents: usize) -> u64 {
    let [count, latents] = [count, latents].map(|n| n as u64);
    count * (1 + latents + latents * (latents + 1) / 2)
}

impl MixtureRecord {
    /// Takes apart what [`Self::numbers`] gives: at least one distribution.
    pub(super) fn new(numbers: &[f32], count: usize, latents: usize) -> Result<Self> {
        if !numbers.iter().all(|v| v.is_finite()) {
            return Err(Error::corrupt("a number of a mixture is not finite"));
        }
        let (weights, rest) = numbers.split_at(count);
        let (means, factors) = rest.split_at(count * latents);
        if weights.iter().any(|w| *w <= 0.0) {
            return Err(Error::corrupt("a weight of a mixture is not above 0"));
        }
        Ok(Self { weights: weights.to_vec(), means: means.to_vec(), factors: factors.to_vec() })
    }

    /// Lists all its numbers.
    #[cfg(feature = "compress")]
    pub(super) fn numbers(&self) -> impl Iterator<Item = &f32> {
        self.weights.iter().chain(&self.means).chain(&self.factors)
    }
}
