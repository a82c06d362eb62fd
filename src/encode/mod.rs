//! Rows to blocks, given the program that will decode them.
//!
//! [`project`] finds real-valued latents and [`refine`] better ones, [`latents`] chooses their
//! integers by bits and error ([`rates`], [`trellis`]), [`residual`] and [`rows`] make and check the
//! residuals ([`column`]), [`costs`] chooses each row's class; [`encoder`] puts these in order and
//! writes a block, [`blocks`] writes all blocks of a file, of parts for the [`access`] that is wanted. [`beside`] takes columns out of the rows that
//! are kept beside the stream; [`companded`] are rows whose model has them on other scales. [`known_model`] encodes with a model that was
//! fitted before, with an encoder that came with it or is made of it ([`codec_encoder`], [`codec_decoder`], of a network's
//! decoder [`linearised`]). [`masked`] brings rows to a transformer and back, cut by a [`patch_grid`].

pub(crate) mod access;
pub(crate) mod beside;
pub(crate) mod blocks;
#[cfg(feature = "apps")]
pub(crate) mod codec_decoder;
pub(crate) mod codec_encoder;
mod column;
pub(crate) mod companded;
pub(crate) mod costs;
pub(crate) mod encoder;
pub(crate) mod floats;
pub(crate) mod known_model;
pub(crate) mod latents;
pub(crate) mod linearised;
#[cfg(any(test, feature = "apps"))]
pub(crate) mod masked;
pub(crate) mod neighbours;
pub(crate) mod patch_grid;
pub(crate) mod predictor_choice;
pub(crate) mod project;
pub(crate) mod rates;
pub(crate) mod refine;
pub(crate) mod residual;
pub(crate) mod row_rule;
mod row_search;
pub(crate) mod rows;
pub(crate) mod symbols;
pub(crate) mod trellis;
mod undecided;
