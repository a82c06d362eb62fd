//! Tables for rows whose classes are given, and the bytes that the file takes with them.

use crate::container::model::{Classes, EncodedModel, ModelRecord, TreeNode};
use crate::encode::symbols::Symbols;
use crate::entropy::rans::PROB_BITS;
use crate::entropy::table::TableSpec;
use crate::fit::data::sample::Sample;
use crate::fit::entropy::counts::Counts;
use crate::fit::entropy::tables::{FittedTable, TableFit, fit_table, normalise};
use crate::matrix::DType;
use rayon::prelude::*;
use std::collections::HashMap;

/// How many times a seen change of class outweighs one that was not seen, in counts: every class
/// must stay possible after every class. Half or double: within 0.03 %.
const TRANSITION_WEIGHT: u64 = 8;
/// Bytes that an exactly stored value takes besides its own: its place. 0 or 3: the same
/// files.
const ESCAPE_PLACE_BYTES: f64 = 1.5;
/// The same with its own where it is NaN or a fill value: hardly any bits differ, and places repeat.
/// 0.5 where 40 % of all values are missing, 0.75 where 10 % are, 1 where 2 % are, less in runs.
const SPECIAL_BYTES: f64 = 0.75;
/// Bytes of a block per byte of its symbols' ideal code: rounded frequencies, states, checksums. 1.0
/// or 1.02: within 0.1 % on all data.
const BLOCK_OVERHEAD: f64 = 1.004;

/// What stays the same while classes are fitted.
#[derive(Clone, Copy)]
pub(crate) struct ClassFitInput<'a> {
    /// The model but for classes and tables.
    pub(crate) record: &'a ModelRecord,
    pub(crate) dtype: DType,
    /// Columns of a line of the rows' shape.
    pub(crate) line: usize,
    /// Symbols of the sample, run by run.
    pub(crate) symbols: &'a [Symbols],
    /// How many values of the sample are stored exactly whatever the model, as NaN is.
    pub(crate) specials: usize,
    /// Rows of the file per row of the sample.
    pub(crate) weight: f64,
    /// Whether the sample is the whole file.
    pub(crate) whole: bool,
    /// Whether residuals are coded.
    pub(crate) residual: bool,
    /// Residual step of each class in fine units, −1 for none, where steps are given: then rows
    /// do not choose their class by cost.
    pub(crate) quanta: Option<&'a [i64]>,
}

impl<'a> ClassFitInput<'a> {
    /// What is fitted to the `symbols` of a sample, residuals among them.
    pub(crate) fn of(sample: &Sample, record: &'a ModelRecord, symbols: &'a [Symbols]) -> Self {
        Self {
            record,
            dtype: sample.schema.dtype,
            line: sample.schema.line_width(),
            symbols,
            specials: sample.specials(),
            weight: sample.weight(),
            whole: sample.is_whole(),
            residual: true,
            quanta: None,
        }
    }

    /// Returns the number of rows in the sample.
    pub(crate) fn rows(&self) -> usize {
        self.symbols.iter().map(|s| s.rows).sum()
    }
}

/// A model with classes and tables, and what it makes of the file.
#[derive(Debug, Clone)]
pub(crate) struct FittedClasses {
    /// The complete model.
    pub(crate) record: ModelRecord,
    /// Bytes of the whole file, estimated from the sample.
    pub(crate) bytes: f64,
    /// The model as the file would have it.
    pub(crate) model: EncodedModel,
}

/// A row of the sample.
#[derive(Clone, Copy)]
struct Place {
    run: usize,
    row: usize,
}

/// The tables of a latent in a class.
struct LatentTables {
    mean: i64,
    /// One for each set of tables.
    tables: Vec<FittedTable>,
}

/// Columns whose tables are fitted before they are put where equal ones are: wide rows have millions,
/// and few that differ.
const COLUMNS_AT_ONCE: usize = 1 << 14;

/// Distinct tables as they are fitted, with what all symbols cost under them.
#[derive(Default)]
struct Pool {
    places: HashMap<TableSpec, usize>,
    bits: f64,
}

impl Pool {
    /// Adds a table and returns its place.
    fn add(&mut self, table: FittedTable) -> usize {
        self.bits += table.bits;
        let next = self.places.len();
        *self.places.entry(table.spec).or_insert(next)
    }

    /// Puts tables into `record`, ladders in order of scale, and points to them there.
    fn store(self, record: &mut ModelRecord) {
        let mut tables: Vec<(TableSpec, usize)> = self.places.into_iter().collect();
        tables.sort_unstable();
        let mut moved = vec![0; tables.len()];
        for (to, (_, from)) in tables.iter().enumerate() {
            moved[*from] = to;
        }
        let c = &mut record.classes;
        for list in [&mut c.latent_tables, &mut c.residual_tables, &mut c.next] {
            list.iter_mut().for_each(|t| *t = moved[*t]);
        }
        if let Some(predictors) = record.neighbours.as_mut().and_then(|n| n.by_row.as_mut()) {
            predictors.table = moved.get(predictors.table).copied().unwrap_or(0);
        }
        for node in record.neighbours.iter_mut().flat_map(|n| &mut n.atom_tree) {
            if let TreeNode::Leaf { table: Some(t), .. } = node {
                *t = moved[*t];
            }
        }
        record.tables = tables.into_iter().map(|(spec, _)| spec).collect();
        if record.tables.is_empty() {
            record.tables.push(TableSpec::Zero);
        }
    }
}

/// Fits tables for rows of which each belongs to the class `assigned` to it, one of `count`;
/// `usual_shape` is the shape of ladders that costs nothing to say.
pub(crate) fn fit_tables(
    input: &ClassFitInput<'_>,
    assigned: &[usize],
    count: usize,
    usual_shape: Option<u8>,
) -> FittedClasses {
    let fitter = ClassFitter::new(input, assigned, count, usual_shape);
    let (latents, width) = (input.record.latents(), input.record.width());
    let mut classes = Classes { count, ..Classes::default() };
    let mut pool = Pool::default();
    for class in 0..count {
        let own: Vec<LatentTables> =
            (0..latents).into_par_iter().map(|k| fitter.latent(class, k)).collect();
        for latent in own {
            classes.means.push(latent.mean);
            classes.latent_tables.extend(latent.tables.into_iter().map(|t| pool.add(t)));
        }
        let given = input.quanta.map(|q| q[class]);
        let has_residuals = input.residual && given.is_none_or(|q| q >= 0);
        let mut silent = true;
        classes.residual_tables.reserve(width);
        for from in (0..width).step_by(COLUMNS_AT_ONCE) {
            let some = from..width.min(from + COLUMNS_AT_ONCE);
            let own: Vec<FittedTable> = match has_residuals {
                true => some.into_par_iter().map(|j| fitter.residual(class, j)).collect(),
                false => vec![FittedTable::zero(); some.len()],
            };
            silent &= own.iter().all(|t| t.spec == TableSpec::Zero);
            classes.residual_tables.extend(own.into_iter().map(|t| pool.add(t)));
        }
        classes.quantum.push(given.unwrap_or(if silent { -1 } else { 0 }));
    }
    if count > 1 {
        let tables = transitions(input.symbols, assigned, count);
        classes.next.extend(tables.into_iter().map(|t| pool.add(t)));
    }
    let mut record = input.record.with_classes(classes);
    if let Some(n) = record.neighbours.as_mut().filter(|n| !n.atoms.is_empty()) {
        let table = Some(pool.add(fitter.atoms(n.atoms.len())));
        n.atom_tree = vec![TreeNode::Leaf { table, shift: 0 }];
    }
    let by_row = record.neighbours.as_mut().and_then(|n| n.by_row.as_mut());
    if let Some(own) = by_row.filter(|own| own.coefficients.len() > 1) {
        own.table = pool.add(of_predictors(input.symbols, own.coefficients.len()));
    }
    let bits = pool.bits;
    pool.store(&mut record);
    let model = record.encode_measured(input.line);
    let bytes = escaped_bytes(input, bits) + model.payload.len() as f64;
    FittedClasses { record, bytes, model }
}

/// Returns the bytes of all rows of the file, of which symbols of the sample take `bits`: those of
/// values stored exactly are added.
pub(crate) fn escaped_bytes(input: &ClassFitInput<'_>, bits: f64) -> f64 {
    let escapes: usize = input.symbols.iter().map(|s| s.escapes.len()).sum();
    let specials = input.specials.min(escapes);
    let escaped = (escapes - specials) as f64 * (input.dtype.size() as f64 + ESCAPE_PLACE_BYTES)
        + specials as f64 * SPECIAL_BYTES;
    (bits / 8.0 + escaped) * input.weight * BLOCK_OVERHEAD
}

/// Fits the tables of one class and column at a time.
struct ClassFitter<'a> {
    input: &'a ClassFitInput<'a>,
    usual_shape: Option<u8>,
    /// Rows of each class.
    members: Vec<Vec<Place>>,
    /// Whether each column may have residuals other than 0 somewhere in the file.
    used: Vec<bool>,
}

impl<'a> ClassFitter<'a> {
    fn new(
        input: &'a ClassFitInput<'a>,
        assigned: &[usize],
        count: usize,
        usual_shape: Option<u8>,
    ) -> Self {
        let runs = input.symbols.iter().enumerate();
        let places = runs.flat_map(|(run, s)| (0..s.rows).map(move |row| Place { run, row }));
        let mut members: Vec<Vec<Place>> = vec![Vec::new(); count];
        for (place, &class) in places.zip(assigned) {
            members[class].push(place);
        }
        let width = input.record.width();
        // Blocks do not begin where the sample's runs do: residuals that depend on the rows before are
        // others in the file, even where the sample is all of it.
        let record = input.record;
        let looks_back = record.neighbours.is_some() || record.temporal.iter().any(|&a| a != 0);
        let is_used = |j: usize| {
            let nonzero = |s: &Symbols| s.residuals.iter().skip(j).step_by(width).any(|&r| r != 0);
            !input.whole || looks_back || input.symbols.iter().any(nonzero)
        };
        let used = (0..width).into_par_iter().map(is_used).collect();
        Self { input, usual_shape, members, used }
    }

    /// Fits a table to `counts`.
    fn table(&self, counts: &mut Counts, may_be_zero: bool) -> FittedTable {
        let Self { input: &ClassFitInput { weight, .. }, usual_shape, .. } = *self;
        fit_table(counts, &TableFit { weight, usual_shape, may_be_zero })
    }

    /// Fits mean and tables of latent `k` in a class.
    fn latent(&self, class: usize, k: usize) -> LatentTables {
        let (latents, sets) = (self.input.record.latents(), self.input.record.table_sets());
        let members = &self.members[class];
        let symbol = |p: &Place| self.input.symbols[p.run].latents[p.row * latents + k];
        let sum: i64 = members.iter().map(|p| i64::from(symbol(p))).sum();
        let n = members.len().max(1) as f64;
        // Parity decides the next state, so with two sets the mean stays where 0 is cheap.
        let mean = if sets == 2 { 0 } else { (sum as f64 / n).round() as i64 };
        let mut counts = vec![Counts::new(); sets];
        for p in members {
            let set = self.input.symbols[p.run].table_set(p.row * latents + k, sets);
            counts[set].add(i64::from(symbol(p)) - mean);
        }
        let tables = counts.iter_mut().map(|c| self.table(c, false)).collect();
        LatentTables { mean, tables }
    }

    /// Fits the table by which one of `count` atoms, or none, is named.
    fn atoms(&self, count: usize) -> FittedTable {
        let mut seen = vec![1_u64; count + 1];
        for atom in self.input.symbols.iter().flat_map(|s| &s.atoms) {
            seen[usize::from(*atom).min(count)] += 1;
        }
        let frequencies = normalise(&seen);
        let bits = |f: u32| f64::from(PROB_BITS) - f64::from(f).log2();
        let total = seen.iter().zip(&frequencies).map(|(&n, &f)| (n - 1) as f64 * bits(f)).sum();
        let entries = (0..).zip(frequencies).collect();
        FittedTable { spec: TableSpec::Histogram { raw: 0, entries, escape: 0 }, bits: total }
    }

    /// Fits the table of column `j`'s residuals in a class.
    fn residual(&self, class: usize, j: usize) -> FittedTable {
        let width = self.input.record.width();
        let mut counts = Counts::new();
        for p in &self.members[class] {
            let (symbols, at) = (&self.input.symbols[p.run], p.row * width + j);
            if symbols.atoms.get(at).is_none_or(|&atom| atom == 0) {
                counts.add(symbols.residuals[at]);
            }
        }
        // The first class has a code for whatever occurs, so that every row has a class; where
        // classes are not chosen by cost, all have.
        let may_be_zero = self.input.quanta.is_none() && (class > 0 || !self.used[j]);
        self.table(&mut counts, may_be_zero)
    }
}

/// Fits the table of the class that follows each class; before a run's first row it is class 0.
fn transitions(symbols: &[Symbols], assigned: &[usize], count: usize) -> Vec<FittedTable> {
    let mut counts = vec![vec![0_u64; count]; count];
    let mut rest = assigned;
    for s in symbols {
        let (run, tail) = rest.split_at(s.rows);
        rest = tail;
        let mut last = 0;
        for &class in run {
            counts[last][class] += 1;
            last = class;
        }
    }
    counts.iter().map(|counts| transition(counts)).collect()
}

/// Fits the table by which rows name one of `count` predictors.
pub(crate) fn of_predictors(symbols: &[Symbols], count: usize) -> FittedTable {
    let mut counts = vec![0_u64; count];
    for named in symbols.iter().flat_map(|s| &s.predictors) {
        counts[usize::from(*named).min(count - 1)] += 1;
    }
    transition(&counts)
}

/// Makes a histogram over all classes from how often each was seen.
fn transition(counts: &[u64]) -> FittedTable {
    let seen: Vec<u64> = counts.iter().map(|n| n * TRANSITION_WEIGHT + 1).collect();
    let frequencies = normalise(&seen);
    let bits = |f: u32| f64::from(PROB_BITS) - f64::from(f).log2();
    let bits = counts.iter().zip(&frequencies).map(|(&n, &f)| n as f64 * bits(f)).sum();
    let entries = frequencies.iter().enumerate().map(|(class, &f)| (class as i64, f)).collect();
    FittedTable { spec: TableSpec::Histogram { raw: 0, entries, escape: 0 }, bits }
}
