//! Promises about sums over the file: the step, and the codec, that just keep them.

use crate::compress::Job;
use crate::compress::config::Stage;
use crate::compress::report::Report;
use crate::error::{Error, Result};
use crate::fit::data::sample::Sample;
use crate::fit::network::context::TrainingContext;
use crate::fit::search::target::{
    Builder, CLOSE, Choice, Family, Goal, LEAST_USED, Solver, choose,
};
use crate::nn::objectives::bits::{Time, TrainedNetwork};
use crate::nn::objectives::refit::RefitConfig;
use std::io::Write;

impl Job<'_> {
    /// A promise about a sum over the file: choose on the sample, then correct the step until
    /// the whole file, really encoded, keeps the promise and hardly more.
    pub(super) fn toward(
        &self,
        goal: Goal,
        sample: &Sample,
        out: &mut (dyn Write + Send),
    ) -> Result<Report> {
        let level = self.config.effort();
        let start = starting_step(sample, goal);
        let builder = Builder::new(sample, level.search, start, self.basis());
        let thin = sample.thin(level.search.rows.min(4096));
        let chosen = choose(&builder.thin(&thin), goal, start)?;
        let Some(chosen) = chosen else { return self.fall_back(goal, sample, out) };
        // Where a network may follow, the linear codec need not be exact yet.
        let trains =
            self.with_training(|training| training.budget.is_some() || training.is_asked());
        let least = if trains { CLOSE } else { LEAST_USED };
        let linear = self.settle(&builder, goal, (chosen.family, chosen.step), least)?;
        let Some(linear) = linear else { return self.fall_back(goal, sample, out) };
        let exact = |linear: Settled| -> Result<Settled> {
            if linear.used >= LEAST_USED {
                return Ok(linear);
            }
            let exact = self.settle(&builder, goal, (chosen.family, linear.step), LEAST_USED)?;
            Ok(exact.filter(|e| e.used > linear.used).unwrap_or(linear))
        };
        let network = if trains {
            self.with_network(goal, (&builder, &thin), (chosen.family, linear.step))?
        } else {
            None
        };
        let asked = self.has_network()
            || self.brought.finer.is_some()
            || self.config.train.wants_network() == Some(true);
        let best = match network {
            Some(network) if asked || network.cost(goal) < linear.least_cost(goal) => network,
            Some(network) => {
                let linear = exact(linear)?;
                if network.cost(goal) < linear.cost(goal) { network } else { linear }
            }
            None => exact(linear)?,
        };
        out.write_all(&best.bytes).map_err(|e| Error::io("cannot write", e))?;
        Ok(best.report)
    }

    /// The file with a network, if one is trained and keeps the promise; `family` and `step` are the
    /// linear codec's.
    fn with_network(
        &self,
        goal: Goal,
        (builder, thin): (&Builder<'_>, &Sample),
        (family, step): (Family, f64),
    ) -> Result<Option<Settled>> {
        let time = self.config.train.seconds.map(Time::new);
        let Ok(linear) = builder.build(family, step) else { return Ok(None) };
        let train = |training: &TrainingContext<'_>| builder.train(training, goal, (step, &linear));
        let Some(trained) = self.with_training(train) else { return Ok(None) };
        let (trained, chosen) = self.refit(goal, (builder, thin), (step, time), trained)?;
        let builder = builder.with_network(&trained);
        let network = match chosen {
            Some(c) => {
                let family = c.family.finer(self.brought.finer.unwrap_or(1.0));
                self.settle(&builder, goal, (family, c.step), LEAST_USED)?
            }
            None => None,
        };
        if network.is_none() && self.is_kind() {
            return Err(self.out_of_reach(&trained));
        }
        Ok(network)
    }

    /// Precision and network, made for each other in turn, once at least; no further turn begins
    /// after the time that training was given. At last the precision is looked for once more.
    fn refit(
        &self,
        goal: Goal,
        (builder, thin): (&Builder<'_>, &Sample),
        (step, time): (f64, Option<Time>),
        mut trained: TrainedNetwork,
    ) -> Result<(TrainedNetwork, Option<Choice>)> {
        let late = || time.is_some_and(|t| t.gone() >= 1.0);
        let mut turns = self.config.effort().search.refit;
        if self.has_network() {
            // It was made for other rows.
            turns *= 2;
        }
        let how = RefitConfig::new(&self.config.train);
        let mut chosen = None;
        for turn in 0..turns {
            self.config.report(Stage::Polish, turn as u64, turns as u64);
            let with = builder.with_network(&trained);
            let Some(better) = with.thin(thin).choose_precision(goal, step, chosen)? else { break };
            chosen = Some(better);
            let Some(refitted) = with.refitted(better, how, self.config.seed) else { break };
            trained = refitted;
            if late() {
                break;
            }
        }
        if let Some(c) = chosen.filter(|_| !late()) {
            let with = builder.with_network(&trained);
            let with = with.thin(thin);
            let balanced = with.balanced(goal, c)?;
            chosen = Some(with.confirmed(goal, balanced)?);
        }
        self.config.report(Stage::Polish, turns as u64, turns as u64);
        Ok((trained, chosen))
    }

    /// Whether a codec brings a network.
    fn has_network(&self) -> bool {
        self.brought.prior.is_some_and(|p| p.network.is_some())
    }

    /// Whether one of the textbooks' kinds is to be trained.
    fn is_kind(&self) -> bool {
        self.config.train.is_kind() && self.brought.prior.is_none()
    }

    fn out_of_reach(&self, trained: &TrainedNetwork) -> Error {
        Error::argument(format!(
            "{} cannot be reached with {} latents of this network and nothing else: ask for more \
             latents, or promise a bound on each value, which residuals keep",
            self.config.fidelity,
            trained.autoencoder.latent.len()
        ))
    }

    /// The file of a family that keeps the promise and uses `least` of what it allows.
    fn settle(
        &self,
        builder: &Builder<'_>,
        goal: Goal,
        (family, start): (Family, f64),
        least: f64,
    ) -> Result<Option<Settled>> {
        let mut solver = Solver::new(goal, start);
        let mut best: Option<Settled> = None;
        for _ in 0..12 {
            let mut bytes = Vec::new();
            let step = solver.step();
            let Ok(fitted) = builder.build(family, step) else {
                // A step too fine to be built counts as too large a file.
                if best.is_none() || !goal.is_size() {
                    break;
                }
                solver.took(f64::INFINITY);
                continue;
            };
            let (report, totals) = self.write(fitted, &mut bytes)?;
            let used = goal.used(&totals.tally, bytes.len() as f64);
            let done = solver.took(used);
            if used <= 1.0 && best.as_ref().is_none_or(|b| used > b.used) {
                best = Some(Settled { step, used, bytes, report });
            }
            if done || solver.is_exhausted() || (least..=1.0).contains(&used) {
                break;
            }
        }
        Ok(best)
    }

    /// Where no step reaches the goal: lossless reaches every error; what size it takes says
    /// whether a size can be reached at all.
    fn fall_back(
        &self,
        goal: Goal,
        sample: &Sample,
        out: &mut (dyn Write + Send),
    ) -> Result<Report> {
        let zeros = vec![0.0; self.rows.schema().width()];
        let mut bytes = Vec::new();
        let report = self.bounded(sample, zeros, &mut bytes)?;
        if let Goal::Bytes(most) = goal
            && bytes.len() as f64 > most
        {
            // Without any bound, a file is as small as it gets.
            let loose = vec![f64::MAX; self.rows.schema().width()];
            let mut smallest = Vec::new();
            let report = self.bounded(sample, loose, &mut smallest)?;
            if smallest.len() as f64 <= most {
                out.write_all(&smallest).map_err(|e| Error::io("cannot write", e))?;
                return Ok(report);
            }
            let rows = self.rows.len() as f64;
            let least = smallest.len() as f64;
            return Err(Error::argument(format!(
                "{} cannot be reached: it allows {most:.0} bytes; with no bound on errors these \
                 rows take {least}, {:.3} a row, a ratio of {:.1}",
                self.config.fidelity,
                least / rows,
                self.bytes_in() as f64 / least
            )));
        }
        out.write_all(&bytes).map_err(|e| Error::io("cannot write", e))?;
        Ok(report)
    }
}

/// A file that keeps a promise about sums.
struct Settled {
    step: f64,
    /// The share of what is allowed that is used up.
    used: f64,
    bytes: Vec<u8>,
    report: Report,
}

impl Settled {
    /// What is to be small: bytes, or where these are limited the error.
    fn cost(&self, goal: Goal) -> f64 {
        if goal.is_size() { self.report.measured.nmse } else { self.bytes.len() as f64 }
    }

    /// What the cost hardly falls below where all that is allowed is used: bytes seldom fall as fast
    /// as the third power of the error grows, the error as the eighth power of bytes.
    fn least_cost(&self, goal: Goal) -> f64 {
        self.cost(goal) * self.used.powi(if goal.is_size() { 8 } else { 3 })
    }
}

/// A step whose rounding error is about what `goal` allows.
fn starting_step(sample: &Sample, goal: Goal) -> f64 {
    let crate::fit::data::spread::SampleScale { variance, range } =
        crate::fit::data::spread::sample_scale(sample);
    let error = match goal {
        Goal::Nmse(x) => variance * x,
        Goal::Psnr(db) => range * range * 10_f64.powf(-db / 10.0),
        Goal::Cosine(c) => variance * 2.0 * (1.0 - c),
        Goal::Bytes(_) => variance * 0.05,
    };
    (12.0 * error).sqrt().clamp(f64::MIN_POSITIVE, 1e300)
}
