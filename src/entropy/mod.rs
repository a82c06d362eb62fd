//! Entropy coding, in integers only.
//!
//! Two coders share this room. Rows go through [`rans`] with stored [`table`]s: fast, and any
//! table can be chosen for any number; those that are decoded side by side have [`lanes`] of one stream where
//! they look at each other, and else [`streams`] of their own; both find tables in a [`pool`]. A table is laid out in [`buckets`]. The model, which is small and read once, goes through
//! the adaptive [`intcoder`], which needs no tables at all, its arrays through [`array`].

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
