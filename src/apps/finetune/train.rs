//! The networks that predict, and their training.

use super::answers::Wanted;
use super::config::{FinetuneConfig, FinetuneReport, Task};
use super::training_set::TrainingSet;
use crate::apps::column_scale::moments;
use crate::apps::encoding::Encoding;
use crate::apps::predict;
use crate::compress::{Config, Progress, Stage};
use crate::container::task::{Targets, TaskRecord};
use crate::error::{Error, Result};
use crate::kernels::activation::Activation;
use crate::matrix::rng::Rng;
use crate::nn::network::{Network, Shape};
use crate::nn::objectives::supervised::{Answers, EncoderTuning, Prediction, Stack, Supervised};
use crate::nn::trainer::{self, HeldOut, Pass, StepConfig, TrainerConfig};

/// The share of rows that is held out where none is given, and the rows that it takes: with fewer,
/// those held out would be too few to tell passes apart.
const HELD_OUT: f64 = 0.15;
const LEAST_TO_HOLD_OUT: usize = 500;
/// The encoder's learning rate as a share of the head's where none is given: small, so that it
/// keeps what it knows; larger where it has everything to learn.
const ENCODER_RATE: f64 = 0.05;
const ENCODER_RATE_FROM_SCRATCH: f64 = 0.1;
/// Decoupled weight decay: a little against learning few rows by heart.
const DECAY: f32 = 1e-3;
/// Training ends after a fifth of the passes without a better one, and not before so many.
const PATIENCE_SHARE: usize = 5;
const LEAST_PATIENCE: usize = 10;
/// Smaller deviations of a latent are rounding, which dividing by them would make large.
const LEAST_DEVIATION: f64 = 1e-20;
/// Keeps the random numbers apart from those that the codec was learned with: "task".
const SEED: u64 = 0x7461_736b;

/// Trains the encoder's network, if rows have one, and a new head on `set`.
pub(super) fn train(
    encoding: &Encoding,
    set: &TrainingSet,
    targets: Targets,
    config: &Config,
    how: &FinetuneConfig,
) -> Result<(TaskRecord, FinetuneReport)> {
    let rows = set.inputs.len() / encoding.width();
    let mut stack = stack(encoding, set, targets.outputs(), how, config.seed);
    // A head alone, on top of what stays as it is, has few weights.
    let is_few = rows < LEAST_TO_HOLD_OUT || encoding.network().is_none();
    let held_out = how.held_out.unwrap_or(if is_few { 0.0 } else { HELD_OUT });
    let (pass, epochs) = fit(&mut stack, set, how, held_out, config).ok_or_else(|| {
        Error::argument("training did not come to an end; choose a smaller learning rate")
    })?;
    let report = FinetuneReport {
        task: match targets {
            Targets::Classes(_) => Task::Classification,
            Targets::Values { .. } => Task::Regression,
        },
        rows: set.labelled,
        pseudo_labelled: rows - set.labelled,
        held_out: (rows as f64 * held_out) as usize,
        outputs: targets.outputs(),
        epochs,
        kept: pass.index + 1,
        loss: pass.judged().loss,
        right: pass.judged().right,
    };
    Ok((predict::record(encoding, stack, targets), report))
}

/// The encoder's network, or a random one, and a random head on its standardised outputs.
fn stack(
    encoding: &Encoding,
    set: &TrainingSet,
    outputs: usize,
    how: &FinetuneConfig,
    seed: u64,
) -> Stack {
    let mut rng = Rng::new(seed ^ SEED);
    let mut network = encoding.network().cloned();
    if let Some(network) = network.as_mut().filter(|_| how.from_scratch) {
        *network = Network::new(network.shape.clone(), &mut rng);
    }
    let outs = match &network {
        Some(network) => &network.infer(&set.inputs, set.inputs.len() / encoding.width()),
        None => &set.inputs,
    };
    let inputs = encoding.outputs();
    let latent = |k: usize| outs.iter().skip(k).step_by(inputs).map(|x| f64::from(*x));
    let usable = |s: f64| if s > LEAST_DEVIATION && s.is_finite() { s as f32 } else { 1.0 };
    let scales = (0..inputs).map(|k| moments(latent(k)));
    let (centre, scale) = scales.map(|s| (s.centre as f32, usable(s.scale))).unzip();
    let hidden = how.head.iter().map(|n| (*n, Activation::default()));
    let layers = hidden.chain([(outputs, Activation::Identity)]).collect();
    let shape = Shape { inputs, layers, skip: false };
    let head = Network::new(shape, &mut rng);
    Stack { encoder: network, centre, scale, head }
}

/// Trains `stack` with a share `held_out` of the rows held out. Returns the pass that was kept and
/// the number of passes, or `None` if the loss did not stay finite.
fn fit(
    stack: &mut Stack,
    set: &TrainingSet,
    how: &FinetuneConfig,
    held_out: f64,
    config: &Config,
) -> Option<(Pass<Prediction>, usize)> {
    let (frozen, encoder_rate) = match how.from_scratch {
        true => (0.0, ENCODER_RATE_FROM_SCRATCH),
        false => (how.frozen, ENCODER_RATE),
    };
    let tuning = EncoderTuning {
        rate_share: how.encoder_rate.unwrap_or(encoder_rate) as f32,
        frozen_passes: (frozen * how.epochs as f64).round() as usize,
    };
    let trainer = TrainerConfig {
        passes: how.epochs,
        batch: how.batch,
        rate: how.rate as f32,
        steps: StepConfig { decay: DECAY, ..StepConfig::default() },
        held_out: HeldOut {
            share: held_out,
            least: 1,
            patience: (how.epochs / PATIENCE_SHARE).max(LEAST_PATIENCE),
            patient_from: tuning.frozen_passes,
        },
        ..TrainerConfig::default()
    };
    let answers = match &set.wanted {
        Wanted::Classes(classes) => Answers::Classes(classes),
        Wanted::Values(values) => Answers::Values(values),
    };
    let mut supervised = Supervised::new(stack, &set.inputs, answers, tuning);
    let mut epochs = 0;
    let told = &mut |pass: &Pass<Prediction>| {
        epochs = pass.index + 1;
        if let Some(progress) = &config.progress {
            let (done, total) = (epochs as u64, how.epochs as u64);
            progress(Progress { stage: Stage::Train, done, total, estimate: None, epoch: None });
        }
        true
    };
    let pass = trainer::train(&mut supervised, &trainer, &mut Rng::new(config.seed), told)?;
    pass.judged().loss.is_finite().then_some((pass, epochs))
}
