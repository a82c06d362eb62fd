//! Which row classes and tables does the entropy coder get, and what do symbols cost under them?

pub(crate) mod bits;
pub(crate) mod classes;
pub(crate) mod tables;
