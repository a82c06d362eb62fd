//! Rows of which it is known which values stand for missing numbers.

use crate::codec::fill::fill_values;
use crate::compress::config::Config;
use crate::compress::job::check_schema;
use crate::error::Result;
use crate::fidelity::Fidelity;
use crate::fit::data::fills::detect;
use crate::fit::data::sample::Sample;
use crate::matrix::{Rows, Schema};

/// Values of a sample that fill values are looked for in.
const SAMPLE_VALUES: usize = 1 << 18;

/// Rows with their fill values.
pub(super) struct Filled<'a> {
    rows: &'a dyn Rows,
    schema: Schema,
}

impl<'a> Filled<'a> {
    /// Takes the fill values that `config` names and, unless it says otherwise, looks for more.
    /// Where every value is kept exactly, there is no need for any.
    ///
    /// # Errors
    /// `Argument` where the configuration makes no sense, or a fill value is no number of the rows' type; `Io` if rows cannot be read.
    pub(super) fn new(rows: &'a dyn Rows, config: &Config) -> Result<Self> {
        config.validate()?;
        check_schema(rows.schema())?;
        let mut schema = rows.schema().clone();
        let mut values = config.fill_values.clone();
        let is_lossless = config.fidelity == Fidelity::Lossless;
        if config.detect_fill_values && !is_lossless && !rows.is_empty() {
            values.extend(config.on_threads(|| {
                Sample::draw(rows, SAMPLE_VALUES).map(|sample| detect(&sample))
            })??);
        }
        schema.fill_values = fill_values(schema.dtype, &values)?;
        Ok(Self { rows, schema })
    }
}

impl Rows for Filled<'_> {
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
