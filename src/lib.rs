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
mod quality;
mod reader;
#[cfg(feature = "compress")]
mod train;
#[cfg(all(test, feature = "compress"))]
mod vectors;

#[cfg(feature = "compress")]
pub use compress::{Codec, Config, Progress, ProgressFn, Report, Stage, Writer, compress};
pub use error::{Error, ErrorKind, Result};
pub use fidelity::Fidelity;
pub use limits::Limits;
pub use matrix::{DType, Decimal, Element, F16, Matrix, Rows, Schema};
pub use quality::{PromiseCheck, Quality, check_promise};
pub use reader::{Bytes, FileSource, Info, Mapped, Reader, ReaderOptions, Source};
