//! Encoding of a block against the program that will decode it.
//!
//! [`project`] finds real-valued latents, [`latents`] chooses their integers by bits and error,
//! [`residual`] makes and checks the residuals, [`classes`] chooses each row's class; here they
//! are put in order and written.

pub(crate) mod blocks;
pub(crate) mod classes;
pub(crate) mod floats;
pub(crate) mod latents;
pub(crate) mod project;
pub(crate) mod refine;
pub(crate) mod residual;
pub(crate) mod rows;

use crate::codec::program::Program;
use crate::codec::value::{Cell, with_cell};
use crate::container::block;
use crate::entropy::rans;
use crate::error::Result;
use crate::matrix::from_little_endian;
use crate::quality::Tally;
use classes::Costs;
use latents::LatentChooser;
use project::Projection;
use refine::Refiner;
use residual::Residuals;
use rows::{RowCoder, RowRule};

/// Everything that turns rows into blocks.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    /// What will decode.
    pub(crate) program: Program,
    /// Rows to latents.
    pub(crate) projection: Projection,
    /// Real latents to integers.
    pub(crate) chooser: LatentChooser,
    /// Makes latents better than the projection's, if there.
    pub(crate) refiner: Option<Refiner>,
    /// Each column's bound; infinite where no bound was asked for.
    pub(crate) bounds: Vec<f64>,
    /// Bits of numbers under each table.
    pub(crate) costs: Costs,
    /// zstd level for exact blocks; `None` if they are not tried.
    pub(crate) exact_level: Option<i32>,
    /// Rows of a block.
    pub(crate) block_rows: usize,
    /// What each row must hold, where rows were promised something.
    pub(crate) rule: Option<RowRule>,
}

/// Symbols of some rows, before entropy coding.
#[derive(Debug, Clone, Default)]
pub(crate) struct Symbols {
    /// Rows.
    pub(crate) rows: usize,
    /// Symbols of latents, `rows × latents`, means not yet subtracted.
    pub(crate) latents: Vec<i32>,
    /// With dependent quantisation: which quantiser each symbol belongs to.
    pub(crate) second: Vec<bool>,
    /// Residuals in steps, `rows × columns`; empty without residuals.
    pub(crate) residuals: Vec<i64>,
    /// Classes, where the promise leaves no choice.
    pub(crate) forced: Vec<usize>,
    /// Cells stored exactly.
    pub(crate) escapes: Vec<u64>,
    /// Latents as the decoder will have them, `rows × latents`.
    pub(crate) decoded_latents: Vec<i32>,
    /// How good the decoded rows are; only where asked for.
    pub(crate) tally: Tally,
}

impl Encoder {
    /// Real latents of normalised rows.
    pub(crate) fn latents(&self, normalised: &[f32]) -> Vec<f32> {
        let real = self.projection.project(normalised);
        match &self.refiner {
            Some(refiner) => refiner.refine(&self.program, &self.chooser, normalised, &real),
            None => real,
        }
    }

    /// Symbols of consecutive rows that begin a block, given as little-endian bytes.
    pub(crate) fn symbols(&self, bytes: &[u8], real: &[f32], measure: bool) -> Symbols {
        with_cell!(self.program.dtype, T => {
            let mut rows = vec![<T as bytemuck::Zeroable>::zeroed(); bytes.len() / size_of::<T>()];
            from_little_endian(bytes, &mut rows);
            self.symbols_of::<T>(&rows, real, measure)
        })
    }

    fn symbols_of<T: Cell>(&self, cells: &[T], real: &[f32], measure: bool) -> Symbols {
        let p = &self.program;
        let width = p.record.width();
        let mut symbols = Symbols { rows: cells.len() / width, ..Symbols::default() };
        self.chooser.choose(p, real, &mut symbols);
        let mut predictions = vec![0; cells.len()];
        p.network.predict(&symbols.decoded_latents, &mut predictions);
        if let Some(rule) = &self.rule {
            self.symbols_by_row(rule, cells, &predictions, &mut symbols);
            return symbols;
        }
        let origin = first_values(cells, width);
        let mut residuals = Residuals::new(p, &self.bounds);
        let rows = cells.chunks_exact(width).zip(predictions.chunks_exact(width));
        for (i, (row, m)) in rows.enumerate() {
            residuals.row((i, row), m, &mut symbols);
            if measure {
                symbols.tally.row(row, residuals.decoded(), &origin);
            }
        }
        symbols
    }

    fn symbols_by_row<T: Cell>(&self, rule: &RowRule, cells: &[T], m: &[i32], out: &mut Symbols) {
        let width = self.program.record.width();
        let Projection { centre, inverse_scale, .. } = &self.projection;
        let origin = first_values(cells, width);
        let mut coder = RowCoder::new(&self.program, rule, centre, inverse_scale);
        for (i, (row, m)) in cells.chunks_exact(width).zip(m.chunks_exact(width)).enumerate() {
            coder.row((i, row), m, out);
            out.tally.row(row, coder.decoded(), &origin);
        }
    }

    /// One block's bytes.
    pub(crate) fn block(&self, first_row: u64, bytes: &[u8], symbols: &Symbols) -> Result<Vec<u8>> {
        let classes = self.costs.classify(&self.program, symbols);
        let mut coder =
            rans::RansEncoder::with_capacity(symbols.latents.len() + symbols.residuals.len());
        self.write(symbols, &classes, &mut coder);
        let mut stream = Vec::new();
        coder.finish(&mut stream);
        let size = self.program.dtype.size();
        let values: Vec<u8> = symbols
            .escapes
            .iter()
            .flat_map(|&cell| &bytes[cell as usize * size..(cell as usize + 1) * size])
            .copied()
            .collect();
        let escapes = block::encode_escapes(&symbols.escapes, &values, size);
        let coded = block::encode_coded(first_row, &stream, &escapes);
        // Exact rows are worth a try only where coding does not do much.
        if let Some(level) = self.exact_level.filter(|_| coded.len() * 4 > bytes.len()) {
            let exact = block::encode_exact(first_row, bytes, size, level);
            if exact.len() < coded.len() {
                return Ok(exact);
            }
        }
        Ok(coded)
    }

    /// Operations in the order in which `decode::RowDecoder` reads.
    fn write(&self, symbols: &Symbols, classes: &[usize], coder: &mut rans::RansEncoder) {
        let p = &self.program;
        let m = &p.record;
        let (latents, width, sets) = (m.latents(), m.width(), m.table_sets());
        let mut last = 0;
        for (i, &class) in classes.iter().enumerate() {
            if m.classes.count > 1 {
                encode(&p.tables[m.classes.next[last]], class as i64, coder);
            }
            last = class;
            for k in 0..latents {
                let at = i * latents + k;
                let set = usize::from(sets == 2 && symbols.second[at]);
                let table = m.classes.latent_tables[(class * latents + k) * sets + set];
                let mean = m.classes.means[class * latents + k];
                encode(&p.tables[table], i64::from(symbols.latents[at]) - mean, coder);
            }
            if m.classes.quantum[class] >= 0 {
                let tables = &m.classes.residual_tables[class * width..(class + 1) * width];
                let row = &symbols.residuals[i * width..(i + 1) * width];
                for (j, (&r, &table)) in row.iter().zip(tables).enumerate() {
                    if !p.silent[class][j] {
                        encode(&p.tables[table], r, coder);
                    }
                }
            }
        }
    }
}

/// A finite value of each column: sums of squares around it keep their digits, however far from 0
/// the column lies.
fn first_values<T: Cell>(cells: &[T], width: usize) -> Vec<f64> {
    let column = |j: usize| cells.iter().skip(j).step_by(width).find(|x| x.is_ordinary());
    (0..width).map(|j| column(j).map_or(0.0, |x| x.to_f64())).collect()
}

/// Writes a number that class and table were chosen to be able to say.
fn encode(table: &crate::entropy::table::Table, number: i64, coder: &mut rans::RansEncoder) {
    let said = table.encode(number, coder);
    debug_assert!(said, "a table was chosen that cannot say {number}");
}
