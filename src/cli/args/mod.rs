//! Arguments that several commands share.

pub(crate) mod codec;
pub(crate) mod fidelity;
pub(crate) mod fit;
pub(crate) mod history;
pub(crate) mod kinds;
pub(crate) mod memory;
pub(crate) mod network;
pub(crate) mod output;
pub(crate) mod parsers;
pub(crate) mod range;
pub(crate) mod region;
pub(crate) mod source;
pub(crate) mod tile;
pub(crate) mod tuning;
