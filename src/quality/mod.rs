//! How good decoded rows are, and whether a promise was kept.

mod check;
#[cfg(feature = "compress")]
mod checked_text;
mod chunks;
mod decimals;
mod shares;
mod shortest;
mod tally;
#[cfg(test)]
mod tests;

#[cfg(feature = "compress")]
pub(crate) use check::{FileStats, bounds, leave_room, relative_bound, within};
pub use check::{PromiseCheck, check_promise};
#[cfg(feature = "compress")]
pub(crate) use checked_text::{CheckedText, text_stays_true};
pub use shortest::ShortDecimals;
pub use tally::Quality;
pub(crate) use tally::Tally;
#[cfg(feature = "compress")]
pub(crate) use {chunks::Chunk, shares::Shares};
