//! Residuals that know their neighbours: predictions, contexts and atoms, fitted to a sample.

pub(crate) mod assembled;
pub(crate) mod atoms;
pub(crate) mod contexts;
mod criteria;
pub(crate) mod effort;
mod entropy;
pub(crate) mod geometry;
mod grow;
mod observe;
pub(crate) mod plain;
mod predict;
mod prediction;
mod predictor_rounding;
mod products;
mod refit;
mod row_predictors;
mod row_weighing;
mod squares;
mod stencil;
mod tables;
