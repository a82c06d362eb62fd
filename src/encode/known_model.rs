//! Rows to blocks with a model that is there already: that of a codec, or of a file.

use super::codec_encoder::{CodecEncoder, step};
use super::encoder::BlockEncoder;
use super::latents::LatentChooser;
use super::linearised::linearised;
use super::project::Projection;
use super::rates::LatentRates;
use super::refine::Refiner;
use crate::codec::program::Program;
use crate::codec::units::{origins, units};
use crate::container::encoder::EncoderRecord;
use crate::container::model::ModelRecord;
use crate::error::{Error, Result};
use crate::nn::price::error_price;
use std::sync::Arc;

/// Bits that a squared residual step of error costs where residuals follow: the slope of a normal
/// distribution's entropy, ½·log₂(variance), where they vary by about a step.
const RESIDUAL_PRICE: f64 = 0.72;
/// Quantiles between which a column's usual values lie, and how far beyond nearly all lie, in half of their
/// distance: as where codecs are fitted.
const LOW: f64 = 0.02;
const HIGH: f64 = 0.98;
const REACH: f32 = 6.0;
/// Gradient steps from the latents of what a network is nearest to, to those of the network.
const STEPS_FROM_LINEAR: usize = 16;

/// A model, and what finds its latents.
#[derive(Debug, Clone)]
pub(crate) struct KnownModel {
    program: Program,
    projection: Projection,
    /// Squared lengths of the latents' directions, in residual steps.
    lengths: Vec<f64>,
    /// Whether latents are those of what a network is nearest to, to begin with.
    is_beginning: bool,
}

/// What errors of latents are weighed by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ErrorWeight {
    /// By the bits of the residuals that follow.
    Residuals,
    /// So many times as heavily as where bits and errors are worth the same.
    Alone(f64),
}

impl KnownModel {
    /// Takes a model, and the encoder that came with it. Where there is none, that of a network is found by
    /// latents that rows have: `rows × latents`, of as many rows as [`rows_of_use`](super::linearised::rows_of_use).
    ///
    /// # Errors
    /// `Argument` where there is no way to find latents.
    pub(crate) fn new(
        program: Program,
        encoder: Option<EncoderRecord>,
        latents: &[i32],
    ) -> Result<Self> {
        let record = &program.record;
        let mut projection = Projection::default();
        let (mut lengths, mut is_beginning) = (Vec::new(), false);
        if record.latents() > 0 {
            lengths = squared_lengths(record);
            is_beginning = encoder.is_none() && record.hidden.is_some();
            let encoder = match encoder {
                Some(own) => CodecEncoder::new(own),
                None if is_beginning => {
                    let own = linearised(&program, latents).ok_or_else(no_latents)?;
                    lengths = own.lengths;
                    CodecEncoder::new(own.encoder)
                }
                None => linear(&program)?,
            };
            projection = self::projection(encoder, record.latents());
        }
        Ok(Self { program, projection, lengths, is_beginning })
    }

    #[cfg(feature = "apps")]
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Makes an encoder of this model find latents of rows like `bytes`, which are on the model's scales;
    /// what else it keeps to must be known by now.
    pub(crate) fn find_latents(
        &self,
        encoder: &mut BlockEncoder,
        bytes: &[u8],
        weight: ErrorWeight,
    ) {
        if self.projection.latents == 0 {
            return;
        }
        let record = &self.program.record;
        encoder.projection = self.projection.clone();
        if self.projection.clip.is_empty() {
            // Models do not say how far columns reach.
            encoder.projection.clip = vec![f32::MAX; record.width()];
            let rows = encoder.projection.normalise(self.program.dtype, &encoder.fills, bytes);
            encoder.projection.clip = reaches(&rows, record.width());
        }
        let price_of = weight;
        let price = match weight {
            ErrorWeight::Residuals => RESIDUAL_PRICE,
            ErrorWeight::Alone(times) => times * error_price(self.latent_step()),
        };
        // Without a linear path, a latent is taken to move a row by a step.
        let own = |squares: &f64| (price * if *squares > 0.0 { *squares } else { 1.0 }) as f32;
        let weight = self.lengths.iter().map(own).collect();
        let rates = match self.tables_suit(price_of) {
            true => LatentRates::of_tables(&self.program),
            false => {
                let dtype = self.program.dtype;
                let rows = encoder.projection.normalise(dtype, &encoder.fills, bytes);
                self.guessed_rates(&encoder.projection.project(&rows))
            }
        };
        encoder.chooser = LatentChooser { weight, rates };
        if self.is_beginning {
            let slopes = vec![price as f32; record.width()];
            let mut refiner = Refiner::new(&self.program, slopes, STEPS_FROM_LINEAR);
            if let Some(promise) = &encoder.row_promise {
                refiner = refiner.with_rule(promise.rule.normalised(&encoder.projection));
            }
            encoder.refiner = Some(refiner);
        }
    }

    /// Says whether latents cost what the model's tables say. Of rows unlike those that were learned from, they may be
    /// worth their bits where residuals follow, which take more without them; and tables say nothing of
    /// latents that are foretold by those before.
    fn tables_suit(&self, weight: ErrorWeight) -> bool {
        let program = &self.program;
        matches!(weight, ErrorWeight::Alone(_))
            && !program.latents_recall
            && !program.record.neighbours.as_ref().is_some_and(|n| n.predicts_latents())
    }

    /// Guesses what latents like these, `rows × latents`, cost.
    fn guessed_rates(&self, real: &[f32]) -> LatentRates {
        let record = &self.program.record;
        let latents = record.latents();
        let mut squares = vec![0.0_f64; latents];
        for row in real.chunks_exact(latents) {
            squares.iter_mut().zip(row).for_each(|(s, x)| *s += f64::from(*x).powi(2));
        }
        let rows = (real.len() / latents.max(1)).max(1) as f64;
        // With dependent quantisation, symbols are half of what they stand for.
        let symbol = if record.trellis > 0 { 2.0 } else { 1.0 };
        let deviations: Vec<f32> =
            squares.iter().map(|s| ((s / rows).sqrt() / symbol) as f32).collect();
        LatentRates::guess(&deviations, record.table_sets())
    }

    /// The geometric mean of what a step of the latents' quantiser moves, in residual steps.
    fn latent_step(&self) -> f64 {
        let logs: Vec<f64> = self.lengths.iter().filter(|s| **s > 0.0).map(|s| s.ln()).collect();
        let mean = logs.iter().sum::<f64>() / (2.0 * logs.len().max(1) as f64);
        // With dependent quantisation, latents count in halves of it.
        mean.exp() * if self.program.record.trellis > 0 { 2.0 } else { 1.0 }
    }
}

/// Says that latents cannot be found.
fn no_latents() -> Error {
    Error::argument(
        "the file holds too few rows to see how its network finds latents: compress all rows together",
    )
}

/// The encoder of a linear decoder, whose rows count from where predictions are 0.
fn linear(program: &Program) -> Result<CodecEncoder> {
    let record = &program.record;
    let origin = origins(record, program.dtype);
    let mut own = CodecEncoder::linear(record, &origin)?.record;
    let latents = record.latents();
    for j in 0..record.width() {
        if own.scale[j] > 0.0 {
            let bias = (own.centre[j] - origin[j]) / own.scale[j];
            let (weights, sums) = own.params.split_at_mut(record.width() * latents);
            let weights = &weights[j * latents..(j + 1) * latents];
            sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum -= (f64::from(*w) * bias) as f32);
        }
    }
    own.centre = origin;
    own.clip.clear();
    Ok(CodecEncoder::new(own))
}

/// The encoder as what blocks are encoded with.
fn projection(encoder: CodecEncoder, latents: usize) -> Projection {
    let CodecEncoder { record, mut floats } = encoder;
    let inverse = |s: &f64| if *s > 0.0 { 1.0 / s } else { 0.0 };
    // Rows are divided by the scales before the network sees them.
    floats.column.fill(1.0);
    Projection {
        inverse_scale: record.scale.iter().map(inverse).collect(),
        centre: record.centre,
        clip: record.clip,
        weights: Vec::new(),
        latents,
        network: Some(Arc::new(floats)),
    }
}

/// How far nearly all values of each column reach: one far beyond would spoil the latents of its row.
fn reaches(normalised: &[f32], width: usize) -> Vec<f32> {
    let reach = |j: usize| {
        let mut x: Vec<f32> = normalised.iter().skip(j).step_by(width).copied().collect();
        x.sort_unstable_by(f32::total_cmp);
        let at =
            |q: f64| x.get((q * x.len().saturating_sub(1) as f64) as usize).map_or(0.0, |x| *x);
        let (middle, half) = ((at(HIGH) + at(LOW)) / 2.0, (at(HIGH) - at(LOW)) / 2.0);
        // Of a column that is nearly constant, its few deviations count.
        let reach =
            if half > 0.0 { middle.abs() + REACH * half } else { at(0.0).abs().max(at(1.0).abs()) };
        reach.max(1.0)
    };
    (0..width).map(reach).collect()
}

/// How far each latent moves a row along its direction, squared.
fn squared_lengths(record: &ModelRecord) -> Vec<f64> {
    let gain = (-f64::from(record.gain)).exp2();
    let units = units(record);
    let width = record.width();
    let steps: Vec<f64> = (0..width).map(|j| step(record, j, units[j])).collect();
    let squares = |direction: &[i64]| {
        let moved = direction.iter().zip(units.iter().zip(&steps));
        let moved = moved.filter(|(_, (_, step))| **step > 0.0);
        moved.map(|(w, (unit, step))| (*w as f64 * gain * unit / step).powi(2)).sum()
    };
    (0..record.latents())
        .map(|k| squares(record.skip.get(k * width..(k + 1) * width).unwrap_or_default()))
        .collect()
}
