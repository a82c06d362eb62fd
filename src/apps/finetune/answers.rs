//! What is known of rows, and what a head has to give for it.

use super::config::Task;
use crate::apps::column_scale::moments;
use crate::apps::values;
use crate::container::task::Targets;
use crate::error::{Error, Result};
use crate::matrix::Rows;

/// Labels lie between ± this, where `f64` still tells whole numbers apart.
const MOST_LABEL: f64 = 9e15;
/// The most different labels that a head learns.
const MOST_LABELS: usize = 1 << 16;

/// The answers that are known: labels or numbers.
pub(super) struct Answers {
    /// The rows whose answer is known, ascending.
    pub(super) rows: Vec<usize>,
    /// Their answers: rows × outputs.
    values: Vec<f64>,
    outputs: usize,
}

impl Answers {
    pub(super) fn read(labels: &dyn Rows) -> Result<Self> {
        let outputs = labels.schema().width();
        let all = values::to_doubles(labels)?;
        let of_row = |i: usize| &all[i * outputs..(i + 1) * outputs];
        let is_known = |i: &usize| of_row(*i).iter().all(|x| x.is_finite());
        let rows: Vec<usize> = (0..labels.len()).filter(is_known).collect();
        let values = rows.iter().flat_map(|&i| of_row(i)).copied().collect();
        Ok(Self { rows, values, outputs })
    }

    /// Leaves out all but `rows`, which are some of its own.
    pub(super) fn keep(&mut self, rows: Vec<usize>) {
        let is_kept: Vec<bool> =
            self.rows.iter().map(|row| rows.binary_search(row).is_ok()).collect();
        let mut at = 0..;
        let outputs = self.outputs;
        self.values.retain(|_| at.next().is_some_and(|at: usize| is_kept[at / outputs]));
        self.rows = rows;
    }

    /// What the head's outputs stand for.
    pub(super) fn targets(&self, task: Task) -> Result<Targets> {
        match task {
            Task::Classification => self.classes(),
            Task::Regression => Ok(self.standardised()),
        }
    }

    /// The labels that occur.
    fn classes(&self) -> Result<Targets> {
        if self.outputs != 1 {
            return Err(Error::argument(format!(
                "{} labels for each row; a classification has one",
                self.outputs
            )));
        }
        let is_label = |x: &f64| x.fract() == 0.0 && x.abs() < MOST_LABEL;
        if let Some(x) = self.values.iter().find(|x| !is_label(x)) {
            return Err(Error::argument(format!(
                "{x:?} is no label: labels are whole numbers between -9e15 and 9e15; ask for a \
                 regression to predict others"
            )));
        }
        let mut labels: Vec<i64> = self.values.iter().map(|x| *x as i64).collect();
        labels.sort_unstable();
        labels.dedup();
        match labels.len() {
            1 => Err(Error::argument(format!(
                "all labels are {}: there is nothing to learn",
                labels[0]
            ))),
            n if n > self.rows.len() / 2 => Err(Error::argument(format!(
                "{n} different labels in {} rows are too many to learn; ask for a regression if \
                 they are numbers",
                self.rows.len()
            ))),
            n if n > MOST_LABELS => {
                Err(Error::argument(format!("{n} different labels are more than {MOST_LABELS}")))
            }
            _ => Ok(Targets::Classes(labels)),
        }
    }

    /// Mean and standard deviation of each number.
    fn standardised(&self) -> Targets {
        let column = |j: usize| self.values.iter().skip(j).step_by(self.outputs).copied();
        let scales = (0..self.outputs).map(|j| moments(column(j)));
        let usable = |s: f64| if s > 0.0 && s.is_finite() { s } else { 1.0 };
        let (centre, scale) = scales.map(|s| (s.centre, usable(s.scale))).unzip();
        Targets::Values { centre, scale }
    }

    /// The answers as a head with these targets is to give them.
    pub(super) fn wanted(&self, targets: &Targets) -> Wanted {
        let all = self.values.iter();
        match targets {
            Targets::Classes(labels) => Wanted::Classes(
                all.map(|x| labels.partition_point(|label| *label < *x as i64)).collect(),
            ),
            Targets::Values { centre, scale } => {
                let n = centre.len();
                let scaled = |(i, x): (usize, &f64)| ((x - centre[i % n]) / scale[i % n]) as f32;
                Wanted::Values(all.enumerate().map(scaled).collect())
            }
        }
    }
}

/// Answers as a head is to give them.
pub(super) enum Wanted {
    /// The class of each row.
    Classes(Vec<usize>),
    /// Centred and scaled numbers, rows × outputs.
    Values(Vec<f32>),
}
