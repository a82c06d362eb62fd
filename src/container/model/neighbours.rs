//! What residuals owe to values decoded before them: a prediction, a table by context, and values
//! that recur exactly.

use super::read::RecordReader;
use super::write::RecordWriter;
use crate::entropy::array::ArrayModel;
use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// Neighbours that a prediction may weigh: to the left one, two and three times; above and twice
/// above; above-left, above-right; in the third direction one, two and three times, and from the first
/// of these to the left, right, above, below, above-left and above-right.
pub(crate) const NEIGHBOURS: usize = 16;
/// Most values that may be named as atoms.
pub(crate) const MAX_ATOMS: usize = 7;
/// Most nodes of a tree, leaves among them.
pub(crate) const MAX_NODES: usize = (1 << 13) - 1;
/// Most decisions from a tree's root to a leaf.
pub(crate) const MAX_DEPTH: usize = 32;
/// Number of properties that trees decide by; see [`crate::codec::context`].
pub(crate) const FEATURES: usize = 32;
/// Coefficients, in 1/256, are below this.
const MAX_COEFFICIENT: u64 = 1 << 12;
/// A ladder's scale may be moved by less than this, in quarter octaves.
const MAX_SHIFT: u64 = 240;
/// Bytes of a group of coefficients in memory once the model is ready, and of a column's group.
const GROUP_BYTES: usize = 2 * NEIGHBOURS + size_of::<u32>();
/// Bytes of a table of which a tree asks for another scale, in memory.
const SHIFTED_TABLE_BYTES: usize = 8192;
/// The most such tables: there are so many ladders.
const SHIFTED_TABLES: usize = 960;

/// How a row's residuals depend on what was decoded before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Neighbours {
    /// How many columns back the values to the left, above and in the third direction lie; 0, for the
    /// last two: in the same column of the row before.
    pub(crate) distances: [usize; 3],
    /// Whether the prediction is the median of left, above and left + above − above-left.
    pub(crate) median: bool,
    /// Whether predictions are rounded to whole steps.
    pub(crate) aligned: bool,
    /// Which group each column belongs to; empty where all have one, or each its own.
    pub(crate) group_of: Vec<usize>,
    /// Coefficients of each of the [`NEIGHBOURS`], in 1/256: one for each group, or none. As many
    /// groups as columns means that each column is one.
    pub(crate) coefficients: Vec<Vec<i64>>,
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

impl TreeNode {
    /// Returns by how much a leaf moves the scale of a column's own table.
    fn shift(&self) -> Option<i64> {
        match *self {
            TreeNode::Leaf { table: None, shift } => Some(shift),
            _ => None,
        }
    }
}

impl Neighbours {
    pub(super) fn write(&self, w: &mut RecordWriter) {
        self.distances.iter().for_each(|&d| w.number(d as i64));
        w.number(i64::from(self.median) + 2 * i64::from(self.aligned));
        let used = |n: usize| !self.coefficients[n].is_empty();
        w.number((0..NEIGHBOURS).filter(|&n| used(n)).map(|n| 1 << n).sum());
        if let Some(groups) = self.coefficients.iter().map(Vec::len).max().filter(|&g| g > 0) {
            w.number(groups as i64);
            if !self.group_of.is_empty() {
                w.indices(&mut ArrayModel::new(), &self.group_of);
            }
        }
        let mut model = ArrayModel::new();
        for own in self.coefficients.iter().filter(|c| !c.is_empty()) {
            w.array(&mut model, own);
        }
        w.number(self.atoms.len() as i64);
        if !self.atoms.is_empty() {
            w.flat(&self.atoms);
            write_tree(&self.atom_tree, w);
        }
        write_tree(&self.tree, w);
    }

    /// Reads what a model of rows of `width` columns and `tables` tables has.
    pub(super) fn read(r: &mut RecordReader<'_>, width: usize, tables: usize) -> Result<Self> {
        let mut n = Self::default();
        for (i, d) in n.distances.iter_mut().enumerate() {
            *d = r.within("distance of neighbours", usize::from(i == 0), width)?;
        }
        let flags = r.within("neighbours' flags", 0, 3)?;
        (n.median, n.aligned) = (flags & 1 == 1, flags & 2 == 2);
        n.read_coefficients(r, width)?;
        let atoms = r.within("atoms", 0, MAX_ATOMS)?;
        n.atom_tree = vec![OWN_TABLE];
        if atoms > 0 {
            n.atoms = r.flat(atoms)?;
            n.atom_tree = read_tree(r, tables)?;
            if n.atom_tree.iter().any(|n| matches!(n, TreeNode::Leaf { table: None, .. })) {
                return Err(Error::corrupt("atoms without a table"));
            }
        }
        n.tree = read_tree(r, tables)?;
        let shifts: BTreeSet<i64> = n.tree.iter().filter_map(TreeNode::shift).collect();
        r.spend(SHIFTED_TABLES.min(shifts.len().saturating_mul(tables)), SHIFTED_TABLE_BYTES)?;
        r.spend(shifts.len().saturating_mul(tables), size_of::<u32>())?;
        Ok(n)
    }
}

impl Neighbours {
    /// Reads which neighbours are weighed, in which groups of columns, and their coefficients.
    fn read_coefficients(&mut self, r: &mut RecordReader<'_>, width: usize) -> Result<()> {
        let used = r.within("neighbours", 0, (1 << NEIGHBOURS) - 1)?;
        let groups = if used > 0 { r.within("groups of coefficients", 1, width)? } else { 1 };
        r.spend(groups, GROUP_BYTES)?;
        if groups > 1 && groups < width {
            self.group_of = r.indices(&mut ArrayModel::new(), width, groups)?;
        }
        let mut model = ArrayModel::new();
        for i in 0..NEIGHBOURS {
            let own = if used >> i & 1 == 1 { r.array(&mut model, groups)? } else { Vec::new() };
            if own.iter().any(|a| a.unsigned_abs() >= MAX_COEFFICIENT) {
                return Err(Error::corrupt("a neighbour's coefficient is not below 16"));
            }
            self.coefficients.push(own);
        }
        Ok(())
    }
}

fn write_tree(tree: &[TreeNode], w: &mut RecordWriter) {
    let (mut kinds, mut thresholds) = (Vec::new(), Vec::new());
    let (mut tables, mut shifts) = (Vec::new(), Vec::new());
    for node in tree {
        match *node {
            TreeNode::Decision { feature, threshold } => {
                kinds.push(i64::from(feature) + 1);
                thresholds.push(threshold);
            }
            TreeNode::Leaf { table, shift } => {
                kinds.push(0);
                tables.push(table.map_or(0, |t| t as i64 + 1));
                if table.is_none() {
                    shifts.push(shift);
                }
            }
        }
    }
    w.number(tree.len() as i64);
    for list in [kinds, thresholds, tables, shifts] {
        w.flat(&list);
    }
}

/// Reads a tree, node by node as they are passed from the left.
fn read_tree(r: &mut RecordReader<'_>, tables: usize) -> Result<Vec<TreeNode>> {
    let count = r.within("nodes of a tree", 1, MAX_NODES)?;
    r.spend(count, 2 * size_of::<TreeNode>())?;
    let kinds = r.flat(count)?;
    let decisions = kinds.iter().filter(|&&k| k != 0).count();
    let mut thresholds = r.flat(decisions)?.into_iter();
    let leaves = r.flat(count - decisions)?;
    let shifted = leaves.iter().filter(|&&t| t == 0).count();
    let mut shifts = r.flat(shifted)?.into_iter();
    let mut leaves = leaves.into_iter();
    let mut tree = Vec::with_capacity(count);
    for kind in kinds {
        tree.push(if kind == 0 {
            match leaves.next().unwrap_or(0) {
                0 => {
                    let shift = shifts.next().unwrap_or(0);
                    if shift.unsigned_abs() >= MAX_SHIFT {
                        return Err(Error::corrupt("a table's scale is moved beyond all scales"));
                    }
                    TreeNode::Leaf { table: None, shift }
                }
                t => {
                    let table = usize::try_from(t - 1).ok().filter(|&t| t < tables);
                    let missing = || Error::corrupt("a tree refers to a table that is not there");
                    TreeNode::Leaf { table: Some(table.ok_or_else(missing)?), shift: 0 }
                }
            }
        } else {
            let feature = u8::try_from(kind - 1).ok().filter(|&f| usize::from(f) < FEATURES);
            let undefined = || Error::corrupt("a tree decides by a property that is not defined");
            let threshold = thresholds.next().unwrap_or(0);
            TreeNode::Decision { feature: feature.ok_or_else(undefined)?, threshold }
        });
    }
    check_shape(&tree)?;
    Ok(tree)
}

/// Checks that every decision has two branches, none of them too deep, and nothing is left over.
fn check_shape(tree: &[TreeNode]) -> Result<()> {
    // How many branches are still to come at each depth.
    let mut open = vec![0_usize];
    for (i, node) in tree.iter().enumerate() {
        let Some(depth) = open.pop() else {
            return Err(Error::corrupt(format!("a tree ends at node {i} of {}", tree.len())));
        };
        if matches!(node, TreeNode::Decision { .. }) {
            if depth == MAX_DEPTH {
                return Err(Error::corrupt(format!("a tree is deeper than {MAX_DEPTH}")));
            }
            open.extend([depth + 1, depth + 1]);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(Error::corrupt("a tree lacks a branch")) }
}
