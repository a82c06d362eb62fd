//! How a codec's encoder is trained further, and what came of it.

use crate::error::{Error, Result};
use crate::matrix::Schema;

/// Limits of what may be asked for; far beyond what is of use, they keep mistakes from taking all
/// memory or time.
const MOST_EPOCHS: usize = 100_000;
const MOST_BATCH: usize = 1 << 20;
const MOST_ENCODER_RATE: f64 = 10.0;
const MOST_HEAD_LAYERS: usize = 8;
const MOST_HEAD_UNITS: usize = 8192;
/// Held-out shares stay below it, so that there are rows to learn from.
const MOST_HELD_OUT: f64 = 0.9;

/// What is predicted of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Task {
    /// A label, which is a whole number.
    Classification,
    /// One number or more.
    Regression,
}

/// How to train further. A new head is put on top of the encoder; the encoder stays as it is in
/// the first passes, and then changes with a smaller learning rate than the head.
///
/// ```
/// let mut how = aezip::apps::FinetuneConfig::default();
/// how.epochs = 40;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FinetuneConfig {
    /// The task. If `None`, labels of an integer type make it a classification, floats a
    /// regression.
    pub task: Option<Task>,
    /// The most passes over the rows, 1 to 100 000; 100 by default. Training ends earlier where
    /// held-out rows are no longer predicted better.
    pub epochs: usize,
    /// Rows of a training step, 1 to 2^20; 32 by default.
    pub batch: usize,
    /// The peak of the head's learning rate, above 0 and up to 1; 0.01 by default.
    pub rate: f64,
    /// The encoder's learning rate as a share of the head's, 0 to 10; 0 leaves the encoder as it
    /// is. If `None`, it is 0.05, or 0.1 from scratch, and 0 for a masked transformer, which allows no other.
    pub encoder_rate: Option<f64>,
    /// The share of the passes, at the beginning, in which the encoder stays as it is, 0 to 1; 0.3
    /// by default.
    pub frozen: f64,
    /// Units of each of the head's hidden layers, up to 8 layers of 1 to 8192; none by default.
    pub head: Vec<usize>,
    /// The share of the rows that is held out to choose the best pass, 0 or more and below 0.9. If
    /// `None`, it is 0.15, or 0 for fewer than 500 rows, as those held out would be too few to tell
    /// passes apart, and for a masked transformer, as a head alone has few weights: training would miss
    /// them.
    pub held_out: Option<f64>,
    /// Whether to begin with random weights instead of the encoder's, to see what those are worth.
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
    /// Checks that all numbers are within their ranges.
    ///
    /// # Errors
    /// `Argument` with the first number that is out of its range.
    pub fn validate(&self) -> Result<()> {
        let fault = if !(1..=MOST_EPOCHS).contains(&self.epochs) {
            format!("{} epochs are not between 1 and {MOST_EPOCHS}", self.epochs)
        } else if !(1..=MOST_BATCH).contains(&self.batch) {
            format!("a batch of {} is not between 1 and 2^20", self.batch)
        } else if !(self.rate > 0.0 && self.rate <= 1.0) {
            format!("a learning rate of {} is not above 0 and up to 1", self.rate)
        } else if let Some(x) = self.encoder_rate.filter(|x| !(0.0..=MOST_ENCODER_RATE).contains(x))
        {
            format!(
                "an encoder's rate of {x:?} times the head's is not in 0 to {MOST_ENCODER_RATE}"
            )
        } else if !(0.0..=1.0).contains(&self.frozen) {
            format!("a share of {:?} of the passes is not in 0 to 1", self.frozen)
        } else if let Some(x) = self.held_out.filter(|x| !(0.0..MOST_HELD_OUT).contains(x)) {
            format!("a share of {x:?} of the rows to hold out is not in 0 to {MOST_HELD_OUT}")
        } else if self.head.len() > MOST_HEAD_LAYERS
            || self.head.iter().any(|n| !(1..=MOST_HEAD_UNITS).contains(n))
        {
            format!(
                "a head has up to {MOST_HEAD_LAYERS} hidden layers of 1 to {MOST_HEAD_UNITS} units"
            )
        } else {
            return Ok(());
        };
        Err(Error::argument(fault))
    }

    /// Fails if the encoder is to change.
    pub(super) fn expect_frozen(&self) -> Result<()> {
        let fault = if self.from_scratch {
            "cannot begin with other weights"
        } else if self.encoder_rate.is_some_and(|rate| rate > 0.0) {
            "has no learning rate but 0"
        } else {
            return Ok(());
        };
        Err(Error::argument(format!(
            "a masked transformer stays as it is while a head learns, so its encoder {fault}"
        )))
    }

    /// The task for labels of this type.
    pub(super) fn task_for(&self, labels: &Schema) -> Task {
        let by_type = if labels.dtype.is_float() { Task::Regression } else { Task::Classification };
        self.task.unwrap_or(by_type)
    }
}

/// What training further reached.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FinetuneReport {
    /// The task that was learned.
    pub task: Task,
    /// The number of rows with a label of their own, held-out rows among them.
    pub rows: usize,
    /// The number of rows learned from with a label guessed from rows like them.
    pub pseudo_labelled: usize,
    /// The number of classes, or of numbers predicted of a row.
    pub outputs: usize,
    /// The number of passes made.
    pub epochs: usize,
    /// The pass whose weights were kept, counted from 1.
    pub kept: usize,
    /// The number of rows held out.
    pub held_out: usize,
    /// The mean loss in the pass that was kept, over the held-out rows if there are any, else over
    /// those learned from: cross-entropy in nats for labels, squared error over the variance for
    /// numbers.
    pub loss: f64,
    /// The share, over the same rows in that pass, of labels predicted right, or of the numbers'
    /// variance that is explained; at most 1.
    pub right: f64,
}
