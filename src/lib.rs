//! aezip
#![allow(missing_docs)]
mod error;
mod fidelity;
#[path = "stub_input.rs"]
pub mod input;
mod limits;
mod matrix;
mod stub_api;
pub use error::{Error, ErrorKind, Result};
pub use fidelity::Fidelity;
pub use limits::Limits;
pub use matrix::{DType, Decimal, Element, F16, Matrix, Rows, Schema};
pub use stub_api::*;
