//! From stored integers to values and back: the integer program of the format.
//!
//! [`network`] predicts, [`value`] turns integers into numbers of the data's type ([`short`] small ones), [`program`]
//! is a checked model ready to run, [`decode`] runs it over rows ([`write`] their values), [`cursor`] over a block ([`encoded`]),
//! [`picked`] for single rows of it. Parts of a block are read [`abreast`], with vectors as [`swift_latents`] says, and the
//! [`quantisers`] of latents are chosen by parity; [`columns`] are what blocks keep beside it. Where errors are shares of each number, the model's numbers are on the
//! logarithmic scale of a [`curve`], which a [`compander`] expands. Where residuals look at neighbours, [`surroundings`] says
//! where these lie, [`near`] and [`further`] what they foretell with which [`weights`], [`tree`] and [`sieve`] choose tables by them as
//! [`neighbourhood`] says, [`steps`] decodes rows side by side, from what a [`window`] keeps, [`swift`] the
//! same with vectors, on the [`course`] that all lanes take, and
//! [`group`] hands them out.

mod abreast;
pub(crate) mod atom_sums;
pub(crate) mod bound;
mod coder;
pub(crate) mod columns;
pub(crate) mod compander;
pub(crate) mod context;
mod course;
pub(crate) mod cursor;
mod curve;
pub(crate) mod decode;
pub(crate) mod encoded;
pub(crate) mod fill;
pub(crate) mod further;
mod group;
mod head;
pub(crate) mod latents;
mod leaf_tables;
pub(crate) mod near;
pub(crate) mod neighbourhood;
pub(crate) mod network;
#[cfg(feature = "compress")]
pub(crate) mod order;
pub(crate) mod picked;
pub(crate) mod program;
pub(crate) mod quantisers;
pub(crate) mod row_predictors;
mod short;
pub(crate) mod sieve;
mod steps;
pub(crate) mod sum;
mod sum_range;
pub(crate) mod surroundings;
mod swift;
mod swift_latents;
#[cfg(all(test, feature = "compress"))]
mod tests;
pub(crate) mod tree;
pub(crate) mod units;
pub(crate) mod value;
pub(crate) mod weights;
pub(crate) mod window;
mod write;
