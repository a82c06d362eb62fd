//! The bytes of a file: what is stored, and where.
//!
//! Mirrors `format-spec/` part by part: [`forever`] the constants, [`section`] framing,
//! [`head`], [`origin`], [`tile`], [`text`], [`fills`], [`model`], [`encoder`], [`task`], [`block`], [`parts`],
//! [`columns`], [`compander`], [`index`]. Knows no networks: a
//! [`ModelRecord`](model::ModelRecord) is numbers, and `codec` says what they mean.

pub(crate) mod block;
pub(crate) mod bytes;
pub(crate) mod columns;
pub(crate) mod compander;
pub(crate) mod encoder;
#[cfg(feature = "compress")]
pub(crate) mod file;
pub(crate) mod fills;
pub(crate) mod forever;
pub(crate) mod head;
pub(crate) mod index;
pub(crate) mod mixture;
pub(crate) mod model;
pub(crate) mod more;
pub(crate) mod numbers;
pub(crate) mod origin;
pub(crate) mod parts;
pub(crate) mod section;
pub(crate) mod shuffle;
pub(crate) mod task;
pub(crate) mod text;
pub(crate) mod tile;
pub(crate) mod transformer;
