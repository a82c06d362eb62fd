//! Residuals that look at neighbours: predictions, trees of tables, atoms.

use super::file::{Parts, Row, schema, stream};
use super::records::{
    Random, integer, ladder, linear, ordered, plain, ratio, tokens, with_latents,
};
use super::stream::row_cells;
use crate::codec::context::neighbour;
use crate::codec::program::Program;
use crate::container::model::{
    FEATURES, Grid, MAX_NODES, ModelRecord, NEIGHBOURS, Neighbours, OWN_TABLE, TERMS, TreeNode,
};
use crate::entropy::table::TableSpec;
use crate::matrix::DType;

pub(super) const BOUND: &str = "max-error 1";

/// Neighbours in such distances, none of them weighed, and trees that decide nothing.
pub(super) fn neighbours(distances: [usize; 3]) -> Neighbours {
    Neighbours {
        distances,
        coefficients: vec![Vec::new(); TERMS],
        atom_tree: vec![OWN_TABLE],
        tree: vec![OWN_TABLE],
        ..Neighbours::default()
    }
}

/// The same with one coefficient for all columns of each neighbour in `list`.
pub(super) fn weighing(distances: [usize; 3], list: &[(usize, i64)]) -> Neighbours {
    let mut n = neighbours(distances);
    list.iter().for_each(|&(at, a)| n.coefficients[at] = vec![a]);
    n
}

/// A file in the making: rows of `shape`, whose symbols are made up.
pub(super) struct Made {
    dtype: DType,
    shape: Vec<usize>,
    m: ModelRecord,
    pub(super) rows: Vec<Row>,
    /// Rows of each block.
    blocks: Vec<usize>,
}

impl Made {
    /// Rows with residuals of about `spread`; a third of the values are atoms where there are any.
    pub(super) fn new(
        (dtype, shape): (DType, &[usize]),
        mut m: ModelRecord,
        n: Neighbours,
        (rows, spread, seed): (usize, i64, u64),
    ) -> Self {
        let mut random = Random(seed);
        let atoms = n.atoms.len() as i64;
        m.neighbours = Some(n);
        let by_row = m.neighbours.iter().find_map(|n| n.by_row.as_ref());
        let predictors = by_row.map_or(1, |own| own.coefficients.len());
        let rows: Vec<Row> = (0..rows)
            .map(|i| Row {
                predictor: (i * i / 2) % predictors,
                latents: m.latent_clamp.iter().map(|&c| random.around(c)).collect(),
                residuals: random.list(m.width(), spread),
                atoms: (0..m.width() as i64)
                    .map(|_| random.around(3 * atoms).clamp(0, atoms) as u8)
                    .collect(),
                class: (random.around(1000) + 1000) as usize % m.classes.count,
            })
            .collect();
        let blocks = vec![rows.len()];
        Self { dtype, shape: shape.to_vec(), m, rows, blocks }
    }

    pub(super) fn blocks(mut self, rows: &[usize]) -> Self {
        self.blocks = rows.to_vec();
        self
    }

    fn looks(&mut self) -> &mut Neighbours {
        self.m.neighbours.as_mut().unwrap()
    }

    /// Grows trees of about so many nodes that tell apart the values that are there: that of atoms
    /// with the tables `atoms`, the other with `leaves`.
    pub(super) fn trees(mut self, atoms: (usize, &[usize]), leaves: (usize, &[TreeNode])) -> Self {
        let p = Program::new(self.m.clone(), self.dtype).unwrap();
        let n = p.neighbours.as_ref().unwrap();
        let mut seen = Vec::new();
        let mut rows = self.rows.iter();
        for &count in &self.blocks {
            let mut window = n.window();
            for row in rows.by_ref().take(count) {
                seen.extend(row_cells(&p, n, &mut window, row).into_iter().map(|c| c.features));
            }
        }
        let mut grower = Grower { random: Random(9), leaves: leaves.1.to_vec(), next: 0 };
        let tree = grower.grown(&seen, leaves.0);
        let own = |&t: &usize| TreeNode::Leaf { table: Some(t), shift: 0 };
        grower.leaves = atoms.1.iter().map(own).collect();
        let atom_tree = grower.grown(&seen, atoms.0);
        let n = self.looks();
        n.tree = tree;
        if !n.atoms.is_empty() {
            n.atom_tree = atom_tree;
        }
        self
    }

    pub(super) fn parts(self) -> Parts {
        let line = self.shape.last().copied().unwrap_or(1);
        let mut parts = Parts::new(&schema(self.dtype, &self.shape), BOUND).model(&self.m, line);
        let mut rows = &self.rows[..];
        for &count in &self.blocks {
            let (own, others) = rows.split_at(count);
            parts = parts.coded(count, &stream(&self.m, self.dtype, own), &[]);
            rows = others;
        }
        parts
    }
}

/// Grows trees whose every leaf has values.
struct Grower {
    random: Random,
    leaves: Vec<TreeNode>,
    /// Which property is tried next: all take turns.
    next: usize,
}

impl Grower {
    fn grown(&mut self, seen: &[[i32; FEATURES]], nodes: usize) -> Vec<TreeNode> {
        let all: Vec<&[i32; FEATURES]> = seen.iter().collect();
        let mut tree = Vec::new();
        self.grow(&all, nodes, &mut tree);
        tree
    }

    /// Appends a tree for `values`.
    fn grow(&mut self, values: &[&[i32; FEATURES]], nodes: usize, tree: &mut Vec<TreeNode>) {
        for _ in 0..FEATURES {
            if nodes < 3 || values.len() < 2 {
                break;
            }
            self.next += 1;
            let feature = self.next % FEATURES;
            let some = values[(self.random.bits() >> 9) as usize % values.len()][feature];
            let threshold = if values.iter().all(|v| v[feature] <= some) { some - 1 } else { some };
            let (low, high): (Vec<_>, Vec<_>) =
                values.iter().copied().partition(|v| v[feature] <= threshold);
            if low.is_empty() || high.is_empty() {
                continue;
            }
            let threshold = i64::from(threshold);
            tree.push(TreeNode::Decision { feature: feature as u8, threshold });
            let own = (nodes - 1) * low.len() / values.len();
            self.grow(&low, own, tree);
            self.grow(&high, nodes - 1 - own, tree);
            return;
        }
        let at = (self.random.bits() >> 9) as usize % self.leaves.len();
        tree.push(self.leaves[at]);
    }
}

pub(super) const fn own(table: usize) -> TreeNode {
    TreeNode::Leaf { table: Some(table), shift: 0 }
}

pub(super) const fn moved(shift: i64) -> TreeNode {
    TreeNode::Leaf { table: None, shift }
}

/// Tables of atoms: one is as likely as another, or is not.
pub(super) fn atom_table(frequencies: &[u32]) -> TableSpec {
    let entries = frequencies.iter().enumerate().map(|(i, &f)| (i as i64, f)).collect();
    TableSpec::Histogram { raw: 0, entries, escape: 0 }
}

/// Two tables of residuals, and two of no atom or two.
pub(super) fn tables() -> Vec<TableSpec> {
    vec![
        ladder(0, 20),
        ladder(2, 24),
        atom_table(&[20_000, 8_000, 4_768]),
        atom_table(&[1_000, 16_000, 15_768]),
    ]
}

/// A record whose residuals all have table 0.
pub(super) fn record(width: usize, grids: Vec<Grid>) -> ModelRecord {
    let mut m = plain(width, grids, tables());
    m.classes.residual_tables.fill(0);
    m
}

/// Steps of 11, predictions in quarters of a step: what is aligned is not what is not.
fn coarse() -> Grid {
    integer(1, 2, 11)
}

/// Images whose saturated values are atoms.
fn median_aligned() -> Parts {
    let n =
        Neighbours { median: true, aligned: true, atoms: vec![0, 255], ..neighbours([1, 7, 0]) };
    let mut m = record(35, vec![coarse()]);
    m.base = vec![128; 35];
    Made::new((DType::U8, &[5, 7]), m, n, (17, 9, 91))
        .trees((31, &[2, 3]), (61, &[own(0), own(1), moved(3), moved(-4)]))
        .parts()
}

/// What a median of three predicts without any rounding or tree.
fn median() -> Parts {
    let n = Neighbours { median: true, ..neighbours([1, 4, 0]) };
    let m = record(12, vec![linear(0.0, 0.125, 3)]);
    Made::new((DType::F32, &[3, 4]), m, n, (9, 9, 92)).parts()
}

fn shared() -> Parts {
    use neighbour::{LEFT, LEFT2, LEFT3, UP, UP_LEFT, UP_RIGHT, UP2};
    let list = [(LEFT, 200), (LEFT2, -30), (LEFT3, 11), (UP, 150), (UP2, -20), (UP_LEFT, -97)];
    let mut n = weighing([1, 6, 0], &list);
    n.coefficients[UP_RIGHT] = vec![33];
    let m = record(24, vec![linear(0.5, 0.01, 3)]);
    Made::new((DType::F32, &[4, 6]), m, n, (12, 12, 93))
        .trees((1, &[2]), (81, &[own(1), moved(0), moved(2), moved(-3)]))
        .parts()
}

/// Colours of pixels: the third direction is that of colours, and groups are of pixels.
fn grouped() -> Parts {
    let mut n = neighbours([3, 12, 1]);
    let mut random = Random(94);
    n.group_of = (0..36).map(|j| j * j % 4).collect();
    n.coefficients[..NEIGHBOURS].fill_with(|| random.list(4, 70));
    n.atoms = vec![-60, 7];
    let m = record(36, vec![integer(1, 3, 8)]);
    Made::new((DType::I16, &[3, 4, 3]), m, n, (10, 9, 94))
        .trees((41, &[2, 3]), (91, &[own(0), own(1), moved(1), moved(-1)]))
        .parts()
}

/// Every column with its own coefficients, some of which are not stored.
fn per_column() -> Parts {
    let mut n = neighbours([2, 5, 10]);
    let mut random = Random(95);
    for at in [0, 3, 5, 6, 7, 9, 10, 15] {
        n.coefficients[at] = random.list(15, 60);
    }
    let m = record(15, vec![linear(0.0, 1e-3, 5)]);
    Made::new((DType::F64, &[3, 5]), m, n, (9, 30, 95)).parts()
}

/// Rows that look three rows back, in the direction above and in the third.
fn looking_back() -> Parts {
    use neighbour::{LEFT, THIRD3, UP, UP_LEFT, UP_RIGHT, UP2};
    let list = [(LEFT, 60), (UP, 400), (UP2, -200), (UP_LEFT, -30), (UP_RIGHT, 9), (THIRD3, 17)];
    let mut n = weighing([1, 0, 0], &list);
    n.atoms = vec![3, -9];
    let m = record(5, vec![linear(0.0, 0.5, 4)]);
    Made::new((DType::F64, &[5]), m, n, (40, 9, 96))
        .blocks(&[1, 2, 3, 4, 30])
        .trees((25, &[2, 3]), (51, &[own(0), own(1), moved(2)]))
        .parts()
}

/// Images whose third direction is the images before; the last line is shorter than the others.
fn images_before() -> Parts {
    let list: Vec<(usize, i64)> = (0..NEIGHBOURS).map(|n| (n, 31 - 3 * n as i64)).collect();
    let m = record(13, vec![integer(2, 4, 16)]);
    Made::new((DType::I32, &[13]), m, weighing([1, 5, 0], &list), (11, 9, 97))
        .trees((1, &[2]), (91, &[own(0), own(1), moved(2)]))
        .parts()
}

/// Volumes.
fn volumes() -> Parts {
    let list: Vec<(usize, i64)> = (0..NEIGHBOURS).map(|n| (n, 5 * n as i64 - 29)).collect();
    let m = record(48, vec![linear(0.0, 0.1, 6)]);
    Made::new((DType::F32, &[4, 3, 4]), m, weighing([1, 4, 12], &list), (9, 9, 98))
        .trees((1, &[2]), (101, &[own(0), own(1), moved(2)]))
        .parts()
}

/// Tables of all kinds, whose scales are moved, some of them as far as there are scales.
fn shifts() -> Parts {
    let mut m = record(8, vec![linear(0.0, 0.1, 2)]);
    let entries = (-20..=20).map(|n| (n, 799)).chain([(100, 9)]).collect();
    m.tables = vec![
        ladder(0, 20),
        ladder(1, 3),
        ladder(2, 236),
        ladder(3, 30),
        TableSpec::Histogram { raw: 0, entries, escape: 0 },
        tokens(1),
        TableSpec::Zero,
        TableSpec::Zero,
    ];
    m.classes.residual_tables = (0..8).collect();
    let leaves = [moved(0), moved(5), moved(-7), moved(239), moved(-239), own(3), own(4)];
    let n = weighing([1, 4, 0], &[(0, 128), (3, 128)]);
    let mut made = Made::new((DType::F32, &[2, 4]), m, n, (19, 9, 99));
    // What is always 0.
    made.rows.iter_mut().for_each(|row| row.residuals[6..].fill(0));
    made.trees((1, &[0]), (61, &leaves)).parts()
}

/// Predictions from latents, which atoms replace, on grids of all kinds for floats.
fn latents(dtype: DType) -> Parts {
    let grids = match dtype.is_float() {
        true => vec![linear(0.5, 0.01, 2), ordered(1.0, 0.125), ratio(3, 10, 4)],
        false => vec![integer(3, 2, 4), integer(1, 2, 9)],
    };
    let mut m = record(9, grids);
    m.base = Random(100).list(9, 50);
    m.tables.push(ladder(0, 16));
    let mut m = with_latents(m, &[300, 40], 4, 3, Random(101).list(18, 60));
    m.latent_temporal = vec![100, 0];
    let mut n = weighing([1, 3, 0], &[(0, 100), (3, 90), (5, -40)]);
    n.atoms = vec![-77, 1000];
    Made::new((dtype, &[3, 3]), m, n, (20, 9, 102))
        .blocks(&[9, 11])
        .trees((25, &[2, 3]), (41, &[own(0), own(1), moved(2), moved(-2)]))
        .parts()
}

/// Classes without residuals, in which predictions go on, and with a step of their own.
fn classes(distances: [usize; 3]) -> Parts {
    let mut m = record(6, vec![integer(1, 3, 8)]);
    m.tables.push(atom_table(&[9_000, 9_000, 9_000, 5_768]));
    let c = &mut m.classes;
    c.count = 4;
    c.next = vec![4; 4];
    c.quantum = vec![-1, 0, 5, 1 << 30];
    c.residual_tables = (0..24).map(|i| if i < 6 { 0 } else { i % 2 }).collect();
    let mut n = weighing(distances, &[(0, 150), (3, 120), (5, -20), (4, 3)]);
    n.atoms = vec![5, 90];
    Made::new((DType::I64, &[2, 3]), m, n, (33, 9, 103))
        .blocks(&[20, 13])
        .trees((15, &[2, 3]), (31, &[own(0), own(1), moved(2), moved(-2)]))
        .parts()
}

/// Blocks of fewer rows than are decoded side by side, of as many, and of more.
fn side_by_side() -> Parts {
    let mut n = weighing([1, 2, 0], &[(0, 128), (3, 128)]);
    n.atoms = vec![0, 1];
    let m = record(4, vec![integer(1, 0, 1)]);
    Made::new((DType::U16, &[2, 2]), m, n, (42, 9, 104))
        .blocks(&[1, 7, 8, 9, 17])
        .trees((7, &[2, 3]), (15, &[own(0), own(1)]))
        .parts()
}

pub(super) fn valid() -> Vec<(&'static str, Parts)> {
    vec![
        ("neighbours-median", median()),
        ("neighbours-median-aligned-atoms", median_aligned()),
        ("neighbours-weighed", shared()),
        ("neighbours-weighed-by-group", grouped()),
        ("neighbours-weighed-by-column", per_column()),
        ("neighbours-in-rows-before", looking_back()),
        ("neighbours-in-images-before", images_before()),
        ("neighbours-in-volumes", volumes()),
        ("neighbours-shifted-tables", shifts()),
        ("neighbours-latents-i16", latents(DType::I16)),
        ("neighbours-latents-f32", latents(DType::F32)),
        ("neighbours-classes", classes([1, 3, 0])),
        ("neighbours-classes-in-rows-before", classes([1, 0, 0])),
        ("neighbours-rows-side-by-side", side_by_side()),
    ]
}

/// All properties one after another, as deep as a tree may be.
fn deepest() -> Parts {
    let m = record(12, vec![linear(0.0, 0.25, 1)]);
    let mut n = weighing([2, 6, 1], &[(0, 90), (3, 90), (7, 60)]);
    n.atoms = vec![-4, 4];
    let mut made = Made::new((DType::F32, &[2, 3, 2]), m, n, (12, 4, 105));
    let n = made.looks();
    n.tree.clear();
    for feature in 0..FEATURES as u8 {
        let threshold = match feature {
            // Beyond 32 bits: never, and always.
            5 => i64::MIN,
            31 => i64::MAX,
            f => i64::from(f / 2) - 20,
        };
        n.tree.push(TreeNode::Decision { feature, threshold });
        n.tree.push(moved(i64::from(feature) - 9));
    }
    n.tree.push(own(1));
    n.atom_tree = vec![own(2)];
    made.parts()
}

/// A tree of as many nodes as there may be: a binary search.
fn largest() -> Parts {
    fn search(low: i64, high: i64, tree: &mut Vec<TreeNode>) {
        if high - low == 1 {
            return tree.push(own((low & 1) as usize));
        }
        let middle = low.midpoint(high);
        tree.push(TreeNode::Decision { feature: 3, threshold: 4 * (middle - 1) });
        search(low, middle, tree);
        search(middle, high, tree);
    }
    let mut n = weighing([1, 0, 0], &[(0, 256)]);
    n.tree.clear();
    search(-2048, 2048, &mut n.tree);
    assert_eq!(n.tree.len(), MAX_NODES);
    let m = record(20, vec![integer(1, 2, 4)]);
    Made::new((DType::I64, &[20]), m, n, (3, 700, 106)).parts()
}

/// Coefficients, residuals and steps at their limits: sums wrap, what is weighed is clamped.
fn extreme(median: bool) -> Parts {
    let mut m = record(6, vec![integer(1, 2, 4), ordered_integer(), integer(1, 32, 3)]);
    m.grid_of = vec![0, 2, 0, 2, 0, 1];
    m.base = vec![7, i64::MIN, 5, 0, i64::MAX, 1 << 62];
    m.tables = vec![tokens(0), atom_table(&[30_000, 900, 900, 968]), tokens(1)];
    m.classes.count = 2;
    m.classes.next = vec![0; 2];
    m.classes.quantum = vec![0, (1 << 40) - 1];
    m.classes.residual_tables = vec![0; 12];
    let mut n = neighbours([1, 3, 0]);
    n.median = median;
    n.aligned = true;
    let limits = [4095, -4095, 4095, 1, -4095, 4095, 4095, -4095];
    let all = (0..NEIGHBOURS).map(|at| vec![limits[at % 8]]);
    n.coefficients.iter_mut().zip(all).for_each(|(c, own)| *c = own);
    n.atoms = vec![i64::MIN, i64::MAX, 7];
    let mut made = Made::new((DType::I64, &[2, 3]), m, n, (24, 4, 107));
    let mut random = Random(108);
    for row in &mut made.rows {
        for r in &mut row.residuals {
            *r = match random.around(2) {
                0 => random.around(i64::MAX / 2),
                n => random.around(1 << (20 * n.abs())),
            };
        }
    }
    // Its prediction is just below 2^63, and rounding it to whole steps of 2^32 wraps.
    made.rows[5].atoms = vec![2, 2, 2, 0, 0, 0];
    let mut made = made.trees((11, &[1]), (61, &[moved(0), moved(0)]));
    // Property 24 is never above this, and property 17 is where a prediction did not wrap.
    let decision = |feature, threshold| TreeNode::Decision { feature, threshold };
    let [most, wrapped] = [decision(24, i64::from(i32::MAX)), decision(17, (1 << 26) - 2)];
    let n = made.looks();
    n.tree = [&[most, wrapped][..], &n.tree, &[own(2), own(1)]].concat();
    made.parts()
}

/// Floats' places, whose grids have a step and a fraction that say nothing.
fn ordered_atoms() -> Parts {
    let grid = Grid { fraction: 3, step: 5, ..ordered(1.5, 0.25) };
    let mut m = record(6, vec![grid]);
    m.base = vec![1 << 20, 0, -5, 3, 99, 7];
    let mut n = weighing([1, 3, 0], &[(0, 128), (3, 128)]);
    n.atoms = vec![40, -1];
    Made::new((DType::F32, &[2, 3]), m, n, (10, 9, 117))
        .trees((9, &[2, 3]), (21, &[own(0), own(1), moved(2)]))
        .parts()
}

/// A grid of steps so long that hardly any two atoms differ.
fn ordered_integer() -> Grid {
    integer(1, 0, u64::MAX)
}

/// More atoms than the type can tell, twice the same, and a table that names none.
fn atoms() -> Parts {
    let mut m = record(6, vec![coarse(), integer(1, 0, 0), integer(5, 1, 1 << 63)]);
    m.tables.push(atom_table(&[10_000, 3_000, 3_000, 3_000, 3_000, 3_000, 3_000, 4_768]));
    m.tables.push(TableSpec::Zero);
    let mut n = neighbours([1, 3, 0]);
    n.atoms = vec![0, 255, 300, -5, 17, 17, i64::MAX];
    n.atom_tree = vec![TreeNode::Decision { feature: 0, threshold: 1 }, own(4), own(5)];
    let mut made = Made::new((DType::U8, &[2, 3]), m, n, (18, 4, 109));
    made.rows.iter_mut().for_each(|row| (row.atoms[2], row.atoms[5]) = (0, 0));
    made.parts()
}

/// Distances that reach over lines, backwards, and nowhere.
fn distances(distances: [usize; 3], seed: u64) -> Parts {
    let list: Vec<(usize, i64)> = (0..NEIGHBOURS).map(|n| (n, 17 * (n as i64 % 5) - 29)).collect();
    let m = record(11, vec![integer(1, 4, 16)]);
    Made::new((DType::I32, &[11]), m, weighing(distances, &list), (10, 9, seed))
        .trees((1, &[2]), (61, &[own(0), own(1), moved(2)]))
        .parts()
}

/// Rows in lines of so many, the line before weighed in all directions; blocks of several lines and of part of one.
fn lined(distances: [usize; 3], line_of_rows: usize, seed: u64) -> Parts {
    let list: Vec<(usize, i64)> = (0..NEIGHBOURS).map(|n| (n, 13 * (n as i64 % 4) - 17)).collect();
    let mut n = weighing(distances, &list);
    n.line_of_rows = line_of_rows;
    let m = record(6, vec![integer(1, 4, 16)]);
    Made::new((DType::I32, &[6]), m, n, (61, 9, seed))
        .blocks(&[49, 12])
        .trees((1, &[2]), (61, &[own(0), own(1), moved(2)]))
        .parts()
}

/// Latents that the line of rows before foretells.
fn latents_above() -> Parts {
    let mut m = record(4, vec![integer(1, 2, 4)]);
    m.tables.push(ladder(0, 16));
    let mut m = with_latents(m, &[300, 40], 4, 3, Random(120).list(8, 60));
    m.latent_temporal = vec![100, -30];
    let mut n = weighing([1, 0, 0], &[(3, 90), (7, 70)]);
    n.line_of_rows = 10;
    n.latents_above = [vec![140, 0], vec![-90, 1024], vec![60, -1024]];
    Made::new((DType::I16, &[4]), m, n, (41, 9, 121)).blocks(&[35, 6]).parts()
}

/// Coefficients beside a median say only whether rows look back.
fn median_weighed() -> Parts {
    let mut n = weighing([1, 3, 0], &[(neighbour::THIRD, 99)]);
    n.median = true;
    let m = record(6, vec![integer(1, 0, 1)]);
    Made::new((DType::I16, &[2, 3]), m, n, (10, 9, 110))
        .trees((1, &[2]), (31, &[own(0), own(1)]))
        .parts()
}

pub(super) fn uncommon() -> Vec<(&'static str, Parts)> {
    let none = Made::new(
        (DType::I16, &[3]),
        record(3, vec![integer(1, 0, 1)]),
        neighbours([1, 0, 0]),
        (9, 9, 111),
    );
    vec![
        ("neighbours-that-say-nothing", none.parts()),
        ("neighbours-tree-of-depth-32", deepest()),
        ("neighbours-tree-of-8191-nodes", largest()),
        ("neighbours-at-their-limits", extreme(false)),
        ("neighbours-median-at-its-limits", extreme(true)),
        ("neighbours-atoms-odd", atoms()),
        ("neighbours-atoms-ordered", ordered_atoms()),
        ("neighbours-median-and-weights", median_weighed()),
        ("neighbours-far-left", distances([11, 11, 11], 112)),
        ("neighbours-left-beyond-above", distances([5, 3, 2], 113)),
        ("neighbours-short-last-line", distances([2, 4, 0], 114)),
        ("neighbours-third-beside", distances([3, 0, 1], 115)),
        ("neighbours-above-next-to-it", distances([1, 1, 4], 116)),
        ("neighbours-in-short-lines-of-rows", lined([1, 0, 0], 3, 117)),
        ("neighbours-in-lines-of-rows", lined([2, 0, 0], 17, 118)),
        ("neighbours-in-lines-of-images", lined([1, 3, 0], 8, 119)),
        ("neighbours-latents-above", latents_above()),
    ]
}

#[test]
fn a_summary_tells_contexts_and_atoms() {
    let told = |parts: Parts| {
        let info = crate::reader::Reader::new(&parts.join()[..]).unwrap().info();
        (info.contexts, info.atoms)
    };
    assert_eq!(told(deepest()), (33, 2));
    assert_eq!(told(median()), (1, 0));
}
