//! The textbooks' kinds: from the wish to a network that can be baked.

use crate::fit::context::FitContext;
use crate::fit::data::columns::{ColumnPlan, normaliser};
use crate::fit::data::sample::Sample;
use crate::fit::data::spread::sample_scale;
use crate::fit::history::Epoch;
use crate::fit::network::context::{LinearBaseline, TrainingContext, TrainingProgress};
use crate::kernels::activation::Activation;
use crate::nn::autoencoder::Autoencoder;
use crate::nn::autoencoder::EncoderFlags;
use crate::nn::network::{Network, Shape};
use crate::nn::objectives::bits::{Cost, TrainedNetwork};
use crate::nn::objectives::textbook::{Corruption, Kind, Masks, Pair, Pass, train};
use crate::nn::train::Training;
use std::time::{Duration, Instant};

/// How many times the work of the level's other networks may cost: whoever asks for a kind
/// wants it trained.
const WORK: f64 = 20.0;
/// Passes over the rows, relative to those of the level.
const PASSES: usize = 2;
/// Steps below which the passes over few rows are not ended.
const STEPS: usize = 6000;
/// Share of the rows that is only looked at, and the most of them.
const HELD_OUT: (f64, f64) = (0.1, 4096.0);
/// Gradients longer than this are shortened.
const CLIP: f32 = 1.0;

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
    fn new(columns: &[ColumnPlan], normalised: &[f32]) -> Option<Self> {
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
        let mut rows = normalised.to_vec();
        for row in rows.chunks_exact_mut(width) {
            row.iter_mut().zip(&column).for_each(|(x, s)| *x /= s);
        }
        Some(Self { rows, column, scale })
    }
}

impl TrainingContext<'_> {
    /// Trains the kind that is wished for; none where rows do not differ from each other.
    pub(super) fn kind(
        &self,
        ground: &FitContext<'_>,
        hint: LinearBaseline,
    ) -> Option<TrainedNetwork> {
        let sample = self.rows.unwrap_or(ground.sample);
        let columns = ground.columns;
        let wide;
        let normalised = match self.rows {
            Some(rows) => {
                wide = normaliser(columns).normalise(rows.schema.dtype, &rows.bytes);
                &wide[..]
            }
            None => ground.normalised,
        };
        let view = View::new(columns, normalised)?;
        let kind = self.plan(sample, columns, &view)?;
        let count = sample.rows();
        let how = self.training(&kind, columns.len(), count);
        let begun = Instant::now();
        let time = self.wish.seconds.map(|s| Duration::from_secs_f64(s.min(1e9)));
        let width = columns.len();
        let told = &mut |pass: &Pass| {
            let share = (pass.index + 1) as f64 / how.epochs as f64;
            let epoch = Some(epoch(pass, &kind, width, begun.elapsed().as_secs_f64()));
            (self.log)(&TrainingProgress {
                share,
                cost: Cost::default(),
                linear: hint.linear,
                epoch,
            });
            true
        };
        let (pair, _) = train(&kind, (&view.rows, width), &how, time, told);
        let cost = Cost::default();
        (self.log)(&TrainingProgress { share: 1.0, cost, linear: hint.linear, epoch: None });
        let mut net = autoencoder(&kind, pair, view.column);
        let moves = net.sensitivity(ground.normalised);
        for (latent, moved) in net.latent.iter_mut().zip(&moves) {
            // A latent that moves nothing gets no finer steps than it needs to be there.
            *latent = if *moved > 0.0 { (moved / hint.step) as f32 } else { 1.0 };
        }
        let lambda = 6.0 / (std::f64::consts::LN_2 * hint.step * hint.step);
        Some(TrainedNetwork { autoencoder: net, cost, lambda, step: hint.step })
    }

    /// The networks and terms that are wished for.
    fn plan(&self, sample: &Sample, columns: &[ColumnPlan], view: &View) -> Option<Kind> {
        let (wish, width) = (self.wish, columns.len());
        let usual = || {
            let first = (2 * width).clamp(64, 512);
            vec![first, first / 2]
        };
        let encoder =
            if wish.linear { Vec::new() } else { wish.hidden.clone().unwrap_or_else(usual) };
        let decoder = encoder.iter().rev().copied().collect();
        let range = sample_scale(sample).range;
        let noise = wish.denoise.gaussian.map_or(0.0, |s| s * range / view.scale);
        let blank = columns.iter().map(|c| (-c.centre / view.scale) as f32);
        let masks = match wish.mask {
            None => None,
            Some(patches) => {
                let (patch, count) = patches.of(&sample.schema.row_shape).ok()?;
                Some(Masks { patch, count, hidden: patches.hidden_of(count) })
            }
        };
        Some(Kind {
            latents: wish.latents.unwrap_or(width.div_ceil(4).min(32)),
            encoder,
            decoder,
            activation: wish.activation.function(),
            decoder_activation: wish.activation.of_decoder().function(),
            corruption: Corruption {
                gaussian: noise.min(1e9) as f32,
                zero: wish.denoise.zero.unwrap_or(0.0) as f32,
                blank: blank.map(|b| if b.is_finite() { b } else { 0.0 }).collect(),
                masks,
            },
            sparse: wish.sparse.map(|w| w as f32),
            contractive: wish.contractive.map(|w| w as f32),
            variational: wish.variational.map(|w| w as f32),
        })
    }

    fn training(&self, kind: &Kind, width: usize, rows: usize) -> Training {
        let batch = self.wish.batch.unwrap_or(match rows {
            20_000.. => 256,
            4_000.. => 128,
            _ => 64,
        });
        let per_epoch = rows.div_ceil(batch).max(1);
        let (work, most) = self.budget.map_or((1e11, 20), |b| (b.work, b.epochs));
        let most = (most * PASSES).max(STEPS.div_ceil(per_epoch));
        let fits = match self.wish.seconds {
            Some(_) => most,
            None => (WORK * work / work_of(kind, width, rows)) as usize,
        };
        let epochs = self.wish.epochs.unwrap_or(fits.clamp(1, most));
        let rate = if self.wish.linear { 3e-3 } else { 1e-3 };
        Training {
            epochs,
            batch,
            rate: self.wish.rate.unwrap_or(rate) as f32,
            warm_up: 0.03,
            clip: CLIP,
            decay: 0.0,
            held_out: (HELD_OUT.0 as f32).min((HELD_OUT.1 / rows.max(1) as f64) as f32),
            patience: (epochs / 5).max(10),
            seed: self.seed,
        }
    }
}

/// Multiply-adds of a pass over `rows` rows.
fn work_of(kind: &Kind, width: usize, rows: usize) -> f64 {
    let path = |sizes: Vec<usize>| sizes.windows(2).map(|w| (w[0] * w[1]) as f64).sum::<f64>();
    let inputs = width * if kind.corruption.masks.is_some() { 2 } else { 1 };
    let encoder = path([&[inputs][..], &kind.encoder, &[kind.latents]].concat());
    let decoder = path([&[kind.latents][..], &kind.decoder, &[width]].concat());
    // Backward with each latent and forward with the tangents.
    let jacobian = if kind.contractive.is_some() { 3 * kind.latents } else { 0 };
    (3.0 * (encoder + decoder) + encoder * jacobian as f64) * rows as f64
}

/// What is told of a pass.
fn epoch(pass: &Pass, kind: &Kind, width: usize, seconds: f64) -> Epoch {
    let judged = pass.held_out.unwrap_or(pass.trained);
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
    Autoencoder {
        encoder: kind.means(&pair.encoder),
        decoder: with_linear_path(pair.decoder),
        latent: vec![1.0; kind.latents],
        column,
        flags,
    }
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

/// The geometric mean of what latents move; none where none moves anything.
pub(super) fn mean_sensitivity(moves: &[f64]) -> Option<f64> {
    let logs: Vec<f64> = moves.iter().filter(|m| **m > 0.0).map(|m| m.ln()).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}
