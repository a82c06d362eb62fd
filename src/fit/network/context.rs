//! What the training of networks is given, and whom it tells how far it is.

use super::codec_network::CodecNetwork;
use crate::fit::config::TrainConfig;
use crate::fit::data::sample::Sample;
use crate::fit::history::Epoch;
use crate::nn::objectives::bits::{Cost, Distortion};

/// How much to spend on networks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Budget {
    /// Multiply-adds of all trainings together. It is counted in work and not in time, so that
    /// files do not depend on the machine.
    pub(crate) work: f64,
    /// Most passes over the rows: few rows would have more than they gain from.
    pub(crate) epochs: usize,
    /// Widths of the decoder's hidden layer that are tried: a wide one fits better and takes more
    /// bytes. Each is a short training for each start, out of the same work.
    pub(crate) widths: &'static [usize],
    /// Numbers of latents and their steps that are tried.
    pub(crate) starts: &'static [RelativeStart],
    /// Row classes while training: bits are estimated better with more, and each takes time.
    pub(crate) classes: usize,
}

/// Where a training begins, relative to the linear codec: a curved surface needs fewer coordinates
/// than a flat one that holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RelativeStart {
    /// Number of latents over the linear codec's.
    pub(crate) latents: f64,
    /// Their step over the linear codec's.
    pub(crate) step: f64,
}

/// What networks are trained for and with. It is made once for each compression.
#[derive(Clone, Copy)]
pub(crate) struct TrainingContext<'a> {
    /// What the level spends; without it, nothing is trained.
    pub(crate) budget: Option<Budget>,
    /// What the caller asks of the network.
    pub(crate) request: &'a TrainConfig,
    /// The network of the codec that rows are compressed with: it is used instead of training one.
    pub(crate) codec_network: Option<&'a CodecNetwork>,
    pub(crate) seed: u64,
    /// More rows than the linear codec is fitted to, for textbook objectives.
    pub(crate) more_rows: Option<&'a Sample>,
    /// Whether a codec is learned, for more than these rows: then some of them are held out, and
    /// the integers of a textbook objective's network are fine ones.
    pub(crate) is_for_codec: bool,
    /// How many times as finely as is best the network's weights are rounded, to measure what
    /// rounding costs.
    pub(crate) weight_precision_factor: Option<f64>,
    pub(crate) observer: &'a dyn TrainingObserver,
}

/// Is told how far training is, from any thread.
pub(crate) trait TrainingObserver: Sync {
    /// Is called after each pass of a training, and once at its end.
    fn training(&self, progress: &TrainingProgress);

    /// Of `turns` turns of choosing latents and refitting the network to them, `turn` are over.
    fn refit(&self, turn: usize, turns: usize);
}

/// How far training is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrainingProgress {
    /// Share that is done.
    pub(crate) share: f64,
    /// What it has reached, where the file's size is what is trained on.
    pub(crate) cost: Cost,
    /// The linear codec's bytes per row.
    pub(crate) linear: f64,
    /// A pass that is over, with a textbook objective.
    pub(crate) epoch: Option<Epoch>,
}

/// What the linear codec says about the data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinearBaseline {
    pub(crate) latents: usize,
    /// The latents' step in residual steps.
    pub(crate) step: f64,
    /// Whether residuals are trained on as neighbours in their row leave them, where that pays.
    pub(crate) is_filtered: bool,
    /// What errors of a network cost, to compare with it.
    pub(crate) distortion: Distortion,
    /// Bytes per row, or what the search knows of them before all linear codecs are built.
    pub(crate) linear: f64,
}

impl TrainingContext<'_> {
    /// Whether a network was asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.codec_network.is_some() || self.request.wants_network() == Some(true)
    }

    /// Whether a network that was trained is taken, however large the file gets.
    pub(crate) fn insists(&self) -> bool {
        self.is_asked() || self.weight_precision_factor.is_some()
    }

    /// Whether a network may come of it.
    pub(crate) fn may_train(&self) -> bool {
        self.budget.is_some() || self.is_asked()
    }

    /// Whether a network with a textbook objective is trained, and not brought by a codec.
    pub(crate) fn trains_textbook_objective(&self) -> bool {
        self.budget.is_some() && self.request.is_kind()
    }
}
