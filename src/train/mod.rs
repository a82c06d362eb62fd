//! Fitting: from a sample of rows to the codec that makes the smallest file.
//!
//! [`sample`] draws rows, [`columns`] chooses each column's arithmetic, [`pca`] finds the linear
//! encoder, [`linear`] bakes it to integers, [`tables`] and [`classes`] fit the entropy coder,
//! [`assemble`] puts both together. Which model it is to be is decided in bits of the whole file:
//! by [`search`] under a bound on each value, by [`target`] for a figure over the file, by
//! [`rowwise`] for one of each row. [`network`] trains autoencoders.

pub(crate) mod assemble;
pub(crate) mod bake;
pub(crate) mod bits;
pub(crate) mod classes;
pub(crate) mod columns;
pub(crate) mod config;
pub(crate) mod grid;
pub(crate) mod kind;
pub(crate) mod linear;
pub(crate) mod network;
pub(crate) mod pca;
pub(crate) mod report;
pub(crate) mod rowwise;
pub(crate) mod sample;
pub(crate) mod search;
pub(crate) mod tables;
pub(crate) mod target;
