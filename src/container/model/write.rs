//! The record to bytes.

use super::record_writer::RecordWriter;
use super::{EncodedModel, Grid, HiddenPath, ModelRecord, Value, context, grid_kind, table_kind};
use crate::entropy::array::ArrayModel;
use crate::entropy::intcoder::{IntEncoder, IntModel};
use crate::entropy::table::TableSpec;

impl ModelRecord {
    /// Returns the MODL payload; `line` is the last dimension of the row's shape.
    pub(crate) fn encode(&self, line: usize) -> Vec<u8> {
        self.encode_measured(line).payload
    }

    /// Returns the same with the size of its parts.
    pub(crate) fn encode_measured(&self, line: usize) -> EncodedModel {
        let mut w = RecordWriter { coder: IntEncoder::new(), head: IntModel::of_kinds(), line };
        self.write_decoder(&mut w);
        w.coder.mark();
        let tables = self.tables.len() as i64;
        w.number(if self.neighbours.is_some() { -tables } else { tables });
        let mut model = ArrayModel::new();
        for table in &self.tables {
            w.table(table, &mut model);
        }
        w.classes(self);
        if let Some(neighbours) = &self.neighbours {
            neighbours.write(&mut w);
        }
        let (payload, decoder_bytes) = w.coder.finish_measured();
        EncodedModel { decoder_bytes, payload }
    }

    fn write_decoder(&self, w: &mut RecordWriter) {
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
}

impl RecordWriter {
    fn grid(&mut self, grid: &Grid) {
        let (kind, a, b) = match grid.value {
            Value::Integer { unit } => (grid_kind::INTEGER, 0, unit),
            Value::Linear { offset, unit } => (grid_kind::LINEAR, offset.to_bits(), unit.to_bits()),
            Value::Ratio { numerator, denominator } => (grid_kind::RATIO, numerator, denominator),
            Value::Ordered { offset, unit } => {
                (grid_kind::ORDERED, offset.to_bits(), unit.to_bits())
            }
        };
        self.number(kind);
        self.number(i64::from(grid.fraction));
        for (field, v) in [grid.step, a, b].into_iter().enumerate() {
            // Floats often end in zero bits.
            let zeros = if v == 0 { 0 } else { v.trailing_zeros() };
            self.context(context::GRID_ZEROS + field, i64::from(zeros));
            self.context(context::GRID_FIELD + field, (v >> zeros) as i64);
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

    /// Writes a matrix of `outputs × inputs`, array by array the weights of one input: those of an
    /// input that varies little are coarse, and those of neighbouring columns are alike.
    fn by_input(&mut self, model: &mut ArrayModel, weights: &[i64], inputs: usize, line: usize) {
        for i in 0..inputs {
            let own: Vec<i64> = weights.iter().skip(i).step_by(inputs).copied().collect();
            model.encode(&mut self.coder, &own, line);
        }
    }

    fn table(&mut self, table: &TableSpec, model: &mut ArrayModel) {
        match table {
            TableSpec::Zero => self.number(table_kind::ZERO),
            TableSpec::Ladder { shape, scale } => {
                self.number(table_kind::LADDER);
                self.context(context::LADDER_SHAPE, i64::from(*shape));
                self.context(context::LADDER_SCALE, i64::from(*scale));
            }
            TableSpec::Histogram { raw, entries, escape } => {
                self.number(table_kind::HISTOGRAM);
                self.context(context::HISTOGRAM_RAW, i64::from(*raw));
                self.context(context::HISTOGRAM_LENGTH, entries.len() as i64);
                self.context(context::HISTOGRAM_ESCAPE, i64::from(*escape));
                let (numbers, frequencies): (Vec<i64>, Vec<i64>) =
                    entries.iter().map(|&(n, f)| (n, i64::from(f))).unzip();
                model.encode(&mut self.coder, &numbers, 1);
                model.encode(&mut self.coder, &frequencies, 1);
            }
            TableSpec::Tokens { lead, frequencies } => {
                self.number(table_kind::TOKENS);
                self.context(context::TOKEN_LEAD, i64::from(*lead));
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
