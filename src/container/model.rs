//! The MODL section: every integer that decoding depends on.
//!
//! One stream of the adaptive integer coder. Arrays over columns share a model per kind, so
//! that the second latent's weights profit from the first's.

use super::forever::{MAX_CLASSES, MAX_HIDDEN, MAX_TABLES, MAX_UNITS};
use crate::entropy::array::ArrayModel;
use crate::entropy::intcoder::{IntDecoder, IntEncoder, IntModel};
use crate::entropy::table::TableSpec;
use crate::error::{Error, Result};
use crate::limits::{self, Limits};

/// How a column's integer `k` becomes a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// Integers: `k · unit`, in 64 bits, wrapping.
    Integer { unit: u64 },
    /// Floats: `offset + k · unit`, each operation rounded in `f64`, then to the type.
    Linear { offset: f64, unit: f64 },
    /// Floats: `(k · numerator) / denominator`, likewise.
    Ratio { numerator: u64, denominator: u64 },
    /// Floats: `k` counts representable numbers from the prediction `offset + m · unit`.
    Ordered { offset: f64, unit: f64 },
}

/// What columns with the same arithmetic share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Grid {
    /// How an integer becomes a value.
    pub(crate) value: Value,
    /// Predictions count in `2^-fraction` of a residual's step.
    pub(crate) fraction: u32,
    /// Integers `k` per step of the residual.
    pub(crate) step: u64,
}

impl Grid {
    /// Whether integers count representable numbers.
    #[cfg(feature = "compress")]
    pub(crate) fn value_is_ordered(&self) -> bool {
        matches!(self.value, Value::Ordered { .. })
    }
}

/// A hidden layer in integers: `clamp(leak((w x + bias) · multiplier >> shift))`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hidden {
    /// Weights, `units × inputs`, row-major.
    pub(crate) weights: Vec<i64>,
    /// One per unit.
    pub(crate) bias: Vec<i64>,
    /// Scale of the sum: multiplied, then shifted right with rounding.
    pub(crate) multiplier: i64,
    pub(crate) shift: u32,
    /// Negative results are shifted right by this much more.
    pub(crate) leak: u32,
    /// Results are clamped to `±clamp`.
    pub(crate) clamp: i64,
}

/// Temporal coefficients, in 1/256, and the sources they scale.
pub(crate) const TEMPORAL_ONE: i64 = 256;

/// The hidden path from latents to output, absent in the linear codec.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HiddenPath {
    /// Right shift of each latent before the first layer, whose inputs are clamped to 16 bits.
    pub(crate) input_shift: Vec<i64>,
    /// At least one.
    pub(crate) layers: Vec<Hidden>,
    /// Weights of the output, `columns × units of the last layer`, row-major.
    pub(crate) weights: Vec<i64>,
    /// Scale of the hidden sum where it joins the skip path's.
    pub(crate) multiplier: i64,
}

/// Row classes and what each selects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Classes {
    /// How many.
    pub(crate) count: usize,
    /// Table of the next class after each class; empty for one class.
    pub(crate) next: Vec<usize>,
    /// Step of the residual in fine units; 0: one whole step of the grid; −1: no residual.
    pub(crate) quantum: Vec<i64>,
    /// Mean of each latent, `classes × latents`.
    pub(crate) means: Vec<i64>,
    /// Table of each latent, `classes × latents × (2 with dependent quantisation)`.
    pub(crate) latent_tables: Vec<usize>,
    /// Table of each column's residual, `classes × columns`.
    pub(crate) residual_tables: Vec<usize>,
}

/// Everything the decoder is made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ModelRecord {
    /// Distinct grids.
    pub(crate) grids: Vec<Grid>,
    /// Which of them each column uses.
    pub(crate) grid_of: Vec<usize>,
    /// Added to every integer of the column.
    pub(crate) base: Vec<i64>,
    /// Share of the previous row's residual that carries over, in 1/256.
    pub(crate) temporal: Vec<i64>,
    /// Largest magnitude of each latent; as many as there are latents.
    pub(crate) latent_clamp: Vec<i64>,
    /// Share of the previous row's latent that carries over, in 1/256.
    pub(crate) latent_temporal: Vec<i64>,
    /// States of dependent quantisation: 0 (off), 4 or 8.
    pub(crate) trellis: usize,
    /// Right shift of the output sum.
    pub(crate) gain: u32,
    /// Skip weights, `latents × columns`, row-major by latent.
    pub(crate) skip: Vec<i64>,
    /// Added to the output sum; empty for none.
    pub(crate) bias: Vec<i64>,
    /// The hidden path, if there is one.
    pub(crate) hidden: Option<HiddenPath>,
    /// Row classes.
    pub(crate) classes: Classes,
    /// The tables that `classes` refers to.
    pub(crate) tables: Vec<TableSpec>,
}

impl ModelRecord {
    /// Number of latents.
    pub(crate) fn latents(&self) -> usize {
        self.latent_clamp.len()
    }

    /// Units of each hidden layer, from latents to row.
    pub(crate) fn hidden_units(&self) -> Vec<usize> {
        let layers = self.hidden.iter().flat_map(|h| &h.layers);
        layers.map(|l| l.bias.len()).collect()
    }

    /// Number of columns.
    pub(crate) fn width(&self) -> usize {
        self.base.len()
    }

    /// Latent tables per latent and class.
    pub(crate) fn table_sets(&self) -> usize {
        if self.trellis > 0 { 2 } else { 1 }
    }

    /// The MODL payload; `line` is the last dimension of the row's shape.
    pub(crate) fn encode(&self, line: usize) -> Vec<u8> {
        let mut w = Out { coder: IntEncoder::new(), head: IntModel::new(), line };
        self.write_decoder(&mut w);
        w.number(self.tables.len() as i64);
        let mut model = ArrayModel::new();
        for table in &self.tables {
            w.table(table, &mut model);
        }
        w.classes(self);
        w.coder.finish()
    }

    /// Bytes of all but the tables and classes.
    #[cfg(feature = "compress")]
    pub(crate) fn decoder_bytes(&self, line: usize) -> usize {
        let mut w = Out { coder: IntEncoder::new(), head: IntModel::new(), line };
        self.write_decoder(&mut w);
        w.coder.finish().len()
    }

    fn write_decoder(&self, w: &mut Out) {
        let (width, latents) = (self.width(), self.latents());
        w.number(self.grids.len() as i64);
        for grid in &self.grids {
            w.grid(grid);
        }
        let mut model = ArrayModel::new();
        if self.grids.len() > 1 {
            w.indices(&mut model, &self.grid_of);
        }
        w.array(&mut ArrayModel::new(), &self.base);
        w.array(&mut ArrayModel::new(), &self.temporal);
        w.number(latents as i64);
        if latents > 0 {
            w.flat(&self.latent_clamp);
            w.flat(&self.latent_temporal);
            w.number(self.trellis as i64);
            w.number(i64::from(self.gain));
            let mut model = ArrayModel::new();
            for column in self.skip.chunks_exact(width) {
                w.array(&mut model, column);
            }
            w.number(i64::from(!self.bias.is_empty()));
            if !self.bias.is_empty() {
                w.array(&mut ArrayModel::new(), &self.bias);
            }
            w.number(self.hidden.as_ref().map_or(0, |h| h.layers.len() as i64));
            if let Some(hidden) = &self.hidden {
                w.hidden(hidden, latents);
            }
        }
    }

    /// Reads a payload of `bytes`, which begin at `at`, for rows of `width` columns.
    pub(crate) fn decode(
        bytes: &[u8],
        at: u64,
        (width, line): (usize, usize),
        limits: &Limits,
    ) -> Result<Self> {
        let mut r = In {
            coder: IntDecoder::new(bytes),
            head: IntModel::new(),
            line,
            left: limits.model_bytes,
        };
        Self::read(&mut r, width).and_then(|m| r.coder.finish().map(|()| m)).map_err(|e| e.at(at))
    }

    fn read(r: &mut In<'_>, width: usize) -> Result<Self> {
        let mut m = ModelRecord::default();
        let grids = r.within("grids", 1, width)?;
        r.spend(grids, size_of::<Grid>())?;
        for _ in 0..grids {
            m.grids.push(r.grid()?);
        }
        m.grid_of = if grids > 1 {
            r.indices(&mut ArrayModel::new(), width, grids)?
        } else {
            r.spend(width, 8)?;
            vec![0; width]
        };
        m.base = r.array(&mut ArrayModel::new(), width)?;
        m.temporal = r.array(&mut ArrayModel::new(), width)?;
        check_temporal(&m.temporal)?;
        let latents = r.within("latents", 0, MAX_UNITS)?;
        if latents > 0 {
            m.latent_clamp = r.flat(latents)?;
            if m.latent_clamp.iter().any(|c| !(0..1 << 30).contains(c)) {
                return Err(Error::corrupt("a latent's range is not below 2^30"));
            }
            m.latent_temporal = r.flat(latents)?;
            check_temporal(&m.latent_temporal)?;
            m.trellis = r.within("trellis states", 0, 8)?;
            if ![0, 4, 8].contains(&m.trellis) {
                return Err(Error::corrupt("a trellis has 4 or 8 states"));
            }
            m.gain = r.within("gain", 0, 62)? as u32;
            let mut model = ArrayModel::new();
            r.spend(latents.saturating_mul(width), 8)?;
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
        let tables = r.within("tables", 1, MAX_TABLES)?;
        let mut model = ArrayModel::new();
        for _ in 0..tables {
            m.tables.push(r.table(&mut model)?);
        }
        r.classes(&mut m, width)?;
        Ok(m)
    }
}

fn check_temporal(values: &[i64]) -> Result<()> {
    if values.iter().all(|a| a.unsigned_abs() <= TEMPORAL_ONE as u64) {
        return Ok(());
    }
    Err(Error::corrupt("a temporal coefficient is above 1"))
}

/// Writes the parts.
struct Out {
    coder: IntEncoder,
    head: IntModel,
    line: usize,
}

impl Out {
    fn number(&mut self, value: i64) {
        self.coder.int(&mut self.head, 0, value);
    }

    fn array(&mut self, model: &mut ArrayModel, values: &[i64]) {
        model.encode(&mut self.coder, values, self.line);
    }

    /// An array that is not over the columns.
    fn flat(&mut self, values: &[i64]) {
        ArrayModel::new().encode(&mut self.coder, values, 1);
    }

    fn indices(&mut self, model: &mut ArrayModel, values: &[usize]) {
        let values: Vec<i64> = values.iter().map(|&v| v as i64).collect();
        self.array(model, &values);
    }

    fn grid(&mut self, grid: &Grid) {
        let (kind, a, b) = match grid.value {
            Value::Integer { unit } => (0, 0, unit),
            Value::Linear { offset, unit } => (1, offset.to_bits(), unit.to_bits()),
            Value::Ratio { numerator, denominator } => (2, numerator, denominator),
            Value::Ordered { offset, unit } => (3, offset.to_bits(), unit.to_bits()),
        };
        self.number(kind);
        self.number(i64::from(grid.fraction));
        for (context, v) in [grid.step, a, b].into_iter().enumerate() {
            // Floats often end in zero bits.
            let zeros = if v == 0 { 0 } else { v.trailing_zeros() };
            self.coder.int(&mut self.head, 1 + context, i64::from(zeros));
            self.coder.int(&mut self.head, 4 + context, (v >> zeros) as i64);
        }
    }

    fn hidden(&mut self, hidden: &HiddenPath, latents: usize) {
        self.flat(&hidden.input_shift);
        let mut inputs = latents;
        let mut model = ArrayModel::new();
        for layer in &hidden.layers {
            self.number(layer.bias.len() as i64);
            self.by_input(&mut model, &layer.weights, inputs, 1);
            self.flat(&layer.bias);
            self.number(layer.multiplier);
            self.number(i64::from(layer.shift));
            self.number(i64::from(layer.leak));
            self.number(layer.clamp);
            inputs = layer.bias.len();
        }
        let mut model = ArrayModel::new();
        self.by_input(&mut model, &hidden.weights, inputs, self.line);
        self.number(hidden.multiplier);
    }

    /// A matrix of `outputs × inputs`, array by array the weights of one input: those of an input
    /// that varies little are coarse, and those of neighbouring columns are alike.
    fn by_input(&mut self, model: &mut ArrayModel, weights: &[i64], inputs: usize, line: usize) {
        for i in 0..inputs {
            let own: Vec<i64> = weights.iter().skip(i).step_by(inputs).copied().collect();
            model.encode(&mut self.coder, &own, line);
        }
    }

    fn table(&mut self, table: &TableSpec, model: &mut ArrayModel) {
        match table {
            TableSpec::Zero => self.number(0),
            TableSpec::Ladder { shape, scale } => {
                self.number(1);
                self.coder.int(&mut self.head, 7, i64::from(*shape));
                self.coder.int(&mut self.head, 8, i64::from(*scale));
            }
            TableSpec::Histogram { raw, entries, escape } => {
                self.number(2);
                self.coder.int(&mut self.head, 12, i64::from(*raw));
                self.coder.int(&mut self.head, 9, entries.len() as i64);
                self.coder.int(&mut self.head, 10, i64::from(*escape));
                let (numbers, frequencies): (Vec<i64>, Vec<i64>) =
                    entries.iter().map(|&(n, f)| (n, i64::from(f))).unzip();
                model.encode(&mut self.coder, &numbers, 1);
                model.encode(&mut self.coder, &frequencies, 1);
            }
            TableSpec::Tokens { lead, frequencies } => {
                self.number(3);
                self.coder.int(&mut self.head, 11, i64::from(*lead));
                let frequencies: Vec<i64> = frequencies.iter().map(|&f| i64::from(f)).collect();
                model.encode(&mut self.coder, &frequencies, 1);
            }
        }
    }

    fn classes(&mut self, m: &ModelRecord) {
        let c = &m.classes;
        self.number(c.count as i64);
        if c.count > 1 {
            self.indices(&mut ArrayModel::new(), &c.next);
        }
        self.flat(&c.quantum);
        let (mut means, mut latents) = (ArrayModel::new(), ArrayModel::new());
        let mut residuals = ArrayModel::new();
        for class in 0..c.count {
            if m.latents() > 0 {
                let row = class * m.latents()..(class + 1) * m.latents();
                means.encode(&mut self.coder, &c.means[row], 1);
                let n = m.latents() * m.table_sets();
                let row = &c.latent_tables[class * n..(class + 1) * n];
                let row: Vec<i64> = row.iter().map(|&t| t as i64).collect();
                latents.encode(&mut self.coder, &row, 1);
            }
            if c.quantum[class] >= 0 {
                let row = class * m.width()..(class + 1) * m.width();
                self.indices(&mut residuals, &c.residual_tables[row]);
            }
        }
    }
}

/// Reads the parts, spending from a budget before memory is taken.
struct In<'a> {
    coder: IntDecoder<'a>,
    head: IntModel,
    line: usize,
    left: u64,
}

impl In<'_> {
    fn spend(&mut self, count: usize, size: usize) -> Result<()> {
        let bytes = (count as u64).saturating_mul(size as u64);
        limits::check("the model", bytes, self.left)?;
        self.left -= bytes;
        Ok(())
    }

    fn number(&mut self) -> Result<i64> {
        self.coder.int(&mut self.head, 0)
    }

    /// A number between `least` and `most`; `what` names it.
    fn within(&mut self, what: &str, least: usize, most: usize) -> Result<usize> {
        let value = self.number()?;
        usize::try_from(value).ok().filter(|v| (least..=most).contains(v)).ok_or_else(|| {
            Error::corrupt(format!("{what}: {value} is not between {least} and {most}"))
        })
    }

    fn array(&mut self, model: &mut ArrayModel, count: usize) -> Result<Vec<i64>> {
        self.spend(count, 8)?;
        model.decode(&mut self.coder, count, self.line)
    }

    fn flat(&mut self, count: usize) -> Result<Vec<i64>> {
        self.spend(count, 8)?;
        ArrayModel::new().decode(&mut self.coder, count, 1)
    }

    /// Values below `end`.
    fn indices(&mut self, model: &mut ArrayModel, count: usize, end: usize) -> Result<Vec<usize>> {
        into_indices(self.array(model, count)?, end)
    }

    fn grid(&mut self) -> Result<Grid> {
        let kind = self.number()?;
        let fraction = self.within("fraction bits", 0, 32)? as u32;
        let mut fields = [0_u64; 3];
        for (context, field) in fields.iter_mut().enumerate() {
            let zeros = self.coder.int(&mut self.head, 1 + context)?;
            if !(0..64).contains(&zeros) {
                return Err(Error::corrupt("a grid's number has an undefined shift"));
            }
            *field = (self.coder.int(&mut self.head, 4 + context)? as u64) << zeros;
        }
        let [step, a, b] = fields;
        let value = match kind {
            0 if a == 0 => Value::Integer { unit: b },
            0 => return Err(Error::corrupt("a grid of integers has an offset")),
            1 => Value::Linear { offset: f64::from_bits(a), unit: f64::from_bits(b) },
            2 => Value::Ratio { numerator: a, denominator: b },
            3 => Value::Ordered { offset: f64::from_bits(a), unit: f64::from_bits(b) },
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
            layer.shift = self.within("shift", 0, 62)? as u32;
            layer.leak = self.within("leak", 0, 62)? as u32;
            layer.clamp = self.within("clamp", 0, i16::MAX as usize)? as i64;
            path.layers.push(layer);
            inputs = units;
        }
        let mut model = ArrayModel::new();
        path.weights = self.by_input(&mut model, inputs, width, self.line)?;
        path.multiplier = self.number()?;
        Ok(path)
    }

    /// A matrix of `outputs × inputs`, stored input by input.
    fn by_input(
        &mut self,
        model: &mut ArrayModel,
        inputs: usize,
        outputs: usize,
        line: usize,
    ) -> Result<Vec<i64>> {
        self.spend(outputs.saturating_mul(inputs), 8)?;
        let mut weights = vec![0; outputs * inputs];
        for i in 0..inputs {
            let own = model.decode(&mut self.coder, outputs, line)?;
            weights.iter_mut().skip(i).step_by(inputs).zip(own).for_each(|(w, own)| *w = own);
        }
        Ok(weights)
    }

    fn table(&mut self, model: &mut ArrayModel) -> Result<TableSpec> {
        use crate::entropy::table::{MAX_HISTOGRAM, token_count};
        // A table in memory: starts, numbers, bits and 512 buckets.
        self.spend(1, 2048)?;
        Ok(match self.number()? {
            0 => TableSpec::Zero,
            1 => {
                let shape = self.coder.int(&mut self.head, 7)?;
                let scale = self.coder.int(&mut self.head, 8)?;
                let small = |v: i64| u8::try_from(v).unwrap_or(u8::MAX);
                self.spend(261, 16)?;
                TableSpec::Ladder { shape: small(shape), scale: small(scale) }
            }
            2 => {
                let raw = self.coder.int(&mut self.head, 12)?;
                let raw = u8::try_from(raw).unwrap_or(u8::MAX);
                let count = self.coder.int(&mut self.head, 9)?;
                let escape = self.coder.int(&mut self.head, 10)?;
                let count = usize::try_from(count).ok().filter(|&c| c <= MAX_HISTOGRAM);
                let count = count.ok_or_else(|| Error::corrupt("a histogram is too long"))?;
                self.spend(count, 64)?;
                let numbers = model.decode(&mut self.coder, count, 1)?;
                let frequencies = model.decode(&mut self.coder, count, 1)?;
                let frequencies = frequencies.into_iter().map(frequency);
                let entries = numbers.into_iter().zip(frequencies).collect();
                TableSpec::Histogram { raw, entries, escape: frequency(escape) }
            }
            3 => {
                let lead = self.coder.int(&mut self.head, 11)?;
                if !(0..=4).contains(&lead) {
                    return Err(Error::corrupt("a token table keeps 0 to 4 bits"));
                }
                let count = 2 * token_count(lead as u8) - 1;
                self.spend(count, 64)?;
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
        if c.quantum.iter().any(|q| !(-1..1 << 40).contains(q)) {
            return Err(Error::corrupt("a class's residual step is out of range"));
        }
        let per_class = latents * m.table_sets();
        self.spend(count.saturating_mul(latents + per_class + width), 8)?;
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

/// A frequency; what is none becomes too large to add up.
fn frequency(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn into_indices(values: Vec<i64>, end: usize) -> Result<Vec<usize>> {
    values
        .into_iter()
        .map(|v| {
            usize::try_from(v)
                .ok()
                .filter(|&v| v < end)
                .ok_or_else(|| Error::corrupt(format!("the model refers to number {v} of {end}")))
        })
        .collect()
}
