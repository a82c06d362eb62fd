//! Predictors of which each row names one, from the values before in its line.

/// Values to the left that a predictor weighs, at most.
pub(crate) const MAX_ORDER: usize = 32;
/// Predictors of a model, at most.
pub(crate) const MAX_PREDICTORS: usize = 256;
/// Coefficients, in 1/4096, are below this.
pub(crate) const COEFFICIENT_END: i64 = 1 << 16;

/// Linear predictors from the values to the left, as speech is coded with: every row names the one that
/// leaves the least of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowPredictors {
    /// The table of the number by which a row names its predictor; not used where there is only one.
    pub(crate) table: usize,
    /// Of each predictor, coefficients in 1/4096, that of the nearest value first; all have as many.
    pub(crate) coefficients: Vec<Vec<i64>>,
}

impl RowPredictors {
    /// Returns how many values predictors weigh.
    pub(crate) fn order(&self) -> usize {
        self.coefficients.first().map_or(0, Vec::len)
    }
}
