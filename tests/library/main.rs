//! What the library promises, each property in a module of its own.
//!
//! One program, because linking each by itself took longer than running it. `tests/damage.rs` is
//! another one: it counts the memory of its whole process.

#[cfg(feature = "compress")]
mod append;
mod architecture;
#[cfg(feature = "compress")]
mod determinism;
#[cfg(feature = "compress")]
mod error_bound;
#[cfg(feature = "compress")]
mod extremes;
#[cfg(feature = "apps")]
mod impute;
#[cfg(feature = "formats")]
mod input;
#[cfg(feature = "compress")]
mod lossless;
#[cfg(feature = "compress")]
mod network;
#[cfg(feature = "compress")]
#[path = "../oracle/mod.rs"]
mod oracle;
#[cfg(feature = "formats")]
mod packed;
#[cfg(feature = "formats")]
mod pictures;
#[cfg(feature = "compress")]
mod pointwise;
#[cfg(feature = "compress")]
mod promises;
#[cfg(feature = "compress")]
mod reader;
#[cfg(feature = "compress")]
mod recovery;
#[cfg(feature = "formats")]
mod support;
#[cfg(feature = "formats")]
mod tensors;
#[cfg(feature = "compress")]
mod tiles;
#[cfg(all(feature = "apps", feature = "formats"))]
mod transformer;
#[cfg(all(feature = "apps", feature = "formats"))]
mod uses;
