//! The codec of last resort: it predicts 0, and leaves all else to be stored exactly.

use crate::codec::program::Program;
use crate::container::model::{Classes, Grid, ModelRecord, Value};
use crate::encode::encoder::BlockEncoder;
use crate::entropy::table::TableSpec;
use crate::error::Result;
use crate::fit::candidate::Candidate;
use crate::fit::data::sample::Sample;
use crate::limits::Limits;
use crate::matrix::Schema;
use crate::quality::Tally;

/// Returns a model without latents and residuals, for rows that no other can be made for.
pub(crate) fn model(schema: &Schema) -> ModelRecord {
    let width = schema.width();
    let value = if schema.dtype.is_float() {
        Value::Ordered { offset: 0.0, unit: 0.0 }
    } else {
        Value::Integer { unit: 1 }
    };
    ModelRecord {
        grids: vec![Grid { value, fraction: 0, step: 1 }],
        grid_of: vec![0; width],
        base: vec![0; width],
        temporal: vec![0; width],
        tables: vec![TableSpec::Zero],
        classes: Classes {
            count: 1,
            quantum: vec![-1],
            residual_tables: vec![0; width],
            ..Classes::default()
        },
        ..ModelRecord::default()
    }
}

/// Makes the codec for rows like those of `sample`. It keeps any bound.
///
/// # Errors
/// None that are known: the model holds nothing that was fitted.
pub(crate) fn codec(sample: &Sample, bounds: Vec<f64>) -> Result<Candidate> {
    let schema = &sample.schema;
    let model = model(schema).encode_measured(schema.line_width());
    let program = Program::decode(&model.payload, 0, schema, &Limits::default())?;
    let rows = sample.total as f64 * schema.row_bytes() as f64;
    Ok(Candidate {
        fitted_bytes: rows + model.payload.len() as f64,
        model,
        tally: Tally::default(),
        linear: None,
        encoder: BlockEncoder::without_latents(program, bounds, schema.fill_values.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    #[test]
    fn whatever_comes_is_kept() {
        let values: Vec<f32> = (0..600).map(|i| (i as f32).sqrt()).collect();
        let rows = Matrix::from_slice(&values, &[3]).unwrap();
        let sample = Sample::draw(&rows, 1 << 20).unwrap();
        let fitted = codec(&sample, vec![0.0; 3]).unwrap();
        let encoder = BlockEncoder { exact_level: Some(3), ..fitted.encoder };
        let symbols = encoder.symbols(&sample.bytes, &[], true);
        assert_eq!(symbols.tally.quality().max_error, 0.0);
        let block = encoder.block(0, &sample.bytes, &symbols);
        // All but the first number, which is 0.
        assert_eq!(symbols.escapes.len(), values.len() - 1);
        assert!(block.len() < sample.bytes.len());
    }
}
