//! What rows cost.

use crate::nn::trainer::Measure;

/// What rows came to, in bytes per row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) latent: f64,
    /// 0 where errors have a target.
    pub(crate) residual: f64,
    pub(crate) weights: f64,
    /// Squared error of a row, in squared steps.
    pub(crate) error: f64,
}

impl Measure for Cost {
    /// Weights are counted once for all rows and not added.
    fn add(&mut self, other: &Self, share: f64) {
        self.latent += share * other.latent;
        self.residual += share * other.residual;
        self.error += share * other.error;
    }
}
