//! Families of codecs that keep promises about sums: everything about a codec but its step.

use crate::fit::candidate::{Candidate, LinearChoice};

/// Which family, with what distinguishes codecs of one step within it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Family {
    /// Latents alone, of principal components with one step for all, which reverse water-filling
    /// says is best (Cover and Thomas, *Elements of Information Theory*, 10.3.3).
    Latents(LatentFamily),
    /// The codec of the bounded promises, with a bound of half a step: best where the promise is
    /// tight or rows are narrow. Which linear codec it is, is chosen for each step unless given.
    Bounded(Option<LinearChoice>),
    /// Latents alone, of a trained autoencoder.
    Network(NetworkFamily),
}

/// What distinguishes linear codecs without residuals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LatentFamily {
    /// The number of latents; where none is given, it follows from the step and the next field.
    pub(crate) latents: Option<usize>,
    /// Components have at least this multiple of the rounding error's variance.
    pub(crate) variance_threshold: f64,
    /// States of dependent quantisation: 0, 4 or 8.
    pub(crate) trellis: usize,
    /// What errors weigh against bits, relative to the price at which the step spends bits.
    pub(crate) error_weight: f64,
    /// Resolution of weights, relative to one at which their errors cost rows what bits for them
    /// cost the model.
    pub(crate) weight_step_factor: f64,
}

impl Default for LatentFamily {
    /// The family that is best most often. At level 3, files of an ECG, spectra, embeddings and
    /// digits change so where a field is halved and doubled: threshold −1.1 to +1.9 % and −0.3 to
    /// +0.3 %, error weight +1.3 to +3.5 % and −0.9 to +0.6 %, weights' step −0.5 to +1.6 % and
    /// −2.1 to +3.1 %.
    fn default() -> Self {
        let (variance_threshold, trellis) = (1.5, 8);
        Self {
            latents: None,
            variance_threshold,
            trellis,
            error_weight: 1.0,
            weight_step_factor: 1.0,
        }
    }
}

/// How finely a network is rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NetworkFamily {
    /// Resolution of the output's weights, as [`LatentFamily::weight_step_factor`].
    pub(crate) output_step_factor: f64,
    /// Resolution of the hidden layers' weights, relative to the root mean square of their layer.
    pub(crate) hidden_step: f64,
    /// States of dependent quantisation: 0, 4 or 8.
    pub(crate) trellis: usize,
    /// What errors weigh against bits, as [`LatentFamily::error_weight`].
    pub(crate) error_weight: f64,
}

impl Family {
    /// The same with what distinguishes `built`, a codec of this family, from those of other steps:
    /// its errors grow without jumps with the step.
    pub(crate) fn kept_as(self, built: &Candidate) -> Self {
        let Some(choice) = built.linear else { return self };
        match self {
            Family::Latents(l) => {
                Family::Latents(LatentFamily { latents: Some(choice.latents), ..l })
            }
            Family::Bounded(_) => Family::Bounded(Some(choice)),
            other => other,
        }
    }

    /// The same with a network's weights rounded `factor` times as finely.
    pub(crate) fn with_finer_weights(self, factor: f64) -> Self {
        self.map_network(|n| NetworkFamily {
            output_step_factor: n.output_step_factor / factor,
            hidden_step: n.hidden_step / factor,
            ..n
        })
    }

    /// The same with errors of a network that weigh `factor` times as much.
    pub(crate) fn with_error_weight(self, factor: f64) -> Self {
        self.map_network(|n| NetworkFamily { error_weight: n.error_weight * factor, ..n })
    }

    /// The same with about `factor` times as many latents, where the family says how many there are.
    pub(crate) fn with_latents(self, factor: f64) -> Self {
        match self {
            // Components' variances fall about as the square of their number.
            Family::Latents(l) => {
                let variance_threshold = l.variance_threshold / (factor * factor);
                Family::Latents(LatentFamily { variance_threshold, ..l })
            }
            other => other,
        }
    }

    fn map_network(self, change: impl FnOnce(NetworkFamily) -> NetworkFamily) -> Self {
        match self {
            Family::Network(network) => Family::Network(change(network)),
            other => other,
        }
    }

    /// Whether the output's or the hidden layers' weights are rounded more finely than those of
    /// `other`.
    pub(crate) fn has_finer_weights_than(self, other: Self) -> bool {
        match (self, other) {
            (Family::Network(a), Family::Network(b)) => {
                a.output_step_factor < b.output_step_factor || a.hidden_step < b.hidden_step
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finer_means_one_of_both() {
        let with = |output_step_factor: f64, hidden_step: f64| {
            let (trellis, error_weight) = (8, 1.0);
            let n = NetworkFamily { output_step_factor, hidden_step, trellis, error_weight };
            Family::Network(n)
        };
        let base = with(1.0, 0.3);
        let twice = base.with_finer_weights(2.0);
        assert!(twice == with(0.5, 0.15) && twice.has_finer_weights_than(base));
        assert!(with(0.9, 0.6).has_finer_weights_than(base));
        assert!(with(2.0, 0.2).has_finer_weights_than(base));
        assert!(!with(2.0, 0.3).has_finer_weights_than(base));
        assert!(!base.has_finer_weights_than(base));
    }
}
