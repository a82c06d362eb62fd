//! Entropy coding, in integers only.
//!
//! All goes through [`rans`]. Numbers of rows have stored [`table`]s: any can be chosen for any number. Rows that are
//! decoded side by side have [`lanes`] of one stream where they look at each other, and else [`streams`] of their
//! own; both find tables in a [`pool`]. A table is laid out in [`buckets`]. The model, which is small and read once,
//! has no tables: the symbols of [`intcoder`] adapt, those of its arrays through [`array`], too.

pub(crate) mod array;
pub(crate) mod buckets;
pub(crate) mod intcoder;
pub(crate) mod lanes;
pub(crate) mod pool;
pub(crate) mod rans;
pub(crate) mod streams;
pub(crate) mod table;

#[cfg(test)]
mod tests;
