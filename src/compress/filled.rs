//! Rows of which it is known which values stand for missing numbers.

use crate::codec::fill::fill_values;
use crate::compress::config::Config;
use crate::compress::job::check_schema;
use crate::container::forever::MAX_FILLS;
use crate::error::Result;
use crate::fidelity::Fidelity;
use crate::fit::data::fills::detect;
use crate::fit::data::sample::Sample;
use crate::matrix::{Described, FillValues, Rows};

/// Values of a sample that fill values are looked for in.
const SAMPLE_VALUES: usize = 1 << 18;

/// Takes the fill values that `config` names and, unless it says otherwise, looks for more. Where
/// every value is kept exactly, there is no need for any.
///
/// # Errors
/// `Argument` where the configuration makes no sense, or a fill value is no number of the rows'
/// type; `Io` if rows cannot be read.
pub(crate) fn with_fill_values<'a>(rows: &'a dyn Rows, config: &Config) -> Result<Described<'a>> {
    config.validate()?;
    check_schema(rows.schema())?;
    let mut schema = rows.schema().clone();
    schema.fill_values = fill_values(schema.dtype, &config.fill_values)?;
    if config.fidelity == Fidelity::Lossless {
        schema.fill_values = FillValues::default();
    } else if config.detect_fill_values && !rows.is_empty() {
        let sample = Sample::draw(rows, SAMPLE_VALUES)?;
        let more = config.on_threads(|| detect(&sample))?;
        let all = schema.fill_values.and(&more);
        if all.bits().len() <= MAX_FILLS {
            schema.fill_values = all;
        }
    }
    if !schema.fill_values.is_empty()
        && let Some(text) = schema.origin.as_mut().and_then(|origin| origin.text.as_mut())
    {
        // They have fill values in them.
        text.columns.iter_mut().for_each(|column| column.range = 0);
    }
    Ok(Described { rows, schema })
}
