//! Row classes and tables, fitted to a sample's symbols by alternating: tables from the rows of
//! each class, then each row to the class that says it in fewest bits (Lloyd's algorithm with
//! code lengths for distances). Classes are doubled while the whole file gets smaller.

use crate::codec::program::Program;
use crate::container::model::{Classes, ModelRecord};
use crate::encode::Symbols;
use crate::encode::classes::{Costs, path};
use crate::entropy::table::TableSpec;
use crate::error::Result;
use crate::fit::entropy::tables::{Counts, fit};
use crate::matrix::DType;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// How thoroughly to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Most classes.
    pub(crate) classes: usize,
    /// Alternations at each number of classes.
    pub(crate) rounds: usize,
}

/// A fitted record and what it makes of the file.
#[derive(Debug, Clone)]
pub(crate) struct FittedClasses {
    pub(crate) record: ModelRecord,
    /// Bytes of the whole file, estimated.
    pub(crate) bytes: f64,
    /// Bytes of the model alone.
    pub(crate) model_bytes: usize,
}

/// What stays the same while classes are fitted.
pub(crate) struct Job<'a> {
    /// Everything but classes and tables.
    pub(crate) record: &'a ModelRecord,
    pub(crate) dtype: DType,
    pub(crate) line: usize,
    /// Symbols of the sample, run by run.
    pub(crate) symbols: &'a [Symbols],
    /// Rows of the file per row of the sample.
    pub(crate) weight: f64,
    /// Whether the sample is the whole file.
    pub(crate) whole: bool,
    /// Whether residuals are coded.
    pub(crate) residual: bool,
    /// Residual steps of the classes, where they are given.
    pub(crate) quanta: Option<&'a [i64]>,
}

/// Fits classes and tables: where rows are many, to some of them, and last of all to all.
pub(crate) fn fit_classes(job: &Job<'_>, effort: Effort) -> Result<FittedClasses> {
    let rows: usize = job.symbols.iter().map(|s| s.rows).sum();
    if effort.classes == 1 || rows <= MOST_ROWS {
        return fit_all(job, effort);
    }
    let some = thinned(job.symbols, rows.div_ceil(MOST_ROWS), job.record);
    let kept: usize = some.iter().map(|s| s.rows).sum();
    let weight = job.weight * rows as f64 / kept as f64;
    let thin = Job { symbols: &some, weight, whole: false, ..*job };
    let mut fitted = fit_all(&thin, effort)?;
    let count = fitted.record.classes.count;
    let favourite = common_shape(&fitted.record);
    for _ in 0..if count > 1 { 2 } else { 1 } {
        let assigned = if count > 1 { assign(job, &fitted)? } else { vec![0; rows] };
        fitted = tables(job, &assigned, count, favourite);
    }
    Ok(fitted)
}

/// Rows that classes are looked for in.
const MOST_ROWS: usize = 16_384;

/// Every `every`th piece of the runs, as runs of their own.
fn thinned(symbols: &[Symbols], every: usize, m: &ModelRecord) -> Vec<Symbols> {
    const PIECE: usize = 128;
    let (latents, width) = (m.latents(), m.width());
    let pieces = symbols
        .iter()
        .flat_map(|s| (0..s.rows).step_by(PIECE).map(move |at| (s, at..(at + PIECE).min(s.rows))));
    let part = |(s, rows): (&Symbols, std::ops::Range<usize>)| {
        let of = |width: usize| rows.start * width..rows.end * width;
        Symbols {
            rows: rows.len(),
            latents: s.latents[of(latents)].to_vec(),
            second: s.second.get(of(latents)).map_or_else(Vec::new, <[bool]>::to_vec),
            residuals: s.residuals.get(of(width)).map_or_else(Vec::new, <[i64]>::to_vec),
            ..Symbols::default()
        }
    };
    pieces.step_by(every).map(part).collect()
}

fn fit_all(job: &Job<'_>, effort: Effort) -> Result<FittedClasses> {
    let rows: usize = job.symbols.iter().map(|s| s.rows).sum();
    let mut favourite = None;
    let mut assigned: Vec<usize> = vec![0; rows];
    let mut best: Option<FittedClasses> = None;
    let mut count = 1;
    while count <= effort.classes && (count == 1 || count * 16 <= rows) {
        let mut fitted = tables(job, &assigned, count, favourite);
        if count > 1 {
            for _ in 0..effort.rounds {
                assigned = assign(job, &fitted)?;
                fitted = tables(job, &assigned, count, favourite);
            }
            assigned = assign(job, &fitted)?;
            fitted = tables(job, &assigned, count, favourite);
        }
        favourite = favourite.or_else(|| common_shape(&fitted.record));
        let own = own_bits(job, &fitted)?;
        let splits = split(&own, &assigned, count);
        let better = best.as_ref().is_none_or(|b| fitted.bytes < b.bytes * 0.998);
        if best.as_ref().is_none_or(|b| fitted.bytes < b.bytes) {
            best = Some(fitted);
        }
        if !better {
            break;
        }
        assigned = splits;
        count *= 2;
    }
    Ok(best.expect("one class is always tried"))
}

/// Tables for rows whose classes are given.
pub(crate) fn fit_fixed(job: &Job<'_>, assigned: &[usize], count: usize) -> FittedClasses {
    tables(job, assigned, count, None)
}

/// The shape that most ladders have.
fn common_shape(record: &ModelRecord) -> Option<u8> {
    let mut seen = [0; 4];
    let tables = &record.classes;
    for &t in tables.residual_tables.iter().chain(&tables.latent_tables) {
        if let TableSpec::Ladder { shape, .. } = record.tables[t] {
            seen[usize::from(shape)] += 1;
        }
    }
    (0..4).max_by_key(|&s| seen[usize::from(s)])
}

/// Halves every class by what its rows cost: cheap rows stay, dear ones move.
fn split(own: &[f32], assigned: &[usize], count: usize) -> Vec<usize> {
    let mut out = assigned.to_vec();
    for class in 0..count {
        let mut rows: Vec<usize> = (0..assigned.len()).filter(|&i| assigned[i] == class).collect();
        rows.sort_by(|&a, &b| own[a].total_cmp(&own[b]).then(a.cmp(&b)));
        for &i in &rows[rows.len() / 2..] {
            out[i] = class + count;
        }
    }
    out
}

/// Rows of the symbols, in order: which run, and where in it.
fn rows(symbols: &[Symbols]) -> Vec<(usize, usize)> {
    let runs = symbols.iter().enumerate();
    runs.flat_map(|(run, s)| (0..s.rows).map(move |i| (run, i))).collect()
}

/// Tables for rows assigned to `count` classes.
fn tables(job: &Job<'_>, assigned: &[usize], count: usize, favourite: Option<u8>) -> FittedClasses {
    let m = job.record;
    let (latents, width, sets) = (m.latents(), m.width(), m.table_sets());
    let places = rows(job.symbols);
    let mut members: Vec<Vec<(usize, usize)>> = vec![Vec::new(); count];
    for (place, &class) in places.iter().zip(assigned) {
        members[class].push(*place);
    }
    // A latent's mean and tables, or a residual's table, for every class and column.
    let latent = |class: usize, k: usize| {
        let of = |&(run, i): &(usize, usize)| {
            let at = i * latents + k;
            let s: &Symbols = &job.symbols[run];
            (s.latents[at], sets == 2 && s.second[at])
        };
        let sum: i64 = members[class].iter().map(|p| i64::from(of(p).0)).sum();
        let n = members[class].len().max(1) as f64;
        // Parity decides the next state, so with two sets the mean stays where 0 is cheap.
        let mean = if sets == 2 { 0 } else { (sum as f64 / n).round() as i64 };
        let mut counts = vec![Counts::new(); sets];
        for p in &members[class] {
            let (s, second) = of(p);
            counts[usize::from(second)].add(i64::from(s) - mean);
        }
        let fitted: Vec<_> =
            counts.iter_mut().map(|c| fit(c, job.weight, favourite, false)).collect();
        (mean, fitted)
    };
    let anywhere = |j: usize| {
        let nonzero = |s: &Symbols| s.residuals.iter().skip(j).step_by(width).any(|&r| r != 0);
        !job.whole || job.symbols.iter().any(nonzero)
    };
    let used: Vec<bool> = (0..width).into_par_iter().map(anywhere).collect();
    let residual = |class: usize, j: usize| {
        let mut counts = Counts::new();
        for &(run, i) in &members[class] {
            counts.add(job.symbols[run].residuals[i * width + j]);
        }
        // The first class can say everything that occurs, so every row has a class; where
        // classes are not chosen by cost, all can.
        let may_be_mute = job.quanta.is_none() && (class > 0 || !used[j]);
        fit(&mut counts, job.weight, favourite, may_be_mute)
    };
    let mut record = m.clone();
    let mut classes = Classes { count, ..Classes::default() };
    let mut specs = Vec::new();
    let mut bits = 0.0;
    for class in 0..count {
        let own: Vec<_> = (0..latents).into_par_iter().map(|k| latent(class, k)).collect();
        for (mean, fitted) in own {
            classes.means.push(mean);
            for f in fitted {
                bits += f.bits;
                classes.latent_tables.push(specs.len());
                specs.push(f.spec);
            }
        }
        let given = job.quanta.map(|q| q[class]);
        let own: Vec<_> = if job.residual && given.is_none_or(|q| q >= 0) {
            (0..width).into_par_iter().map(|j| residual(class, j)).collect()
        } else {
            Vec::new()
        };
        let silent = own.iter().all(|f| f.spec == TableSpec::Zero);
        classes.quantum.push(given.unwrap_or(if silent { -1 } else { 0 }));
        for j in 0..width {
            let spec = own.get(j).map_or(TableSpec::Zero, |f| f.spec.clone());
            bits += own.get(j).map_or(0.0, |f| f.bits);
            classes.residual_tables.push(specs.len());
            specs.push(spec);
        }
    }
    if count > 1 {
        let mut counts = vec![Counts::new(); count];
        let mut last = 0;
        for ((_, i), &class) in places.iter().zip(assigned) {
            let from = if *i == 0 { 0 } else { last };
            counts[from].add(class as i64);
            last = class;
        }
        for mut c in counts {
            // Every class must stay possible after every class.
            let f = transitions(&mut c, count);
            bits += f.1;
            classes.next.push(specs.len());
            specs.push(f.0);
        }
    }
    record.classes = classes;
    share(&mut record, specs);
    let model_bytes = record.encode(job.line).len();
    let escapes: usize = job.symbols.iter().map(|s| s.escapes.len()).sum();
    let escaped = escapes as f64 * (job.dtype.size() as f64 + 1.5);
    let bytes = (bits / 8.0 + escaped) * job.weight * 1.004 + model_bytes as f64;
    FittedClasses { record, bytes, model_bytes }
}

/// A histogram over all classes, and the bits of what was counted.
fn transitions(counts: &mut Counts, count: usize) -> (TableSpec, f64) {
    let seen: Vec<u64> = (0..count as i64).map(|c| counts.near(c) * 8 + 1).collect();
    let frequencies = super::tables::normalise(&seen);
    let bits = (0..count)
        .map(|c| counts.near(c as i64) as f64 * (15.0 - f64::from(frequencies[c]).log2()))
        .sum();
    let entries = frequencies.iter().enumerate().map(|(c, &f)| (c as i64, f)).collect();
    (TableSpec::Histogram { raw: 0, entries, escape: 0 }, bits)
}

/// Stores each distinct table once, ladders in order of scale, and points to them.
fn share(record: &mut ModelRecord, specs: Vec<TableSpec>) {
    let key = |s: &TableSpec| match s {
        TableSpec::Zero => (0, 0, 0, Vec::new()),
        TableSpec::Ladder { shape, scale } => (1, *shape, *scale, Vec::new()),
        TableSpec::Histogram { raw, entries, escape } => {
            let mut k: Vec<i64> = entries.iter().flat_map(|e| [e.0, i64::from(e.1)]).collect();
            k.push(i64::from(*escape));
            (2, *raw, 0, k)
        }
        TableSpec::Tokens { lead, frequencies } => {
            (3, *lead, 0, frequencies.iter().map(|&f| i64::from(f)).collect())
        }
    };
    let mut pool = BTreeMap::new();
    for spec in &specs {
        pool.insert(key(spec), 0);
    }
    for (i, at) in pool.values_mut().enumerate() {
        *at = i;
    }
    let place: Vec<usize> = specs.iter().map(|s| pool[&key(s)]).collect();
    record.tables = vec![TableSpec::Zero; pool.len()];
    for (spec, &at) in specs.into_iter().zip(&place) {
        record.tables[at] = spec;
    }
    if record.tables.is_empty() {
        record.tables.push(TableSpec::Zero);
    }
    let c = &mut record.classes;
    for list in [&mut c.latent_tables, &mut c.residual_tables, &mut c.next] {
        list.iter_mut().for_each(|t| *t = place[*t]);
    }
}

fn program(job: &Job<'_>, fitted: &FittedClasses) -> Result<(Program, Costs)> {
    let program = Program::new(fitted.record.clone(), job.dtype)?;
    let costs = Costs::new(&program.tables);
    Ok((program, costs))
}

/// The class of every row.
fn assign(job: &Job<'_>, fitted: &FittedClasses) -> Result<Vec<usize>> {
    let (program, costs) = program(job, fitted)?;
    let runs: Vec<Vec<usize>> =
        job.symbols.par_iter().map(|s| costs.classify(&program, s)).collect();
    Ok(runs.concat())
}

/// Bits of each row in its cheapest class.
fn own_bits(job: &Job<'_>, fitted: &FittedClasses) -> Result<Vec<f32>> {
    let (program, costs) = program(job, fitted)?;
    let count = fitted.record.classes.count;
    let run = |s: &Symbols| -> Vec<f32> {
        let own: Vec<f32> =
            (0..s.rows * count).map(|at| costs.row(&program, s, at / count, at % count)).collect();
        let classes = path(&own, &vec![0.0; count * count], count);
        classes.iter().enumerate().map(|(i, c)| own[i * count + c]).collect()
    };
    let runs: Vec<Vec<f32>> = job.symbols.par_iter().map(run).collect();
    Ok(runs.concat())
}
