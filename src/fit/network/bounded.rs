//! The smallest codec with a network under a bound on each value.

use super::choose::train_network;
use super::context::{LinearBaseline, TrainingContext};
use super::train::TrainedNetwork;
use crate::error::Result;
use crate::fit::assemble::complete;
use crate::fit::candidate::Candidate;
use crate::fit::candidate::Coding;
use crate::fit::context::FitContext;
use crate::fit::quantise::network::Precision;
use crate::fit::quantise::prepare::prepare;
use crate::fit::search::coordinate::{Coordinate, descend};

/// Where the search for a precision begins: errors of hidden weights, as a share of the root mean
/// square of their layer.
const HIDDEN: f64 = 0.12;
/// The same where integers are hardly to change what the network gives, and errors of the output, in
/// steps of the finest column.
const PRECISE_HIDDEN: f64 = 0.01;
const PRECISE_OUTPUT: f64 = 0.005;

/// What a network is searched on.
pub(crate) struct BoundedNetwork<'a> {
    /// All rows of the sample, and the part of them on which the precision is decided.
    pub(crate) full: &'a FitContext<'a>,
    pub(crate) trial: &'a FitContext<'a>,
    pub(crate) baseline: LinearBaseline,
    /// The precision of the linear codec's weights.
    pub(crate) weight_step: f64,
    /// Bytes of the best linear codec on the part: networks far above them are given up, unless one was asked
    /// for.
    pub(crate) linear_bytes: f64,
    /// Rounds of refining latents.
    pub(crate) refine: usize,
}

impl BoundedNetwork<'_> {
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
        if context.is_for_codec && context.request.is_kind() {
            return build(&trained, self.full, &precise(&trained, start), coding).ok();
        }
        let bytes_of = |p: &Precision, coding| {
            build(&trained, self.trial, p, coding).map_or(f64::INFINITY, |c| c.fitted_bytes)
        };
        let trial = |p: Precision| Some((p, bytes_of(&p, coding)));
        let first = trial(start)?;
        let is_optional = !context.insists();
        if is_optional && first.1 > FAR_ABOVE * self.linear_bytes {
            return None;
        }
        let (mut precision, bytes) = descend(first, &COORDINATES, GAIN, trial);
        if is_optional && bytes > ABOVE * self.linear_bytes {
            return None;
        }
        // Refining counts on residuals that grow evenly with errors, which is not always so.
        let refined = Coding { refine: self.refine, ..coding };
        let coding = if bytes_of(&precision, refined) < bytes { refined } else { coding };
        if let Some(finer) = context.weight_precision_factor {
            precision.output /= finer;
            precision.hidden /= finer;
        }
        build(&trained, self.full, &precision, coding).ok()
    }
}

fn build(
    trained: &TrainedNetwork,
    fit: &FitContext<'_>,
    precision: &Precision,
    coding: Coding,
) -> Result<Candidate> {
    let prepared = prepare(&trained.autoencoder, fit.columns, fit.normalised, precision)?;
    complete(fit, prepared, coding)
}

/// Integers that hardly change what the network gives, whatever the bound.
fn precise(trained: &TrainedNetwork, start: Precision) -> Precision {
    let net = &trained.autoencoder;
    let least = net.encoder.column.iter().copied().fold(f32::INFINITY, f32::min);
    let inputs = net.decoder.shape.inputs_of(net.decoder.shape.layers.len() - 1);
    let output = PRECISE_OUTPUT * f64::from(least) / (inputs as f64).sqrt();
    Precision { output: start.output.min(output), hidden: PRECISE_HIDDEN, ..start }
}

/// How much larger than the best linear codec one with a network may be on a part of the rows: with the precision
/// that the search begins with, and with the one that it finds. (Networks of spectra and an ECG begin at 0.83 and
/// 0.95; one of fields began at 2.8, and 20 more trials, half of all the time, brought it to 2.3.)
const FAR_ABOVE: f64 = 1.25;
const ABOVE: f64 = 1.15;

/// Share of the bytes that a change of precision has to save: less is noise of the trial rows.
const GAIN: f64 = 0.0005;

/// What is changed, one after the other. Weights as powers of two; units by a quarter, as latents cost
/// more than weights. Dependent quantisation, whose units count double, is tried at last, as it takes
/// longer; it may want somewhat coarser units.
const COORDINATES: [Coordinate<'_, Precision>; 5] = [
    Coordinate { changes: &[|p| p.output *= 2.0, |p| p.output /= 2.0], most: usize::MAX },
    Coordinate { changes: &[|p| p.hidden *= 2.0, |p| p.hidden /= 2.0], most: usize::MAX },
    Coordinate { changes: &[|p| p.units *= 1.25, |p| p.units /= 1.25], most: usize::MAX },
    Coordinate { changes: &[|p| (p.trellis, p.units) = (8, p.units * 2.0)], most: 1 },
    Coordinate { changes: &[|p| p.units /= 1.25], most: 1 },
];
