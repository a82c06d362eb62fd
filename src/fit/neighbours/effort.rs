//! How patiently neighbours are looked at.

use crate::fit::data::sample::{Sample, Thinning};

/// How patiently contexts are fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContextEffort {
    /// Values by which decisions are found: more of them find finer ones, and each takes as long.
    pub(crate) cells: usize,
    /// Most leaves of the tree for residuals, which time grows with little; that for atoms has half as
    /// many.
    pub(crate) leaves: usize,
    /// Predictions of different kinds that are compared with their contexts: without these, the best looks
    /// like another.
    pub(crate) predictions: usize,
    /// Whether the coefficients of the best are found anew by more values.
    pub(crate) refits: bool,
}

impl ContextEffort {
    /// For codecs that are only compared: they differ by more than what further leaves save.
    pub(crate) const QUICK: Self =
        Self { cells: 50_000, leaves: 64, predictions: 1, refits: false };
}

/// How patiently a codec's residuals are fitted to their neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NeighbourEffort {
    /// Values by which predictions are compared.
    pub(crate) compared: usize,
    /// Whether all kinds of predictions are tried, or only the most likely.
    pub(crate) thorough: bool,
    /// Contexts, if any are to be fitted.
    pub(crate) contexts: Option<ContextEffort>,
}

impl NeighbourEffort {
    /// Returns which rows of a sample are compared.
    pub(super) fn some_of(&self, sample: &Sample) -> Thinning {
        sample.thinning(self.compared / sample.schema.width().max(1))
    }
}
