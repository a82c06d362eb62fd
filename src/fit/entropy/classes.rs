//! Row classes, fitted by Lloyd's algorithm with code lengths for distances: tables from the rows of
//! each class, then each row to the class in which it takes the fewest bits, in turn. Their number is
//! doubled for as long as the whole file gets smaller.

use crate::codec::program::Program;
use crate::container::model::ModelRecord;
use crate::encode::costs::TableCosts;
use crate::encode::symbols::Symbols;
use crate::entropy::table::{SHAPE_COUNT, TableSpec};
use crate::error::Result;
use crate::fit::entropy::class_tables::{ClassFitInput, FittedClasses, fit_tables};
use rayon::prelude::*;
use std::ops::Range;

/// Rows that the number of classes is looked for in; more rows than these only refine the tables.
/// The time of a fit grows with it. Half or double: within 0.1 % on 21,025 spectra and 126,451 rows of
/// air.
const MOST_ROWS: usize = 16_384;
/// Neighbouring rows that are kept together where rows are left out, so that classes still follow
/// each other as they do in the file.
const PIECE: usize = 128;
/// Fits of tables to all rows, once classes have been found in some. 1 or 4: within 0.05 % on the same.
const FINAL_ROUNDS: usize = 2;
/// Rows per class at least: tables of fewer say more of these rows than of others. Half
/// or double: the same files.
const ROWS_PER_CLASS: usize = 16;
/// Share of its bytes that the file must fall to for still more classes to be tried. It trades size
/// for time. 0.99: air is 0.6 % larger at level 3; 0.9995: the same files.
const WORTH_DOUBLING: f64 = 0.998;

/// How patiently to fit classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClassEffort {
    /// Most classes, a power of two.
    pub(crate) classes: usize,
    /// Alternations at each number of classes.
    pub(crate) rounds: usize,
}

/// Fits classes and tables: where rows are many, classes to some of them and tables to all.
///
/// # Errors
/// `Corrupt` where the model's sums could overflow.
pub(crate) fn fit_classes(input: &ClassFitInput<'_>, effort: ClassEffort) -> Result<FittedClasses> {
    let rows = input.rows();
    if effort.classes == 1 || rows <= MOST_ROWS {
        return double_classes(input, effort);
    }
    let some = thinned(input, rows.div_ceil(MOST_ROWS));
    let kept: usize = some.iter().map(|s| s.rows).sum();
    let weight = input.weight * rows as f64 / kept as f64;
    let thin = ClassFitInput { symbols: &some, weight, whole: false, ..*input };
    let mut fitted = double_classes(&thin, effort)?;
    let count = fitted.record.classes.count;
    let usual_shape = usual_shape(&fitted.record);
    if count == 1 {
        return Ok(fit_tables(input, &vec![0; rows], 1, usual_shape));
    }
    for _ in 0..FINAL_ROUNDS {
        fitted = fit_tables(input, &assign(input, &fitted)?, count, usual_shape);
    }
    Ok(fitted)
}

/// Returns every `every`th piece of the runs, as runs of their own.
fn thinned(input: &ClassFitInput<'_>, every: usize) -> Vec<Symbols> {
    let (latents, width) = (input.record.latents(), input.record.width());
    let pieces = input
        .symbols
        .iter()
        .flat_map(|s| (0..s.rows).step_by(PIECE).map(move |at| (s, at..(at + PIECE).min(s.rows))));
    let part = |(s, rows): (&Symbols, Range<usize>)| {
        let cells = |width: usize| rows.start * width..rows.end * width;
        Symbols {
            rows: rows.len(),
            latents: s.latents[cells(latents)].to_vec(),
            second: s.second.get(cells(latents)).map_or_else(Vec::new, <[bool]>::to_vec),
            residuals: s.residuals.get(cells(width)).map_or_else(Vec::new, <[i64]>::to_vec),
            predictors: s.predictors.get(rows.clone()).map_or_else(Vec::new, <[u8]>::to_vec),
            leaves: s.leaves.get(cells(width)).map_or_else(Vec::new, <[u16]>::to_vec),
            atoms: s.atoms.get(cells(width)).map_or_else(Vec::new, <[u8]>::to_vec),
            atom_leaves: s.atom_leaves.get(cells(width)).map_or_else(Vec::new, <[u16]>::to_vec),
            ..Symbols::default()
        }
    };
    pieces.step_by(every).map(part).collect()
}

/// Fits 1, 2, 4, … classes and returns the smallest file's.
fn double_classes(input: &ClassFitInput<'_>, effort: ClassEffort) -> Result<FittedClasses> {
    let mut best = fit_tables(input, &vec![0; input.rows()], 1, None);
    let usual_shape = usual_shape(&best.record);
    let mut assigned = vec![0; input.rows()];
    let mut count = 2;
    while count <= effort.classes && count * ROWS_PER_CLASS <= input.rows() {
        assigned = split(&bits_of_rows(input, &best)?, &assigned, count / 2);
        let mut fitted = fit_tables(input, &assigned, count, usual_shape);
        for _ in 0..=effort.rounds {
            assigned = assign(input, &fitted)?;
            fitted = fit_tables(input, &assigned, count, usual_shape);
        }
        let worth_doubling = fitted.bytes < best.bytes * WORTH_DOUBLING;
        if fitted.bytes < best.bytes {
            best = fitted;
        }
        if !worth_doubling {
            break;
        }
        count *= 2;
    }
    Ok(best)
}

/// Returns the shape that most ladders have.
fn usual_shape(record: &ModelRecord) -> Option<u8> {
    let mut seen = [0; SHAPE_COUNT];
    let classes = &record.classes;
    for &t in classes.residual_tables.iter().chain(&classes.latent_tables) {
        if let TableSpec::Ladder { shape, .. } = record.tables[t] {
            seen[usize::from(shape)] += 1;
        }
    }
    (0..SHAPE_COUNT as u8).max_by_key(|&shape| seen[usize::from(shape)])
}

/// Halves each of `count` classes: of its rows the half that takes more bits gets a new class.
fn split(bits: &[f32], assigned: &[usize], count: usize) -> Vec<usize> {
    let mut out = assigned.to_vec();
    for class in 0..count {
        let mut rows: Vec<usize> = (0..assigned.len()).filter(|&i| assigned[i] == class).collect();
        rows.sort_by(|&a, &b| bits[a].total_cmp(&bits[b]).then(a.cmp(&b)));
        for &i in &rows[rows.len() / 2..] {
            out[i] = class + count;
        }
    }
    out
}

/// Returns the class of every row that makes its run smallest.
fn assign(input: &ClassFitInput<'_>, fitted: &FittedClasses) -> Result<Vec<usize>> {
    of_runs(input, fitted, |program, costs, run| costs.classify(program, run))
}

/// Returns the bits of each row in the class in which it takes the fewest.
fn bits_of_rows(input: &ClassFitInput<'_>, fitted: &FittedClasses) -> Result<Vec<f32>> {
    of_runs(input, fitted, |program, costs, run| {
        let classes = 0..program.record.classes.count;
        let bits = |i: usize| classes.clone().map(move |class| costs.row(program, run, i, class));
        (0..run.rows).map(|i| bits(i).fold(f32::INFINITY, f32::min)).collect()
    })
}

/// Gathers what `of_run` says of each run's rows, given the fitted tables.
fn of_runs<T: Send>(
    input: &ClassFitInput<'_>,
    fitted: &FittedClasses,
    of_run: impl Fn(&Program, &TableCosts, &Symbols) -> Vec<T> + Sync,
) -> Result<Vec<T>> {
    let program = Program::new(fitted.record.clone(), input.dtype)?;
    let costs = TableCosts::new(&program.tables);
    let runs: Vec<Vec<T>> =
        input.symbols.par_iter().map(|run| of_run(&program, &costs, run)).collect();
    Ok(runs.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::model::{Grid, Value};
    use crate::matrix::DType;
    use crate::matrix::rng::Rng;

    const WIDTH: usize = 6;
    const EFFORT: ClassEffort = ClassEffort { classes: 8, rounds: 4 };

    fn record() -> ModelRecord {
        ModelRecord {
            grids: vec![Grid { value: Value::Integer { unit: 1 }, fraction: 0, step: 1 }],
            grid_of: vec![0; WIDTH],
            base: vec![0; WIDTH],
            temporal: vec![0; WIDTH],
            ..ModelRecord::default()
        }
    }

    /// Runs of 100 rows; `reach` is the largest residual of a row, whose number is counted on.
    fn symbols(runs: usize, reach: impl Fn(usize) -> u32) -> Vec<Symbols> {
        let mut rng = Rng::new(11);
        let mut i = 0;
        let mut run = || {
            let mut residuals = Vec::new();
            for _ in 0..100 {
                let reach = f64::from(reach(i)) + 0.5;
                let draw = |_| ((f64::from(rng.unit()) - 0.5) * 2.0 * reach).round() as i64;
                residuals.extend((0..WIDTH).map(draw));
                i += 1;
            }
            Symbols { rows: 100, residuals, ..Symbols::default() }
        };
        (0..runs).map(|_| run()).collect()
    }

    fn input<'a>(record: &'a ModelRecord, symbols: &'a [Symbols]) -> ClassFitInput<'a> {
        ClassFitInput {
            record,
            dtype: DType::I32,
            line: WIDTH,
            symbols,
            specials: 0,
            weight: 1.0,
            whole: true,
            residual: true,
            quanta: None,
        }
    }

    #[test]
    fn rows_of_two_kinds_get_two_classes() {
        let record = record();
        // Stretches of ten quiet rows and ten loud ones.
        let is_loud = |i: usize| i / 10 % 2 == 1;
        let symbols = symbols(20, |i| if is_loud(i) { 200 } else { 1 });
        let input = input(&record, &symbols);
        let fitted = fit_classes(&input, EFFORT).unwrap();
        let one = fit_classes(&input, ClassEffort { classes: 1, rounds: 0 }).unwrap();
        assert_eq!((one.record.classes.count, fitted.record.classes.count), (1, 2));
        assert!(fitted.bytes < 0.9 * one.bytes, "{} {}", fitted.bytes, one.bytes);
        let assigned = assign(&input, &fitted).unwrap();
        let quiet = assigned[0];
        let wrong = assigned.iter().enumerate().filter(|(i, c)| is_loud(*i) == (**c == quiet));
        assert!(wrong.count() < 20);
        // A class stays what it was more often than not, and every change stays possible.
        let classes = &fitted.record.classes;
        let TableSpec::Histogram { entries, .. } = &fitted.record.tables[classes.next[quiet]]
        else {
            panic!("{:?}", fitted.record.tables);
        };
        assert!(entries[quiet].1 > 4 * entries[1 - quiet].1 && entries[1 - quiet].1 > 0);
    }

    #[test]
    fn rows_of_one_kind_and_few_rows_get_one_class() {
        let record = record();
        let alike = symbols(10, |_| 20);
        assert_eq!(fit_classes(&input(&record, &alike), EFFORT).unwrap().record.classes.count, 1);
        let mut few = symbols(1, |i| if i % 2 == 0 { 0 } else { 2000 });
        few[0].rows = 2 * ROWS_PER_CLASS - 1;
        few[0].residuals.truncate((2 * ROWS_PER_CLASS - 1) * WIDTH);
        assert_eq!(fit_classes(&input(&record, &few), EFFORT).unwrap().record.classes.count, 1);
    }

    #[test]
    fn a_class_of_rows_without_residuals_codes_none() {
        let record = record();
        let assigned: Vec<usize> = (0..200).map(|i| i / 25 % 2).collect();
        let mut symbols = symbols(2, |_| 50);
        for (run, classes) in symbols.iter_mut().zip(assigned.chunks(100)) {
            let rows = run.residuals.chunks_mut(WIDTH).zip(classes);
            rows.filter(|(_, class)| **class == 1).for_each(|(row, _)| row.fill(0));
        }
        let fitted = fit_tables(&input(&record, &symbols), &assigned, 2, None);
        assert_eq!(fitted.record.classes.quantum, [0, -1]);
        // The first class has a code for all that may occur, seen or not.
        let swapped: Vec<usize> = assigned.iter().map(|class| 1 - class).collect();
        let fitted = fit_tables(&input(&record, &symbols), &swapped, 2, None);
        assert_eq!(fitted.record.classes.quantum, [0, 0]);
        // Each row's bits are those of its class.
        let bits = bits_of_rows(&input(&record, &symbols), &fitted).unwrap();
        assert!(bits[0] > 30.0 && bits[30] < 10.0, "{} {}", bits[0], bits[30]);
        // Where steps are given, classes keep them.
        let given = ClassFitInput { quanta: Some(&[-1, 5]), ..input(&record, &symbols) };
        let fitted = fit_tables(&given, &swapped, 2, None);
        assert_eq!(fitted.record.classes.quantum, [-1, 5]);
    }

    #[test]
    fn classes_of_some_rows_serve_all() {
        let record = record();
        let symbols = symbols(2 * MOST_ROWS / 100, |i| if i / 10 % 2 == 1 { 200 } else { 1 });
        let input = input(&record, &symbols);
        let fitted = fit_classes(&input, EFFORT).unwrap();
        assert_eq!(fitted.record.classes.count, 2);
        // As many bytes as those of the smaller half and the larger.
        let bits: f64 = bits_of_rows(&input, &fitted).unwrap().iter().map(|b| f64::from(*b)).sum();
        let rows_bytes = fitted.bytes - fitted.model.payload.len() as f64;
        assert!((rows_bytes / (bits / 8.0) - 1.0).abs() < 0.1, "{rows_bytes} {bits}");
    }
}
