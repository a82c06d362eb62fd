//! What a model says of neighbours, ready to decode with.

use super::context::LANES;
use super::context::neighbour::{FIRST_THIRD, LEFT, THIRD_DOWN, UP, UP_LEFT};
use super::course::{Course, Groups};
use super::near::{Near, Wanted};
use super::row_predictors::{LinePredictors, RowWeights};
use super::sieve::Sieve;
use super::sum::Sum;
use super::surroundings::Surroundings;
use super::tree::Tree;
use super::value::whole_step;
use super::window::{Front, Window};
use crate::container::model::FEATURES;
use crate::container::model::{Grid, ModelRecord, NEIGHBOURS, Neighbours, TreeNode, Value};
use crate::entropy::pool::Pool;
use crate::entropy::table::{SCALE_COUNT, Table, TableSpec};
use crate::error::Result;
use crate::kernels::vector::Vector;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Which table a leaf asks for: that at `from` in a list, or so many places behind as is the number of
/// the column's own table.
#[derive(Debug, Clone, Copy)]
struct LeafTable {
    from: u32,
    /// All bits where the column's own table counts, none where it does not.
    own: u32,
}

/// Neighbours' part of a checked model.
#[derive(Debug, Clone)]
pub(crate) struct Neighbourhood {
    pub(crate) surroundings: Surroundings,
    /// Whether rows depend on those before.
    pub(crate) looks_back: bool,
    /// How far ahead in rows before values may look.
    ahead: usize,
    pub(super) median: bool,
    pub(super) aligned: bool,
    /// Bits of a sum below a step, if all columns have as many.
    pub(super) fraction: Option<u32>,
    /// Sums up to this, either way, may be kept in 32 bits.
    pub(super) narrow: i64,
    /// Sums up to this, either way, may be decoded with vectors; 0 where none may.
    pub(super) swift: i32,
    /// What predictions and trees ask of neighbours.
    pub(crate) wanted: Wanted,
    /// Of each group of columns.
    coefficients: Vec<[i16; NEIGHBOURS]>,
    /// The group of each column; empty for one group.
    group_of: Vec<u32>,
    /// A bit for each neighbour that has a coefficient.
    pub(super) used: u32,
    /// Predictors in place of all that, of which each row names one.
    pub(crate) by_row: Option<LinePredictors>,
    /// Integers of values that are named.
    pub(crate) atoms: Vec<i64>,
    /// Their sums in each column, atom after atom; empty where predictions are replaced or these are too
    /// many to keep.
    atom_sums: Vec<i64>,
    /// The same in 32 bits, held within them, and beginning with no atom.
    short_atom_sums: Vec<i32>,
    atom_tree: Tree,
    atom_tables: Vec<u32>,
    tree: Tree,
    /// Both trees, that of residuals first, if they are small enough.
    sieve: Option<Sieve>,
    leaves: Vec<LeafTable>,
    /// Whether any leaf asks for the column's own table, and the tables that leaves ask for if none does.
    asks_own: bool,
    own_tables: Vec<u32>,
    /// Tables that leaves ask for, and of each shift, one after another, where each of the model's tables
    /// is found.
    shifted: Vec<u32>,
    /// All tables, to decode in lanes.
    pub(crate) pool: Pool,
    /// What lanes meet, laid out when it is first asked for, if it is not too much.
    course: OnceLock<Option<Course>>,
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
        let mut shifts = Shifts::new(record);
        let leaves = shifts.leaves(&n.tree, tables)?;
        let own = |node: &TreeNode| match *node {
            TreeNode::Leaf { table, .. } => Some(table.unwrap_or(0) as u32),
            TreeNode::Decision { .. } => None,
        };
        let looks_back = looks_back(n, used);
        let (tree, atom_tree) = (Tree::new(&n.tree), Tree::new(&n.atom_tree));
        let surroundings = Surroundings::new(n, width, looks_back);
        let line = surroundings.line;
        let by_row = n.by_row.as_ref().map(|p| LinePredictors::new(p, n.distances[0], line));
        let predicting = match &by_row {
            Some(_) => 1 << LEFT,
            None if n.median => MEDIAN,
            None => used,
        };
        let most_weight = by_row.as_ref().map_or(0, LinePredictors::most_weight);
        let sieve = Sieve::new([&n.tree, &n.atom_tree]);
        let atom_sums = atom_sums(record, &n.atoms);
        let decided = tree.is_trivial() && atom_tree.is_trivial() || sieve.is_some();
        let named = n.atoms.is_empty() || record.latents() > 0 || !atom_sums.is_empty();
        let fraction = fraction(record);
        let is_simple = fraction.is_some() && by_row.is_none() && width <= MOST_SWIFT_WIDTH;
        let swift = if decided && named && is_simple { swift(record, &coefficients) } else { 0 };
        Ok(Some(Self {
            surroundings,
            looks_back,
            ahead: ahead(n.distances, used),
            median: n.median,
            aligned: n.aligned,
            narrow: narrow(record, &coefficients, most_weight),
            fraction,
            swift,
            wanted: Wanted::new(predicting, tree.features() | atom_tree.features()),
            coefficients,
            group_of,
            used,
            by_row,
            atoms: n.atoms.clone(),
            short_atom_sums: short_sums(width, &atom_sums),
            atom_sums,
            atom_tree,
            atom_tables: n.atom_tree.iter().filter_map(own).collect(),
            tree,
            sieve,
            asks_own: leaves.iter().any(|leaf| leaf.own > 0),
            own_tables: leaves.iter().map(|leaf| shifts.places[leaf.from as usize]).collect(),
            leaves,
            shifted: shifts.places,
            pool: Pool::new(tables),
            course: OnceLock::new(),
        }))
    }

    /// Says whether trees have anything to decide.
    #[inline(always)]
    pub(crate) fn has_contexts(&self) -> bool {
        !self.tree.is_trivial() || !self.atom_tree.is_trivial()
    }

    /// Predicts the sums of values in `N` rows; `fraction` is the number of their bits below a step.
    #[inline(always)]
    pub(crate) fn predict<S: Sum, const N: usize>(
        &self,
        window: &Window<S, N>,
        near: &Near<S, N>,
        weights: &Weights<N>,
        fraction: [u32; N],
    ) -> [S; N] {
        let exact = match (&self.by_row, &weights.by_row) {
            (Some(p), Some(own)) => p.predict(window, near.sums[LEFT], own),
            _ if self.median => near.median(),
            _ => near.weighted(&weights.own, self.used),
        };
        if !self.aligned {
            return exact;
        }
        let mut out = exact;
        for i in 0..N {
            out[i] = exact[i].aligned(fraction[i]);
        }
        out
    }

    /// Returns the sum of atom `atom`, counted from 1, in a column of the model `m`, if it does not take
    /// what is predicted.
    #[inline(always)]
    pub(crate) fn sum_of_atom(&self, m: &ModelRecord, atom: u8, column: usize) -> Option<i64> {
        let atom = usize::from(atom).checked_sub(1)?;
        if let Some(&sum) = self.atom_sums.get(atom * self.surroundings.width() + column) {
            return Some(sum);
        }
        let k = *self.atoms.get(atom).filter(|_| m.latents() == 0)?;
        Some(atom_sum(k, m.base[column], &m.grids[m.grid_of[column]]))
    }

    /// Returns the sum of an atom, if it is kept, held within 32 bits. Sums are found at the atom times the
    /// columns of a row, plus the column; there is any number where there is none.
    #[inline(always)]
    pub(super) fn short_sum_of_atom(&self, at: i32) -> i32 {
        self.short_atom_sums.get(at as usize).copied().unwrap_or(0)
    }

    /// Returns what lanes meet, if it is not too much to be laid out.
    pub(super) fn course(&self) -> Option<&Course> {
        let groups = Groups {
            coefficients: &self.coefficients,
            of_column: &self.group_of,
            used: if self.median { 0 } else { self.used },
        };
        let new = || Course::new(&self.surroundings, groups, self.delay(LANES));
        self.course.get_or_init(new).as_ref()
    }

    /// Finds leaves with vectors.
    #[inline(always)]
    pub(super) fn swift_leaves<V: Vector>(
        &self,
        isa: V::Isa,
        features: &[V; FEATURES],
    ) -> [[u16; LANES]; 2] {
        match &self.sieve {
            Some(sieve) => sieve.swift_leaves(isa, features),
            None => [[0; LANES]; 2],
        }
    }

    /// Returns the tables of leaves, where no leaf asks for a column's own.
    #[inline(always)]
    pub(super) fn tables(&self) -> Option<&[u32]> {
        (!self.asks_own).then_some(&self.own_tables)
    }

    /// Returns the tables by which leaves of the atoms' tree name an atom.
    #[inline(always)]
    pub(super) fn atom_tables(&self) -> &[u32] {
        &self.atom_tables
    }

    /// Returns the table by which leaf `leaf` of the atoms' tree names an atom.
    #[inline(always)]
    pub(crate) fn atom_table(&self, leaf: u16) -> usize {
        self.atom_tables[usize::from(leaf)] as usize
    }

    /// Returns the table of a residual in leaf `leaf`, where its column and class have table `own()`.
    #[inline(always)]
    pub(crate) fn table(&self, leaf: u16, own: impl FnOnce() -> usize) -> usize {
        let LeafTable { from, own: mask } = self.leaves[usize::from(leaf)];
        let behind = if self.asks_own { own() as u32 & mask } else { 0 };
        self.shifted[(from + behind) as usize] as usize
    }

    /// Finds the leaves of values with such properties.
    #[inline(always)]
    pub(crate) fn decide<const N: usize>(&self, features: &[[i32; N]; FEATURES]) -> Decided<N> {
        // A single value is faster to walk with.
        let all = bytemuck::try_cast_ref::<_, [[i32; LANES]; FEATURES]>(features).ok();
        if let Some((sieve, features)) = self.sieve.as_ref().zip(all)
            && let Some(leaves) = sieve.leaves(features)
            && let Ok(leaves) = bytemuck::try_cast(leaves)
        {
            return Decided(leaves);
        }
        let atoms = match self.atoms.is_empty() {
            true => [0; N],
            false => self.atom_tree.leaves(features),
        };
        Decided([self.tree.leaves(features), atoms])
    }

    /// Returns properties of the values that are next in a window, or zeros where no tree asks for them.
    #[inline(always)]
    pub(crate) fn features<S: Sum, const N: usize>(
        &self,
        near: &Near<S, N>,
        window: &Window<S, N>,
        predicted: (&[S; N], [u32; N]),
    ) -> [[i32; N]; FEATURES] {
        if self.has_contexts() {
            near.features(window.front(), &self.surroundings, predicted.0, predicted.1)
        } else {
            [[0; N]; FEATURES]
        }
    }

    /// Returns how many steps a lane begins after the one before, of so many.
    pub(crate) fn delay(&self, lanes: usize) -> usize {
        match lanes {
            1 => 0,
            _ if self.looks_back => 1 + self.ahead,
            _ => 0,
        }
    }

    /// Makes a window for `N` rows of the model.
    pub(crate) fn window<S: Sum, const N: usize>(&self) -> Window<S, N> {
        let reach = self.by_row.as_ref().map_or(0, LinePredictors::reach);
        Window::new(&self.surroundings, self.delay(N), reach)
    }

    /// Returns a whole step in a column, where `steps` are those of all columns.
    #[inline(always)]
    pub(crate) fn step(&self, column: usize, steps: &[i64]) -> i64 {
        self.fraction.map_or_else(|| steps[column], |fraction| 1 << fraction)
    }

    /// Says whether all columns have the same step.
    #[inline(always)]
    pub(crate) fn steps_alike(&self) -> bool {
        self.fraction.is_some()
    }

    /// Returns the numbers of bits that sums in these columns have below a step, where `steps` are those
    /// of all columns.
    #[inline(always)]
    pub(crate) fn fractions<const N: usize>(&self, columns: &[i32; N], steps: &[i64]) -> [u32; N] {
        if let Some(fraction) = self.fraction {
            return [fraction; N];
        }
        columns.map(|j| steps.get(j as usize).map_or(0, |step| step.trailing_zeros()))
    }
}

/// Neighbours that a median is made of.
const MEDIAN: u32 = 1 << LEFT | 1 << UP | 1 << UP_LEFT;

/// What trees have decided of values side by side: leaves of the residuals' tree and the atoms'.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decided<const N: usize>([[u16; N]; 2]);

impl<const N: usize> Decided<N> {
    /// Returns the leaf of the residuals' tree in one of the lanes.
    #[inline(always)]
    pub(crate) fn leaf(&self, lane: usize) -> u16 {
        self.0[0][lane]
    }

    /// Returns the leaf of the atoms' tree in one of the lanes.
    #[inline(always)]
    pub(crate) fn atom_leaf(&self, lane: usize) -> u16 {
        self.0[1][lane]
    }
}

/// Coefficients of the values that are decoded next, lane by lane.
#[derive(Debug, Clone)]
pub(crate) struct Weights<const N: usize> {
    group: [u32; N],
    pub(super) own: [[i16; N]; NEIGHBOURS],
    /// Those that rows name.
    by_row: Option<RowWeights<N>>,
}

impl<const N: usize> Weights<N> {
    pub(crate) fn new(n: &Neighbourhood) -> Self {
        let own = n.coefficients[0].map(|a| [a; N]);
        Self { group: [0; N], own, by_row: n.by_row.as_ref().map(RowWeights::new) }
    }

    /// Notes which predictor the next row of a lane has named.
    pub(crate) fn name(&mut self, lane: usize, predictor: usize) {
        if let Some(by_row) = &mut self.by_row {
            by_row.name(lane, predictor);
        }
    }

    /// Coefficients for values of a row that has named `predictor`.
    #[cfg(test)]
    pub(crate) fn naming(n: &Neighbourhood, predictor: usize, front: &Front<N>) -> Self {
        let mut out = Self::new(n);
        out.name(0, predictor);
        out.by_row.iter_mut().for_each(|own| own.name_now(predictor));
        out.follow(n, front);
        out
    }

    /// Returns those of neighbours that are `used`, and behind them others.
    pub(super) fn used(&self, used: u32) -> [[i16; N]; NEIGHBOURS] {
        let (mut out, mut count) = (self.own, 0);
        for k in (0..NEIGHBOURS).filter(|k| used >> k & 1 == 1) {
            out[count] = self.own[k];
            count += 1;
        }
        out
    }

    /// Goes on to the values at `front`.
    #[inline(always)]
    pub(crate) fn follow(&mut self, n: &Neighbourhood, front: &Front<N>) {
        if let (Some(p), Some(by_row)) = (&n.by_row, &mut self.by_row) {
            by_row.follow(p, front);
        }
        let columns = &front.column;
        if n.group_of.is_empty() {
            return;
        }
        for (i, &column) in columns.iter().enumerate() {
            let group = n.group_of.get(column as usize).copied().unwrap_or(0);
            if group != self.group[i] {
                self.group[i] = group;
                let own = &n.coefficients[group as usize];
                self.own.iter_mut().zip(own).for_each(|(out, a)| out[i] = *a);
            }
        }
    }
}

/// Returns the bits of a sum below a step, if all grids have as many.
fn fraction(record: &ModelRecord) -> Option<u32> {
    let mut all = record.grids.iter().map(|g| whole_step(g).trailing_zeros());
    let first = all.next()?;
    all.all(|f| f == first).then_some(first)
}

/// Returns up to what sums may be kept in 32 bits: predictions made of them, rounded to whole steps and
/// with the differences that a median takes, must not overflow. 0 where steps are too large.
fn narrow(record: &ModelRecord, coefficients: &[[i16; NEIGHBOURS]], weight_of_rows: i64) -> i64 {
    if record.grids.iter().any(|g| g.fraction > MOST_NARROW_FRACTION) {
        return 0;
    }
    let weight = |own: &[i16; NEIGHBOURS]| own.iter().map(|a| i64::from(a.abs())).sum::<i64>();
    let most =
        coefficients.iter().map(weight).max().unwrap_or(0).max(256).max(256 * weight_of_rows);
    (1 << 29) * 256 / most - 1
}

/// Returns up to what sums may be decoded with vectors: products with coefficients must have 32 bits.
fn swift(record: &ModelRecord, coefficients: &[[i16; NEIGHBOURS]]) -> i32 {
    if narrow(record, coefficients, 0) == 0 {
        return 0;
    }
    let weight = |own: &[i16; NEIGHBOURS]| own.iter().map(|a| i64::from(a.abs())).sum::<i64>();
    let most = coefficients.iter().map(weight).max().unwrap_or(0).max(256);
    ((i64::from(i32::MAX) - 128) / most) as i32
}

/// Columns of rows that are decoded with vectors, at most: places in sixteen of them have 32 bits.
const MOST_SWIFT_WIDTH: usize = 1 << 24;

/// Half a step of so many bits, added to 2^29, is far from 2^31.
const MOST_NARROW_FRACTION: u32 = 24;

/// Sums of atoms that are kept, at most: 8 MiB of them.
const MOST_ATOM_SUMS: usize = 1 << 20;

/// Returns the sums of atoms in each column, atom after atom, if they are to be kept.
fn atom_sums(record: &ModelRecord, atoms: &[i64]) -> Vec<i64> {
    if record.latents() > 0 || atoms.len() * record.width() > MOST_ATOM_SUMS {
        return Vec::new();
    }
    let columns = || record.base.iter().zip(&record.grid_of);
    let of = |k: &i64| {
        let k = *k;
        columns().map(move |(base, grid)| atom_sum(k, *base, &record.grids[*grid]))
    };
    atoms.iter().flat_map(of).collect()
}

/// Returns sums of atoms in 32 bits, behind as many for no atom.
fn short_sums(width: usize, sums: &[i64]) -> Vec<i32> {
    match sums.is_empty() {
        true => Vec::new(),
        false => {
            let short = |v: &i64| (*v).clamp(i64::from(i32::MIN) + 1, i64::from(i32::MAX)) as i32;
            std::iter::repeat_n(0, width).chain(sums.iter().map(short)).collect()
        }
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
    up == 0 || third == 0 && used >> FIRST_THIRD > 0
}

/// Returns how many columns ahead, at most, values may look in the rows before: one to the right, or one
/// line where what is below in the third direction is weighed.
fn ahead([left, up, _]: [usize; 3], used: u32) -> usize {
    left.max(if used >> THIRD_DOWN & 1 == 1 { up } else { 0 })
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

    /// Lists what the leaves of a tree ask for.
    fn leaves(&mut self, tree: &[TreeNode], tables: &mut Vec<Table>) -> Result<Vec<LeafTable>> {
        let mut out = Vec::new();
        for node in tree {
            match *node {
                TreeNode::Leaf { table: Some(t), .. } => {
                    out.push(LeafTable { from: self.places.len() as u32, own: 0 });
                    self.places.push(t as u32);
                }
                TreeNode::Leaf { table: None, shift } => {
                    out.push(LeafTable { from: self.place(shift, tables)? as u32, own: u32::MAX });
                }
                TreeNode::Decision { .. } => {}
            }
        }
        Ok(out)
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
