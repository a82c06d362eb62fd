//! Which model under a bound on each value: none, linear with how many latents of which step, or a
//! network, by bytes of the whole file.
//!
//! An estimate from variances ranks all linear codecs at once; the best are then built and
//! measured on the sample, and the neighbours of the best in turn.

use crate::error::Result;
use crate::fit::candidate::Candidate;
use crate::fit::context::FitContext;
use crate::fit::data::columns::{ColumnPlan, Tolerance, normaliser, plan};
use crate::fit::data::components::{Basis, Components};
use crate::fit::data::sample::Sample;
use crate::fit::entropy::bits::rounded_entropy;
use crate::fit::entropy::classes::ClassEffort;
use crate::fit::linear::{LinearChoice, build};
use crate::fit::network::context::{LinearBaseline, TrainingContext};
use crate::nn::objectives::bits::Objective;

/// Steps of the latents, relative to where quantisation hurts latents and residuals alike.
const RELATIVE_STEPS: [f64; 5] = [0.5, 0.7, 1.0, 1.4, 2.0];

/// How long to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SearchEffort {
    /// Rows to build candidates on.
    pub(crate) rows: usize,
    /// Candidates built after the first.
    pub(crate) trials: usize,
    pub(crate) classes: ClassEffort,
    /// Rounds of refining a network's latents.
    pub(crate) refine: usize,
    /// Turns of choosing latents and training on them, for a promise about a sum.
    pub(crate) refit: usize,
}

/// The smallest codec that keeps bounds, fitted to the whole sample.
pub(crate) fn bounded(
    sample: &Sample,
    columns: &[ColumnPlan],
    effort: SearchEffort,
    basis: Option<&Basis>,
    training: Option<&TrainingContext<'_>>,
) -> Result<Candidate> {
    let full = normaliser(columns).normalise(sample.schema.dtype, &sample.bytes);
    let components = components(&full, columns, basis);
    let thin = sample.thin(effort.rows);
    let normalised = if thin.rows() == sample.rows() {
        full.clone()
    } else {
        normaliser(columns).normalise(thin.schema.dtype, &thin.bytes)
    };
    let quick = ClassEffort { classes: effort.classes.classes.min(4), rounds: 2 };
    let trial = FitContext {
        sample: &thin,
        columns,
        components: &components,
        normalised: &normalised,
        effort: if effort.trials > 0 { quick } else { effort.classes },
    };
    let rows = sample.total as f64;
    let none = LinearChoice {
        latents: 0,
        step: 1.0,
        trellis: 0,
        weight_step: 1.0,
        temporal: true,
        residual: true,
        error_weight: 0.0,
        patient: effort.trials > 0,
    };
    let plain = build(&trial, &none)?;
    let mut best = (none, plain.fitted_bytes);
    let ranked = rank(&components, rows);
    let mut seen = Vec::new();
    let mut try_choice = |best: &mut (LinearChoice, f64), (k, relative): (usize, f64)| {
        let choice = linear_choice(&components, k, relative, rows, effort.trials > 0);
        if k == 0 || k > components.count() || seen.contains(&choice) {
            return Ok(false);
        }
        seen.push(choice);
        // What cannot be proved is no candidate.
        let bytes = build(&trial, &choice).map_or(f64::INFINITY, |c| c.fitted_bytes);
        let better = bytes < best.1;
        if better {
            *best = (choice, bytes);
        }
        Result::Ok(better)
    };
    let mut place = ranked.first().copied().unwrap_or((0, 1.0));
    if effort.trials == 0 {
        // The quick way: two candidates, and the better one as it is.
        if place.0 == 0 {
            return Ok(plain);
        }
        let temporal = plain.encoder.program.temporal;
        let choice = linear_choice(&components, place.0, place.1, rows, false);
        let Ok(linear) = build(&trial, &LinearChoice { temporal, ..choice }) else {
            return Ok(plain);
        };
        // Latents double the work: the quick way wants to see something for it.
        let worth = linear.fitted_bytes < 0.9 * plain.fitted_bytes;
        return Ok(if worth { linear } else { plain });
    }
    let mut linear = (none, f64::INFINITY);
    try_choice(&mut linear, place)?;
    // Walk to better neighbours: more or fewer latents, then coarser or finer.
    let mut trials = 0;
    let mut stride = 0.4;
    while trials < effort.trials && linear.1.is_finite() {
        let (k, relative) = place;
        let more = ((k as f64 * (1.0 + stride)) as usize).max(k + 1);
        let fewer = ((k as f64 / (1.0 + stride)).round() as usize).min(k.saturating_sub(1));
        let near = [(more, relative), (fewer, relative), (k, relative * 1.4), (k, relative / 1.4)];
        let mut moved = false;
        for p in near {
            trials += 1;
            if try_choice(&mut linear, p)? {
                place = p;
                moved = true;
                break;
            }
        }
        if !moved {
            stride /= 2.0;
            if stride < 0.08 {
                break;
            }
        }
    }
    if linear.1 < best.1 {
        best = linear;
    }
    if best.0.latents > 0 && effort.trials > 0 {
        let trellis = LinearChoice { trellis: 8, ..best.0 };
        let bytes = build(&trial, &trellis).map_or(f64::INFINITY, |c| c.fitted_bytes);
        if bytes < best.1 {
            best = (trellis, bytes);
        }
    }
    let ground = FitContext {
        sample,
        columns,
        components: &components,
        normalised: &full,
        effort: effort.classes,
    };
    let smallest = build(&ground, &best.0).or_else(|_| build(&ground, &none))?;
    let Some(training) = training else { return Ok(smallest) };
    let per_row = smallest.fitted_bytes / sample.total.max(1) as f64;
    // Where most bits say what no model foretells, there is nothing to learn.
    let worth = per_row * 8.0 < MOST_BITS * columns.len() as f64;
    let promising = worth && linear.1 < 1.3 * best.1;
    if !promising && !training.is_asked() {
        return Ok(smallest);
    }
    let hint = LinearBaseline {
        // One that is asked for is trained even where the linear codec wants no latents.
        latents: linear.0.latents.max(usize::from(training.is_asked())),
        step: linear.0.step,
        objective: Objective::Residual,
        linear: per_row,
    };
    let network = training.bounded((&ground, &trial), hint, (linear.0.weight_step, effort.refine));
    let asked = training.is_asked() || training.finer.is_some();
    let better = network.filter(|n| n.fitted_bytes < smallest.fitted_bytes || asked);
    Ok(better.unwrap_or(smallest))
}

/// Bits per value of the linear codec beyond which no network is tried.
const MOST_BITS: f64 = 6.0;

/// Components of normalised rows, within a given basis if there is one.
pub(crate) fn components(
    rows: &[f32],
    columns: &[ColumnPlan],
    basis: Option<&Basis>,
) -> Components {
    match basis {
        Some(basis) => {
            let scale: Vec<f64> = columns.iter().map(|c| c.scale).collect();
            basis.components(rows, &scale)
        }
        None => Components::fit(rows, columns.len()),
    }
}

/// Numbers of latents worth looking at.
fn latent_counts(most: usize) -> Vec<usize> {
    let mut out = Vec::new();
    let mut k = 1.0_f64;
    while (k as usize) < most {
        out.push(k as usize);
        k = (k * 1.25).max(k + 1.0);
    }
    out.push(most);
    out
}

/// Variance of each column that the first `k` components leave.
fn left_over(c: &Components, k: usize) -> Vec<f64> {
    let mut left = c.columns.clone();
    for i in 0..k {
        for (l, v) in left.iter_mut().zip(c.vector(i)) {
            *l -= c.variance[i] * f64::from(*v).powi(2);
        }
    }
    left.iter_mut().for_each(|l| *l = l.max(0.0));
    left
}

/// Latents' step and weights' grain for `k` latents.
fn linear_choice(
    c: &Components,
    k: usize,
    relative: f64,
    rows: f64,
    patient: bool,
) -> LinearChoice {
    let left = left_over(c, k.min(c.count()));
    // The variance at which a squared step costs what it does on average: quiet columns count
    // little, loud ones hardly notice.
    let mean = left.iter().sum::<f64>() / left.len() as f64;
    let effective = mean.clamp(0.05, 1e6) + 1.0 / 12.0;
    LinearChoice {
        latents: k,
        step: (12.0 * effective).sqrt() * relative,
        trellis: 0,
        weight_step: (12.0 * effective / rows).sqrt().min(0.5),
        temporal: true,
        residual: true,
        error_weight: 0.0,
        patient,
    }
}

/// Numbers of latents and relative steps, most promising first, by estimated bits.
fn rank(c: &Components, rows: f64) -> Vec<(usize, f64)> {
    let width = c.columns.len() as f64;
    let mut out = Vec::new();
    let mut left = c.columns.clone();
    let mut share = vec![0.0_f64; c.columns.len()];
    let mut done = 0;
    for k in latent_counts(c.count()) {
        for i in done..k {
            for ((l, s), v) in left.iter_mut().zip(&mut share).zip(c.vector(i)) {
                let v2 = f64::from(*v).powi(2);
                *l = (*l - c.variance[i] * v2).max(0.0);
                *s += v2;
            }
        }
        done = k;
        for relative in RELATIVE_STEPS {
            let choice = linear_choice(c, k, relative, rows, true);
            let noise = choice.step.powi(2) / 12.0;
            let grain = choice.weight_step.powi(2) / 12.0 * k as f64;
            let residual: f64 =
                left.iter().zip(&share).map(|(l, s)| rounded_entropy(l + noise * s + grain)).sum();
            let latents: f64 =
                c.variance[..k].iter().map(|v| rounded_entropy(v / choice.step.powi(2))).sum();
            let weights: f64 = c.variance[..k]
                .iter()
                .map(|v| ((v / width).sqrt() / choice.weight_step).max(0.3).log2() + 2.05)
                .sum();
            out.push((rows * (residual + latents) + weights * width, (k, relative)));
        }
    }
    out.sort_by(|a, b| a.0.total_cmp(&b.0));
    out.into_iter().map(|o| o.1).collect()
}

/// Plans columns and searches, for absolute bounds on every column.
pub(crate) fn with_bounds(
    sample: &Sample,
    bounds: Vec<f64>,
    effort: SearchEffort,
    basis: Option<&Basis>,
    training: Option<&TrainingContext<'_>>,
) -> Result<Candidate> {
    let columns = plan(sample, &Tolerance::Bounds(bounds));
    bounded(sample, &columns, effort, basis, training)
}
