//! What is learned together, as those that step it see it.

use std::ops::Range;

/// The parameters of a network.
#[derive(Debug)]
pub(crate) struct Parameters<'a> {
    pub(crate) values: &'a mut [f32],
    /// The matrices among them whose directions may be stepped along alike, in the order of their places.
    pub(crate) matrices: Vec<Matrix>,
}

/// A matrix among parameters, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matrix {
    pub(crate) place: Range<usize>,
    pub(crate) columns: usize,
}

impl Matrix {
    /// The number of its rows.
    pub(crate) fn rows(&self) -> usize {
        self.place.len() / self.columns
    }
}
