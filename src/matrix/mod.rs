//! Rows of numbers: their types, their shape, and where their bytes come from.

mod decimal;
mod described;
mod dtype;
mod f16;
mod fill;
mod kept;
mod origin;
#[cfg(feature = "compress")]
pub(crate) mod rng;
mod rows;
mod slice;
mod tiling;

pub use decimal::Decimal;
pub use dtype::{DType, Element};
pub use f16::F16;
pub use fill::FillValues;
pub use kept::{KeptColumn, KeptText};
pub use origin::{Digits, Origin, TextColumn, TextLayout};
pub use rows::{Matrix, Rows, Schema};
pub use slice::SliceRows;
pub use tiling::Tiling;

#[cfg(feature = "formats")]
pub(crate) use decimal::Magnitude;
pub(crate) use described::Described;
pub(crate) use fill::bits;
pub(crate) use kept::memory as kept_memory;
pub(crate) use rows::{check_range, from_little_endian, to_little_endian};
pub(crate) use tiling::MAX_RANK;
#[cfg(feature = "compress")]
pub(crate) use tiling::patch_along;
