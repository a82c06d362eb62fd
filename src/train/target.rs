//! Promises about sums: NMSE, PSNR, cosine, size. A step is looked for that just keeps them.
//!
//! Two families of codecs can keep them. *Latents only*: principal components with one step for
//! all, which reverse water-filling says is best (Cover & Thomas, *Elements of Information
//! Theory*, 10.3.3). *Bounded*: the codec of the bounded promises with a bound chosen so that
//! the sum comes out right; best where the promise is tight or rows are narrow.

use super::assemble::{Coding, Prepared};
use super::classes::Effort;
use super::columns::{Tolerance, plan};
use super::linear::{Candidate, Ground, LinearChoice, normaliser};
use super::network::bake::{Precision, prepare};
use super::network::choose::{Coach, Hint};
use super::network::fit::{Objective, Trained};
use super::network::polish::{Least, polish};
use super::pca::{Basis, Components};
use super::sample::Sample;
use super::search::{SearchEffort, components, with_bounds};
use crate::error::{Error, Result};
use crate::quality::Tally;

/// What a sum may be at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// Normalised mean squared error.
    Nmse(f64),
    /// Peak signal-to-noise ratio in dB.
    Psnr(f64),
    /// Mean cosine of the rows.
    Cosine(f64),
    /// Bytes of the whole file.
    Bytes(f64),
}

impl Goal {
    /// The share of what is allowed that is used up: the goal is met up to 1.
    pub(crate) fn used(self, tally: &Tally, bytes: f64) -> f64 {
        match self {
            Goal::Nmse(most) => tally.nmse() / most,
            Goal::Psnr(least) => 10_f64.powf((least - tally.psnr()) / 10.0),
            Goal::Cosine(least) => (1.0 - tally.mean_cosine()) / (1.0 - least),
            Goal::Bytes(most) => bytes / most,
        }
    }

    /// How fast the used share changes with the step, in logarithms, about.
    fn slope(self) -> f64 {
        if self.is_size() { -0.4 } else { 2.0 }
    }

    /// Whether the file's size is what is limited.
    pub(crate) fn is_size(self) -> bool {
        matches!(self, Goal::Bytes(_))
    }
}

/// The share of what is allowed at which families can be compared.
pub(crate) const CLOSE: f64 = 0.95;

/// Most row classes.
const MOST_CLASSES: usize = 32;

/// Least share of what is allowed that ought to be used.
pub(crate) const LEAST_USED: f64 = 0.998;

/// Looks for the step at which `used` is just below 1.
///
/// Secant steps on logarithms inside a shrinking bracket; the best valid step is remembered.
#[derive(Debug, Clone)]
pub(crate) struct Solver {
    slope: f64,
    /// `ln step` and `ln used` of the last two.
    seen: Vec<(f64, f64)>,
    /// Steps known to be valid and not, nearest to each other.
    good: Option<f64>,
    bad: Option<f64>,
    next: f64,
}

impl Solver {
    pub(crate) fn new(goal: Goal, start: f64) -> Self {
        let next = start.max(f64::MIN_POSITIVE).ln();
        Self { slope: goal.slope(), seen: Vec::new(), good: None, bad: None, next }
    }

    /// The step to try.
    pub(crate) fn step(&self) -> f64 {
        self.next.exp()
    }

    /// Whether the bracket has become too small to be worth going on.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.good.zip(self.bad).is_some_and(|(g, b)| (g - b).abs() < 1e-4)
    }

    /// Takes the result of trying [`Self::step`]; true if it is valid and close enough.
    pub(crate) fn took(&mut self, used: f64) -> bool {
        let used = if used.is_nan() { f64::INFINITY } else { used };
        const AIM: f64 = 0.999;
        let x = self.next;
        if used <= 1.0 {
            self.good = Some(x);
            if used >= LEAST_USED {
                return true;
            }
        } else {
            self.bad = Some(x);
        }
        let y = used.clamp(1e-12, 1e12).ln();
        if let Some(&(x0, y0)) = self.seen.last()
            && (x - x0).abs() > 1e-9
        {
            let slope = (y - y0) / (x - x0);
            // A slope of the wrong sign is noise.
            if slope * self.slope > 0.02 {
                self.slope = slope;
            }
        }
        self.seen.push((x, y));
        let step = ((AIM.ln() - y) / self.slope).clamp(-4.0, 4.0);
        let mut next = x + step;
        if let Some((a, b)) = self.good.zip(self.bad) {
            let (low, high) = (a.min(b), a.max(b));
            let margin = (high - low) * 0.08;
            // Many steps on one side of the bracket mean that the secant misleads.
            if self.seen.len() > 5 {
                next = (low + high) / 2.0;
            }
            next = next.clamp(low + margin, high - margin);
        }
        self.next = next;
        false
    }
}

/// Which family, and everything but the step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Family {
    /// Components of at least this multiple of the error's variance; trellis states; weight of
    /// bits against error; fineness of weights.
    Latents { threshold: f64, trellis: usize, thrift: f64, grain: f64 },
    /// A bound on every value.
    Bounded,
    /// The trained network with this precision; the weight of bits against error.
    Network { output: f64, hidden: f64, trellis: usize, thrift: f64 },
}

impl Family {
    /// The same with a network's weights rounded `by` times as finely.
    pub(crate) fn finer(self, by: f64) -> Self {
        match self {
            Family::Network { output, hidden, trellis, thrift } => {
                Family::Network { output: output / by, hidden: hidden / by, trellis, thrift }
            }
            other => other,
        }
    }
}

/// Builds codecs of either family for any step.
pub(crate) struct Builder<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) effort: SearchEffort,
    columns: Vec<super::columns::ColumnPlan>,
    components: Components,
    normalised: Vec<f32>,
    /// One normalised step in the data's units.
    unit: f64,
    basis: Option<&'a Basis>,
    network: Option<&'a Trained>,
}

impl<'a> Builder<'a> {
    /// Prepares the latents' family for errors of about `step`.
    pub(crate) fn new(
        sample: &'a Sample,
        effort: SearchEffort,
        step: f64,
        basis: Option<&'a Basis>,
    ) -> Self {
        // Latents alone have little use for many classes, and every step fits them anew.
        let classes = Effort {
            classes: effort.classes.classes.min(MOST_CLASSES),
            rounds: effort.classes.rounds.min(4),
        };
        let effort = SearchEffort { classes, ..effort };
        let columns = plan(sample, &Tolerance::Step(step));
        let normalised = normaliser(&columns).normalise(sample.schema.dtype, &sample.bytes);
        let components = components(&normalised, &columns, basis);
        let unit = columns.iter().map(|c| c.scale).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        Self { sample, effort, columns, components, normalised, unit, basis, network: None }
    }

    /// The same codecs on fewer rows and with less effort.
    pub(crate) fn thin<'b>(&'b self, sample: &'b Sample) -> Builder<'b> {
        let quick = Effort { classes: self.effort.classes.classes.min(2), rounds: 1 };
        Builder {
            sample,
            effort: SearchEffort { trials: 0, classes: quick, ..self.effort },
            columns: self.columns.clone(),
            components: self.components.clone(),
            normalised: normaliser(&self.columns).normalise(sample.schema.dtype, &sample.bytes),
            unit: self.unit,
            basis: self.basis,
            network: self.network,
        }
    }

    /// One normalised step in the data's units.
    pub(crate) fn unit(&self) -> f64 {
        self.unit
    }

    /// Whether there is anything for latents to say.
    pub(crate) fn has_components(&self) -> bool {
        self.components.count() > 0
    }

    /// A codec of `family` whose error is about that of rounding to `step`.
    pub(crate) fn build(&self, family: Family, step: f64) -> Result<Candidate> {
        let (threshold, trellis, thrift, grain) = match family {
            Family::Latents { threshold, trellis, thrift, grain } => {
                (threshold, trellis, thrift, grain)
            }
            Family::Bounded => {
                let bounds = vec![step / 2.0; self.columns.len()];
                return with_bounds(self.sample, bounds, self.effort, self.basis, None);
            }
            Family::Network { .. } => return self.build_network(family, step),
        };
        let step = step / self.unit;
        let level = threshold * step * step / 12.0;
        let latents = self.components.variance.iter().take_while(|v| **v > level).count();
        let choice = LinearChoice {
            latents: latents.max(1),
            step,
            trellis,
            weight_grain: grain * step / (self.sample.total as f64).sqrt(),
            temporal: true,
            residual: false,
            patient: true,
            // dD/dR of a uniform quantiser: a bit less costs 2 ln 2 · step² / 12.
            error_weight: thrift * 6.0 / (std::f64::consts::LN_2 * step * step),
        };
        self.ground().build(&choice)
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            sample: self.sample,
            columns: &self.columns,
            components: &self.components,
            normalised: &self.normalised,
            effort: self.effort.classes,
        }
    }

    fn build_network(&self, family: Family, step: f64) -> Result<Candidate> {
        let (prepared, coding) = self.prepare_network(family, step)?;
        self.ground().complete(prepared, coding)
    }

    fn prepare_network(&self, family: Family, step: f64) -> Result<(Prepared, Coding)> {
        let (Family::Network { output, hidden, trellis, thrift }, Some(trained)) =
            (family, self.network)
        else {
            return Err(Error::argument("no network was trained"));
        };
        let step = step / self.unit;
        let finer = trained.step / step;
        let precision = Precision {
            units: finer as f32 * if trellis > 0 { 2.0 } else { 1.0 },
            trellis,
            output: output * step / (self.sample.total as f64).sqrt(),
            hidden,
            error_weight: Some(thrift * trained.lambda * finer * finer),
        };
        let prepared = prepare(&trained.autoencoder, &self.columns, &self.normalised, &precision);
        let refine = self.effort.refine;
        Ok((prepared, Coding { temporal: true, residual: false, patient: true, refine }))
    }

    /// Trains a network for the error that `linear` has, or less where the size is given.
    pub(crate) fn train(
        &self,
        coach: &Coach<'_>,
        goal: Goal,
        (step, linear): (f64, &Candidate),
    ) -> Option<Trained> {
        let rows = self.sample.total.max(1) as f64;
        let used = if goal.is_size() { 0.8 } else { 0.97 };
        let variance: f64 = self.components.columns.iter().sum();
        let hint = Hint {
            // One that is asked for is trained even where the linear codec wants no latents.
            latents: linear.encoder.program.record.latents().max(usize::from(coach.is_asked())),
            step: step / self.unit,
            objective: Objective::Error((used * linear.tally.nmse() * variance).max(1e-9)),
            linear: linear.fitted_bytes / rows,
        };
        coach.train(&self.ground(), hint)
    }

    /// The network after a little training on the latents that `choice` really gives; none where
    /// it is to stay as it is.
    pub(crate) fn polished(&self, choice: Choice, seed: u64) -> Option<Trained> {
        if self.network?.autoencoder.has_no_linear_path() {
            // It was trained to have none.
            return None;
        }
        let mut trained = self.network?.clone();
        let (prepared, coding) = self.prepare_network(choice.family, choice.step).ok()?;
        // The encoder's scale says how many integers a step has.
        let net = prepared.projection.network.clone()?;
        let units = net.latent[0] / trained.autoencoder.latent[0];
        let decoded = self.ground().decoded(prepared, coding).ok()?;
        let latents: Vec<f32> = decoded.iter().map(|y| *y as f32 / units).collect();
        polish(&mut trained.autoencoder, &self.normalised, &latents, POLISH, seed);
        Some(trained)
    }

    /// The same codecs, with a network beside them.
    pub(crate) fn with_network<'b>(&'b self, network: &'b Trained) -> Builder<'b> {
        Builder {
            columns: self.columns.clone(),
            components: self.components.clone(),
            normalised: self.normalised.clone(),
            network: Some(network),
            ..*self
        }
    }

    /// The best precision of the network and its step; what was best of another network serves
    /// again, with a step of its own.
    pub(crate) fn choose_precision(
        &self,
        goal: Goal,
        start: f64,
        first: Option<Choice>,
    ) -> Result<Option<Choice>> {
        if let Some(c) = first {
            return solve(self, goal, c.family, c.step);
        }
        let begin = FIRST;
        let mut best = solve(self, goal, begin, start)?;
        // Factors of output, hidden and thrift, one after another from the best so far.
        for (o, h, t) in [
            (1.0, 1.0, 0.7),
            (1.0, 1.0, 1.5),
            (0.7, 1.0, 1.0),
            (1.4, 1.0, 1.0),
            (1.0, 0.6, 1.0),
            (1.0, 1.6, 1.0),
        ] {
            let from = best.map_or(begin, |b| b.family);
            let Family::Network { output, hidden, trellis, thrift } = from else { break };
            let (output, hidden, thrift) = (output * o, hidden * h, thrift * t);
            let next = Family::Network { output, hidden, trellis, thrift };
            let from = best.map_or(start, |b| b.step);
            if let Some(c) = solve(self, goal, next, from)?
                && best.is_none_or(|b| c.cost < b.cost)
            {
                best = Some(c);
            }
        }
        // The smallest file is a wide valley: a little finer, and rows hardly lose by rounding.
        if let Some(b) = best
            && let Some(c) = solve(self, goal, b.family.finer(FINER), b.step)?
            && c.cost < ALIKE * b.cost
        {
            best = Some(c);
        }
        Ok(best)
    }
}

/// How much finer than is best weights are rounded, if the file is as good as the same size.
const FINER: f64 = 1.5;
const ALIKE: f64 = 1.003;

/// Where the search for a network's precision begins.
const FIRST: Family = Family::Network { output: 1.6, hidden: 0.3, trellis: 8, thrift: 2.0 };

/// Passes and steps, and rate, of the training on real latents.
const POLISH: (Least, f32) = ((6, 940), 5e-4);

/// A family with the step that keeps the goal on the sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice {
    pub(crate) family: Family,
    pub(crate) step: f64,
    /// Bytes, or for a limited size the error: less is better.
    cost: f64,
}

/// What was tried of one family, to bring costs to where the goal would be met exactly: there
/// families compare.
struct Costs {
    /// How the cost falls with what is used up, both as logarithms: guessed, or seen.
    slope: f64,
    /// Both logarithms of the last try.
    last: Option<(f64, f64)>,
}

impl Costs {
    fn new(goal: Goal) -> Self {
        // Bytes fall slowly where more error is allowed, errors fast with more bytes.
        Self { slope: if goal.is_size() { -2.0 } else { -0.5 }, last: None }
    }

    /// The cost of a try that used up `used`.
    fn at_goal(&mut self, used: f64, cost: f64) -> f64 {
        if !(used > 0.0 && cost > 0.0 && used.is_finite() && cost.is_finite()) {
            return cost;
        }
        let now = (used.ln(), cost.ln());
        // Tries near each other tell more noise than slope.
        if let Some(last) = self.last.filter(|last| (last.0 - now.0).abs() > 0.02) {
            let slope = (last.1 - now.1) / (last.0 - now.0);
            self.slope = slope.clamp(4.0 * self.slope, self.slope / 4.0);
        }
        self.last = Some(now);
        (now.1 - self.slope * now.0).exp()
    }
}

/// Finds the step for `family` on the builder's sample.
fn solve(b: &Builder<'_>, goal: Goal, family: Family, start: f64) -> Result<Option<Choice>> {
    let mut solver = Solver::new(goal, start);
    let mut best: Option<Choice> = None;
    let mut costs = Costs::new(goal);
    for _ in 0..14 {
        let step = solver.step();
        // Steps far from the data's scale need weights that no network can be proved for.
        let Ok(built) = b.build(family, step) else {
            if best.is_none() || !goal.is_size() {
                break;
            }
            solver.took(f64::INFINITY);
            continue;
        };
        let used = goal.used(&built.tally, built.fitted_bytes);
        let cost = if goal.is_size() { built.tally.nmse() } else { built.fitted_bytes };
        let cost = costs.at_goal(used, cost);
        let done = solver.took(used);
        if used <= 1.0 && best.is_none_or(|b| cost < b.cost || done) {
            best = Some(Choice { family, step, cost });
        }
        // Costs are compared where the goal would be met, so near it is enough.
        if done || solver.is_exhausted() || (CLOSE..=1.0).contains(&used) {
            break;
        }
    }
    Ok(best)
}

/// The best family and step for `goal`.
pub(crate) fn choose(b: &Builder<'_>, goal: Goal, start: f64) -> Result<Option<Choice>> {
    let latents = |threshold: f64, trellis: usize, thrift: f64, grain: f64| Family::Latents {
        threshold,
        trellis,
        thrift,
        grain,
    };
    let plain = latents(1.5, 8, 1.0, 1.0);
    let mut best: Option<Choice> = None;
    let attempt = |family: Family, best: &mut Option<Choice>| -> Result<()> {
        let from = best.map_or(start, |c| c.step);
        if let Some(c) = solve(b, goal, family, from)?
            && best.is_none_or(|b| c.cost < b.cost)
        {
            *best = Some(c);
        }
        Ok(())
    };
    if b.has_components() {
        attempt(plain, &mut best)?;
        if b.effort.rows > 1024 {
            for family in [latents(2.5, 8, 1.0, 1.0), latents(1.5, 8, 0.7, 1.0)] {
                attempt(family, &mut best)?;
            }
            if let Some(Choice { family: Family::Latents { threshold, thrift, .. }, .. }) = best {
                attempt(latents(threshold, 8, thrift, 2.0), &mut best)?;
                attempt(latents(threshold, 0, thrift, 1.0), &mut best)?;
            }
        }
    }
    let tight = match goal {
        Goal::Nmse(x) => x < 0.02,
        Goal::Psnr(x) => x > 35.0,
        Goal::Cosine(x) => x > 0.99,
        Goal::Bytes(_) => true,
    };
    if tight || best.is_none() || b.sample.schema.width() <= 16 {
        attempt(Family::Bounded, &mut best)?;
    }
    Ok(best)
}
