//! What is told while a file is made.

use crate::fit::history::{Epoch, History};
use crate::fit::milestones;
use crate::fit::network::context::{TrainingObserver, TrainingProgress};
use crate::nn::objectives::bits::Cost;
use std::sync::{Arc, Mutex};

/// What a long operation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// It looks at all rows; without a count.
    Scan,
    /// It fits models; counted in thousandths, by a guess of how many will be tried.
    Fit,
    /// It trains a network; counted in thousandths, in fine-tuning in passes.
    Train,
    /// It chooses the network's latents and refits the network to them; counted in turns.
    Refit,
    /// It writes rows; counted in rows.
    Encode,
    /// It compresses in one way after another, to compare them; counted in ways.
    Measure,
}

/// How far a long operation is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// How much of it is done, counted as the stage says.
    pub done: u64,
    /// How much there is; 0 if unknown.
    pub total: u64,
    /// While training: what the file would take now.
    pub estimate: Option<Estimate>,
    /// While training with a textbook objective: the pass that has just ended.
    pub epoch: Option<Epoch>,
}

/// What a file would take, in bytes per row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Estimate {
    /// Latents, without the class of the row.
    pub latent: f64,
    /// Residuals; 0 where the promise needs none.
    pub residual: f64,
    /// The decoder's weights.
    pub weights: f64,
    /// Everything, with the linear codec.
    pub linear: f64,
}

/// A function that is told about progress, from any thread.
pub type ProgressFn = Arc<dyn Fn(Progress) + Send + Sync>;

/// Steps that searches and trainings are counted in.
const STEPS: u64 = 1000;

/// Tells the caller about progress, and keeps what is told of each pass of a textbook objective.
pub(crate) struct Recorder {
    progress: Option<ProgressFn>,
    /// Whether a training can be told in bytes of the file.
    estimates: bool,
    history: Mutex<History>,
}

impl Recorder {
    /// Tells `progress`; with a textbook objective a training has no estimate of the file.
    pub(super) fn new(progress: Option<ProgressFn>, is_textbook: bool) -> Self {
        Self { progress, estimates: !is_textbook, history: Mutex::default() }
    }

    /// What tells how far searches for a codec are.
    pub(super) fn of_searches(&self) -> Option<milestones::Told> {
        let progress = self.progress.clone()?;
        Some(Arc::new(move |share: f64| {
            let done = (share * STEPS as f64) as u64;
            let (stage, total) = (Stage::Fit, STEPS);
            progress(Progress { stage, done, total, estimate: None, epoch: None });
        }))
    }

    /// Tells how far a stage is; 0 of 0 where it is not counted.
    pub(super) fn stage(&self, stage: Stage, done: u64, total: u64) {
        self.tell(Progress { stage, done, total, estimate: None, epoch: None });
    }

    fn tell(&self, progress: Progress) {
        if let Some(tell) = &self.progress {
            tell(progress);
        }
    }

    /// All passes that were told of; none if there were none.
    pub(super) fn history(&self) -> Option<History> {
        let history = self.history.lock().ok()?.clone();
        (!history.epochs.is_empty()).then_some(history)
    }
}

impl TrainingObserver for Recorder {
    fn training(&self, progress: &TrainingProgress) {
        let TrainingProgress { share, cost, linear, epoch } = *progress;
        if let (Some(epoch), Ok(mut history)) = (epoch, self.history.lock()) {
            // What is trained a second time is what is kept.
            if epoch.index == 0 {
                history.epochs.clear();
            }
            history.epochs.push(epoch);
        }
        let Cost { latent, residual, weights, .. } = cost;
        let estimate = self.estimates.then_some(Estimate { latent, residual, weights, linear });
        let done = (share * STEPS as f64) as u64;
        self.tell(Progress { stage: Stage::Train, done, total: STEPS, estimate, epoch });
    }

    fn refit(&self, turn: usize, turns: usize) {
        self.stage(Stage::Refit, turn as u64, turns as u64);
    }
}
