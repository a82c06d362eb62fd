//! Bytes to a record: nothing in them is believed.

use super::record_reader::{RecordReader, WORD, into_indices};
use super::{Classes, Grid, Hidden, HiddenPath, ModelRecord, Neighbours, TEMPORAL_ONE, Value};
use super::{context, grid_kind, table_kind};
use crate::container::forever::{MAX_CLASSES, MAX_HIDDEN, MAX_TABLES, MAX_UNITS};
use crate::entropy::array::ArrayModel;
use crate::entropy::intcoder::{IntDecoder, IntModel};
use crate::entropy::table::TableSpec;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::matrix::Schema;

/// Latents lie within ± this, so that their sums with weights can be proved to fit.
const MAX_LATENT: i64 = 1 << 30;
/// A class's residual step, in fine units, is below this.
const MAX_QUANTUM: i64 = 1 << 40;
/// The largest shift of a 64-bit sum that leaves a sign and a bit.
const MAX_SHIFT: usize = 62;
/// The most leading bits that a token keeps.
const MAX_LEAD: i64 = 4;
/// Bytes that a table takes in memory besides its entries: its buckets, mainly.
const TABLE_BYTES: usize = 2048;
/// The most entries of a ladder, and the bytes that each takes in memory.
const MOST_RUNGS: usize = 261;
const RUNG_BYTES: usize = 16;
/// Bytes that an entry of a listed table may take in memory, while it is read and after.
const ENTRY_BYTES: usize = 64;

impl ModelRecord {
    /// Reads a payload of `bytes`, which begin at `at`, of a model for rows of `schema`.
    pub(crate) fn decode(bytes: &[u8], at: u64, schema: &Schema, limits: &Limits) -> Result<Self> {
        Self::decode_counted(bytes, at, schema, limits).map(|(record, _)| record)
    }

    /// The same, and how many bytes of the limit it takes.
    pub(crate) fn decode_counted(
        bytes: &[u8],
        at: u64,
        schema: &Schema,
        limits: &Limits,
    ) -> Result<(Self, u64)> {
        let mut r = RecordReader {
            coder: IntDecoder::new(bytes).map_err(|e| e.at(at))?,
            head: IntModel::of_kinds(),
            line: schema.line_width(),
            left: limits.model_bytes,
        };
        let record = Self::read(&mut r, schema.width());
        let record = record.and_then(|m| r.coder.finish().map(|()| m)).map_err(|e| e.at(at))?;
        Ok((record, limits.model_bytes - r.left))
    }

    fn read(r: &mut RecordReader<'_>, width: usize) -> Result<Self> {
        let mut m = ModelRecord::default();
        let grids = r.within("grids", 1, width)?;
        r.spend(grids, size_of::<Grid>())?;
        for _ in 0..grids {
            m.grids.push(r.grid()?);
        }
        m.grid_of = if grids > 1 {
            r.indices(&mut ArrayModel::new(), width, grids)?
        } else {
            r.spend(width, WORD)?;
            vec![0; width]
        };
        m.base = r.array(&mut ArrayModel::new(), width)?;
        m.temporal = r.array(&mut ArrayModel::new(), width)?;
        check_temporal(&m.temporal)?;
        let latents = r.within("latents", 0, MAX_UNITS)?;
        if latents > 0 {
            m.latent_clamp = r.flat(latents)?;
            if m.latent_clamp.iter().any(|c| !(0..MAX_LATENT).contains(c)) {
                return Err(Error::corrupt("a latent's range is not below 2^30"));
            }
            m.latent_temporal = r.flat(latents)?;
            check_temporal(&m.latent_temporal)?;
            m.trellis = r.within("trellis states", 0, 8)?;
            if ![0, 4, 8].contains(&m.trellis) {
                return Err(Error::corrupt("a trellis has 4 or 8 states"));
            }
            m.gain = r.within("gain", 0, MAX_SHIFT)? as u32;
            let mut model = ArrayModel::new();
            r.spend(latents.saturating_mul(width), WORD)?;
            for _ in 0..latents {
                m.skip.extend(model.decode(&mut r.coder, width, r.line)?);
            }
            if r.within("bias flag", 0, 1)? == 1 {
                m.bias = r.array(&mut ArrayModel::new(), width)?;
            }
            let layers = r.within("hidden layers", 0, MAX_HIDDEN)?;
            if layers > 0 {
                m.hidden = Some(r.hidden(layers, latents, width)?);
            }
        }
        // A negative number says that neighbours follow at the end.
        let tables = r.number()?;
        let count = usize::try_from(tables.unsigned_abs()).unwrap_or(usize::MAX);
        if !(1..=MAX_TABLES).contains(&count) {
            return Err(Error::corrupt(format!("tables: {tables} is not 1 to {MAX_TABLES}")));
        }
        let mut model = ArrayModel::new();
        for _ in 0..count {
            m.tables.push(r.table(&mut model)?);
        }
        r.classes(&mut m, width)?;
        if tables < 0 {
            let neighbours = Neighbours::read(r, [latents, width, count])?;
            if neighbours.aligned && latents > 0 {
                return Err(Error::corrupt(
                    "predictions from neighbours are rounded to whole steps, which a model with \
                     latents does not allow",
                ));
            }
            if m.temporal.iter().any(|&a| a != 0) {
                return Err(Error::corrupt(
                    "residuals look at neighbours and carry over from the row before as well",
                ));
            }
            m.neighbours = Some(neighbours);
        }
        Ok(m)
    }
}

fn check_temporal(values: &[i64]) -> Result<()> {
    if values.iter().all(|a| a.unsigned_abs() <= TEMPORAL_ONE as u64) {
        return Ok(());
    }
    Err(Error::corrupt("a temporal coefficient is above 1"))
}

impl RecordReader<'_> {
    fn grid(&mut self) -> Result<Grid> {
        let kind = self.number()?;
        let fraction = self.within("fraction bits", 0, 32)? as u32;
        let mut fields = [0_u64; 3];
        for (at, field) in fields.iter_mut().enumerate() {
            let zeros = self.context(context::GRID_ZEROS + at)?;
            if !(0..64).contains(&zeros) {
                return Err(Error::corrupt("a grid's number has an undefined shift"));
            }
            *field = (self.context(context::GRID_FIELD + at)? as u64) << zeros;
        }
        let [step, a, b] = fields;
        let value = match kind {
            grid_kind::INTEGER if a == 0 => Value::Integer { unit: b },
            grid_kind::INTEGER => return Err(Error::corrupt("a grid of integers has an offset")),
            grid_kind::LINEAR => {
                Value::Linear { offset: f64::from_bits(a), unit: f64::from_bits(b) }
            }
            grid_kind::RATIO => Value::Ratio { numerator: a, denominator: b },
            grid_kind::ORDERED => {
                Value::Ordered { offset: f64::from_bits(a), unit: f64::from_bits(b) }
            }
            _ => return Err(Error::corrupt(format!("a grid of undefined kind {kind}"))),
        };
        let finite = match value {
            Value::Linear { offset, unit } | Value::Ordered { offset, unit } => {
                offset.is_finite() && unit.is_finite()
            }
            Value::Ratio { denominator, .. } => denominator != 0,
            Value::Integer { .. } => true,
        };
        if !finite {
            return Err(Error::corrupt("a grid is not finite or divides by zero"));
        }
        Ok(Grid { value, fraction, step })
    }

    fn hidden(&mut self, layers: usize, latents: usize, width: usize) -> Result<HiddenPath> {
        let mut path = HiddenPath { input_shift: self.flat(latents)?, ..HiddenPath::default() };
        if path.input_shift.iter().any(|s| !(0..32).contains(s)) {
            return Err(Error::corrupt("a latent's shift is not below 32"));
        }
        let mut inputs = latents;
        let mut model = ArrayModel::new();
        for _ in 0..layers {
            let units = self.within("hidden units", 1, MAX_UNITS)?;
            let weights = self.by_input(&mut model, inputs, units, 1)?;
            let mut layer = Hidden { weights, ..Hidden::default() };
            layer.bias = self.flat(units)?;
            layer.multiplier = self.number()?;
            layer.shift = self.within("shift", 0, MAX_SHIFT)? as u32;
            layer.leak = self.within("leak", 0, MAX_SHIFT)? as u32;
            layer.clamp = self.within("clamp", 0, i16::MAX as usize)? as i64;
            path.layers.push(layer);
            inputs = units;
        }
        let mut model = ArrayModel::new();
        path.weights = self.by_input(&mut model, inputs, width, self.line)?;
        path.multiplier = self.number()?;
        Ok(path)
    }

    /// Reads a matrix of `outputs × inputs`, stored input by input.
    fn by_input(
        &mut self,
        model: &mut ArrayModel,
        inputs: usize,
        outputs: usize,
        line: usize,
    ) -> Result<Vec<i64>> {
        self.spend(outputs.saturating_mul(inputs), WORD)?;
        let mut weights = vec![0; outputs * inputs];
        for i in 0..inputs {
            let own = model.decode(&mut self.coder, outputs, line)?;
            weights.iter_mut().skip(i).step_by(inputs).zip(own).for_each(|(w, own)| *w = own);
        }
        Ok(weights)
    }

    fn table(&mut self, model: &mut ArrayModel) -> Result<TableSpec> {
        use crate::entropy::table::{MAX_HISTOGRAM, token_count};
        self.spend(1, TABLE_BYTES)?;
        Ok(match self.number()? {
            table_kind::ZERO => TableSpec::Zero,
            table_kind::LADDER => {
                let shape = self.context(context::LADDER_SHAPE)?;
                let scale = self.context(context::LADDER_SCALE)?;
                let small = |v: i64| u8::try_from(v).unwrap_or(u8::MAX);
                self.spend(MOST_RUNGS, RUNG_BYTES)?;
                TableSpec::Ladder { shape: small(shape), scale: small(scale) }
            }
            table_kind::HISTOGRAM => {
                let raw = self.context(context::HISTOGRAM_RAW)?;
                let raw = u8::try_from(raw).unwrap_or(u8::MAX);
                let count = self.context(context::HISTOGRAM_LENGTH)?;
                let escape = self.context(context::HISTOGRAM_ESCAPE)?;
                let count = usize::try_from(count).ok().filter(|&c| c <= MAX_HISTOGRAM);
                let count = count.ok_or_else(|| Error::corrupt("a histogram is too long"))?;
                self.spend(count, ENTRY_BYTES)?;
                let numbers = model.decode(&mut self.coder, count, 1)?;
                let frequencies = model.decode(&mut self.coder, count, 1)?;
                let frequencies = frequencies.into_iter().map(frequency);
                let entries = numbers.into_iter().zip(frequencies).collect();
                TableSpec::Histogram { raw, entries, escape: frequency(escape) }
            }
            table_kind::TOKENS => {
                let lead = self.context(context::TOKEN_LEAD)?;
                if !(0..=MAX_LEAD).contains(&lead) {
                    return Err(Error::corrupt("a token table keeps 0 to 4 bits"));
                }
                let count = 2 * token_count(lead as u8) - 1;
                self.spend(count, ENTRY_BYTES)?;
                let frequencies = model.decode(&mut self.coder, count, 1)?;
                let frequencies = frequencies.into_iter().map(frequency).collect();
                TableSpec::Tokens { lead: lead as u8, frequencies }
            }
            kind => return Err(Error::corrupt(format!("a table of undefined kind {kind}"))),
        })
    }

    fn classes(&mut self, m: &mut ModelRecord, width: usize) -> Result<()> {
        let (latents, tables) = (m.latents(), m.tables.len());
        let count = self.within("classes", 1, MAX_CLASSES)?;
        let mut c = Classes { count, ..Classes::default() };
        if count > 1 {
            c.next = self.indices(&mut ArrayModel::new(), count, tables)?;
        }
        c.quantum = self.flat(count)?;
        if c.quantum.iter().any(|q| !(-1..MAX_QUANTUM).contains(q)) {
            return Err(Error::corrupt("a class's residual step is out of range"));
        }
        let per_class = latents * m.table_sets();
        self.spend(count.saturating_mul(latents + per_class + width), WORD)?;
        let (mut means, mut own) = (ArrayModel::new(), ArrayModel::new());
        let mut residuals = ArrayModel::new();
        for class in 0..count {
            if latents > 0 {
                c.means.extend(means.decode(&mut self.coder, latents, 1)?);
                let row = own.decode(&mut self.coder, per_class, 1)?;
                c.latent_tables.extend(into_indices(row, tables)?);
            }
            if c.quantum[class] >= 0 {
                let row = residuals.decode(&mut self.coder, width, self.line)?;
                c.residual_tables.extend(into_indices(row, tables)?);
            } else {
                c.residual_tables.resize((class + 1) * width, 0);
            }
        }
        m.classes = c;
        Ok(())
    }
}

/// Converts a frequency; what is none becomes too large to add up.
fn frequency(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
