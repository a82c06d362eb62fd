//! Which network, for how long: short trainings against each other, then a long one.
//!
//! What a training may cost is counted in multiply-adds and fixed before it begins, so that the
//! result does not depend on the machine's speed.

use super::context::{LinearBaseline, TrainingContext, TrainingProgress};
use crate::fit::assemble::complete;
use crate::fit::candidate::{Candidate, Coding};
use crate::fit::context::FitContext;
use crate::fit::quantise::network::Precision;
use crate::fit::quantise::prepare::prepare;
use crate::nn::objectives::bits::{BitsConfig, Cost, Objective, Time, TrainedNetwork, train};

/// Share of the work that goes into finding the width.
const SCOUTING: f64 = 0.25;
/// Least width of the encoder's hidden layers where the level chooses.
const LEAST_ENCODER: usize = 128;

/// Rows of a batch where nothing else is said.
pub(crate) const BATCH: usize = 256;
/// Peak of the learning rate where nothing else is said, under a bound on each value and for a
/// figure over the file. (Where latents alone say all, 6e-3 made some files 1 % larger; under bounds,
/// 4e-3 made all of them 1 to 3 % larger.)
pub(crate) const RATES: (f64, f64) = (6e-3, 4e-3);

/// Share of the rows that is not trained on where there are others to come.
const HELD_OUT: f64 = 0.05;

/// Rows below which no network is trained.
pub(crate) const LEAST_ROWS: usize = 64;

impl TrainingContext<'_> {
    /// Trains the most promising network; none if the level has no time for any, or rows are
    /// too few or too narrow for one to pay.
    pub(crate) fn train(
        &self,
        ground: &FitContext<'_>,
        hint: LinearBaseline,
    ) -> Option<TrainedNetwork> {
        if let Some(learned) = self.learned {
            return Some(learned.trained(ground.columns, ground.normalised));
        }
        let budget = self.budget?;
        if self.wish.is_kind() {
            return if ground.sample.rows() < LEAST_ROWS { None } else { self.kind(ground, hint) };
        }
        let wanted = self.wish.wants_network();
        let rows = ground.sample.rows();
        let (width, most) = (ground.columns.len(), ground.components.count());
        if wanted == Some(false) || most == 0 || rows < LEAST_ROWS {
            return None;
        }
        if wanted.is_none() && (rows < 512 || width < 4 || hint.latents == 0) {
            return None;
        }
        let time = self.wish.seconds.map(|s| Time::new(s.min(1e9)));
        let plan = |decoder: Vec<usize>, (latents, step): (f64, f64)| BitsConfig {
            objective: hint.objective,
            latents: self
                .wish
                .latents
                .unwrap_or((hint.latents as f64 * latents).round() as usize)
                .clamp(1, most),
            step: (hint.step * step) as f32,
            // It is not stored, only trained: it may be larger.
            encoder: decoder.iter().rev().map(|&n| n.max(LEAST_ENCODER)).collect(),
            decoder,
            activation: self.wish.activation.function(),
            decoder_activation: self.wish.activation.of_decoder().function(),
            epochs: budget.epochs,
            batch: self.wish.batch.unwrap_or(BATCH),
            rate: self.wish.rate.unwrap_or(match hint.objective {
                Objective::Residual => RATES.0,
                Objective::Error(_) => RATES.1,
            }) as f32,
            classes: budget.classes,
            rows: ground.sample.total as f64,
            seed: self.seed,
            held_out: if self.precise { HELD_OUT } else { 0.0 },
            time,
        };
        let fits = |plan: &BitsConfig, work: f64| (work / plan.work(width, rows)) as usize;
        let epochs = |plan: &BitsConfig, work: f64| {
            self.wish.epochs.unwrap_or(fits(plan, work).clamp(1, budget.epochs))
        };
        let run = |plan: BitsConfig, done: f64, share: f64| {
            let log = |part: f64, cost: &Cost| {
                let (share, linear) = (done + share * part, hint.linear);
                (self.log)(&TrainingProgress { share, cost: *cost, linear, epoch: None });
            };
            let trained = train(ground.normalised, ground.components, &plan, &log);
            // Also where time has ended it.
            log(1.0, &trained.cost);
            trained
        };
        if let Some(hidden) = &self.wish.hidden {
            let decoder: Vec<usize> = hidden.iter().rev().copied().collect();
            let plan = BitsConfig { encoder: hidden.clone(), ..plan(decoder, (1.0, 1.0)) };
            let epochs = epochs(&plan, budget.work);
            return Some(run(BitsConfig { epochs, ..plan }, 0.0, 1.0));
        }
        // A network that costs more than it could save is not tried.
        let affordable = |w: &&usize| {
            (**w * (width + hint.latents)) as f64 * 0.5
                < 0.4 * hint.linear * ground.sample.total as f64
        };
        let mut widths: Vec<usize> = budget.widths.iter().filter(affordable).copied().collect();
        let mut starts = budget.starts;
        if matches!(hint.objective, Objective::Error(_)) {
            // Without residuals latents say all. What is wide learns slowly, and would lose a
            // short comparison that it wins in the end.
            starts = &[(0.8, 1.0)];
            widths = widths.split_off(widths.len().saturating_sub(1));
        }
        let pairs = starts.iter().flat_map(|&s| widths.iter().map(move |&w| (w, s)));
        let plans: Vec<BitsConfig> = pairs.map(|(w, s)| plan(vec![w], s)).collect();
        // Of short trainings: bytes, which plan, what came of it.
        let mut best: Option<(f64, usize, TrainedNetwork)> = None;
        if plans.len() > 1 {
            let share = SCOUTING / plans.len() as f64;
            let most = (budget.epochs / 8).max(4);
            for (i, p) in plans.iter().enumerate() {
                let time = time.map(|t| t.until(share * (i + 1) as f64));
                if best.is_some() && time.is_some_and(|t| t.gone() >= 1.0) {
                    break;
                }
                let fits = fits(p, budget.work * share).clamp(4, most);
                let epochs = self.wish.epochs.map_or(fits, |n| n.min(most));
                let trained =
                    run(BitsConfig { epochs, time, ..p.clone() }, share * i as f64, share);
                // Only under bounds are there several, so that all err alike.
                let Cost { latent, residual, weights, .. } = trained.cost;
                let bytes = latent + residual + weights;
                // One that ran away has cost all.
                let bytes = if bytes.is_nan() { f64::INFINITY } else { bytes };
                if best.as_ref().is_none_or(|b| bytes < b.0) {
                    best = Some((bytes, i, trained));
                }
            }
        }
        let (start, chosen) = match best {
            // There is no time for more than this.
            Some((.., trained)) if time.is_some_and(|t| t.gone() >= 1.0) => {
                let (cost, linear) = (trained.cost, hint.linear);
                (self.log)(&TrainingProgress { share: 1.0, cost, linear, epoch: None });
                return Some(trained);
            }
            Some((_, chosen, _)) => (SCOUTING, chosen),
            None => (0.0, 0),
        };
        let plan = plans.into_iter().nth(chosen)?;
        let epochs = epochs(&plan, budget.work * (1.0 - start));
        let time = time.map(|t| t.until(1.0));
        Some(run(BitsConfig { epochs, time, ..plan }, start, 1.0 - start))
    }

    /// The smallest codec with a bound on each value that has a network, if one can be built;
    /// how finely to round is decided on `trial`, a part of the rows.
    pub(crate) fn bounded(
        &self,
        (ground, trial): (&FitContext<'_>, &FitContext<'_>),
        hint: LinearBaseline,
        (output, refine): (f64, usize),
    ) -> Option<Candidate> {
        let trained = self.train(ground, hint)?;
        let units = if hint.step > 0.0 { (trained.step / hint.step) as f32 } else { 1.0 };
        let start = Precision { units, trellis: 0, output, hidden: 0.12, error_weight: None };
        let coding = Coding { temporal: true, residual: true, patient: true, refine: 0 };
        let build = |ground: &FitContext<'_>, p: &Precision, coding: Coding| {
            let prepared = prepare(&trained.autoencoder, ground.columns, ground.normalised, p);
            complete(ground, prepared, coding)
        };
        if self.precise && self.wish.is_kind() {
            return build(ground, &precise(&trained, start), coding).ok();
        }
        let cost =
            |p: &Precision| build(trial, p, coding).map_or(f64::INFINITY, |c| c.fitted_bytes);
        let mut precision = search_precision(start, cost);
        if let Some(finer) = self.finer {
            (precision.output, precision.hidden) =
                (precision.output / finer, precision.hidden / finer);
        }
        // Refining counts on residuals that grow evenly with errors, which is not always so.
        [0, refine]
            .into_iter()
            .filter_map(|refine| build(ground, &precision, Coding { refine, ..coding }).ok())
            .min_by(|a, b| a.fitted_bytes.total_cmp(&b.fitted_bytes))
    }
}

/// Integers that hardly change what the network gives, whatever the bound.
fn precise(trained: &TrainedNetwork, start: Precision) -> Precision {
    let net = &trained.autoencoder;
    let least = net.column.iter().copied().fold(f32::INFINITY, f32::min);
    let inputs = net.decoder.shape.inputs_of(net.decoder.shape.layers.len() - 1);
    let output = 0.005 * f64::from(least) / (inputs as f64).sqrt();
    Precision { output: start.output.min(output), hidden: 0.01, ..start }
}

/// The best precision near `start`: each change is kept, and but for the trellis tried again, where
/// it lowers `cost`.
fn search_precision(start: Precision, cost: impl Fn(&Precision) -> f64) -> Precision {
    let mut best = (start, cost(&start));
    let changes: [fn(&mut Precision); 8] = [
        |p| p.output *= 2.0,
        |p| p.output /= 2.0,
        |p| p.hidden *= 2.0,
        |p| p.hidden /= 2.0,
        |p| p.units *= 1.25,
        |p| p.units /= 1.25,
        |p| (p.trellis, p.units) = (8, p.units * 2.0),
        |p| p.units /= 1.25,
    ];
    for change in changes {
        loop {
            let mut p = best.0;
            change(&mut p);
            let bytes = cost(&p);
            if bytes >= best.1 * 0.9995 {
                break;
            }
            best = (p, bytes);
            if p.trellis != start.trellis {
                break;
            }
        }
    }
    best.0
}
