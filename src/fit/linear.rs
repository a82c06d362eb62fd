//! A linear codec from principal components: baked to integers, latents and residuals made
//! against the baked decoder, entropy coder fitted to them.

use crate::container::model::ModelRecord;
use crate::encode::Encoder;
use crate::encode::project::Projection;
use crate::error::Result;
use crate::fit::assemble::{Coding, Prepared};
use crate::fit::data::columns::ColumnPlan;
use crate::fit::data::components::Components;
use crate::fit::data::sample::Sample;
use crate::fit::entropy::bits::slope;
use crate::fit::entropy::classes::Effort;
use crate::fit::quantise::linear;
use crate::quality::Tally;

/// What distinguishes linear codecs from each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LinearChoice {
    /// Number of latents.
    pub(crate) latents: usize,
    /// Step of the latents, in residual steps.
    pub(crate) step: f64,
    /// States of dependent quantisation: 0, 4 or 8.
    pub(crate) trellis: usize,
    /// Resolution of the weights: their error, times the latent's deviation, in steps.
    pub(crate) weight_step: f64,
    /// Whether previous rows help.
    pub(crate) temporal: bool,
    /// Whether residuals are coded.
    pub(crate) residual: bool,
    /// Bits that one squared step of error costs; in target mode, from the step.
    pub(crate) error_weight: f64,
    /// Whether latents are chosen a second time, with the rates of the first.
    pub(crate) patient: bool,
}

/// What all linear codecs of a file share.
pub(crate) struct FitContext<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) columns: &'a [ColumnPlan],
    pub(crate) components: &'a Components,
    /// Normalised sample.
    pub(crate) normalised: &'a [f32],
    pub(crate) effort: Effort,
}

/// A fitted codec and its size.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) encoder: Encoder,
    pub(crate) fitted_bytes: f64,
    pub(crate) model_bytes: usize,
    /// How good the sample's rows are decoded.
    pub(crate) tally: Tally,
}

/// Normalisation without latents.
pub(crate) fn normaliser(columns: &[ColumnPlan]) -> Projection {
    Projection {
        centre: columns.iter().map(|c| c.centre).collect(),
        inverse_scale: columns
            .iter()
            .map(|c| if c.scale > 0.0 { 1.0 / c.scale } else { 0.0 })
            .collect(),
        // A NaN, from columns as wide as the type, becomes 1.
        clip: columns.iter().map(|c| (c.clip as f32).max(1.0)).collect(),
        weights: Vec::new(),
        latents: 0,
        network: None,
    }
}

impl FitContext<'_> {
    /// Builds and measures one codec.
    pub(crate) fn build(&self, choice: &LinearChoice) -> Result<Candidate> {
        let latents = choice.latents.min(self.components.count());
        let choice = LinearChoice { latents, ..*choice };
        let mut projection = normaliser(self.columns);
        projection.latents = latents;
        projection.weights = self.projection_weights(&choice);
        let real = projection.project(self.normalised);
        let record = self.bake(&choice, &real);
        let weight = self.error_weights(&choice);
        let LinearChoice { temporal, residual, patient, .. } = choice;
        let prepared = Prepared { projection, record, real, weight, slopes: None };
        self.complete(prepared, Coding { temporal, residual, patient, refine: 0 })
    }

    /// `columns × latents`: components over the latents' unit.
    fn projection_weights(&self, choice: &LinearChoice) -> Vec<f32> {
        let unit = latent_unit(choice);
        let mut out = vec![0.0; self.columns.len() * choice.latents];
        for k in 0..choice.latents {
            for (j, v) in self.components.vector(k).iter().enumerate() {
                out[j * choice.latents + k] = v / unit as f32;
            }
        }
        out
    }

    /// Everything but temporal coefficients, classes and tables.
    fn bake(&self, choice: &LinearChoice, real: &[f32]) -> ModelRecord {
        let mut record = linear::frame(self.columns);
        record.trellis = choice.trellis;
        if choice.latents == 0 {
            return record;
        }
        let deviation = linear::deviations(real, choice.latents);
        let grains = linear::grains(&deviation, choice.weight_step);
        record.gain = linear::gain(self.columns, &grains);
        let unit = latent_unit(choice) as f32;
        let vectors = &self.components.vectors[..choice.latents * self.columns.len()];
        let matrix: Vec<f32> = vectors.iter().map(|v| v * unit).collect();
        linear::skip(&mut record, self.columns, &matrix, &grains);
        linear::clamps(&mut record, real, &deviation);
        record
    }

    /// Bits per squared unit of each latent's error.
    fn error_weights(&self, choice: &LinearChoice) -> Vec<f32> {
        let latents = choice.latents;
        let unit = latent_unit(choice);
        let width = self.columns.len();
        let slopes: Vec<f64> = if choice.residual {
            // Variance left in each column by the components that are not kept.
            (0..width)
                .map(|j| {
                    let kept: f64 = (0..latents)
                        .map(|k| {
                            self.components.variance[k]
                                * f64::from(self.components.vector(k)[j]).powi(2)
                        })
                        .sum();
                    let left = (self.components.columns[j] - kept).max(0.0);
                    slope(left + unit * unit / 12.0 * latents as f64 / width as f64)
                })
                .collect()
        } else {
            vec![choice.error_weight; width]
        };
        (0..latents)
            .map(|k| {
                let v = self.components.vector(k);
                let sum: f64 = v.iter().zip(&slopes).map(|(v, s)| f64::from(*v).powi(2) * s).sum();
                (sum * unit * unit).max(1e-3) as f32
            })
            .collect()
    }
}

/// The latents' unit in residual steps: with a trellis, values are twice as fine.
fn latent_unit(choice: &LinearChoice) -> f64 {
    if choice.trellis > 0 { choice.step / 2.0 } else { choice.step }
}
