//! Learned lossy compression for rows of numbers, with bounds that are never broken.
//!
//! Rows — embeddings, sensor windows, spectra, images, tables — are compressed into one file
//! that holds the model learned from them, says what it promises, and gives back any single row
//! without decoding the rest. The same file gives the same bytes on every machine.
//!
//! # Which function?
//!
//! | to do | with |
//! |---|---|
//! | compress rows in memory or in a file | [`compress`], promises in [`Fidelity`], effort in [`Config`] |
//! | compress rows as they come | [`Writer`] |
//! | add rows to a file | [`append`] |
//! | learn once, compress many files | [`Codec`] |
//! | read rows | [`Reader`] |
//! | compare with the original | [`check_promise`], [`Quality`] |
//! | read and write `.npy`, `.csv`, … | [`input`] |
//! | embed rows, find anomalies, fill gaps, draw pictures, … | [`apps`] |
//!
//! ```
//! use aezip::{Config, Fidelity, Matrix, Reader, compress};
//! let rows: Vec<f32> = (0..64_000).map(|i| (i as f32 * 0.02).sin()).collect();
//! let rows = Matrix::from_slice(&rows, &[64])?;
//!
//! let mut config = Config::default();
//! config.fidelity = Fidelity::MaxError("0.01".parse()?);
//! let mut file = Vec::new();
//! compress(&rows, &config, &mut file)?;
//!
//! let reader = Reader::new(file)?;
//! let mut row = [0.0_f32; 64];
//! reader.read_row(500, &mut row)?;
//! # Ok::<(), aezip::Error>(())
//! ```
//!
//! # How it is built
//!
//! ```text
//! file → input → Rows → compress → train   fit a codec: arithmetic, basis, classes, tables
//!                                  codec   rows → latents and residuals, checked as decoded
//!                                  entropy → container → .aez
//!
//! .aez → reader → container → entropy → codec → rows
//! ```
//!
//! # Features
//!
//! `compress` is on by default. Without any, only reading remains, with a handful of dependencies.
//!
//! | feature | for |
//! |---|---|
//! | `compress` | fitting and writing; needs `rayon` |
//! | `rayon` | reading and comparing with more than one thread |
//! | `formats` | the [`input`] module |
//! | `apps` | the [`apps`] module: what codecs are good for besides small files; needs `compress` |
//! | `plot` | pictures of rows and embeddings, in `apps::plot`; needs `apps` |
//!
//! The `aezip` program is a crate of its own, `aezip-cli`.

// What writing needs lies beside what reading needs; a build with both shows what is unused.
#![cfg_attr(not(feature = "compress"), allow(dead_code, unused_imports))]

#[cfg(feature = "apps")]
pub mod apps;
mod codec;
#[cfg(feature = "compress")]
mod compress;
mod container;
#[cfg(feature = "compress")]
mod encode;
mod entropy;
mod error;
mod fidelity;
#[cfg(feature = "compress")]
mod fit;
#[cfg(feature = "formats")]
pub mod input;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
#[cfg(feature = "compress")]
mod interrupt;
mod kernels;
mod limits;
#[cfg(feature = "compress")]
mod linalg;
mod matrix;
#[cfg(feature = "compress")]
mod nn;
mod positioned;
mod quality;
mod reader;
#[cfg(feature = "formats")]
pub mod restore;
#[cfg(all(test, feature = "compress"))]
mod vectors;

#[cfg(feature = "compress")]
pub use compress::{
    Access, Activation, Appended, Codec, Config, Denoise, Epoch, Estimate, History, Loss, Patches,
    Progress, ProgressFn, Report, Stage, Tile, TrainConfig, Transformer, Writer, append, compress,
};
pub use error::{Error, ErrorKind, Result};
pub use fidelity::Fidelity;
pub use limits::Limits;
pub use matrix::{
    DType, Decimal, Digits, Element, F16, FillValues, KeptColumn, KeptText, Matrix, Origin, Rows,
    Schema, SliceRows, TextColumn, TextLayout, Tiling,
};
pub use quality::{PromiseCheck, Quality, ShortDecimals, check_promise};
pub use reader::{Bytes, Fetched, FileSource, Info, Mapped, Reader, ReaderOptions, Source};

/// The examples in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
