//! The textbooks' kinds: trained for what they say about rows, not for the size of a file.

use super::context::{Budget, LinearBaseline, TrainingContext, TrainingProgress};
use super::train::TrainedNetwork;
use crate::fit::context::FitContext;
use crate::fit::data::columns::{ColumnPlan, normaliser};
use crate::fit::data::sample::Sample;
use crate::fit::data::spread::sample_scale;
use crate::fit::history::Epoch;
use crate::kernels::activation::Activation;
use crate::matrix::rng::Rng;
use crate::nn::adam::Clip;
use crate::nn::autoencoder::{Autoencoder, EncoderFlags, FloatEncoder};
use crate::nn::corruption::{Corruption, Masks};
use crate::nn::deadline::Deadline;
use crate::nn::network::{Network, Shape};
use crate::nn::objectives::bits::Cost;
use crate::nn::objectives::textbook::{Kind, Pair, Terms, Textbook};
use crate::nn::price::error_price;
use crate::nn::trainer::{HeldOut, Pass, StepConfig, TrainerConfig, train};
use std::borrow::Cow;
use std::time::Instant;

/// How many times the work of the level's other networks may cost: whoever asks for a kind
/// wants it trained.
const WORK: f64 = 20.0;
/// Passes over the rows, relative to those of the level.
const PASSES: usize = 2;
/// Steps below which the passes over few rows are not ended.
const STEPS: usize = 6000;
/// Share of the rows that is only looked at, and the most of them.
const HELD_OUT: f64 = 0.1;
const MOST_HELD_OUT: f64 = 4096.0;
/// Training ends when a fifth of its passes, or so many if that is more, brought nothing better.
const PATIENCE_PART: usize = 5;
const LEAST_PATIENCE: usize = 10;
/// Gradients longer than this are shortened.
const CLIP: f32 = 1.0;
/// Peaks of the learning rate: networks without hidden layers have no curvature to fear.
const RATE: f64 = 1e-3;
const LINEAR_RATE: f64 = 3e-3;
/// Hidden layers where none are asked for: twice as many units as columns within these, then half as
/// many.
const UNITS: std::ops::RangeInclusive<usize> = 64..=512;
/// Latents where none are asked for: a quarter of the columns, at most these.
const MOST_LATENTS: usize = 32;
/// Noise beyond this, in deviations of the values, is all there is to see.
const MOST_NOISE: f64 = 1e9;

/// Rows as the networks of kinds see them: centred, and over one scale for all columns, so that
/// their squared error is that of the data.
struct View {
    rows: Vec<f32>,
    /// That scale in residual steps of each column.
    column: Vec<f32>,
    /// That scale in the data's units.
    scale: f64,
}

impl View {
    /// None where rows do not differ.
    fn new(columns: &[ColumnPlan], normalised: Cow<'_, [f32]>) -> Option<Self> {
        let width = columns.len();
        let mut squares = vec![0.0_f64; width];
        for row in normalised.chunks_exact(width) {
            squares.iter_mut().zip(row).for_each(|(s, x)| *s += f64::from(*x).powi(2));
        }
        let rows = (normalised.len() / width) as f64;
        // The largest first, so that no square of a scale is beyond what numbers can hold.
        let unit = columns.iter().map(|c| c.scale).fold(0.0, f64::max);
        let terms = squares.iter().zip(columns).map(|(s, c)| s / rows * (c.scale / unit).powi(2));
        let scale = (terms.sum::<f64>() / width as f64).sqrt() * unit;
        if !(scale > 0.0 && scale.is_finite()) {
            return None;
        }
        let column: Vec<f32> = columns
            .iter()
            .map(|c| if c.scale > 0.0 { (scale / c.scale).clamp(1e-30, 1e30) as f32 } else { 1.0 })
            .collect();
        let mut rows = normalised.into_owned();
        for row in rows.chunks_exact_mut(width) {
            row.iter_mut().zip(&column).for_each(|(x, s)| *x /= s);
        }
        Some(Self { rows, column, scale })
    }
}

/// Trains the kind that is asked for; none where rows do not differ from each other.
pub(super) fn train_kind(
    context: &TrainingContext<'_>,
    fit: &FitContext<'_>,
    baseline: LinearBaseline,
    budget: Budget,
) -> Option<TrainedNetwork> {
    let (sample, columns) = (context.more_rows.unwrap_or(fit.sample), fit.columns);
    let normalised = match context.more_rows {
        Some(rows) => Cow::Owned(normaliser(columns).normalise(
            rows.schema.dtype,
            &rows.schema.fill_values,
            &rows.bytes,
        )),
        None => Cow::Borrowed(fit.normalised),
    };
    let view = View::new(columns, normalised)?;
    let kind = kind(context, sample, columns, &view)?;
    let rows = view.rows.len() / columns.len();
    let config = trainer(context, budget, work_of(&kind, columns.len()), rows);
    let pair = train_pair(context, &kind, &view, baseline, &config);
    let mut net = autoencoder(&kind, pair, view.column);
    let sensitivity = net.sensitivity(fit.normalised);
    for (latent, moved) in net.encoder.latent.iter_mut().zip(&sensitivity) {
        // A latent that moves nothing gets no finer steps than it needs to be there.
        *latent = if *moved > 0.0 { (moved / baseline.step) as f32 } else { 1.0 };
    }
    let (cost, step) = (Cost::default(), baseline.step);
    Some(TrainedNetwork { autoencoder: net, cost, error_price: error_price(step), step })
}

fn train_pair(
    context: &TrainingContext<'_>,
    kind: &Kind,
    view: &View,
    baseline: LinearBaseline,
    config: &TrainerConfig,
) -> Pair {
    let (width, begun) = (view.column.len(), Instant::now());
    let tell = |share: f64, epoch: Option<Epoch>| {
        let (cost, linear) = (Cost::default(), baseline.linear);
        context.observer.training(&TrainingProgress { share, cost, linear, epoch });
    };
    let mut rng = Rng::new(context.seed);
    let mut textbook = Textbook::new(kind, &view.rows, width, context.seed, &mut rng);
    train(&mut textbook, config, &mut rng, &mut |pass| {
        tell(pass.done, Some(epoch(pass, kind, width, begun.elapsed().as_secs_f64())));
        true
    });
    tell(1.0, None);
    textbook.pair
}

/// The networks and terms that are asked for.
fn kind(
    context: &TrainingContext<'_>,
    sample: &Sample,
    columns: &[ColumnPlan],
    view: &View,
) -> Option<Kind> {
    let (request, width) = (context.request, columns.len());
    let usual = || {
        let first = (2 * width).clamp(*UNITS.start(), *UNITS.end());
        vec![first, first / 2]
    };
    let encoder =
        if request.linear { Vec::new() } else { request.hidden.clone().unwrap_or_else(usual) };
    let decoder = encoder.iter().rev().copied().collect();
    let range = sample_scale(sample).range;
    let noise = request.denoise.gaussian.map_or(0.0, |s| s * range / view.scale);
    let blank = columns.iter().map(|c| (-c.centre / view.scale) as f32);
    let masks = match request.mask {
        None => None,
        Some(patches) => {
            let (patch, count) = patches.of(&sample.schema.row_shape).ok()?;
            Some(Masks { patch, count, hidden: patches.hidden_of(count) })
        }
    };
    Some(Kind {
        latents: request.latents.unwrap_or(width.div_ceil(4).min(MOST_LATENTS)),
        encoder,
        decoder,
        activation: request.activation.function(),
        decoder_activation: request.activation.of_decoder().function(),
        corruption: Corruption {
            gaussian: noise.min(MOST_NOISE) as f32,
            zero: request.denoise.zero.unwrap_or(0.0) as f32,
            blank: blank.map(|b| if b.is_finite() { b } else { 0.0 }).collect(),
            masks,
        },
        sparse: request.sparse.map(|w| w as f32),
        contractive: request.contractive.map(|w| w as f32),
        variational: request.variational.map(|w| w as f32),
    })
}

/// Rows of a batch where nothing else is said: fewer of few rows, so that there are enough steps.
fn batch(rows: usize) -> usize {
    match rows {
        20_000.. => 256,
        4_000.. => 128,
        _ => 64,
    }
}

/// How a kind is trained on `rows` rows, each of which takes `work` multiply-adds in a pass.
fn trainer(context: &TrainingContext<'_>, budget: Budget, work: f64, rows: usize) -> TrainerConfig {
    let request = context.request;
    let batch = request.batch.unwrap_or(batch(rows));
    let most = (budget.epochs * PASSES).max(STEPS.div_ceil(rows.div_ceil(batch).max(1)));
    let fits = match request.seconds {
        Some(_) => most,
        None => (WORK * budget.work / (work * rows as f64)) as usize,
    };
    let passes = request.epochs.unwrap_or(fits.clamp(1, most));
    let rate = if request.linear { LINEAR_RATE } else { RATE };
    TrainerConfig {
        passes,
        batch,
        short_batches: true,
        rate: request.rate.unwrap_or(rate) as f32,
        steps: StepConfig { clip: Clip::Norm(CLIP), ..StepConfig::default() },
        held_out: HeldOut {
            share: HELD_OUT.min(MOST_HELD_OUT / rows.max(1) as f64),
            patience: (passes / PATIENCE_PART).max(LEAST_PATIENCE),
            ..HeldOut::default()
        },
        deadline: request.seconds.map(Deadline::new),
    }
}

/// Multiply-adds of a row in a pass.
fn work_of(kind: &Kind, width: usize) -> f64 {
    let path = |sizes: Vec<usize>| sizes.windows(2).map(|w| (w[0] * w[1]) as f64).sum::<f64>();
    let inputs = width * if kind.corruption.masks.is_some() { 2 } else { 1 };
    let encoder = path([&[inputs][..], &kind.encoder, &[kind.latents]].concat());
    let decoder = path([&[kind.latents][..], &kind.decoder, &[width]].concat());
    // Backward with each latent and forward with the tangents.
    let jacobian = if kind.contractive.is_some() { 3 * kind.latents } else { 0 };
    3.0 * (encoder + decoder) + encoder * jacobian as f64
}

/// What is told of a pass.
fn epoch(pass: &Pass<Terms>, kind: &Kind, width: usize, seconds: f64) -> Epoch {
    let judged = pass.judged();
    Epoch {
        index: pass.index,
        loss: pass.trained.total(),
        error: pass.trained.error,
        held_out: pass.held_out.map(|t| t.total()),
        held_out_error: pass.held_out.map(|t| t.error),
        kl: kind.variational.map(|_| judged.kl),
        elbo: kind.variational.map(|_| judged.elbo(width)),
        zeros: judged.zeros,
        seconds,
    }
}

/// Both networks as the format has them: a decoder has a linear path.
fn autoencoder(kind: &Kind, pair: Pair, column: Vec<f32>) -> Autoencoder {
    let flags = EncoderFlags {
        masked: kind.corruption.masks.is_some(),
        variational: kind.variational.is_some(),
    };
    let latent = vec![1.0; kind.latents];
    let encoder = FloatEncoder { network: kind.means(&pair.encoder), column, latent, flags };
    Autoencoder { encoder, decoder: with_linear_path(pair.decoder) }
}

/// The same function. Without hidden layers the path is all there is beside the bias, else it is 0.
fn with_linear_path(net: Network) -> Network {
    let last = net.shape.layers.len() - 1;
    let (inputs, outputs) = (net.shape.inputs, net.outputs());
    let mut params = net.params.clone();
    if last == 0 && net.shape.layers[0].1 == Activation::Identity {
        params.extend_from_slice(&net.params[net.weights(0)]);
        params[net.weights(0)].fill(0.0);
    } else {
        params.resize(params.len() + inputs * outputs, 0.0);
    }
    Network { shape: Shape { skip: true, ..net.shape }, params }
}
