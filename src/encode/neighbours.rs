//! Residuals of models that look at neighbours, value by value as a decoder will have them, with the
//! leaves of the trees that choose their tables.

use crate::codec::atom_sums::atom_sum;
use crate::codec::context::Decoded;
use crate::codec::fill::is_ordinary;
use crate::codec::further;
use crate::codec::near::{Near, Wanted};
use crate::codec::neighbourhood::Neighbourhood;
use crate::codec::program::Program;
use crate::codec::value::Cell;
use crate::codec::weights::Weights;
use crate::codec::window::Window;
use crate::container::model::{FEATURES, Grid, TERMS};
use crate::encode::column::{Coded, Column, accepted, inverse};
use crate::encode::predictor_choice::{PredictorChooser, fill};
use crate::encode::residual::RowErrors;
use crate::encode::symbols::Symbols;
use crate::encode::undecided::Undecided;
use crate::matrix::FillValues;

/// Makes residuals row after row, from the beginning of a block.
pub(crate) struct NeighbourCoder<'a> {
    program: &'a Program,
    n: &'a Neighbourhood,
    bounds: &'a [f64],
    fills: &'a FillValues,
    window: Window<i64, 1>,
    weights: Weights<1>,
    undecided: Undecided,
    /// Chooses a predictor for each row, where rows name one.
    chooser: Option<PredictorChooser>,
    /// Of each grid, in the columns' order, integers per value.
    inverses: Vec<f64>,
    /// The last row as decoded, and its errors.
    pub(crate) errors: RowErrors,
}

/// A value as it was coded.
pub(crate) struct Seen<'a> {
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) near: &'a Near<i64, 1>,
    window: &'a Window<i64, 1>,
    n: &'a Neighbourhood,
    predicted: i64,
    /// Bits of a sum below a whole step.
    pub(crate) fraction: u32,
    pub(crate) cell: Decoded,
}

impl Seen<'_> {
    /// Returns the properties by which trees decide.
    pub(crate) fn features(&self) -> [i32; FEATURES] {
        let Self { near, window, n, .. } = self;
        near.features(window.front(), &n.surroundings, &[self.predicted], [self.fraction])
            .map(|f| f[0])
    }

    /// Returns all that predictions may weigh, in fine units.
    pub(crate) fn terms(&self) -> [i64; TERMS] {
        further::terms(self.window, self.near, &self.n.surroundings, self.fraction)
    }
}

/// What is told of each value as it is coded.
pub(crate) trait CellObserver {
    /// What is to be known of a value's neighbours besides what coding it needs.
    const WANTED: Option<Wanted> = None;

    fn cell(&mut self, seen: &Seen<'_>);
}

/// Nobody to tell.
impl CellObserver for () {
    #[inline(always)]
    fn cell(&mut self, _: &Seen<'_>) {}
}

impl<'a> NeighbourCoder<'a> {
    /// Prepares for the rows of a block, if the program looks at neighbours; `bounds` are each
    /// column's largest error in the data's units, infinite for none; `fills` are stored exactly.
    pub(crate) fn new(
        program: &'a Program,
        bounds: &'a [f64],
        fills: &'a FillValues,
    ) -> Option<Self> {
        let n = program.neighbours.as_ref()?;
        let width = program.record.width();
        Some(Self {
            program,
            n,
            bounds,
            fills,
            window: n.window(),
            weights: Weights::new(&n.coefficients),
            undecided: Undecided::new(),
            chooser: n.coefficients.by_row.as_ref().and_then(|p| PredictorChooser::new(p, width)),
            inverses: program.record.grids.iter().map(inverse).collect(),
            errors: RowErrors::new(width),
        })
    }

    /// Makes the residuals of `row`, row `i` of the block, whose predictions in fine units are
    /// `predicted`. Leaves may be found later, the last ones by [`finish`](Self::finish).
    pub(crate) fn row<T: Cell>(
        &mut self,
        i: usize,
        row: &[T],
        predicted: &[i32],
        symbols: &mut Symbols,
    ) {
        self.observed_row(i, row, predicted, symbols, &mut ());
    }

    /// The same, telling `observer` of each value.
    pub(crate) fn observed_row<T: Cell, O: CellObserver>(
        &mut self,
        i: usize,
        row: &[T],
        predicted: &[i32],
        symbols: &mut Symbols,
        observer: &mut O,
    ) {
        let (p, n) = (self.program, self.n);
        let first = i * row.len();
        let end = first + row.len();
        let wanted = O::WANTED.map_or(n.wanted, |more| n.wanted.or(more));
        symbols.residuals.resize(end, 0);
        symbols.leaves.resize(end, 0);
        if !n.atoms.is_empty() {
            symbols.atoms.resize(end, 0);
            symbols.atom_leaves.resize(end, 0);
        }
        self.name_predictor(row, predicted, symbols);
        for j in 0..row.len() {
            let fraction = p.steps[j].trailing_zeros();
            let near = Near::of(&self.window, &n.surroundings, wanted);
            self.weights.follow(&n.coefficients, self.window.front());
            let carried = n.predict(&self.window, &near, &self.weights, [fraction]);
            if n.has_contexts() {
                let features = n.features(&near, &self.window, (&carried, [fraction]));
                self.undecided.push(&features, first + j + 1, n, symbols);
            }
            let column = column(p, &self.inverses, (j, predicted[j]), carried[0]);
            let (cell, value) = self.code(&column, row[j], j);
            if value.is_none() {
                symbols.escapes.push((first + j) as u64);
            }
            self.errors.set(j, row[j], value.unwrap_or(row[j]));
            symbols.residuals[first + j] = cell.residual;
            if !n.atoms.is_empty() {
                symbols.atoms[first + j] = cell.atom;
            }
            let (window, predicted) = (&self.window, carried[0]);
            observer.cell(&Seen {
                row: i,
                column: j,
                near: &near,
                window,
                n,
                predicted,
                fraction,
                cell,
            });
            self.window.set_one(cell);
            self.window.advance();
        }
    }

    /// Finds the leaves that are still missing, after the last row.
    pub(crate) fn finish(mut self, symbols: &mut Symbols) {
        self.undecided.decide(symbols.leaves.len(), self.n, symbols);
    }

    /// Chooses the predictor of the row that comes next, where rows name one.
    fn name_predictor<T: Cell>(&mut self, row: &[T], predicted: &[i32], symbols: &mut Symbols) {
        let Some(chooser) = &mut self.chooser else { return };
        let (p, inverses, fills) = (self.program, &self.inverses, self.fills);
        let named =
            chooser.choose(|j| steps_to(column(p, inverses, (j, predicted[j]), 0), row[j], fills));
        symbols.predictors.push(named as u8);
        self.weights.name(0, named);
    }

    /// Finds what is coded for a value, and the value decoded from it, if it keeps the bound.
    #[inline(always)]
    fn code<T: Cell>(&self, column: &Column<'_>, x: T, j: usize) -> (Decoded, Option<T>) {
        let bound = self.bounds[j];
        if !self.fills.is_empty() && self.fills.contains(x) {
            let cell = Decoded { sum: column.carried, ..Decoded::default() };
            return (cell, None);
        }
        for (k, atom) in self.n.atoms.iter().zip(1..) {
            if let Some((sum, value)) = self.atom(column, *k)
                && accepted(x, value, bound)
            {
                return (Decoded { sum, residual: 0, atom }, Some(value));
            }
        }
        let Coded { residual, value } = column.code(x, bound, true);
        let sum = column.difference(residual);
        (Decoded { sum, residual, atom: 0 }, value)
    }

    /// Returns the sum and the value of an atom, the integer `k`.
    #[inline(always)]
    fn atom<T: Cell>(&self, column: &Column<'_>, k: i64) -> Option<(i64, T)> {
        let grid: &Grid = column.grid;
        if self.program.record.latents() > 0 {
            return Some((column.carried, grid.at(k)));
        }
        let sum = atom_sum(k, column.base, grid);
        Some((sum, grid.value(column.base, column.predicted, sum)))
    }
}

/// What a decoder computes with in column `j`, where the network foretells `predicted` and the neighbours
/// `carried`.
#[inline(always)]
fn column<'a>(
    p: &'a Program,
    inverses: &[f64],
    (j, predicted): (usize, i32),
    carried: i64,
) -> Column<'a> {
    let grid_at = p.record.grid_of[j];
    Column {
        grid: &p.record.grids[grid_at],
        inverse: inverses[grid_at],
        base: p.record.base[j],
        predicted,
        carried,
        step: p.steps[j],
    }
}

/// Returns how many steps from `column`'s prediction a value lies; none where it is no number.
#[inline(always)]
fn steps_to<T: Cell>(column: Column<'_>, x: T, fills: &FillValues) -> Option<f64> {
    let coded = column.code(x, f64::INFINITY, is_ordinary(x, fills));
    coded.value.filter(|_| is_ordinary(x, fills)).map(|_| coded.residual as f64)
}

/// Fills `out` with how many steps from the network's predictions the values of rows lie: what is to be
/// predicted from neighbours.
pub(crate) fn steps_of_rows<T: Cell>(
    p: &Program,
    fills: &FillValues,
    (row, predicted): (&[T], &[i32]),
    out: &mut [f64],
) {
    let inverses: Vec<f64> = p.record.grids.iter().map(inverse).collect();
    let width = p.record.width();
    let rows = row.chunks_exact(width).zip(out.chunks_exact_mut(width));
    for (i, (row, out)) in rows.enumerate() {
        let own = |j: usize| predicted.get(i * width + j).copied().unwrap_or(0);
        fill(out, |j| steps_to(column(p, &inverses, (j, own(j)), 0), row[j], fills));
    }
}

#[cfg(test)]
mod tests;
