//! Labels and numbers from rows: an encoder that knows such rows, trained further on a few whose
//! answer is known.

use super::encoder::Encoder;
use super::model::Model;
use super::propagate::propagate;
use super::{cells, predict};
use crate::compress::{Codec, Config, Progress, Stage};
use crate::container::task::{Targets, TaskRecord};
use crate::error::{Error, Result};
use crate::kernels::activation::Activation;
use crate::matrix::Rows;
use crate::matrix::rng::Rng;
use crate::nn::network::{Network, Shape};
use crate::nn::objectives::supervised::{Answers, EncoderTuning, Prediction, Stack, Supervised};
use crate::nn::trainer::{HeldOut, Pass, StepConfig, TrainerConfig, train};

/// Share of the rows that is held out, of no fewer than these.
const HELD_OUT: f64 = 0.15;
const FEW: usize = 500;

/// Rows without labels that are looked at, at most, and the share of them that is learned from.
const UNLABELLED: usize = 12_000;
const CERTAIN: f64 = 0.5;

/// What there is to be predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Task {
    /// A label, which is a whole number.
    Classification,
    /// One or more numbers.
    Regression,
}

/// How to train further. The head is new; the encoder stays as it is in the first passes, and
/// then moves with smaller steps than the head.
///
/// ```
/// let mut how = aezip::FinetuneConfig::default();
/// how.epochs = 40;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FinetuneConfig {
    /// Without, labels of an integer type make it a classification, others a regression.
    pub task: Option<Task>,
    /// Passes over the rows, at most: it stops where rows held out no longer get better.
    pub epochs: usize,
    /// Rows of a step.
    pub batch: usize,
    /// Peak of the head's learning rate.
    pub rate: f64,
    /// The encoder's rate as a share of the head's; 0 leaves the encoder as it is. 0.05 if not
    /// said, 0.1 from scratch.
    pub encoder_rate: Option<f64>,
    /// Share of the passes, at the beginning, in which the encoder stays as it is.
    pub frozen: f64,
    /// Units of hidden layers of the head.
    pub head: Vec<usize>,
    /// Share of the rows that is held out. 0.15 if not said; none of fewer than 500, which are too
    /// few to say which pass is the best and are missed by training.
    pub held_out: Option<f64>,
    /// Begin with random weights instead of the encoder's: to see what those were good for.
    pub from_scratch: bool,
}

impl Default for FinetuneConfig {
    fn default() -> Self {
        Self {
            task: None,
            epochs: 100,
            batch: 32,
            rate: 0.01,
            encoder_rate: None,
            frozen: 0.3,
            head: Vec::new(),
            held_out: None,
            from_scratch: false,
        }
    }
}

impl FinetuneConfig {
    /// Checks the wish.
    ///
    /// # Errors
    /// `Argument` if a number is out of its range.
    pub fn validate(&self) -> Result<()> {
        let fault = if !(1..=100_000).contains(&self.epochs) {
            format!("{} epochs are not between 1 and 100000", self.epochs)
        } else if !(1..=1 << 20).contains(&self.batch) {
            format!("a batch of {} is not between 1 and 2^20", self.batch)
        } else if !(self.rate > 0.0 && self.rate <= 1.0) {
            format!("a learning rate of {} is not above 0 and up to 1", self.rate)
        } else if let Some(x) = self.encoder_rate.filter(|x| !(0.0..=10.0).contains(x)) {
            format!("an encoder's rate of {x} times the head's is not in 0 to 10")
        } else if !(0.0..=1.0).contains(&self.frozen) {
            format!("a share of {} of the passes is not in 0 to 1", self.frozen)
        } else if let Some(x) = self.held_out.filter(|x| !(0.0..0.9).contains(x)) {
            format!("a share of {x} of the rows to hold out is not in 0 to 0.9")
        } else if self.head.len() > 8 || self.head.iter().any(|n| !(1..=8192).contains(n)) {
            "a head has up to 8 hidden layers of 1 to 8192 units".to_string()
        } else {
            return Ok(());
        };
        Err(Error::argument(fault))
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FinetuneReport {
    /// What was learned.
    pub task: Task,
    /// Rows with a label, those held out among them.
    pub rows: usize,
    /// Rows that got one from rows like them.
    pub spread: usize,
    /// Classes, or numbers.
    pub outputs: usize,
    /// Passes made.
    pub epochs: usize,
    /// The pass whose weights were kept, from 1.
    pub kept: usize,
    /// Rows held out.
    pub held_out: usize,
    /// Loss in that pass, of rows held out or else of those learned from: cross-entropy in nats, or
    /// the squared error over the variance.
    pub loss: f64,
    /// Of the same rows in that pass: the share of right labels, or of the variance that is
    /// explained.
    pub right: f64,
}

/// Trains `codec`'s encoder further, to predict `labels` of `rows`: a label for each row, or for a
/// regression one number or more. Rows whose label is missing (NaN) are left out. What is given
/// back is the codec with what was learned beside it; it compresses as before.
///
/// Where labels are few, rows `unlabelled` help: each gets the label of the rows with labels that
/// it is joined to by steps from row to nearest row, in the codec's embedding (Zhou et al. 2004,
/// *Learning with local and global consistency*), and the half whose labels are most certain is
/// learned from too. That helps where rows with the same label lie in groups, and misleads where
/// labels cut through them. For a regression there is no such way.
///
/// # Errors
/// `Argument` if there are not as many labels as rows, they are no labels, rows are `unlabelled` for
/// a regression, or the codec is for other rows or has no encoder; `Io` and others as the rows give them.
///
/// ```no_run
/// use aezip::{Codec, Config, FinetuneConfig, finetune, input, predict};
/// let open = |name| input::open(name, &Default::default());
/// let codec = Codec::fit(&*open("all.npy")?, &Config::default())?;
/// let (rows, labels) = (open("some.npy")?, open("some-labels.npy")?);
/// let how = FinetuneConfig::default();
/// let (codec, report) = finetune(&codec, &*rows, &*labels, None, &Config::default(), &how)?;
/// println!("{:.1} % right", 100.0 * report.right);
/// let labels = predict(&codec, &*open("others.npy")?)?.values.to_vec::<i64>()?;
/// # Ok::<(), aezip::Error>(())
/// ```
pub fn finetune(
    codec: &Codec,
    rows: &dyn Rows,
    labels: &dyn Rows,
    unlabelled: Option<&dyn Rows>,
    config: &Config,
    how: &FinetuneConfig,
) -> Result<(Codec, FinetuneReport)> {
    how.validate()?;
    let model = Model::new(codec)?;
    for rows in [Some(rows), unlabelled].into_iter().flatten() {
        model.expect(rows.schema())?;
    }
    if rows.len() != labels.len() {
        return Err(Error::argument(format!("{} rows, but {} labels", rows.len(), labels.len())));
    }
    let outputs = labels.schema().width();
    let answers = cells::read(labels, 0..labels.len())?;
    let known: Vec<usize> = (0..rows.len())
        .filter(|i| answers[i * outputs..(i + 1) * outputs].iter().all(|x| x.is_finite()))
        .collect();
    if known.len() < 4 {
        return Err(Error::argument(format!(
            "{} rows have a label; it takes 4 or more to learn from",
            known.len()
        )));
    }
    let mut answers: Vec<f64> =
        known.iter().flat_map(|&i| &answers[i * outputs..(i + 1) * outputs]).copied().collect();
    let whole = !labels.schema().dtype.is_float();
    let task = how.task.unwrap_or(if whole { Task::Classification } else { Task::Regression });
    if task == Task::Regression && unlabelled.is_some() {
        return Err(Error::argument(
            "rows without labels help to learn labels, not numbers: leave them out, or ask for a \
             classification",
        ));
    }
    let targets = match task {
        Task::Classification => classes(&answers, outputs)?,
        Task::Regression => standard(&answers, outputs),
    };
    let encoder = model.encoder()?;
    let mut given = inputs(encoder, rows, &known)?;
    let seed = config.seed;
    let work = || {
        if let (Targets::Classes(labels), Some(others)) = (&targets, unlabelled) {
            spread(encoder, labels, others, (&mut given, &mut answers))?;
        }
        learn(encoder, &given, &answers, targets, how, (seed, task, config))
    };
    let (record, mut report) = config.on_threads(work)??;
    (report.spread, report.rows) = (report.rows - known.len(), known.len());
    Ok((codec.with_task(record), report))
}

/// Adds rows that have no label, with those that they get from the others.
fn spread(
    encoder: &Encoder,
    labels: &[i64],
    others: &dyn Rows,
    (given, answers): (&mut Vec<f32>, &mut Vec<f64>),
) -> Result<()> {
    let n = others.len().min(UNLABELLED);
    let some: Vec<usize> = (0..n).map(|i| i * others.len() / n).collect();
    let more = inputs(encoder, others, &some)?;
    let all = [&given[..], &more].concat();
    let (width, latents) = (encoder.network.shape.inputs, encoder.network.outputs());
    let points = encoder.network.infer(&all, all.len() / width);
    let places: Vec<usize> =
        answers.iter().map(|x| labels.partition_point(|l| *l < *x as i64)).collect();
    let found = propagate(&points, latents, &places, labels.len());
    let mut order: Vec<usize> = (0..n).filter(|&i| found[i].1 > 0.0).collect();
    order.sort_by(|a, b| found[*b].1.total_cmp(&found[*a].1));
    order.truncate((n as f64 * CERTAIN).ceil() as usize);
    for i in order {
        given.extend_from_slice(&more[i * width..(i + 1) * width]);
        answers.push(labels[found[i].0] as f64);
    }
    Ok(())
}

/// What the encoder is given for some of the rows.
fn inputs(encoder: &Encoder, rows: &dyn Rows, which: &[usize]) -> Result<Vec<f32>> {
    let width = rows.schema().width();
    let mut out = Vec::new();
    let mut next = which.iter().copied().peekable();
    for part in cells::parts(rows.len(), width) {
        let values = cells::read(rows, part.clone())?;
        while let Some(i) = next.next_if(|i| part.contains(i)) {
            let at = (i - part.start) * width;
            out.extend(encoder.inputs(&values[at..at + width], &|_| false));
        }
    }
    Ok(out)
}

/// The labels that occur.
fn classes(answers: &[f64], outputs: usize) -> Result<Targets> {
    if outputs != 1 {
        return Err(Error::argument(format!(
            "{outputs} labels for each row; a classification has one"
        )));
    }
    let whole = |x: &f64| x.fract() == 0.0 && x.abs() < 9e15;
    if let Some(x) = answers.iter().find(|x| !whole(x)) {
        return Err(Error::argument(format!(
            "{x} is no label: labels are whole numbers between -9e15 and 9e15; ask for a regression \
             to predict others"
        )));
    }
    let mut labels: Vec<i64> = answers.iter().map(|x| *x as i64).collect();
    labels.sort_unstable();
    labels.dedup();
    match labels.len() {
        1 => {
            Err(Error::argument(format!("all labels are {}: there is nothing to learn", labels[0])))
        }
        n if n > answers.len() / 2 => Err(Error::argument(format!(
            "{n} different labels in {} rows are too many to learn; ask for a regression if they \
             are numbers",
            answers.len()
        ))),
        n if n > 1 << 16 => {
            Err(Error::argument(format!("{n} different labels are more than 65536")))
        }
        _ => Ok(Targets::Classes(labels)),
    }
}

/// Mean and deviation of each number.
fn standard(answers: &[f64], outputs: usize) -> Targets {
    let n = (answers.len() / outputs) as f64;
    let column = |j: usize| answers.iter().skip(j).step_by(outputs);
    let centre: Vec<f64> = (0..outputs).map(|j| column(j).sum::<f64>() / n).collect();
    let deviation = |j: usize| {
        let squares: f64 = column(j).map(|x| (x - centre[j]).powi(2)).sum();
        let deviation = (squares / n).sqrt();
        if deviation > 0.0 && deviation.is_finite() { deviation } else { 1.0 }
    };
    let scale = (0..outputs).map(deviation).collect();
    Targets::Values { centre, scale }
}

fn learn(
    encoder: &Encoder,
    inputs: &[f32],
    answers: &[f64],
    targets: Targets,
    how: &FinetuneConfig,
    (seed, task, config): (u64, Task, &Config),
) -> Result<(TaskRecord, FinetuneReport)> {
    let mut rng = Rng::new(seed ^ 0x7461_736b);
    let mut network = encoder.network.clone();
    if how.from_scratch {
        network = Network::new(network.shape.clone(), &mut rng);
    }
    let rows = inputs.len() / network.shape.inputs;
    let (centre, scale) = moments(&network.infer(inputs, rows), network.outputs());
    let mut layers: Vec<(usize, Activation)> =
        how.head.iter().map(|n| (*n, Activation::default())).collect();
    layers.push((targets.outputs(), Activation::Identity));
    let shape = Shape { inputs: network.outputs(), layers, skip: false };
    let head = Network::new(shape, &mut rng);
    let mut stack = Stack { encoder: network, centre, scale, head };
    let (places, numbers);
    let answered = match &targets {
        Targets::Classes(labels) => {
            let place = |x: &f64| labels.partition_point(|l| *l < *x as i64);
            places = answers.iter().map(place).collect::<Vec<_>>();
            Answers::Classes(&places)
        }
        Targets::Values { centre, scale } => {
            let n = centre.len();
            let reduced = |(i, x): (usize, &f64)| ((x - centre[i % n]) / scale[i % n]) as f32;
            numbers = answers.iter().enumerate().map(reduced).collect::<Vec<_>>();
            Answers::Values(&numbers)
        }
    };
    let frozen = if how.from_scratch { 0.0 } else { how.frozen * how.epochs as f64 };
    let tuning = EncoderTuning {
        rate_share: how.encoder_rate.unwrap_or(if how.from_scratch { 0.1 } else { 0.05 }) as f32,
        frozen_passes: frozen.round() as usize,
    };
    let held_out = how.held_out.unwrap_or(if rows < FEW { 0.0 } else { HELD_OUT });
    let trainer = TrainerConfig {
        passes: how.epochs,
        batch: how.batch,
        rate: how.rate as f32,
        steps: StepConfig { decay: 1e-3, ..StepConfig::default() },
        held_out: HeldOut {
            share: held_out,
            least: 1,
            patience: (how.epochs / 5).max(10),
            patient_from: tuning.frozen_passes,
        },
        ..TrainerConfig::default()
    };
    let mut passes = 0;
    let told = &mut |pass: &Pass<Prediction>| {
        passes = pass.index + 1;
        if let Some(progress) = &config.progress {
            let (done, total) = (passes as u64, how.epochs as u64);
            progress(Progress { stage: Stage::Train, done, total, estimate: None, epoch: None });
        }
        true
    };
    let mut supervised = Supervised::new(&mut stack, inputs, answered, tuning);
    let pass = train(&mut supervised, &trainer, &mut Rng::new(seed), told)
        .filter(|pass| pass.judged().loss.is_finite())
        .ok_or_else(|| {
            Error::argument("training did not come to an end; choose a smaller learning rate")
        })?;
    let report = FinetuneReport {
        task,
        rows,
        spread: 0,
        held_out: (rows as f64 * held_out) as usize,
        outputs: targets.outputs(),
        epochs: passes,
        kept: pass.index + 1,
        loss: pass.judged().loss,
        right: pass.judged().right,
    };
    Ok((predict::record(encoder, stack, targets), report))
}

/// Mean and deviation of each latent.
fn moments(h: &[f32], latents: usize) -> (Vec<f32>, Vec<f32>) {
    let n = (h.len() / latents.max(1)).max(1) as f64;
    let column = |k: usize| h.iter().skip(k).step_by(latents).map(|x| f64::from(*x));
    (0..latents)
        .map(|k| {
            let mean = column(k).sum::<f64>() / n;
            let deviation = (column(k).map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
            let usable = deviation > 1e-20 && deviation.is_finite();
            (mean as f32, if usable { deviation as f32 } else { 1.0 })
        })
        .unzip()
}
