//! aezip
#![allow(missing_docs)]
mod codec;
mod container;
mod entropy;
mod error;
mod fidelity;
mod kernels;
mod limits;
mod matrix;
pub use error::{Error, ErrorKind, Result};
pub use fidelity::Fidelity;
pub use limits::Limits;
pub use matrix::{DType, Decimal, Element, F16, Matrix, Rows, Schema};
