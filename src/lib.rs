//! aezip
#![allow(missing_docs)]
mod codec;
#[cfg(feature = "compress")]
mod compress;
mod container;
mod entropy;
mod error;
mod fidelity;
#[cfg(feature = "formats")]
pub mod input;
mod kernels;
mod limits;
mod matrix;
#[cfg(feature = "compress")]
mod train;
#[doc(hidden)]
pub use compress::file::scratch;
pub use error::{Error, ErrorKind, Result};
pub use fidelity::Fidelity;
pub use limits::Limits;
pub use matrix::{DType, Decimal, Element, F16, Matrix, Rows, Schema};
