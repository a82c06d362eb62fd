//! Coefficients of predictions while rows are decoded.

use super::row_predictors::{LinePredictors, RowWeights};
use super::window::Front;
use crate::container::model::{FIRST_FARTHER, FIRST_RESIDUAL, NEIGHBOURS, Neighbours, TERMS};

/// What predictions are made with.
#[derive(Debug, Clone)]
pub(crate) struct Coefficients {
    /// Of each group of columns.
    pub(super) groups: Vec<[i16; TERMS]>,
    /// The group of each column; empty for one group.
    pub(super) of_column: Vec<u32>,
    /// A bit for each term that has a coefficient, and how many terms there are up to the last of these.
    pub(super) used: u32,
    terms: usize,
    /// Predictors in place of all that, of which each row names one.
    pub(crate) by_row: Option<LinePredictors>,
}

/// Bits of the sums of neighbours among all terms, and those of residuals.
pub(super) const OF_NEIGHBOURS: u32 = (1 << NEIGHBOURS) - 1;
pub(super) const OF_RESIDUALS: u32 = (1 << FIRST_FARTHER) - (1 << FIRST_RESIDUAL);

impl Coefficients {
    /// Prepares what is said of neighbours of values in rows of `width` columns, in lines of `line`.
    pub(super) fn new(n: &Neighbours, width: usize, line: usize) -> Self {
        let count = n.coefficients.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let mut groups = vec![[0; TERMS]; count];
        for (i, own) in n.coefficients.iter().enumerate() {
            groups.iter_mut().zip(own).for_each(|(c, a)| c[i] = *a as i16);
        }
        let of_column = match count {
            1 => Vec::new(),
            _ if n.group_of.is_empty() => (0..width as u32).collect(),
            _ => n.group_of.iter().map(|&g| g as u32).collect(),
        };
        let used = n.coefficients.iter().enumerate().filter(|(_, c)| !c.is_empty());
        let used: u32 = used.map(|(i, _)| 1_u32 << i).sum();
        let terms = (u32::BITS - used.leading_zeros()) as usize;
        let by_row = n.by_row.as_ref().map(|p| LinePredictors::new(p, n.distances[0], line));
        Self { groups, of_column, used, terms, by_row }
    }

    /// Returns the sum of the magnitudes of a column's coefficients in 1/256, at most.
    pub(super) fn most_weight(&self) -> i64 {
        let weight = |own: &[i16; TERMS]| own.iter().map(|a| i64::from(a.abs())).sum::<i64>();
        self.groups.iter().map(weight).max().unwrap_or(0)
    }
}

/// Coefficients of the values that are decoded next, lane by lane.
#[derive(Debug, Clone)]
pub(crate) struct Weights<const N: usize> {
    group: [u32; N],
    pub(super) own: [[i16; N]; TERMS],
    /// Those that rows name.
    pub(super) by_row: Option<RowWeights<N>>,
}

impl<const N: usize> Weights<N> {
    pub(crate) fn new(all: &Coefficients) -> Self {
        let own = all.groups[0].map(|a| [a; N]);
        Self { group: [0; N], own, by_row: all.by_row.as_ref().map(RowWeights::new) }
    }

    /// Notes which predictor the next row of a lane has named.
    pub(crate) fn name(&mut self, lane: usize, predictor: usize) {
        if let Some(by_row) = &mut self.by_row {
            by_row.name(lane, predictor);
        }
    }

    /// Coefficients for values of a row that has named `predictor`.
    #[cfg(test)]
    pub(crate) fn naming(all: &Coefficients, predictor: usize, front: &Front<N>) -> Self {
        let mut out = Self::new(all);
        out.name(0, predictor);
        out.by_row.iter_mut().for_each(|own| own.name_now(predictor));
        out.follow(all, front);
        out
    }

    /// Returns those of terms that are `used`, and behind them others.
    pub(super) fn used(&self, used: u32) -> [[i16; N]; TERMS] {
        let (mut out, mut count) = (self.own, 0);
        for k in (0..TERMS).filter(|k| used >> k & 1 == 1) {
            out[count] = self.own[k];
            count += 1;
        }
        out
    }

    /// Goes on to the values at `front`.
    #[inline(always)]
    pub(crate) fn follow(&mut self, all: &Coefficients, front: &Front<N>) {
        if let (Some(p), Some(by_row)) = (&all.by_row, &mut self.by_row) {
            by_row.follow(p, front);
        }
        let columns = &front.column;
        if all.of_column.is_empty() {
            return;
        }
        for (i, &column) in columns.iter().enumerate() {
            let group = all.of_column.get(column as usize).copied().unwrap_or(0);
            if group != self.group[i] {
                self.group[i] = group;
                let own = &all.groups[group as usize][..all.terms];
                self.own.iter_mut().zip(own).for_each(|(out, a)| out[i] = *a);
            }
        }
    }
}
