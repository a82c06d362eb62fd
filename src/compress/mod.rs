//! Rows to a file.

pub(crate) mod file;
