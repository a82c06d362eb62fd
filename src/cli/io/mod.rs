//! Where commands read and write, and what they say.

pub(crate) mod archive;
pub(crate) mod closed;
pub(crate) mod console;
pub(crate) mod destination;
pub(crate) mod embedding;
pub(crate) mod failure;
pub(crate) mod fills;
pub(crate) mod hint;
pub(crate) mod history;
pub(crate) mod listing;
pub(crate) mod numbers;
pub(crate) mod output;
pub(crate) mod pieces;
pub(crate) mod progress;
pub(crate) mod rows;
pub(crate) mod rows_out;
pub(crate) mod signals;
pub(crate) mod source;
pub(crate) mod temporary;
pub(crate) mod text;
pub(crate) mod usage;
