//! What the symbols of rows cost: tables, classes, and estimates before there are symbols.

pub(crate) mod bits;
pub(crate) mod class_tables;
pub(crate) mod classes;
pub(crate) mod counts;
pub(crate) mod tables;
