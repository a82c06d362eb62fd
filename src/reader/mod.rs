//! Rows on demand: any row of a file, without decoding those before its block.
//!
//! [`open`] checks what lies around the blocks ([`ends`] where a file ends, [`index`] where they are), [`blocks`] decodes them, [`read`] finds those that
//! hold a row, [`gather`] several in any order, [`region`] any box of an array and [`tiles`] where that was
//! cut into them ([`wanted`] are their values), [`cache`] keeps blocks that were decoded, [`row_cache`] rows, [`source`] is where
//! bytes come from, and [`extent`] which of them hold what is asked for. [`appending`] is for who adds rows.

#[cfg(feature = "compress")]
mod appending;
mod blocks;
mod cache;
mod ends;
mod extent;
mod gather;
mod index;
mod info;
mod map;
mod open;
mod options;
mod read;
mod region;
mod row_cache;
mod section;
mod source;
#[cfg(test)]
mod tests;
mod tiles;
mod wanted;

pub use info::Info;
pub use map::Mapped;
pub use options::ReaderOptions;
pub use read::Reader;
pub use source::{Bytes, Fetched, FileSource, Source};
