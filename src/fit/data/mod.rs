//! Which rows are fitted to, in which units, along which directions?

pub(crate) mod columns;
pub(crate) mod components;
pub(crate) mod fills;
pub(crate) mod grid;
pub(crate) mod sample;
pub(crate) mod spread;
