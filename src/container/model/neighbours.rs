//! What residuals owe to values decoded before them: a prediction, a table by context, and values
//! that recur exactly.

use super::row_predictors::RowPredictors;

/// Neighbours that a prediction may weigh: to the left one, two and three times; above and twice
/// above; above-left, above-right; in the third direction one, two and three times, and from the first
/// of these to the left, right, above, below, above-left and above-right.
pub(crate) const NEIGHBOURS: usize = 16;
/// Numbers that a prediction may weigh: the sums of neighbours; the residuals of left, above, above-left,
/// above-right, left twice and the third direction; and the sums four to eight times to the left.
pub(crate) const TERMS: usize = 27;
/// The first residual among them, and the first sum farther to the left.
pub(crate) const FIRST_RESIDUAL: usize = NEIGHBOURS;
pub(crate) const FIRST_FARTHER: usize = 22;
/// How many times to the left the first of these lies.
pub(crate) const NEAREST_FARTHER: usize = 4;
/// The magnitudes of the coefficients of a column, in 1/256, add up to this at most.
pub(crate) const MOST_WEIGHT: u64 = 16 * 4095;
/// The first of them in the third direction.
#[cfg(feature = "compress")]
const FIRST_THIRD: usize = 7;
/// Most values that may be named as atoms.
pub(crate) const MAX_ATOMS: usize = 7;
/// Most nodes of a tree, leaves among them.
pub(crate) const MAX_NODES: usize = (1 << 13) - 1;
/// Most decisions from a tree's root to a leaf.
pub(crate) const MAX_DEPTH: usize = 32;
/// Most rows of a line, and most values of all its rows: these are kept while the next lines are decoded.
pub(crate) const MAX_LINE_OF_ROWS: usize = 1 << 12;
pub(crate) const MAX_LINE_VALUES: usize = 1 << 20;
/// Number of properties that trees decide by; see [`crate::codec::context`].
pub(crate) const FEATURES: usize = 32;

/// How a row's residuals depend on what was decoded before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Neighbours {
    /// How many columns back the values to the left, above and in the third direction lie; 0, for the
    /// last two: in the same column of the row before.
    pub(crate) distances: [usize; 3],
    /// How many rows before the third direction leads to where it leads to rows before: the rows of a line
    /// where rows lie in lines, as the pixels of an image do. 0 for the row before.
    pub(crate) line_of_rows: usize,
    /// Coefficients of each latent for that of the row a line before, of the one before that, and of the one
    /// after it, in 1/256; empty, all three, where these foretell nothing.
    pub(crate) latents_above: [Vec<i64>; 3],
    /// Whether the prediction is the median of left, above and left + above − above-left.
    pub(crate) median: bool,
    /// Whether predictions are rounded to whole steps.
    pub(crate) aligned: bool,
    /// Which group each column belongs to; empty where all have one, or each its own.
    pub(crate) group_of: Vec<usize>,
    /// Coefficients of each of the [`TERMS`], in 1/256: one for each group, or none. As many
    /// groups as columns means that each column is one.
    pub(crate) coefficients: Vec<Vec<i64>>,
    /// Predictors in place of all that, of which each row names one.
    pub(crate) by_row: Option<RowPredictors>,
    /// Integers of values that are named in place of a residual.
    pub(crate) atoms: Vec<i64>,
    /// Whose leaves are the tables by which an atom, or 0 for none, is named; one leaf without atoms.
    pub(crate) atom_tree: Vec<TreeNode>,
    /// Whose leaves say which table a residual has.
    pub(crate) tree: Vec<TreeNode>,
}

/// A node of a tree of decisions; after a decision its lower branch follows, then the upper one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TreeNode {
    /// Down the lower branch if the property `feature` is `threshold` at most.
    Decision { feature: u8, threshold: i64 },
    /// Table `table` of the model, or without one the column's own with its scale moved by `shift`
    /// quarter octaves.
    Leaf { table: Option<usize>, shift: i64 },
}

/// The leaf of a tree that makes no difference.
pub(crate) const OWN_TABLE: TreeNode = TreeNode::Leaf { table: None, shift: 0 };

impl Neighbours {
    /// Says whether rows before are weighed that the third direction leads to.
    #[cfg(feature = "compress")]
    pub(crate) fn weighs_rows_in_third(&self) -> bool {
        let mut thirds = self.coefficients[FIRST_THIRD..NEIGHBOURS].iter();
        self.distances[2] == 0 && thirds.any(|own| !own.is_empty())
    }

    /// Says whether latents are predicted from the line of rows before.
    pub(crate) fn predicts_latents(&self) -> bool {
        !self.latents_above[0].is_empty()
    }

    /// Returns in how many ways the neighbours of a value choose its table.
    pub(crate) fn contexts(&self) -> usize {
        self.tree.iter().filter(|node| matches!(node, TreeNode::Leaf { .. })).count()
    }
}

impl TreeNode {
    /// Returns by how much a leaf moves the scale of a column's own table.
    pub(super) fn shift(&self) -> Option<i64> {
        match *self {
            TreeNode::Leaf { table: None, shift } => Some(shift),
            _ => None,
        }
    }
}
