//! What a model says of neighbours, ready to decode with.

use super::context::{Directions, Near, Spot, Window};
use super::tree::Tree;
use crate::container::model::FEATURES;
use crate::container::model::{Grid, ModelRecord, NEIGHBOURS, Neighbours, TreeNode, Value};
use crate::entropy::table::{SCALE_COUNT, Table, TableSpec};
use crate::error::Result;
use std::collections::HashMap;

/// Which table a leaf asks for.
#[derive(Debug, Clone, Copy)]
enum LeafTable {
    /// This one.
    Own(u32),
    /// The column's own, looked up from here on among the tables of shifted scale.
    Shifted(usize),
}

/// Neighbours' part of a checked model.
#[derive(Debug, Clone)]
pub(crate) struct Neighbourhood {
    pub(crate) directions: Directions,
    /// Whether rows depend on those before.
    pub(crate) looks_back: bool,
    median: bool,
    aligned: bool,
    /// Of each group of columns.
    coefficients: Vec<[i16; NEIGHBOURS]>,
    /// The group of each column; empty for one group.
    group_of: Vec<u32>,
    /// A bit for each neighbour that has a coefficient.
    used: u32,
    /// Integers of values that are named.
    pub(crate) atoms: Vec<i64>,
    pub(crate) atom_tree: Tree,
    atom_tables: Vec<u32>,
    pub(crate) tree: Tree,
    leaves: Vec<LeafTable>,
    /// Of each shift, one after another, where each of the model's tables is found.
    shifted: Vec<u32>,
}

impl Neighbourhood {
    /// Prepares what `record` says of neighbours; tables of another scale are added to `tables`.
    pub(crate) fn new(record: &ModelRecord, tables: &mut Vec<Table>) -> Result<Option<Self>> {
        let Some(n) = &record.neighbours else { return Ok(None) };
        let width = record.width();
        let groups = n.coefficients.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let mut coefficients = vec![[0; NEIGHBOURS]; groups];
        for (i, own) in n.coefficients.iter().enumerate() {
            coefficients.iter_mut().zip(own).for_each(|(c, a)| c[i] = *a as i16);
        }
        let group_of = match groups {
            1 => Vec::new(),
            _ if n.group_of.is_empty() => (0..width as u32).collect(),
            _ => n.group_of.iter().map(|&g| g as u32).collect(),
        };
        let used = n.coefficients.iter().enumerate().filter(|(_, c)| !c.is_empty());
        let used = used.map(|(i, _)| 1_u32 << i).sum();
        let [_, up, _] = n.distances;
        let mut shifts = Shifts::new(record);
        let mut leaves = Vec::new();
        for node in &n.tree {
            match *node {
                TreeNode::Leaf { table: Some(t), .. } => leaves.push(LeafTable::Own(t as u32)),
                TreeNode::Leaf { table: None, shift } => {
                    leaves.push(LeafTable::Shifted(shifts.place(shift, tables)?));
                }
                TreeNode::Decision { .. } => {}
            }
        }
        let own = |node: &TreeNode| match *node {
            TreeNode::Leaf { table, .. } => Some(table.unwrap_or(0) as u32),
            TreeNode::Decision { .. } => None,
        };
        Ok(Some(Self {
            directions: Directions {
                distances: n.distances,
                line: if up == 0 { width } else { up },
            },
            looks_back: looks_back(n, used),
            median: n.median,
            aligned: n.aligned,
            coefficients,
            group_of,
            used,
            atoms: n.atoms.clone(),
            atom_tree: Tree::new(&n.atom_tree),
            atom_tables: n.atom_tree.iter().filter_map(own).collect(),
            tree: Tree::new(&n.tree),
            leaves,
            shifted: shifts.places,
        }))
    }

    /// Says whether trees have anything to decide.
    #[inline(always)]
    pub(crate) fn has_contexts(&self) -> bool {
        !self.tree.is_trivial() || !self.atom_tree.is_trivial()
    }

    /// Predicts the sum of a value in `N` rows; `fraction` is the number of its bits below a step.
    #[inline(always)]
    pub(crate) fn predict<const N: usize>(
        &self,
        near: &Near<N>,
        column: usize,
        fraction: u32,
    ) -> [i64; N] {
        let exact = match self.median {
            true => near.median(),
            false => {
                let group = self.group_of.get(column).map_or(0, |&g| g as usize);
                near.weighted(&self.coefficients[group], self.used)
            }
        };
        if !self.aligned {
            return exact;
        }
        let half = (1_i64 << fraction) >> 1;
        exact.map(|p| p.wrapping_add(half) >> fraction << fraction)
    }

    /// Returns the table by which leaf `leaf` of the atoms' tree names an atom.
    #[inline(always)]
    pub(crate) fn atom_table(&self, leaf: u16) -> usize {
        self.atom_tables[usize::from(leaf)] as usize
    }

    /// Returns the table of a residual in leaf `leaf`, where its column and class have table `own`.
    #[inline(always)]
    pub(crate) fn table(&self, leaf: u16, own: usize) -> usize {
        match self.leaves[usize::from(leaf)] {
            LeafTable::Own(t) => t as usize,
            LeafTable::Shifted(from) => self.shifted[from + own] as usize,
        }
    }

    /// Visits the columns of a row, from the first to the last.
    #[inline(always)]
    pub(crate) fn spots(&self, width: usize) -> impl Iterator<Item = Spot> + use<> {
        let line = self.directions.line;
        let (mut x, mut y) = (0, 0);
        (0..width).map(move |column| {
            let spot = Spot { column, x, y };
            x += 1;
            if x == line {
                (x, y) = (0, y + 1);
            }
            spot
        })
    }

    /// Returns properties of a value, or zeros where no tree asks for them.
    #[inline(always)]
    pub(crate) fn features<const N: usize>(
        &self,
        near: &Near<N>,
        spot: Spot,
        predicted: (&[i64; N], u32),
    ) -> [[i32; N]; FEATURES] {
        if self.has_contexts() {
            near.features(self.directions.place(spot), predicted.0, predicted.1)
        } else {
            [[0; N]; FEATURES]
        }
    }

    /// Makes a window for `N` rows of the model.
    pub(crate) fn window<const N: usize>(&self, width: usize) -> Window<N> {
        Window::new(width, self.looks_back)
    }
}

/// Returns the sum of an atom, the integer `k`, in a column with `base`: the nearest in fine units,
/// upwards where two are as near.
#[inline(always)]
pub(crate) fn atom_sum(k: i64, base: i64, grid: &Grid) -> i64 {
    let difference = k.wrapping_sub(base);
    let ordered = matches!(grid.value, Value::Ordered { .. });
    if ordered || grid.step == 1 << grid.fraction {
        return difference;
    }
    // Nearly always there is room for the numbers below in 64 bits, which divide many times faster.
    let doubled = difference.checked_mul(2 << grid.fraction);
    if let Ok(step @ 1..=HALF_OF_MOST) = i64::try_from(grid.step)
        && let Some(sum) = doubled.and_then(|d| d.checked_add(step))
    {
        return sum.div_euclid(2 * step);
    }
    let fine = i128::from(difference) << grid.fraction;
    let step = i128::from(grid.step.max(1));
    let sum = (2 * fine + step).div_euclid(2 * step);
    sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// Twice this has 63 bits.
const HALF_OF_MOST: i64 = i64::MAX / 2;

/// Says whether rows depend on those before: in the direction above, or in a third that is weighed.
fn looks_back(n: &Neighbours, used: u32) -> bool {
    let [_, up, third] = n.distances;
    up == 0 || third == 0 && used >> super::context::neighbour::FIRST_THIRD > 0
}

/// Tables of another scale.
struct Shifts<'a> {
    record: &'a ModelRecord,
    found: HashMap<TableSpec, u32>,
    /// Where the tables of each shift are listed.
    listed: HashMap<i64, usize>,
    /// Of each shift, where each of the model's tables is found.
    places: Vec<u32>,
}

impl<'a> Shifts<'a> {
    fn new(record: &'a ModelRecord) -> Self {
        Self { record, found: HashMap::new(), listed: HashMap::new(), places: Vec::new() }
    }

    /// Returns from where on the tables moved by `shift` are listed.
    fn place(&mut self, shift: i64, tables: &mut Vec<Table>) -> Result<usize> {
        if let Some(&from) = self.listed.get(&shift) {
            return Ok(from);
        }
        let from = self.places.len();
        self.listed.insert(shift, from);
        for (t, spec) in self.record.tables.iter().enumerate() {
            let moved = match *spec {
                TableSpec::Ladder { shape, scale } if shift != 0 => {
                    let scale = (i64::from(scale) + shift).clamp(0, SCALE_COUNT as i64 - 1) as u8;
                    TableSpec::Ladder { shape, scale }
                }
                _ => {
                    self.places.push(t as u32);
                    continue;
                }
            };
            let at = match self.found.get(&moved) {
                Some(&at) => at,
                None => {
                    tables.push(Table::new(&moved)?);
                    let at = tables.len() as u32 - 1;
                    self.found.insert(moved, at);
                    at
                }
            };
            self.places.push(at);
        }
        Ok(from)
    }
}
