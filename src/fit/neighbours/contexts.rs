//! Trees for a codec that is otherwise complete: tables by context, in place of the columns' own or
//! beside them.

use crate::codec::program::Program;
use crate::container::model::{Classes, FEATURES, ModelRecord, TreeNode};
use crate::encode::costs::TableCosts;
use crate::encode::encoder::BlockEncoder;
use crate::encode::symbols::Symbols;
use crate::entropy::table::TableSpec;
use crate::error::Result;
use crate::fit::context::FitContext;
use crate::fit::entropy::class_tables::{ClassFitInput, FittedClasses};
use crate::fit::neighbours::criteria::{InLadder, Ladders, OwnTable, ShiftedTable};
use crate::fit::neighbours::effort::ContextEffort;
use crate::fit::neighbours::grow::{Comparisons, Growth, grow};
use crate::fit::neighbours::observe::{Collected, collect};
use crate::fit::neighbours::tables::{measured, own_tables};
use rayon::prelude::*;

/// Most decisions for a value.
const DEPTH: usize = 14;
/// Comparisons that a model's trees make for each 8 leaves that they may have: decoding takes longer with more.
/// 3: a tenth less time, and files of level 1 are up to 1.8 % larger (spectra within a coarse bound).
const COMPARISONS_PER_8: usize = 4;
/// Comparisons that a model's trees make, at most.
const MOST_COMPARISONS: usize = 160;
/// Leaves that move the scale of the columns' tables, at most: more do not pay.
const SHIFTED_LEAVES: usize = 96;
/// Share of the bytes without contexts that contexts must reach: decoding takes longer with them.
const WORTH: f64 = 0.99;
/// Shifts of a scale that are tried for a leaf, in quarter octaves.
const SHIFTS: std::ops::RangeInclusive<i64> = -28..=28;

/// A codec's residuals, as they are before contexts.
pub(super) struct Uncontexted<'a> {
    pub(super) context: &'a FitContext<'a>,
    /// Its program has neighbours, and trees that decide nothing.
    pub(super) encoder: &'a BlockEncoder,
    pub(super) symbols: &'a [Symbols],
    pub(super) fitted: &'a FittedClasses,
}

/// Returns how many comparisons a model's trees may make together; the first tree grown may make half of
/// them.
fn most_comparisons(effort: ContextEffort) -> usize {
    (effort.leaves * COMPARISONS_PER_8 / 8).min(MOST_COMPARISONS)
}

impl Uncontexted<'_> {
    /// Returns the model with contexts, where the file is smaller by enough.
    pub(super) fn refined(&self, effort: ContextEffort) -> Result<Option<FittedClasses>> {
        let predictions = predictions(self.encoder, self.symbols);
        let collected = collect(self.context, self.encoder, &predictions, effort.cells);
        let cells = self.context.sample.rows() as f64 * self.context.columns.len() as f64;
        let weight = cells / collected.len().max(1) as f64 * self.context.sample.weight();
        let mut best: Option<FittedClasses> = None;
        for record in [
            self.with_shifts(&collected, weight, effort)?,
            Some(self.with_own_tables(&collected, weight, effort)),
        ] {
            let Some(record) = record else { continue };
            let fitted = self.measured(record, &predictions)?;
            if best.as_ref().is_none_or(|b| fitted.bytes < b.bytes) {
                best = Some(fitted);
            }
        }
        Ok(best.filter(|b| b.bytes < WORTH * self.fitted.bytes))
    }

    /// Grows the tree by which atoms are named, where there are any.
    fn atom_tree(
        &self,
        record: &mut ModelRecord,
        (collected, made): (&Collected, &mut Comparisons),
        weight: f64,
        leaves: usize,
    ) {
        let Some(n) = record.neighbours.as_mut().filter(|n| !n.atoms.is_empty()) else { return };
        let atoms: Vec<i64> = collected.atoms.iter().map(|&a| i64::from(a)).collect();
        let all = (0..collected.len() as u32).collect();
        let growth = Growth { leaves, depth: DEPTH };
        let criterion = OwnTable::new(&atoms, weight);
        n.atom_tree = grow(&collected.features, all, &criterion, (&allowed(), made), growth);
        for node in &mut n.atom_tree {
            // A leaf has some table before its own is fitted.
            if let TreeNode::Leaf { table, .. } = node {
                *table = Some(0);
            }
        }
    }

    /// The record with trees whose leaves will have tables of their own.
    fn with_own_tables(
        &self,
        collected: &Collected,
        weight: f64,
        effort: ContextEffort,
    ) -> ModelRecord {
        let mut record = without_needless_classes(self.fitted.record.clone());
        let mut made = Comparisons::default();
        let for_atoms = made.up_to(most_comparisons(effort) / 2);
        self.atom_tree(&mut record, (collected, for_atoms), weight, effort.leaves.div_ceil(2));
        let criterion = OwnTable::new(&collected.residuals, weight);
        let growth = Growth { leaves: effort.leaves, depth: DEPTH };
        let cells = without_atoms(collected);
        let tree = grow(
            &collected.features,
            cells,
            &criterion,
            (&allowed(), made.up_to(most_comparisons(effort))),
            growth,
        );
        if let Some(n) = &mut record.neighbours {
            n.tree = tree;
        }
        // Tables that leaves do not have stay those of classes and latents.
        record.classes.residual_tables.fill(0);
        for node in record.neighbours.iter_mut().flat_map(|n| &mut n.tree) {
            if let TreeNode::Leaf { table, .. } = node {
                *table = Some(0);
            }
        }
        record
    }

    /// The record with a tree whose leaves move the scale of columns' tables; none where columns have
    /// no such tables.
    fn with_shifts(
        &self,
        collected: &Collected,
        weight: f64,
        effort: ContextEffort,
    ) -> Result<Option<ModelRecord>> {
        let mut record = self.fitted.record.clone();
        let program = Program::new(record.clone(), self.context.sample.schema.dtype)?;
        let costs = TableCosts::new(&program.tables);
        let classes: Vec<usize> = self
            .symbols
            .par_iter()
            .map(|s| costs.classify(&program, s))
            .collect::<Vec<_>>()
            .concat();
        let width = record.width();
        let mut cells: Vec<u32> = Vec::new();
        let ladders: Vec<InLadder> = (0..collected.len())
            .map(|at| {
                let (row, column) = (collected.rows[at] as usize, collected.columns[at] as usize);
                let class = classes.get(row).copied().unwrap_or(0);
                let spec = &record.tables[record.classes.residual_tables[class * width + column]];
                let number = collected.residuals[at];
                match *spec {
                    TableSpec::Ladder { shape, scale }
                        if record.classes.quantum[class] >= 0 && collected.atoms[at] == 0 =>
                    {
                        cells.push(at as u32);
                        InLadder { number, shape, scale }
                    }
                    _ => InLadder { number: 0, shape: 0, scale: 0 },
                }
            })
            .collect();
        if cells.is_empty() {
            return Ok(None);
        }
        let table = Ladders::new();
        let criterion = ShiftedTable::new(&table, &ladders, weight);
        let growth = Growth { leaves: SHIFTED_LEAVES.min(effort.leaves), depth: DEPTH };
        let mut made = Comparisons::default();
        let choice = (&allowed()[..], made.up_to(most_comparisons(effort) / 2));
        let mut tree = grow(&collected.features, cells.clone(), &criterion, choice, growth);
        drop(criterion);
        let leaves = crate::codec::tree::Tree::new(&tree);
        let count = tree.iter().filter(|n| matches!(n, TreeNode::Leaf { .. })).count();
        let steps = SHIFTS.count();
        let mut bits = vec![0.0_f64; count * steps];
        for &cell in &cells {
            let features = collected.features[cell as usize].map(|f| [f]);
            let leaf = usize::from(leaves.leaves(&features)[0]);
            for (sum, shift) in bits[leaf * steps..].iter_mut().zip(SHIFTS) {
                *sum += f64::from(table.bits(ladders[cell as usize], shift));
            }
        }
        let leaves = tree.iter_mut().filter(|n| matches!(n, TreeNode::Leaf { .. }));
        for (node, sums) in leaves.zip(bits.chunks_exact(steps)) {
            if let TreeNode::Leaf { shift, .. } = node {
                let least = (0..steps).min_by(|&a, &b| sums[a].total_cmp(&sums[b]));
                *shift = SHIFTS.start() + least.unwrap_or(0) as i64;
            }
        }
        let for_atoms = made.up_to(most_comparisons(effort));
        self.atom_tree(&mut record, (collected, for_atoms), weight, effort.leaves.div_ceil(2));
        if let Some(n) = &mut record.neighbours {
            n.tree = tree;
        }
        Ok(Some(record))
    }

    /// Gives leaves without one a table and measures the whole.
    fn measured(&self, record: ModelRecord, predictions: &[i32]) -> Result<FittedClasses> {
        let sample = self.context.sample;
        let mut encoder = self.encoder.clone();
        encoder.program = Program::new(record, sample.schema.dtype)?;
        let width = self.context.columns.len();
        let starts = sample.runs.iter().scan(0, |at, rows| {
            let from = *at;
            *at += rows * width;
            Some(from)
        });
        let runs: Vec<_> = sample.split().zip(starts).zip(self.symbols).collect();
        let symbols: Vec<Symbols> = runs
            .into_par_iter()
            .map(|((bytes, from), old)| {
                let own = predictions.get(from..from + old.rows * width).unwrap_or(&[]);
                encoder.with_leaves(bytes, own, old)
            })
            .collect();
        let input = ClassFitInput::of(sample, &encoder.program.record, &symbols);
        let record = own_tables(&input);
        measured(&input, record)
    }
}

/// Leaves one class where classes say nothing but tables of residuals, which leaves are to have: rows need
/// not name theirs then.
fn without_needless_classes(record: ModelRecord) -> ModelRecord {
    let classes = &record.classes;
    if classes.count == 1 || record.latents() > 0 || classes.quantum.iter().any(|&q| q < 0) {
        return record;
    }
    let classes = Classes {
        count: 1,
        quantum: vec![classes.quantum[0]],
        residual_tables: classes.residual_tables[..record.width()].to_vec(),
        ..Classes::default()
    };
    ModelRecord { classes, ..record }
}

/// Predictions of the network for all rows of the sample, none where it has no latents.
pub(super) fn predictions(encoder: &BlockEncoder, symbols: &[Symbols]) -> Vec<i32> {
    let p = &encoder.program;
    if p.record.latents() == 0 {
        return Vec::new();
    }
    let width = p.record.width();
    let of_run = |s: &Symbols| {
        let mut out = vec![0; s.rows * width];
        p.network.predict(&s.decoded_latents, &mut out);
        out
    };
    let runs: Vec<Vec<i32>> = symbols.par_iter().map(of_run).collect();
    runs.concat()
}

/// Properties by which trees may decide.
fn allowed() -> Vec<usize> {
    (0..FEATURES).collect()
}

/// Cells that are no atoms.
fn without_atoms(collected: &Collected) -> Vec<u32> {
    (0..collected.len() as u32).filter(|&i| collected.atoms[i as usize] == 0).collect()
}
