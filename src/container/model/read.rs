//! Bytes to a record: nothing in them is believed.

use super::{Classes, Grid, Hidden, HiddenPath, ModelRecord, TEMPORAL_ONE, Value};
use crate::container::forever::{MAX_CLASSES, MAX_HIDDEN, MAX_TABLES, MAX_UNITS};
use crate::entropy::array::ArrayModel;
use crate::entropy::intcoder::{IntDecoder, IntModel};
use crate::entropy::table::TableSpec;
use crate::error::{Error, Result};
use crate::limits::{self, Limits};

impl ModelRecord {
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
