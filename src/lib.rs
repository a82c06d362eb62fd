//! aezip
#![allow(missing_docs)]
mod error;
mod fidelity;
#[cfg(feature = "formats")]
pub mod input;
mod limits;
mod matrix;
pub use error::{Error, ErrorKind, Result};
pub use fidelity::Fidelity;
pub use limits::Limits;
pub use matrix::{DType, Decimal, Element, F16, Matrix, Rows, Schema};
