//! What the training of networks is given, and what it tells.

use super::brought::CodecNetwork;
use crate::fit::config::TrainConfig;
use crate::fit::data::sample::Sample;
use crate::fit::history::Epoch;
use crate::nn::objectives::bits::{Cost, Distortion};

/// How much to spend on networks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Budget {
    /// Multiply-adds of all trainings.
    pub(crate) work: f64,
    /// Most passes over the rows.
    pub(crate) epochs: usize,
    /// Widths of the decoder that are tried.
    pub(crate) widths: &'static [usize],
    /// Numbers of latents and their steps to begin with that are tried, relative to the linear
    /// codec's: a curved surface needs fewer coordinates than a flat one that holds it.
    pub(crate) starts: &'static [(f64, f64)],
    /// Row classes while training.
    pub(crate) classes: usize,
}

/// What networks are trained for and with.
#[derive(Clone, Copy)]
pub(crate) struct TrainingContext<'a> {
    pub(crate) budget: Option<Budget>,
    pub(crate) wish: &'a TrainConfig,
    /// A codec's network, to begin with.
    pub(crate) learned: Option<&'a CodecNetwork>,
    pub(crate) seed: u64,
    /// More rows than the linear codec is fitted to, for kinds.
    pub(crate) rows: Option<&'a Sample>,
    /// Whether it is a codec that is wanted, for more than these rows: some of them are held out,
    /// and a kind's integers are fine ones.
    pub(crate) precise: bool,
    /// How much finer than is best its weights are rounded.
    pub(crate) finer: Option<f64>,
    /// Told about training.
    pub(crate) log: &'a (dyn Fn(&TrainingProgress) + Sync),
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
    /// A pass that is over, of a kind.
    pub(crate) epoch: Option<Epoch>,
}

/// What the linear codec says about the data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinearBaseline {
    pub(crate) latents: usize,
    pub(crate) step: f64,
    pub(crate) objective: Distortion,
    /// Bytes per row of the linear codec.
    pub(crate) linear: f64,
}

impl TrainingContext<'_> {
    /// Whether a network was asked for, however large the file gets.
    pub(crate) fn is_asked(&self) -> bool {
        self.learned.is_some() || self.wish.wants_network() == Some(true)
    }
}
