//! The masked transformer of a codec: its size, and how long it is trained.

use super::context::{TrainingObserver, TrainingProgress};
use crate::container::transformer::{StackRecord, TransformerRecord};
use crate::encode::patch_grid::{CLIP, PatchGrid};
use crate::encode::project::Projection;
use crate::error::{Error, Result};
use crate::fit::config::TrainConfig;
use crate::fit::corruption::{self, Patches};
use crate::fit::data::sample::Sample;
use crate::fit::data::spread::{centres, sample_scale};
use crate::fit::history::Epoch;
use crate::matrix::rng::Rng;
use crate::nn::adam::Clip;
use crate::nn::deadline::Deadline;
use crate::nn::objectives::bits::Cost;
use crate::nn::objectives::masked_patches::MaskedPatches;
use crate::nn::trainer::{HeldOut, Pass, StepConfig, TrainerConfig, train};
use crate::nn::transformer::{Shape, Stack, Transformer};
use std::time::Instant;

/// Blocks of the encoder, and heads, where nothing else is said.
const DEPTH: usize = 3;
const HEADS: usize = 4;
/// Blocks of the decoder, whose tokens are as wide as the encoder's.
const DECODER_DEPTH: usize = 2;
/// Rows of a batch: with 256, half as much is learned in the same time.
const BATCH: usize = 64;
/// Peak of the learning rate, at which steps are four times as large as is usual for Adam alone.
const RATE: f64 = 4e-3;
/// Length of Muon's steps, in what is like Adam's.
const MUON: f32 = 1.0;
/// Adam's memory of squared gradients: it follows a rate that is high.
const BETA2: f32 = 0.99;
/// Gradients longer than this are shortened.
const CLIP_NORM: f32 = 1.0;
/// Multiply-adds of a training: less than ten minutes on two cores of a laptop.
const WORK: f64 = 3.5e13;
/// Passes over the rows, at most.
const PASSES: usize = 400;
/// Share of the rows that is only looked at, and the most of them.
const HELD_OUT: f64 = 0.1;
const MOST_HELD_OUT: f64 = 2048.0;
/// Multiply-adds of a step, as many times those of going forward.
const FORWARD_AND_BACK: f64 = 3.0;

/// Trains a transformer on the rows of `sample`, with the patches hidden that `request` asks for.
///
/// # Errors
/// `Argument` if rows have no such patches, a row makes more numbers than the format allows, or rows do not differ.
pub(crate) fn train_transformer(
    sample: &Sample,
    request: &TrainConfig,
    seed: u64,
    observer: &dyn TrainingObserver,
) -> Result<TransformerRecord> {
    let patches = request.mask.ok_or_else(|| Error::argument("a transformer without patches"))?;
    let (shape, grid, record) = plan(sample, request, patches)?;
    let width = grid.width;
    let normal = Projection {
        centre: record.centre.clone(),
        inverse_scale: vec![1.0 / record.scale; width],
        clip: vec![CLIP; width],
        ..Projection::default()
    };
    let schema = &sample.schema;
    let rows = grid.cut(&normal.normalise(schema.dtype, &schema.fill_values, &sample.bytes));
    let inside = grid.inside();
    let mut rng = Rng::new(seed);
    let net = Transformer::new(shape, &mut rng);
    let mut objective = MaskedPatches::new(net, &rows, &inside, record.seen, seed);
    let work = FORWARD_AND_BACK * shape.work(record.seen, grid.patches - record.seen);
    let config = trainer(request, work, sample.rows());
    let begun = Instant::now();
    let tell = |share: f64, epoch: Option<Epoch>| {
        observer.training(&TrainingProgress { share, cost: Cost::default(), linear: 0.0, epoch });
    };
    let pass = train(&mut objective, &config, &mut rng, &mut |pass| {
        tell(pass.done, Some(epoch(pass, begun.elapsed().as_secs_f64())));
        true
    });
    tell(1.0, None);
    if !pass.is_some_and(|pass| pass.judged().is_finite()) {
        return Err(Error::argument(
            "the training of the transformer went astray: choose a lower rate, or fewer epochs",
        ));
    }
    Ok(TransformerRecord { params: objective.net.params, ..record })
}

/// What is trained, and its record without parameters.
fn plan(
    sample: &Sample,
    request: &TrainConfig,
    patches: Patches,
) -> Result<(Shape, PatchGrid, TransformerRecord)> {
    let row_shape = &sample.schema.row_shape;
    let (_, count) = patches.of(row_shape)?;
    let [lines, line] = match row_shape[..] {
        [lines, line] => [lines, line],
        _ => [1, sample.schema.width()],
    };
    let patch = [patches.height.min(lines), patches.width.min(line)];
    let grid = PatchGrid::new([lines, line], patch);
    let asked = request.transformer.unwrap_or_default();
    let dim = asked.dim.unwrap_or(corruption::Transformer::USUAL_DIM);
    let heads = asked.heads.unwrap_or_else(|| usual_heads(dim));
    let encoder = StackRecord { dim, heads, depth: asked.depth.unwrap_or(DEPTH) };
    let decoder = StackRecord { depth: DECODER_DEPTH, ..encoder };
    let scale = sample_scale(sample).deviation;
    if !(scale > 0.0 && scale.is_finite()) {
        return Err(Error::argument("all rows are alike, so there is nothing to learn from"));
    }
    let seen = count - patches.hidden_of(count);
    let record = TransformerRecord {
        lines,
        patch,
        seen,
        encoder,
        decoder,
        centre: centres(sample),
        scale,
        params: Vec::new(),
    };
    record.check_row_numbers().map_err(|e| {
        Error::argument(format!("{e}: choose larger patches, or a smaller transformer"))
    })?;
    let stack = |StackRecord { dim, heads, depth }| Stack { dim, heads, depth };
    let shape = Shape {
        patches: grid.patches,
        patch: grid.patch,
        encoder: stack(encoder),
        decoder: stack(decoder),
    };
    Ok((shape, grid, record))
}

/// Heads for tokens of `dim` numbers: 4, or as many as they can be shared among.
fn usual_heads(dim: usize) -> usize {
    (1..=HEADS).rev().find(|heads| dim.is_multiple_of(*heads)).unwrap_or(1)
}

/// How a transformer is trained on `rows` rows, each of which takes `work` multiply-adds in a pass.
fn trainer(request: &TrainConfig, work: f64, rows: usize) -> TrainerConfig {
    let fits = (WORK / (work * rows as f64)) as usize;
    let passes = request.epochs.unwrap_or(match request.seconds {
        Some(_) => PASSES,
        None => fits.clamp(1, PASSES),
    });
    TrainerConfig {
        passes,
        batch: request.batch.unwrap_or(BATCH),
        short_batches: true,
        rate: request.rate.unwrap_or(RATE) as f32,
        steps: StepConfig {
            beta2: BETA2,
            clip: Clip::Norm(CLIP_NORM),
            muon: Some(MUON),
            ..StepConfig::default()
        },
        held_out: HeldOut {
            share: HELD_OUT.min(MOST_HELD_OUT / rows.max(1) as f64),
            ..HeldOut::default()
        },
        deadline: request.seconds.map(Deadline::new),
    }
}

/// What is told of a pass.
fn epoch(pass: &Pass<f64>, seconds: f64) -> Epoch {
    Epoch {
        index: pass.index,
        loss: pass.trained,
        error: pass.trained,
        held_out: pass.held_out,
        held_out_error: pass.held_out,
        kl: None,
        elbo: None,
        zeros: 0.0,
        seconds,
    }
}
