//! Which network is trained, and for how long?

pub(crate) mod brought;
pub(crate) mod choose;
pub(crate) mod context;
#[cfg(test)]
mod tests;
pub(crate) mod textbook;
