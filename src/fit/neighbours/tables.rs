//! Tables of leaves, and what the file takes with them.

use crate::codec::program::Program;
use crate::container::model::{ModelRecord, TreeNode};
use crate::encode::costs::TableCosts;
use crate::encode::symbols::Symbols;
use crate::entropy::table::TableSpec;
use crate::error::Result;
use crate::fit::entropy::class_tables::{
    ClassFitInput, FittedClasses, escaped_bytes, of_predictors,
};
use crate::fit::entropy::counts::Counts;
use crate::fit::entropy::tables::{TableFit, fit_table, normalise};
use rayon::prelude::*;
use std::collections::HashMap;

/// How many times an atom seen outweighs one that was not, in counts.
const ATOM_WEIGHT: u64 = 16;

/// Distinct tables, in the order in which they were asked for.
#[derive(Default)]
struct Tables {
    places: HashMap<TableSpec, usize>,
    specs: Vec<TableSpec>,
}

impl Tables {
    fn place(&mut self, spec: TableSpec) -> usize {
        let next = self.specs.len();
        let at = *self.places.entry(spec.clone()).or_insert(next);
        if at == next {
            self.specs.push(spec);
        }
        at
    }
}

/// Returns the record of `input` with tables fitted to the leaves that name one; those that no class
/// and no leaf has are left out.
pub(super) fn own_tables(input: &ClassFitInput<'_>) -> ModelRecord {
    let mut record = input.record.clone();
    let Some(mut n) = record.neighbours.take() else { return record };
    let mut tables = Tables::default();
    let has_atoms = !n.atoms.is_empty();
    if has_atoms {
        let counts = count_leaves(input.symbols, leaves(&n.atom_tree), |s, at| {
            Some((s.atom_leaves[at], i64::from(s.atoms[at])))
        });
        let all = n.atoms.len() as i64;
        let fitted = counts.into_iter().map(|mut c| named(&mut c, all));
        let places: Vec<usize> = fitted.map(|spec| tables.place(spec)).collect();
        give(&mut n.atom_tree, &places);
    }
    if n.tree.iter().any(|node| matches!(node, TreeNode::Leaf { table: Some(_), .. })) {
        let counts = count_leaves(input.symbols, leaves(&n.tree), |s, at| {
            (!has_atoms || s.atoms[at] == 0).then(|| (s.leaves[at], s.residuals[at]))
        });
        let fit = TableFit { weight: input.weight, usual_shape: None, may_be_zero: false };
        let fitted: Vec<TableSpec> =
            counts.into_par_iter().map(|mut c| fit_table(&mut c, &fit).spec).collect();
        let places: Vec<usize> = fitted.into_iter().map(|spec| tables.place(spec)).collect();
        give(&mut n.tree, &places);
        // Columns' own tables are not asked for.
        record.classes.residual_tables.fill(record.classes.next.first().copied().unwrap_or(0));
    }
    if let Some(own) = n.by_row.as_mut().filter(|own| own.coefficients.len() > 1) {
        own.table = tables.place(of_predictors(input.symbols, own.coefficients.len()).spec);
    }
    let old = std::mem::take(&mut record.tables);
    let c = &mut record.classes;
    for list in [&mut c.next, &mut c.latent_tables, &mut c.residual_tables] {
        list.iter_mut().for_each(|t| *t = tables.place(old[*t].clone()));
    }
    record.tables = tables.specs;
    record.neighbours = Some(n);
    record
}

/// Returns what the file takes with a complete record; rows have the class in which they are smallest.
pub(super) fn measured(input: &ClassFitInput<'_>, record: ModelRecord) -> Result<FittedClasses> {
    let program = Program::new(record, input.dtype)?;
    let costs = TableCosts::new(&program.tables);
    let of_run = |s: &Symbols| {
        let (mut last, mut bits) = (0, 0.0);
        for (i, class) in costs.classify(&program, s).into_iter().enumerate() {
            bits += f64::from(costs.row(&program, s, i, class));
            bits += f64::from(costs.transition(&program, last, class));
            last = class;
        }
        bits
    };
    let each: Vec<f64> = input.symbols.par_iter().map(of_run).collect();
    let bits: f64 = each.iter().sum();
    let model = program.record.encode_measured(input.line);
    let bytes = escaped_bytes(input, bits) + model.payload.len() as f64;
    Ok(FittedClasses { record: program.record, bytes, model })
}

fn leaves(tree: &[TreeNode]) -> usize {
    tree.iter().filter(|n| matches!(n, TreeNode::Leaf { .. })).count()
}

/// Gives leaves their tables.
fn give(tree: &mut [TreeNode], places: &[usize]) {
    let mut places = places.iter();
    for node in tree {
        if let TreeNode::Leaf { table, .. } = node {
            *table = places.next().copied();
        }
    }
}

/// Counts the numbers of each leaf; `of_cell` says what is counted of a cell of a run.
fn count_leaves(
    symbols: &[Symbols],
    count: usize,
    of_cell: impl Fn(&Symbols, usize) -> Option<(u16, i64)>,
) -> Vec<Counts> {
    let mut counts = vec![Counts::new(); count];
    for s in symbols {
        for (leaf, number) in (0..s.leaves.len()).filter_map(|at| of_cell(s, at)) {
            counts[usize::from(leaf)].add(number);
        }
    }
    counts
}

/// The table that names atoms: none of them, whatever was counted, is impossible.
fn named(counts: &mut Counts, atoms: i64) -> TableSpec {
    let mut seen = vec![1_u64; atoms as usize + 1];
    for (atom, n) in counts.distinct() {
        if let Some(seen) = usize::try_from(atom).ok().and_then(|a| seen.get_mut(a)) {
            *seen += n * ATOM_WEIGHT;
        }
    }
    let entries = (0..).zip(normalise(&seen)).collect();
    TableSpec::Histogram { raw: 0, entries, escape: 0 }
}
