//! Numbers and arrays of a record, one after another.

use super::context;
use crate::entropy::array::ArrayModel;
use crate::entropy::intcoder::{IntDecoder, IntModel};
use crate::error::{Error, Result};
use crate::limits;

/// Bytes of an integer in memory.
pub(super) const WORD: usize = 8;

/// Reads the parts, spending from a budget before memory is taken.
pub(super) struct RecordReader<'a> {
    pub(super) coder: IntDecoder<'a>,
    pub(super) head: IntModel,
    pub(super) line: usize,
    pub(super) left: u64,
}

impl RecordReader<'_> {
    pub(super) fn spend(&mut self, count: usize, size: usize) -> Result<()> {
        let bytes = (count as u64).saturating_mul(size as u64);
        limits::check("the model", bytes, self.left)?;
        self.left -= bytes;
        Ok(())
    }

    pub(super) fn number(&mut self) -> Result<i64> {
        self.context(context::NUMBER)
    }

    pub(super) fn context(&mut self, context: usize) -> Result<i64> {
        self.coder.int(&mut self.head, context)
    }

    /// Reads a number between `least` and `most`; `what` names it in errors.
    pub(super) fn within(&mut self, what: &str, least: usize, most: usize) -> Result<usize> {
        let value = self.number()?;
        usize::try_from(value).ok().filter(|v| (least..=most).contains(v)).ok_or_else(|| {
            Error::corrupt(format!("{what}: {value} is not between {least} and {most}"))
        })
    }

    pub(super) fn array(&mut self, model: &mut ArrayModel, count: usize) -> Result<Vec<i64>> {
        self.spend(count, WORD)?;
        model.decode(&mut self.coder, count, self.line)
    }

    pub(super) fn flat(&mut self, count: usize) -> Result<Vec<i64>> {
        self.spend(count, WORD)?;
        ArrayModel::new().decode(&mut self.coder, count, 1)
    }

    /// Reads values below `end`.
    pub(super) fn indices(
        &mut self,
        model: &mut ArrayModel,
        count: usize,
        end: usize,
    ) -> Result<Vec<usize>> {
        into_indices(self.array(model, count)?, end)
    }
}

pub(super) fn into_indices(values: Vec<i64>, end: usize) -> Result<Vec<usize>> {
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
