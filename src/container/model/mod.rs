//! The MODL section: every integer that decoding depends on.
//!
//! One stream of the adaptive integer coder. Arrays over columns share a model per kind, so
//! that the second latent's weights profit from the first's.

mod neighbours;
mod read;
mod read_neighbours;
mod record_reader;
mod record_writer;
mod row_predictors;
#[cfg(test)]
mod tests;
mod write;
mod write_neighbours;

pub(crate) use neighbours::{
    FEATURES, FIRST_FARTHER, FIRST_RESIDUAL, MAX_ATOMS, MAX_DEPTH, MAX_LINE_OF_ROWS,
    MAX_LINE_VALUES, MAX_NODES, MOST_WEIGHT, NEAREST_FARTHER, NEIGHBOURS, Neighbours, OWN_TABLE,
    TERMS, TreeNode,
};

#[cfg(feature = "compress")]
pub(crate) use row_predictors::MAX_PREDICTORS;
pub(crate) use row_predictors::{COEFFICIENT_END, RowPredictors};

use crate::entropy::table::TableSpec;

/// Contexts of the adaptive coder for integers that belong to no array.
mod context {
    /// Counts, kinds and all else that has no context of its own.
    pub(super) const NUMBER: usize = 0;
    /// Zero bits at the end of a grid's three fields; one context each.
    pub(super) const GRID_ZEROS: usize = 1;
    /// A grid's three fields without those bits; one context each.
    pub(super) const GRID_FIELD: usize = 4;
    pub(super) const LADDER_SHAPE: usize = 7;
    pub(super) const LADDER_SCALE: usize = 8;
    pub(super) const HISTOGRAM_LENGTH: usize = 9;
    pub(super) const HISTOGRAM_ESCAPE: usize = 10;
    pub(super) const TOKEN_LEAD: usize = 11;
    pub(super) const HISTOGRAM_RAW: usize = 12;
}

/// Codes of [`Value`].
mod grid_kind {
    pub(super) const INTEGER: i64 = 0;
    pub(super) const LINEAR: i64 = 1;
    pub(super) const RATIO: i64 = 2;
    pub(super) const ORDERED: i64 = 3;
}

/// Codes of [`TableSpec`].
mod table_kind {
    pub(super) const ZERO: i64 = 0;
    pub(super) const LADDER: i64 = 1;
    pub(super) const HISTOGRAM: i64 = 2;
    pub(super) const TOKENS: i64 = 3;
}

/// How a column's integer `k` becomes a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// Integers: `k · unit`, in 64 bits, wrapping.
    Integer { unit: u64 },
    /// Floats: `offset + k · unit`, each operation rounded in `f64`, then to the type.
    Linear { offset: f64, unit: f64 },
    /// Floats: `(k · numerator) / denominator`, likewise.
    Ratio { numerator: u64, denominator: u64 },
    /// Floats: `k` counts representable numbers from the prediction `offset + m · unit`.
    Ordered { offset: f64, unit: f64 },
}

/// What columns with the same arithmetic share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Grid {
    /// How an integer becomes a value.
    pub(crate) value: Value,
    /// Predictions count in `2^-fraction` of a residual's step.
    pub(crate) fraction: u32,
    /// Integers `k` per step of the residual.
    pub(crate) step: u64,
}

impl Grid {
    /// Says whether integers count representable numbers.
    #[cfg(feature = "compress")]
    pub(crate) fn value_is_ordered(&self) -> bool {
        matches!(self.value, Value::Ordered { .. })
    }
}

/// A hidden layer in integers: `clamp(leak((w x + bias) · multiplier >> shift))`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hidden {
    /// Weights, `units × inputs`, row-major.
    pub(crate) weights: Vec<i64>,
    /// Biases, one per unit.
    pub(crate) bias: Vec<i64>,
    /// Scale of the sum: multiplied, then shifted right with rounding.
    pub(crate) multiplier: i64,
    pub(crate) shift: u32,
    /// Negative results are shifted right by this much more.
    pub(crate) leak: u32,
    /// Results are clamped to `±clamp`.
    pub(crate) clamp: i64,
}

/// A temporal coefficient of 1: they are stored in units of 1/256.
pub(crate) const TEMPORAL_ONE: i64 = 256;

/// The hidden path from latents to output, absent in the linear codec.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HiddenPath {
    /// Right shift of each latent before the first layer, whose inputs are clamped to 16 bits.
    pub(crate) input_shift: Vec<i64>,
    /// The layers from latents on; at least one.
    pub(crate) layers: Vec<Hidden>,
    /// Weights of the output, `columns × units of the last layer`, row-major.
    pub(crate) weights: Vec<i64>,
    /// Scale of the hidden sum where it joins the skip path's.
    pub(crate) multiplier: i64,
}

/// Row classes and what each selects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Classes {
    /// Number of classes.
    pub(crate) count: usize,
    /// Table of the next class after each class; empty for one class.
    pub(crate) next: Vec<usize>,
    /// Step of the residual in fine units; 0: one whole step of the grid; −1: no residual.
    pub(crate) quantum: Vec<i64>,
    /// Mean of each latent, `classes × latents`.
    pub(crate) means: Vec<i64>,
    /// Table of each latent, `classes × latents × (2 with dependent quantisation)`.
    pub(crate) latent_tables: Vec<usize>,
    /// Table of each column's residual, `classes × columns`.
    pub(crate) residual_tables: Vec<usize>,
}

/// Everything the decoder is made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ModelRecord {
    /// Distinct grids.
    pub(crate) grids: Vec<Grid>,
    /// Which of the grids each column uses.
    pub(crate) grid_of: Vec<usize>,
    /// What is added to every integer of each column.
    pub(crate) base: Vec<i64>,
    /// Share of the previous row's residual that carries over, in 1/256.
    pub(crate) temporal: Vec<i64>,
    /// Largest magnitude of each latent; as many as there are latents.
    pub(crate) latent_clamp: Vec<i64>,
    /// Share of the previous row's latent that carries over, in 1/256.
    pub(crate) latent_temporal: Vec<i64>,
    /// States of dependent quantisation: 0 (off), 4 or 8.
    pub(crate) trellis: usize,
    /// Right shift of the output sum.
    pub(crate) gain: u32,
    /// Skip weights, `latents × columns`, row-major by latent.
    pub(crate) skip: Vec<i64>,
    /// What is added to the output sum of each column; empty for none.
    pub(crate) bias: Vec<i64>,
    /// The hidden path, if there is one.
    pub(crate) hidden: Option<HiddenPath>,
    /// Row classes.
    pub(crate) classes: Classes,
    /// The tables that `classes` refers to.
    pub(crate) tables: Vec<TableSpec>,
    /// How residuals depend on their neighbours, if they do.
    pub(crate) neighbours: Option<Neighbours>,
}

/// A model as it lies in a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct EncodedModel {
    /// The MODL payload.
    pub(crate) payload: Vec<u8>,
    /// About how many of its bytes are the decoder: all but tables and classes.
    pub(crate) decoder_bytes: usize,
}

impl ModelRecord {
    /// Returns the same model with other classes, and no tables yet.
    #[cfg(feature = "compress")]
    pub(crate) fn with_classes(&self, classes: Classes) -> Self {
        // Field by field: the classes that are replaced are not copied.
        Self {
            grids: self.grids.clone(),
            grid_of: self.grid_of.clone(),
            base: self.base.clone(),
            temporal: self.temporal.clone(),
            latent_clamp: self.latent_clamp.clone(),
            latent_temporal: self.latent_temporal.clone(),
            trellis: self.trellis,
            gain: self.gain,
            skip: self.skip.clone(),
            bias: self.bias.clone(),
            hidden: self.hidden.clone(),
            classes,
            tables: Vec::new(),
            neighbours: self.neighbours.clone(),
        }
    }

    /// Returns the number of latents.
    pub(crate) fn latents(&self) -> usize {
        self.latent_clamp.len()
    }

    /// Returns the units of each hidden layer, from latents to row.
    pub(crate) fn hidden_units(&self) -> Vec<usize> {
        let layers = self.hidden.iter().flat_map(|h| &h.layers);
        layers.map(|l| l.bias.len()).collect()
    }

    /// Returns the number of columns.
    pub(crate) fn width(&self) -> usize {
        self.base.len()
    }

    /// Returns how many tables a latent has in a class: one for each quantiser.
    pub(crate) fn table_sets(&self) -> usize {
        if self.trellis > 0 { 2 } else { 1 }
    }
}
