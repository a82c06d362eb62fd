//! Which rows are fitted to, in which units, along which directions?

mod bits;
pub(crate) mod columns;
pub(crate) mod components;
mod exceptions;
pub(crate) mod fills;
pub(crate) mod grid;
pub(crate) mod known;
mod lines;
pub(crate) mod near;
pub(crate) mod sample;
pub(crate) mod scales;
pub(crate) mod spread;
