//! Which codec keeps the promise with the fewest bytes?
//!
//! [`bounded`] searches under a bound on each value, [`target`] for a figure over the file,
//! [`rows`] for a promise about each row. [`solver`] finds the step for a figure, on the sample as
//! on the whole file.

pub(crate) mod alternate;
pub(crate) mod bounded;
pub(crate) mod builder;
pub(crate) mod choice;
pub(crate) mod coordinate;
pub(crate) mod family;
pub(crate) mod goal;
mod planned;
pub(crate) mod precision;
pub(crate) mod rank;
mod row_codec;
pub(crate) mod rows;
pub(crate) mod solver;
pub(crate) mod target;
#[cfg(test)]
mod tests;
mod walk;
