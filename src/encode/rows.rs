//! A promise about each row: latents of as few bits as keep it, and where none do, residuals.
//!
//! Errors of a row's latents weigh as little against bits as the row's promise allows. Classes form a
//! ladder: no residual, then residuals in finer and finer steps. A row that no latents are enough for
//! takes the first class that keeps its promise; where none does, its values are stored exactly.

use crate::codec::bound::{difference, may_round, not_nan};
use crate::codec::fill::is_ordinary;
use crate::codec::program::Program;
use crate::codec::value::Cell;
use crate::encode::column::round;
use crate::encode::latents::{Emphasis, LatentChooser, RowChooser, RowLatents};
use crate::encode::project::Projection;
use crate::encode::row_rule::{Judged, RowRule};
use crate::encode::row_search::WeightSearch;
use crate::encode::symbols::Symbols;
use crate::matrix::FillValues;

/// What each row must hold, and how patiently its latents are looked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RowPromise {
    pub(crate) rule: RowRule,
    /// Weights of errors that are tried for a row, at most; with one, all rows have the same.
    pub(crate) weights: usize,
    /// Mixtures of the last two of them that are tried, at most.
    pub(crate) mixtures: usize,
}

/// Share by which the weight that a row's search begins with follows what the row before came to.
const FOLLOW: f64 = 0.2;

/// What rows are encoded with.
#[derive(Clone, Copy)]
pub(crate) struct RowCoding<'a> {
    pub(crate) program: &'a Program,
    pub(crate) projection: &'a Projection,
    pub(crate) chooser: &'a LatentChooser,
    pub(crate) fills: &'a FillValues,
}

/// Makes latents, class and residuals of each row.
pub(crate) struct RowCoder<'a> {
    coding: RowCoding<'a>,
    promise: &'a RowPromise,
    chooser: RowChooser<'a>,
    /// Fine units per unit of the data, for each column; 0 leaves the column out.
    fine: Vec<f64>,
    /// Logarithm of the weight of errors that rows have had.
    usual: f64,
    /// The row's latents and what they predict, in fine units.
    latents: RowLatents,
    predicted: Vec<i32>,
    /// The last row as decoded, in the data's units.
    decoded: Vec<f64>,
    /// Its errors, where `decoded` has rounded numbers; else empty.
    errors: Vec<f64>,
}

impl<'a> RowCoder<'a> {
    /// Prepares for the rows of a block, which must hold `promise`.
    pub(crate) fn new(coding: RowCoding<'a>, promise: &'a RowPromise) -> Self {
        let scales = coding.projection.inverse_scale.iter().zip(&coding.program.steps);
        Self {
            coding,
            promise,
            chooser: RowChooser::new(coding.chooser, coding.program),
            fine: scales.map(|(s, f)| s * *f as f64).collect(),
            usual: 0.0,
            latents: RowLatents::default(),
            predicted: vec![0; coding.program.record.width()],
            decoded: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Returns the last row as decoded, in the data's units.
    pub(crate) fn decoded(&self) -> &[f64] {
        &self.decoded
    }

    /// Chooses latents and class of the row that follows those in `symbols` and makes its residuals;
    /// `real` are its real latents.
    pub(crate) fn row<T: Cell>(&mut self, row: &[T], real: &[f32], symbols: &mut Symbols) {
        let (width, fills) = (row.len(), self.coding.fills);
        let first = symbols.forced.len() * width;
        symbols.residuals.resize(first + width, 0);
        let residuals = &mut symbols.residuals[first..];
        let class = match self.choose_latents(row, real) {
            true => Some(0),
            false => self.choose_residuals(row, real, residuals),
        };
        if class.is_none() {
            self.chooser.choose(real, Emphasis::all(0.0), &mut self.latents);
        }
        self.chooser.take(&self.latents, symbols);
        symbols.forced.push(class.unwrap_or(0));
        if class.is_some() {
            let special = row.iter().enumerate().filter(|(_, x)| !is_ordinary(**x, fills));
            symbols.escapes.extend(special.map(|(j, _)| (first + j) as u64));
            return;
        }
        symbols.residuals[first..].fill(0);
        symbols.escapes.extend((first..first + width).map(|at| at as u64));
        self.decoded.clear();
        self.decoded.extend(row.iter().map(|x| x.to_f64()));
        self.errors.fill(0.0);
    }

    /// Chooses residuals for a row that no latents were enough for, and latents with them: those with
    /// the weight of the typical row, or the nearest where these can do with coarser residuals. Returns
    /// the class, or none where none is fine enough.
    fn choose_residuals<T: Cell>(
        &mut self,
        row: &[T],
        real: &[f32],
        residuals: &mut [i64],
    ) -> Option<usize> {
        // Of the latents that were tried, the last are the nearest.
        let near = self.coarsest(row, residuals);
        if self.promise.weights == 1 {
            return near;
        }
        let latents = self.latents.clone();
        self.chooser.choose(real, Emphasis::all(1.0), &mut self.latents);
        self.decode(row);
        let usual = self.coarsest(row, residuals);
        let Some(near) = near.filter(|near| usual.is_none_or(|usual| *near < usual)) else {
            return usual;
        };
        self.latents = latents;
        self.decode(row);
        self.code(row, self.coding.program.record.classes.quantum[near], residuals);
        Some(near)
    }

    /// The class of the coarsest residuals with which the row, as it is predicted, keeps its promise.
    fn coarsest<T: Cell>(&mut self, row: &[T], residuals: &mut [i64]) -> Option<usize> {
        let quantum = &self.coding.program.record.classes.quantum;
        (1..quantum.len()).filter(|&class| quantum[class] >= 0).find(|&class| {
            self.code(row, quantum[class], residuals);
            self.judge(row).holds
        })
    }

    /// Looks for the latents of fewest bits with which the row needs no residual, and decodes them;
    /// returns false where there are none.
    fn choose_latents<T: Cell>(&mut self, row: &[T], real: &[f32]) -> bool {
        let mut search = WeightSearch::new(self.usual);
        let mut best: Option<(f32, RowLatents)> = None;
        for _ in 0..self.promise.weights {
            let judged = self.attempt(row, real, Emphasis::all(search.weight()), &mut best);
            if !search.took(judged) {
                break;
            }
        }
        if let Some((misses, holds)) = search.ends() {
            let (mut low, mut high) = (0, real.len());
            for _ in 0..self.promise.mixtures {
                let cut = usize::midpoint(low, high);
                let mixture = Emphasis { first: holds, others: misses, cut };
                match self.attempt(row, real, mixture, &mut best).holds {
                    true => high = cut,
                    false => low = cut,
                }
            }
        }
        if self.promise.weights > 1 {
            self.usual += FOLLOW * (search.found() - self.usual);
        }
        let Some((_, latents)) = best else { return false };
        self.latents = latents;
        self.decode(row);
        true
    }

    /// Chooses latents with errors weighed by `emphasis`; they become the `best` if the row keeps its
    /// promise and they have fewer bits.
    fn attempt<T: Cell>(
        &mut self,
        row: &[T],
        real: &[f32],
        emphasis: Emphasis,
        best: &mut Option<(f32, RowLatents)>,
    ) -> Judged {
        self.chooser.choose(real, emphasis, &mut self.latents);
        self.decode(row);
        let judged = self.judge(row);
        if judged.holds {
            let bits = self.chooser.bits(&self.latents);
            if best.as_ref().is_none_or(|b| bits < b.0) {
                *best = Some((bits, self.latents.clone()));
            }
        }
        judged
    }

    /// Predicts the row from its latents and decodes it without residuals.
    fn decode<T: Cell>(&mut self, row: &[T]) {
        self.coding.program.network.predict(&self.latents.decoded, &mut self.predicted);
        self.code(row, -1, &mut []);
    }

    /// Judges the row as it was decoded.
    fn judge<T: Cell>(&self, row: &[T]) -> Judged {
        self.promise.rule.judge(row, &self.decoded, self.coding.fills, |j| self.error(row, j))
    }

    /// Returns the error of column `j` in the last row, which was `row`.
    pub(crate) fn error<T: Cell>(&self, row: &[T], j: usize) -> f64 {
        if may_round::<T>() { self.errors[j] } else { not_nan(row[j].to_f64() - self.decoded[j]) }
    }

    /// Makes residuals in steps of `quantum` fine units, none where that is negative, and decodes
    /// them.
    fn code<T: Cell>(&mut self, row: &[T], quantum: i64, residuals: &mut [i64]) {
        let RowCoding { program, projection, fills, .. } = self.coding;
        self.decoded.clear();
        for (range, grid) in program.runs() {
            for j in range.clone() {
                let (x, predicted) = (row[j], self.predicted[j]);
                let mut e = 0;
                if quantum >= 0 {
                    let mut residual = 0;
                    if is_ordinary(x, fills) {
                        let fine = (x.to_f64() - projection.centre[j]) * self.fine[j];
                        residual = round((fine - f64::from(predicted)) / quantum as f64);
                    }
                    residuals[j] = residual;
                    e = residual.wrapping_mul(quantum);
                }
                let y: T = grid.value(program.record.base[j], predicted, e);
                self.decoded.push(y.to_f64());
                if may_round::<T>() {
                    self.errors.resize(row.len(), 0.0);
                    self.errors[j] = difference(x, y);
                }
            }
        }
    }
}
