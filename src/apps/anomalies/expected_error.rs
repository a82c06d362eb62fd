//! The errors that a codec expects: its entropy coder's tables say how the residuals of the rows
//! that it was learned from were distributed.

use crate::codec::program::Program;
use crate::container::model::{TEMPORAL_ONE, Value};

/// The share of a table's probability, farthest from 0, that is left out. Part of it stands there
/// only so that every number can be coded, and a mean square of it would say nothing of rows.
const TAIL: f64 = 0.05;
/// Steps of the Markov chain of row classes towards its long-run distribution. Classes change
/// often enough that fewer would do, and steps cost nothing.
const CHAIN_STEPS: usize = 50;
/// The largest correlation of a residual with the one of the row before: at 1, their sum would
/// grow without end.
const MOST_CARRIED: f64 = 0.99;

/// The mean squared error of each column, in squares of the decoder's units. `None` where rows
/// have no residuals, or such that do not count in these units.
pub(super) fn squared_errors(program: &Program) -> Option<Vec<f64>> {
    let m = &program.record;
    let ordered = m.grids.iter().any(|g| matches!(g.value, Value::Ordered { .. }));
    // Residuals that look at their neighbours have tables by context, not by column.
    let by_context = program.neighbours.is_some();
    if ordered || by_context || m.classes.quantum.iter().any(|q| *q < 0) {
        return None;
    }
    let square: Vec<f64> =
        program.tables.iter().map(|table| mean_square(table.numbers().collect())).collect();
    let mut out = vec![0.0; m.width()];
    let tables = m.classes.residual_tables.chunks(m.width());
    let shares = class_shares(program);
    for ((share, quantum), tables) in shares.iter().zip(&m.classes.quantum).zip(tables) {
        let columns = tables.iter().zip(&program.steps).zip(&m.temporal);
        for (out, ((&table, step), carried)) in out.iter_mut().zip(columns) {
            let step = if *quantum > 0 { *quantum } else { *step } as f64;
            // The variance of a first-order autoregression: what is carried on from row to row
            // adds up.
            let carried = *carried as f64 / TEMPORAL_ONE as f64;
            let carried = carried.clamp(-MOST_CARRIED, MOST_CARRIED);
            *out += share * square[table] * step * step / (1.0 - carried * carried);
        }
    }
    Some(out)
}

/// The mean square of numbers with their probabilities, without the [`TAIL`].
fn mean_square(mut numbers: Vec<(f64, f64)>) -> f64 {
    numbers.sort_by(|a, b| a.0.abs().total_cmp(&b.0.abs()));
    let (mut sum, mut mass) = (0.0, 0.0);
    for (x, p) in numbers {
        let p = p.min(1.0 - TAIL - mass);
        if p <= 0.0 {
            break;
        }
        (sum, mass) = (sum + p * x * x, mass + p);
    }
    sum / (1.0 - TAIL)
}

/// The share of rows that each class has in the long run.
fn class_shares(program: &Program) -> Vec<f64> {
    let classes = &program.record.classes;
    let mut now = vec![1.0 / classes.count as f64; classes.count];
    if classes.count == 1 {
        return now;
    }
    for _ in 0..CHAIN_STEPS {
        let mut next = vec![0.0; classes.count];
        for (share, &table) in now.iter().zip(&classes.next) {
            for (class, p) in program.tables[table].numbers() {
                if let Some(n) = next.get_mut(class as usize) {
                    *n += share * p;
                }
            }
        }
        let sum: f64 = next.iter().sum();
        now = next.iter().map(|n| n / sum.max(f64::MIN_POSITIVE)).collect();
    }
    now
}
