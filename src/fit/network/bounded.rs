//! The smallest codec with a network under a bound on each value.

use super::choose::train_network;
use super::context::{LinearBaseline, TrainingContext};
use super::train::TrainedNetwork;
use crate::error::Result;
use crate::fit::assemble::Coding;
use crate::fit::linear::{Candidate, FitContext};
use crate::fit::quantise::network::{Precision, prepare};

/// Where the search for a precision begins: errors of hidden weights, as a share of the root mean
/// square of their layer.
const HIDDEN: f64 = 0.12;
/// The same where integers are hardly to change what the network gives, and errors of the output, in
/// steps of the finest column.
const PRECISE_HIDDEN: f64 = 0.01;
const PRECISE_OUTPUT: f64 = 0.005;

/// What a network is searched on.
pub(crate) struct BoundedSearch<'a> {
    /// All rows of the sample, and the part of them on which the precision is decided.
    pub(crate) full: &'a FitContext<'a>,
    pub(crate) trial: &'a FitContext<'a>,
    pub(crate) baseline: LinearBaseline,
    /// The precision of the linear codec's weights.
    pub(crate) weight_step: f64,
    /// Rounds of refining latents.
    pub(crate) refine: usize,
}

impl BoundedSearch<'_> {
    /// The smallest codec that has a network, if one can be trained and built.
    pub(crate) fn smallest(&self, context: &TrainingContext<'_>) -> Option<Candidate> {
        let trained = train_network(context, self.full, self.baseline)?;
        let step = self.baseline.step;
        let start = Precision {
            units: if step > 0.0 { (trained.step / step) as f32 } else { 1.0 },
            trellis: 0,
            output: self.weight_step,
            hidden: HIDDEN,
            error_weight: None,
        };
        let coding = Coding { temporal: true, residual: true, patient: true, refine: 0 };
        if context.precise && context.wish.is_kind() {
            return build(&trained, self.full, &precise(&trained, start), coding).ok();
        }
        let cost = |p: &Precision| {
            build(&trained, self.trial, p, coding).map_or(f64::INFINITY, |c| c.fitted_bytes)
        };
        let mut precision = search_precision(start, cost);
        if let Some(finer) = context.finer {
            precision.output /= finer;
            precision.hidden /= finer;
        }
        // Refining counts on residuals that grow evenly with errors, which is not always so.
        let built = [0, self.refine].into_iter().filter_map(|refine| {
            build(&trained, self.full, &precision, Coding { refine, ..coding }).ok()
        });
        built.min_by(|a, b| a.fitted_bytes.total_cmp(&b.fitted_bytes))
    }
}

fn build(
    trained: &TrainedNetwork,
    fit: &FitContext<'_>,
    precision: &Precision,
    coding: Coding,
) -> Result<Candidate> {
    fit.complete(prepare(&trained.autoencoder, fit.columns, fit.normalised, precision), coding)
}

/// Integers that hardly change what the network gives, whatever the bound.
fn precise(trained: &TrainedNetwork, start: Precision) -> Precision {
    let net = &trained.autoencoder;
    let least = net.encoder.column.iter().copied().fold(f32::INFINITY, f32::min);
    let inputs = net.decoder.shape.inputs_of(net.decoder.shape.layers.len() - 1);
    let output = PRECISE_OUTPUT * f64::from(least) / (inputs as f64).sqrt();
    Precision { output: start.output.min(output), hidden: PRECISE_HIDDEN, ..start }
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
