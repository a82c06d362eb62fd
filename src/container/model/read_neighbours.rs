//! Neighbours from bytes: nothing in them is believed.

use super::neighbours::{
    FEATURES, MAX_ATOMS, MAX_DEPTH, MAX_LINE_OF_ROWS, MAX_LINE_VALUES, MAX_NODES, MOST_WEIGHT,
    Neighbours, OWN_TABLE, TERMS, TreeNode,
};
use super::record_reader::{RecordReader, WORD};
use super::row_predictors::{COEFFICIENT_END, MAX_ORDER, MAX_PREDICTORS, RowPredictors};
use crate::entropy::array::ArrayModel;
use crate::error::{Error, Result};
use std::collections::BTreeSet;

/// Coefficients, in 1/256, are below this.
const MAX_COEFFICIENT: u64 = 1 << 12;
/// Coefficients of latents a line before, in 1/256, are this at most.
const MAX_ABOVE: u64 = 1 << 10;
/// A ladder's scale may be moved by less than this, in quarter octaves.
const MAX_SHIFT: u64 = 240;
/// Bytes of a group of coefficients in memory once the model is ready, and of a column's group.
const GROUP_BYTES: usize = 2 * TERMS + size_of::<u32>();
/// Bytes of a table of which a tree asks for another scale, in memory.
const SHIFTED_TABLE_BYTES: usize = 8192;
/// The most such tables: there are so many ladders.
const SHIFTED_TABLES: usize = 960;

impl Neighbours {
    /// Reads what a model of `latents` latents, rows of `width` columns and `tables` tables has.
    pub(super) fn read(
        r: &mut RecordReader<'_>,
        [latents, width, tables]: [usize; 3],
    ) -> Result<Self> {
        let mut n = Self::default();
        for (i, d) in n.distances.iter_mut().enumerate() {
            *d = r.within("distance of neighbours", usize::from(i == 0), width)?;
        }
        let flags = r.within("neighbours' flags", 0, 31)?;
        (n.median, n.aligned) = (flags & 1 == 1, flags & 2 == 2);
        n.read_lines(r, [latents, width], (flags & 4 == 4, flags & 8 == 8))?;
        if flags & 16 == 16 {
            if n.median {
                return Err(Error::corrupt("a median and predictors that rows name"));
            }
            n.coefficients = vec![Vec::new(); TERMS];
            n.by_row = Some(read_predictors(r, tables)?);
        } else {
            n.read_coefficients(r, width)?;
        }
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
    /// Reads what the line of rows before foretells, if rows are `lined`: of latents if it predicts these.
    fn read_lines(
        &mut self,
        r: &mut RecordReader<'_>,
        [latents, width]: [usize; 2],
        (lined, predicts_latents): (bool, bool),
    ) -> Result<()> {
        if lined {
            // The row before is not a line before, and no more values than that may be kept.
            let most = MAX_LINE_OF_ROWS.min(MAX_LINE_VALUES / width.max(1));
            self.line_of_rows = r.within("rows of a line", 2, most.max(2))?;
        }
        if !predicts_latents {
            return Ok(());
        }
        if !lined || latents == 0 {
            return Err(Error::corrupt(
                "latents are predicted from a line of rows before, but rows have no latents or lie \
                 in no lines",
            ));
        }
        for own in &mut self.latents_above {
            *own = r.flat(latents)?;
            if own.iter().any(|a| a.unsigned_abs() > MAX_ABOVE) {
                return Err(Error::corrupt("a coefficient of latents above is greater than 4"));
            }
        }
        Ok(())
    }

    /// Reads which neighbours are weighed, in which groups of columns, and their coefficients.
    fn read_coefficients(&mut self, r: &mut RecordReader<'_>, width: usize) -> Result<()> {
        let used = r.within("what predictions weigh", 0, (1 << TERMS) - 1)?;
        let groups = if used > 0 { r.within("groups of coefficients", 1, width)? } else { 1 };
        r.spend(groups, GROUP_BYTES)?;
        if groups > 1 && groups < width {
            self.group_of = r.indices(&mut ArrayModel::new(), width, groups)?;
        }
        let mut model = ArrayModel::new();
        let mut weights = vec![0_u64; groups];
        for i in 0..TERMS {
            let own = if used >> i & 1 == 1 { r.array(&mut model, groups)? } else { Vec::new() };
            if own.iter().any(|a| a.unsigned_abs() >= MAX_COEFFICIENT) {
                return Err(Error::corrupt("a neighbour's coefficient is not below 16"));
            }
            weights.iter_mut().zip(&own).for_each(|(sum, a)| *sum += a.unsigned_abs());
            self.coefficients.push(own);
        }
        if weights.iter().any(|&sum| sum > MOST_WEIGHT) {
            return Err(Error::corrupt("coefficients of a column add up to more than 255"));
        }
        Ok(())
    }
}

/// Reads predictors that rows name, in a model with `tables` tables.
fn read_predictors(r: &mut RecordReader<'_>, tables: usize) -> Result<RowPredictors> {
    let order = r.within("values that predictors weigh", 1, MAX_ORDER)?;
    let count = r.within("predictors of rows", 1, MAX_PREDICTORS)?;
    let last_table = tables.saturating_sub(1);
    let table = if count > 1 { r.within("table of predictors", 0, last_table)? } else { 0 };
    // One predictor of each order is made of each.
    r.spend(count * (order + 1), order * size_of::<i32>())?;
    r.spend(count * order, WORD)?;
    let mut model = ArrayModel::new();
    let mut coefficients = Vec::with_capacity(count);
    for _ in 0..count {
        let own = model.decode(&mut r.coder, order, 1)?;
        if own.iter().any(|a| a.unsigned_abs() >= COEFFICIENT_END as u64) {
            return Err(Error::corrupt("a coefficient of a row's predictor is not below 16"));
        }
        coefficients.push(own);
    }
    Ok(RowPredictors { table, coefficients })
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
