//! One block: rows to symbols, checked as they will be decoded, and symbols to bytes.

use crate::codec::context::LANES;
use crate::codec::fill::is_ordinary;
use crate::codec::neighbourhood::Neighbourhood;
use crate::codec::order::Order;
use crate::codec::program::Program;
use crate::codec::row_predictors::LinePredictors;
use crate::codec::value::{Cell, whole_step, with_cell};
use crate::container::block;
use crate::container::model::Grid;
use crate::container::parts;
use crate::encode::access::ONE_PART;
use crate::encode::column::{Column, inverse};
use crate::encode::costs::TableCosts;
use crate::encode::latents::LatentChooser;
use crate::encode::neighbours::{CellObserver, NeighbourCoder, steps_of_rows};
use crate::encode::project::{Projection, cells};
use crate::encode::refine::Refiner;
use crate::encode::residual::ResidualCoder;
use crate::encode::rows::{RowCoder, RowCoding, RowPromise};
use crate::encode::symbols::Symbols;
use crate::entropy::rans;
use crate::interrupt::checkpoint;
use crate::matrix::FillValues;

/// Encoded size, as a share of the values' own, from which on exact storage is tried as well. Exact
/// blocks win only where coding does next to nothing, and trying them takes a run of zstd. Half or
/// double: the same files.
const EXACT_TRIED_FROM: f64 = 0.25;

/// Level of zstd for blocks with a number that no table has a code for, where none is set: they are
/// rare.
const LEVEL_WITHOUT_CODE: i32 = 3;

/// Everything that turns rows into blocks.
#[derive(Debug, Clone)]
pub(crate) struct BlockEncoder {
    /// The program that will decode.
    pub(crate) program: Program,
    /// Turns rows into real latents.
    pub(crate) projection: Projection,
    /// Turns real latents into integers.
    pub(crate) chooser: LatentChooser,
    /// Improves the projection's latents, if there.
    pub(crate) refiner: Option<Refiner>,
    /// Bound on each column's error in the data's units; infinite where none was asked for.
    pub(crate) bounds: Vec<f64>,
    /// Bits of numbers under each of the program's tables.
    pub(crate) costs: TableCosts,
    /// zstd level for exact blocks; `None` if they are not tried.
    pub(crate) exact_level: Option<i32>,
    /// Rows of a block, and of a part of its stream.
    pub(crate) block_rows: usize,
    pub(crate) part_rows: usize,
    /// Values that are stored exactly, as they stand for missing numbers.
    pub(crate) fills: FillValues,
    /// What each row must hold, where the promise is one about rows.
    pub(crate) row_promise: Option<RowPromise>,
    /// Whether rows of zeros must be decoded to rows of zeros.
    pub(crate) keeps_zero_rows: bool,
    /// Error in the data's units beyond which values come back exactly.
    pub(crate) exact_beyond: f64,
    /// The share of itself that each number may be off by, where the program's are on other scales.
    pub(crate) share: f64,
}

impl BlockEncoder {
    /// Returns an encoder for a program that has no latents, and so needs no projection.
    pub(crate) fn without_latents(program: Program, bounds: Vec<f64>, fills: FillValues) -> Self {
        Self {
            costs: TableCosts::new(&program.tables),
            program,
            projection: Projection::default(),
            chooser: LatentChooser::default(),
            refiner: None,
            bounds,
            exact_level: None,
            block_rows: 1,
            part_rows: ONE_PART,
            fills,
            row_promise: None,
            keeps_zero_rows: false,
            exact_beyond: f64::INFINITY,
            share: 0.0,
        }
    }

    /// Returns the real latents of normalised rows, `rows × latents`.
    pub(crate) fn latents(&self, normalised: &[f32]) -> Vec<f32> {
        let real = self.projection.project(normalised);
        match &self.refiner {
            Some(refiner) => refiner.refine(&self.program, &self.chooser, normalised, &real),
            None => real,
        }
    }

    /// Returns the symbols of consecutive rows that begin a block. The rows are little-endian
    /// `bytes`, their real latents `real`; the errors of the decoded rows are tallied if `measure`
    /// is set, and always where the promise is one about rows.
    pub(crate) fn symbols(&self, bytes: &[u8], real: &[f32], measure: bool) -> Symbols {
        checkpoint();
        with_cell!(self.program.dtype, T => {
            self.symbols_of_cells::<T>(&cells(bytes), real, measure)
        })
    }

    fn symbols_of_cells<T: Cell>(&self, cells: &[T], real: &[f32], measure: bool) -> Symbols {
        let p = &self.program;
        let width = p.record.width();
        let mut symbols = Symbols { rows: cells.len() / width, ..Symbols::default() };
        if let Some(promise) = &self.row_promise {
            return self.symbols_of_rows(promise, cells, real);
        }
        self.chooser.choose(p, real, &mut symbols);
        let mut predictions = vec![0; cells.len()];
        p.network.predict(&symbols.decoded_latents, &mut predictions);
        let origin = first_values(cells, width, &self.fills);
        let rows = cells.chunks_exact(width).zip(predictions.chunks_exact(width));
        macro_rules! code_rows {
            ($coder:expr) => {{
                let mut coder = $coder;
                for (i, (row, predicted)) in rows.enumerate() {
                    coder.row(i, row, predicted, &mut symbols);
                    if self.keeps_zero_rows && row.iter().all(|x| x.to_f64() == 0.0) {
                        coder.errors.make_exact(i, row, &mut symbols);
                    }
                    if self.exact_beyond.is_finite() {
                        coder.errors.make_far_exact(i, row, self.exact_beyond, &mut symbols);
                    }
                    if measure {
                        let (errors, fills) = (&coder.errors, &self.fills);
                        let error = |j: usize| errors.error(row, j);
                        symbols.tally.row(row, errors.decoded(), &origin, fills, |j, _| error(j));
                    }
                }
                coder
            }};
        }
        match NeighbourCoder::new(p, &self.bounds, &self.fills) {
            Some(coder) => code_rows!(coder).finish(&mut symbols),
            None => drop(code_rows!(ResidualCoder::new(p, &self.bounds, &self.fills))),
        }
        symbols
    }

    /// The same where each row must hold `promise`.
    fn symbols_of_rows<T: Cell>(&self, promise: &RowPromise, cells: &[T], real: &[f32]) -> Symbols {
        let (width, latents) = (self.program.record.width(), self.program.record.latents());
        let mut symbols = Symbols { rows: cells.len() / width, ..Symbols::default() };
        let origin = first_values(cells, width, &self.fills);
        let Self { program, projection, chooser, fills, .. } = self;
        let mut coder = RowCoder::new(RowCoding { program, projection, chooser, fills }, promise);
        for (i, row) in cells.chunks_exact(width).enumerate() {
            coder.row(row, &real[i * latents..(i + 1) * latents], &mut symbols);
            symbols
                .tally
                .row(row, coder.decoded(), &origin, &self.fills, |j, _| coder.error(row, j));
        }
        symbols
    }

    /// Makes the residuals of consecutive rows that begin a block and have the `predictions`, and tells
    /// `observer` of each value; where nothing looks at neighbours, nothing is told.
    pub(crate) fn observe<O: CellObserver>(
        &self,
        bytes: &[u8],
        predictions: &[i32],
        observer: &mut O,
    ) {
        let p = &self.program;
        let width = p.record.width();
        with_cell!(p.dtype, T => {
            let cells = cells::<T>(bytes);
            let Some(mut coder) = NeighbourCoder::new(p, &self.bounds, &self.fills) else { return };
            let mut symbols = Symbols::default();
            let rows = cells.chunks_exact(width).zip(predictions.chunks_exact(width));
            for (i, (row, predicted)) in rows.enumerate() {
                coder.observed_row(i, row, predicted, &mut symbols, observer);
            }
        });
    }

    /// Returns how many steps from `predictions`, of the network, the values of rows lie; no predictions are
    /// given where all are 0.
    pub(crate) fn steps_of_rows(&self, bytes: &[u8], predictions: &[i32]) -> Vec<f64> {
        with_cell!(self.program.dtype, T => {
            let cells = cells::<T>(bytes);
            let mut out = vec![0.0; cells.len()];
            steps_of_rows(&self.program, &self.fills, (&cells, predictions), &mut out);
            out
        })
    }

    /// Returns the symbols `old` of consecutive rows that begin a block, their latents as they are and
    /// their residuals by this encoder's program; `predictions` are the network's, none where it has no
    /// latents.
    pub(crate) fn with_leaves(&self, bytes: &[u8], predictions: &[i32], old: &Symbols) -> Symbols {
        let p = &self.program;
        let width = p.record.width();
        let mut symbols = Symbols {
            rows: old.rows,
            latents: old.latents.clone(),
            second: old.second.clone(),
            ..Symbols::default()
        };
        with_cell!(p.dtype, T => {
            let cells = cells::<T>(bytes);
            let Some(mut coder) = NeighbourCoder::new(p, &self.bounds, &self.fills) else {
                return symbols;
            };
            let zeros = vec![0; width];
            for (i, row) in cells.chunks_exact(width).enumerate() {
                let own = predictions.get(i * width..(i + 1) * width).unwrap_or(&zeros);
                coder.row(i, row, own, &mut symbols);
                if self.keeps_zero_rows && row.iter().all(|x| x.to_f64() == 0.0) {
                    coder.errors.make_exact(i, row, &mut symbols);
                }
            }
            coder.finish(&mut symbols);
        });
        symbols
    }

    /// Returns how many steps of `grid` from `base` the integer nearest to a value lies; none where there
    /// is no such integer.
    pub(crate) fn nearest_step<T: Cell>(grid: &Grid, base: i64, x: T) -> Option<i64> {
        let fine = whole_step(grid);
        let column =
            Column { grid, inverse: inverse(grid), base, predicted: 0, carried: 0, step: fine };
        let coded = column.code(x, f64::INFINITY, true);
        coded.value.map(|_| coded.residual)
    }

    /// Returns the bytes of the block whose first row is `first_row` of the file; `bytes` are its
    /// rows as they were given.
    pub(crate) fn block(&self, first_row: u64, bytes: &[u8], symbols: &Symbols) -> Vec<u8> {
        let Some((stream, escapes)) = self.coded(bytes, symbols) else {
            return self.exact(first_row, bytes);
        };
        let coded = block::encode_coded(first_row, &stream, &escapes);
        if let Some(level) = self.exact_level
            && coded.len() as f64 > EXACT_TRIED_FROM * bytes.len() as f64
        {
            let size = self.program.file_dtype().size();
            let exact = block::encode_exact(first_row, bytes, size, level);
            if exact.len() < coded.len() {
                return exact;
            }
        }
        coded
    }

    /// Returns a block that stores its rows exactly.
    pub(crate) fn exact(&self, first_row: u64, bytes: &[u8]) -> Vec<u8> {
        let level = self.exact_level.unwrap_or(LEVEL_WITHOUT_CODE);
        block::encode_exact(first_row, bytes, self.program.file_dtype().size(), level)
    }

    /// Returns a block's stream and the values that it cannot give, packed; nothing where no table has
    /// a code for one of its symbols.
    pub(crate) fn coded(&self, bytes: &[u8], symbols: &Symbols) -> Option<(Vec<u8>, Vec<u8>)> {
        let size = self.program.file_dtype().size();
        let stream = self.stream(symbols)?;
        let values: Vec<u8> = symbols
            .escapes
            .iter()
            .flat_map(|&cell| &bytes[cell as usize * size..(cell as usize + 1) * size])
            .copied()
            .collect();
        let escapes = block::encode_escapes(&symbols.escapes, &values, size);
        Some((stream, escapes))
    }

    /// Returns the stream, its symbols in the order in which `RowDecoder` reads them; nothing where a
    /// table has no code for one of them.
    fn stream(&self, symbols: &Symbols) -> Option<Vec<u8>> {
        let rows = symbols.rows;
        let count = symbols.latents.len() + symbols.residuals.len();
        let mut out = Vec::new();
        if let Some(n) = &self.program.neighbours {
            let classes = self.costs.classify(&self.program, symbols);
            let mut coder = rans::RansEncoder::in_lanes(rows, count);
            let has_code = self.write_with_neighbours(n, symbols, &classes, &mut coder);
            coder.finish(&mut out);
            return has_code.then_some(out);
        }
        let classes = self.costs.classify_parts(&self.program, symbols, self.part_rows);
        let mut streams = Vec::new();
        for first in (0..rows).step_by(self.part_rows) {
            let part = first..rows.min(first.saturating_add(self.part_rows));
            let mut coder = rans::RansEncoder::with_capacity(count / rows * part.len());
            let mut last = 0;
            for i in part {
                let has_code = self.write_head(symbols, (last, classes[i]), i, &mut coder)
                    && self.write_residuals(symbols, classes[i], i, &mut coder);
                if !has_code {
                    return None;
                }
                last = classes[i];
            }
            let mut stream = Vec::new();
            coder.finish(&mut stream);
            streams.push(stream);
        }
        Some(parts::encode(&streams, self.part_rows))
    }

    /// Encodes the class and the latents of row `i`, which follows one of class `last`.
    fn write_head(
        &self,
        symbols: &Symbols,
        (last, class): (usize, usize),
        i: usize,
        coder: &mut rans::RansEncoder,
    ) -> bool {
        let mut has_code = true;
        let p = &self.program;
        let m = &p.record;
        let (latents, sets) = (m.latents(), m.table_sets());
        if m.classes.count > 1 {
            has_code &= p.tables[m.classes.next[last]].encode(class as i64, coder);
            coder.end_symbols();
        }
        let predictors = p.neighbours.as_ref().and_then(|n| n.coefficients.by_row.as_ref());
        if let Some(table) = predictors.and_then(LinePredictors::table) {
            has_code &= p.tables[table].encode(i64::from(symbols.predictors[i]), coder);
        }
        for k in 0..latents {
            let at = i * latents + k;
            let set = symbols.table_set(at, sets);
            let table = m.classes.latent_tables[(class * latents + k) * sets + set];
            let mean = m.classes.means[class * latents + k];
            let number = i64::from(symbols.latents[at]).wrapping_sub(mean);
            has_code &= p.tables[table].encode(number, coder);
            coder.end_symbols();
        }
        has_code
    }

    /// Encodes the residuals of row `i`, which do not look at their neighbours.
    fn write_residuals(
        &self,
        symbols: &Symbols,
        class: usize,
        i: usize,
        coder: &mut rans::RansEncoder,
    ) -> bool {
        let p = &self.program;
        let m = &p.record;
        let width = m.width();
        let Some(row) = symbols.residuals.get(i * width..(i + 1) * width) else {
            return m.classes.quantum[class] < 0;
        };
        if m.classes.quantum[class] < 0 {
            return row.iter().all(|&r| r == 0);
        }
        let tables = &m.classes.residual_tables[class * width..(class + 1) * width];
        let mut has_code = true;
        for (j, (&r, &table)) in row.iter().zip(tables).enumerate() {
            has_code &= match p.silent[class][j] {
                true => r == 0,
                false => p.tables[table].encode(r, coder),
            };
        }
        has_code
    }

    /// Encodes rows that look at their neighbours, step by step.
    fn write_with_neighbours(
        &self,
        n: &Neighbourhood,
        symbols: &Symbols,
        classes: &[usize],
        coder: &mut rans::RansEncoder,
    ) -> bool {
        let p = &self.program;
        let m = &p.record;
        let width = m.width();
        let order = Order { rows: classes.len(), width, delay: n.delay(LANES) };
        let coded = |row: usize| m.classes.quantum[classes[row]] >= 0;
        let atom = |at: usize| symbols.atoms.get(at).copied().unwrap_or(0);
        let mut has_code = true;
        for step in order.steps() {
            for row in order.heads(step) {
                coder.set_lane(row % LANES);
                let last = row.checked_sub(1).map_or(0, |last| classes[last]);
                has_code &= self.write_head(symbols, (last, classes[row]), row, coder);
            }
            let cells = order.cells(step);
            if !n.atoms.is_empty() {
                for (row, column) in cells.clone().filter(|&(row, _)| coded(row)) {
                    let at = row * width + column;
                    let table = n.atom_table(symbols.atom_leaves[at]);
                    coder.set_lane(row % LANES);
                    has_code &= p.tables[table].encode(i64::from(atom(at)), coder);
                }
                coder.end_symbols();
            }
            for (row, column) in cells {
                let at = row * width + column;
                if !coded(row) {
                    has_code &= symbols.residuals[at] == 0 && atom(at) == 0;
                } else if atom(at) == 0 {
                    let own = || m.classes.residual_tables[classes[row] * width + column];
                    let table = n.table(symbols.leaves[at], own);
                    coder.set_lane(row % LANES);
                    has_code &= p.tables[table].encode(symbols.residuals[at], coder);
                }
            }
            coder.end_symbols();
        }
        has_code
    }
}

/// Returns a finite value of each column: sums of squares around it keep their digits, however far
/// from 0 the column lies.
fn first_values<T: Cell>(cells: &[T], width: usize, fills: &FillValues) -> Vec<f64> {
    let column = |j: usize| cells.iter().skip(j).step_by(width).find(|x| is_ordinary(**x, fills));
    (0..width).map(|j| column(j).map_or(0.0, |x| x.to_f64())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::block::Block;
    use crate::container::model::{Classes, Grid, ModelRecord, Value};
    use crate::entropy::table::TableSpec;
    use crate::matrix::DType;

    #[test]
    fn a_block_with_a_number_that_no_table_has_is_stored_exactly() {
        // The only class has a code for the residuals 0 and 1.
        let entries = vec![(0, 1), (1, rans::PROB_SCALE - 1)];
        let record = ModelRecord {
            grids: vec![Grid { value: Value::Integer { unit: 1 }, fraction: 0, step: 1 }],
            grid_of: vec![0],
            base: vec![0],
            temporal: vec![0],
            tables: vec![TableSpec::Histogram { raw: 0, entries, escape: 0 }],
            classes: Classes {
                count: 1,
                quantum: vec![0],
                residual_tables: vec![0],
                ..Classes::default()
            },
            ..ModelRecord::default()
        };
        let program = Program::new(record, DType::U8).unwrap();
        let encoder = BlockEncoder::without_latents(program, vec![0.0], FillValues::default());
        let kind = |rows: &[u8]| {
            let block = encoder.block(7, rows, &encoder.symbols(rows, &[], true));
            match block::decode(&block, 7, 0).unwrap() {
                Block::Coded { .. } => "coded",
                Block::Exact { .. } => "exact",
                Block::Columns { .. } => "with columns",
            }
        };
        assert_eq!((kind(&[1, 0, 1, 1]), kind(&[1, 0, 9, 1])), ("coded", "exact"));
    }
}
