//! Residuals that know their neighbours: predictions, contexts and atoms, fitted to a sample.

mod atoms;
pub(crate) mod contexts;
mod criteria;
mod entropy;
mod geometry;
mod grow;
mod observe;
pub(crate) mod plain;
mod predict;
mod stencil;
mod tables;
