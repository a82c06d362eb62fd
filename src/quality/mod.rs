//! How good decoded rows are, and whether a promise was kept.

mod check;
mod chunks;
mod shortest;
mod tally;
#[cfg(test)]
mod tests;

#[cfg(feature = "compress")]
pub(crate) use check::{FileStats, bounds};
pub use check::{PromiseCheck, check_promise};
pub use shortest::ShortDecimals;
pub use tally::Quality;
pub(crate) use tally::Tally;
