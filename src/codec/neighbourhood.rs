//! What a model says of neighbours, ready to decode with.

use super::atom_sums::{atom_sum, atom_sums, short_sums};
use super::context::LANES;
use super::context::neighbour::{FIRST_THIRD, LEFT, THIRD_DOWN, UP, UP_LEFT};
use super::course::Course;
use super::further::{self, SwiftTerms};
use super::leaf_tables::{LeafTable, Shifts};
use super::near::{Near, Wanted};
use super::row_predictors::LinePredictors;
use super::sieve::Sieve;
use super::sum::Sum;
use super::sum_range::{fraction, most_fraction, narrow, swift};
use super::surroundings::Surroundings;
use super::tree::Tree;
use super::weights::{Coefficients, OF_NEIGHBOURS, OF_RESIDUALS, Weights};
use super::window::Window;
use crate::container::model::{FEATURES, FIRST_FARTHER, NEAREST_FARTHER, TERMS};
use crate::container::model::{ModelRecord, NEIGHBOURS, Neighbours, TreeNode};
use crate::entropy::pool::Pool;
use crate::entropy::table::Table;
use crate::error::Result;
use crate::kernels::vector::Vector;
use std::sync::OnceLock;

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
    pub(crate) coefficients: Coefficients,
    pub(super) swift_terms: SwiftTerms,
    /// Residuals up to this, either way, may be weighed where sums have 32 bits.
    pub(super) most_residual: i64,
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
        let mut shifts = Shifts::new(record);
        let leaves = shifts.leaves(&n.tree, tables)?;
        let own = |node: &TreeNode| match *node {
            TreeNode::Leaf { table, .. } => Some(table.unwrap_or(0) as u32),
            TreeNode::Decision { .. } => None,
        };
        let (tree, atom_tree) = (Tree::new(&n.tree), Tree::new(&n.atom_tree));
        let looks_back = looks_back(n);
        let surroundings = Surroundings::new(n, width, looks_back);
        let coefficients = Coefficients::new(n, width, surroundings.line);
        let used = coefficients.used;
        let by_row = &coefficients.by_row;
        let predicting = match by_row {
            Some(_) => 1 << LEFT,
            None if n.median => MEDIAN,
            None => used,
        };
        let weight = coefficients.most_weight();
        let weight_of_rows = by_row.as_ref().map_or(0, LinePredictors::most_weight);
        let sieve = Sieve::new([&n.tree, &n.atom_tree]);
        let atom_sums = atom_sums(record, &n.atoms);
        let decided = tree.is_trivial() && atom_tree.is_trivial() || sieve.is_some();
        let named = n.atoms.is_empty() || record.latents() > 0 || !atom_sums.is_empty();
        let fraction = fraction(record);
        let is_simple = fraction.is_some() && by_row.is_none() && width <= MOST_SWIFT_WIDTH;
        let swift = if decided && named && is_simple { swift(record, weight) } else { 0 };
        let narrow = narrow(record, weight.max(256 * weight_of_rows));
        Ok(Some(Self {
            looks_back,
            ahead: ahead(n.distances, used),
            median: n.median,
            aligned: n.aligned,
            narrow,
            most_residual: narrow >> most_fraction(record),
            fraction,
            swift,
            wanted: Wanted::new(predicting, tree.features() | atom_tree.features()),
            swift_terms: SwiftTerms::new(used, &surroundings),
            surroundings,
            coefficients,
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
        let exact = match (&self.coefficients.by_row, &weights.by_row) {
            (Some(p), Some(own)) => p.predict(window, near.sums[LEFT], own),
            _ if self.median => near.median(),
            _ => self.weighted(window, near, &weights.own, fraction),
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

    /// Predicts sums by coefficients in 1/256.
    #[inline(always)]
    fn weighted<S: Sum, const N: usize>(
        &self,
        window: &Window<S, N>,
        near: &Near<S, N>,
        own: &[[i16; N]; TERMS],
        fraction: [u32; N],
    ) -> [S; N] {
        let used = self.coefficients.used;
        let mut total = near.weighted(own, used & OF_NEIGHBOURS);
        if used > OF_NEIGHBOURS {
            let around = (window, near, &self.surroundings);
            further::add(&mut total, around, (own, used), fraction);
        }
        let mut out = [S::default(); N];
        for i in 0..N {
            out[i] = S::of(total[i] >> 8);
        }
        out
    }

    /// Says whether predictions weigh residuals.
    #[inline(always)]
    pub(super) fn weighs_residuals(&self) -> bool {
        self.coefficients.used & OF_RESIDUALS != 0 && !self.median
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
        let weighed = if self.median { 0 } else { self.coefficients.used };
        let new =
            || Course::new(&self.surroundings, (&self.coefficients, weighed), self.delay(LANES));
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
        self.window_of(usize::MAX)
    }

    /// The same for a block of so many rows.
    pub(crate) fn window_of<S: Sum, const N: usize>(&self, rows: usize) -> Window<S, N> {
        let all = &self.coefficients;
        let reach = all.by_row.as_ref().map_or(0, LinePredictors::reach);
        // Whoever has one lane may ask for more than is weighed.
        let farther = N == 1 || all.used >> FIRST_FARTHER != 0;
        let farthest = self.surroundings.distance() * (NEAREST_FARTHER + TERMS - FIRST_FARTHER);
        let reach = if farther { reach.max(farthest.min(self.surroundings.line)) } else { reach };
        Window::new(&self.surroundings, rows, self.delay(N), reach)
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

/// Columns of rows that are decoded with vectors, at most: places in sixteen of them have 32 bits.
const MOST_SWIFT_WIDTH: usize = 1 << 24;

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

/// Says whether rows depend on those before: in the direction above, or in a third whose sums are weighed.
fn looks_back(n: &Neighbours) -> bool {
    let [_, up, third] = n.distances;
    let mut sums = n.coefficients[FIRST_THIRD..NEIGHBOURS].iter();
    up == 0 || third == 0 && sums.any(|own| !own.is_empty())
}

/// Returns how many columns ahead, at most, values may look in the rows before: one to the right, or one
/// line where what is below in the third direction is weighed.
fn ahead([left, up, _]: [usize; 3], used: u32) -> usize {
    left.max(if used >> THIRD_DOWN & 1 == 1 { up } else { 0 })
}
