//! Numbers and arrays of a record, one after another.

use super::context;
use crate::entropy::array::ArrayModel;
use crate::entropy::intcoder::{IntEncoder, IntModel};

/// Writes the parts of a record one after another.
pub(super) struct RecordWriter {
    pub(super) coder: IntEncoder,
    pub(super) head: IntModel,
    pub(super) line: usize,
}

impl RecordWriter {
    pub(super) fn number(&mut self, value: i64) {
        self.context(context::NUMBER, value);
    }

    pub(super) fn context(&mut self, context: usize, value: i64) {
        self.coder.int(&mut self.head, context, value);
    }

    pub(super) fn array(&mut self, model: &mut ArrayModel, values: &[i64]) {
        model.encode(&mut self.coder, values, self.line);
    }

    /// Writes an array that is not over the columns.
    pub(super) fn flat(&mut self, values: &[i64]) {
        ArrayModel::new().encode(&mut self.coder, values, 1);
    }

    pub(super) fn indices(&mut self, model: &mut ArrayModel, values: &[usize]) {
        let values: Vec<i64> = values.iter().map(|&v| v as i64).collect();
        self.array(model, &values);
    }
}
