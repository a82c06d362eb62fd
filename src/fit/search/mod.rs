//! Which codec keeps the promise with the fewest bytes?

pub(crate) mod bounded;
pub(crate) mod precision;
pub(crate) mod rows;
pub(crate) mod solver;
pub(crate) mod target;
