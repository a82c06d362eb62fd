//! Rows of which more is known than they say themselves.

use super::rows::{Rows, Schema};
use crate::error::Result;

/// The same rows with another schema, of the same type and shape.
pub(crate) struct Described<'a> {
    pub(crate) rows: &'a dyn Rows,
    pub(crate) schema: Schema,
}

impl Rows for Described<'_> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        self.rows.read(first, out)
    }
}
