//! Errors that are usual, as the codec knows them: its entropy coder's tables say how residuals
//! of the rows that it was learned from were distributed.

use crate::codec::program::Program;
use crate::container::model::{TEMPORAL_ONE, Value};

/// Share of a table's numbers that are left out.
const TAIL: f64 = 0.05;
/// Rounds until the shares of row classes no longer change.
const ROUNDS: usize = 50;

/// The mean squared error of each column, in squares of the decoder's units; none where rows have
/// no residuals, or such that do not count in these units.
pub(super) fn squared_errors(program: &Program) -> Option<Vec<f64>> {
    let m = &program.record;
    let ordered = m.grids.iter().any(|g| matches!(g.value, Value::Ordered { .. }));
    if ordered || m.classes.quantum.iter().any(|q| *q < 0) {
        return None;
    }
    let square: Vec<f64> =
        program.tables.iter().map(|table| mean_square(table.numbers().collect())).collect();
    let mut out = vec![0.0; m.width()];
    let tables = m.classes.residual_tables.chunks(m.width());
    for ((share, quantum), tables) in shares(program).iter().zip(&m.classes.quantum).zip(tables) {
        let columns = tables.iter().zip(&program.steps).zip(&m.temporal);
        for (out, ((&table, step), carried)) in out.iter_mut().zip(columns) {
            let step = if *quantum > 0 { *quantum } else { *step } as f64;
            // What is carried on from row to row adds up (a first-order autoregression).
            let carried = (*carried as f64 / TEMPORAL_ONE as f64).clamp(-0.99, 0.99);
            *out += share * square[table] * step * step / (1.0 - carried * carried);
        }
    }
    Some(out)
}

/// The mean square of numbers with their probabilities, without those farthest from 0: some are there only so
/// that all numbers can be said.
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

/// How many of the rows each class has, in the long run.
fn shares(program: &Program) -> Vec<f64> {
    let classes = &program.record.classes;
    let mut now = vec![1.0 / classes.count as f64; classes.count];
    if classes.count == 1 {
        return now;
    }
    for _ in 0..ROUNDS {
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
