//! A linear codec: principal components rounded to integers, and what completes them.

use crate::container::model::ModelRecord;
use crate::encode::project::Projection;
use crate::error::Result;
use crate::fit::assemble::complete;
use crate::fit::candidate::{Candidate, Coding, LinearChoice, Prepared};
use crate::fit::context::FitContext;
use crate::fit::data::columns::normaliser;
use crate::fit::entropy::bits::slope;
use crate::fit::quantise::linear;

/// Least weight of a latent's error against bits: with none at all, every latent would be 0.
const LEAST_ERROR_WEIGHT: f64 = 1e-3;

impl LinearChoice {
    /// Returns the latent unit in residual steps: half a step with dependent quantisation.
    fn latent_unit(&self) -> f64 {
        if self.trellis > 0 { self.step / 2.0 } else { self.step }
    }
}

/// Builds and measures one codec, with no more latents than there are components.
///
/// # Errors
/// `Corrupt` where the decoder's sums could overflow.
pub(crate) fn build(context: &FitContext<'_>, choice: &LinearChoice) -> Result<Candidate> {
    let latents = choice.latents.min(context.components.count());
    let choice = LinearChoice { latents, ..*choice };
    let (mut projection, mut real) = (Projection::default(), Vec::new());
    // What has no latents is projected nowhere, and rows may have millions of columns; where time is
    // given, latents of networks may follow.
    if latents > 0 || choice.patient {
        projection = normaliser(context.columns);
        projection.latents = latents;
        projection.weights = projection_weights(context, &choice);
        real = projection.project(context.normalised);
    }
    let record = quantise(context, &choice, &real);
    let weight = error_weights(context, &choice);
    let LinearChoice { temporal, residual, patient, .. } = choice;
    let prepared = Prepared { projection, record, real, weight, slopes: None };
    let built = complete(context, prepared, Coding { temporal, residual, patient, refine: 0 })?;
    Ok(Candidate { linear: Some(choice), ..built })
}

/// Returns the components over the latent unit, `columns × latents`.
fn projection_weights(context: &FitContext<'_>, choice: &LinearChoice) -> Vec<f32> {
    let unit = choice.latent_unit() as f32;
    let mut out = vec![0.0; context.columns.len() * choice.latents];
    for k in 0..choice.latents {
        for (j, v) in context.components.vector(k).iter().enumerate() {
            out[j * choice.latents + k] = v / unit;
        }
    }
    out
}

/// Makes the model but for temporal coefficients, classes and tables.
fn quantise(context: &FitContext<'_>, choice: &LinearChoice, real: &[f32]) -> ModelRecord {
    let columns = context.columns;
    let mut record = linear::frame(columns);
    record.trellis = choice.trellis;
    if choice.latents == 0 {
        return record;
    }
    let deviation = linear::deviations(real, choice.latents);
    let weight_steps = linear::weight_steps(&deviation, choice.weight_step);
    record.gain = linear::gain(columns, &weight_steps);
    let unit = choice.latent_unit() as f32;
    let vectors = &context.components.vectors[..choice.latents * columns.len()];
    let matrix: Vec<f32> = vectors.iter().map(|v| v * unit).collect();
    linear::quantise_skip(&mut record, columns, &matrix, &weight_steps);
    linear::clamp_latents(&mut record, real, &deviation);
    record
}

/// Returns the bits that one squared latent unit of error costs, for each latent.
fn error_weights(context: &FitContext<'_>, choice: &LinearChoice) -> Vec<f32> {
    let components = context.components;
    let unit = choice.latent_unit();
    let slopes: Vec<f64> = if choice.residual {
        let noise = unit * unit / 12.0 * choice.latents as f64 / context.columns.len() as f64;
        components.left_by(choice.latents).iter().map(|left| slope(left + noise)).collect()
    } else {
        vec![choice.error_weight; context.columns.len()]
    };
    let weight = |k: usize| {
        let v = components.vector(k);
        let sum: f64 = v.iter().zip(&slopes).map(|(v, s)| f64::from(*v).powi(2) * s).sum();
        (sum * unit * unit).max(LEAST_ERROR_WEIGHT) as f32
    };
    (0..choice.latents).map(weight).collect()
}
