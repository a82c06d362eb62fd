//! How long a network is fitted to latents as they were chosen.

use super::choose::{BATCH, TARGET_RATE};
use crate::fit::config::TrainConfig;
use crate::matrix::rng::Rng;
use crate::nn::autoencoder::Autoencoder;
use crate::nn::objectives::refit::Refit;
use crate::nn::trainer::{TrainerConfig, train};

/// How long the two networks are fitted, and in which steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefitConfig {
    /// Least passes over the rows, and least steps of [`BATCH`] rows. The one that takes longer
    /// counts: few rows are passed over often.
    pub(crate) least_passes: usize,
    pub(crate) least_steps: usize,
    /// Most passes.
    pub(crate) most_passes: usize,
    /// Rows of a batch.
    pub(crate) batch: usize,
    /// Peak of the learning rate.
    pub(crate) rate: f32,
    pub(crate) seed: u64,
}

/// Passes and steps of a turn: as long as the network still gains from one more turn instead.
const PASSES: usize = 6;
const STEPS: usize = 940;
/// The rate, as a share of that of the training before: what is learned is there already.
const RATE: f32 = 1.0 / 8.0;

impl RefitConfig {
    /// A turn; what is asked of the first training holds for it too, at an eighth of the rate.
    pub(crate) fn new(request: &TrainConfig, seed: u64) -> Self {
        Self {
            least_passes: PASSES,
            least_steps: STEPS,
            most_passes: request.epochs.unwrap_or(usize::MAX),
            batch: request.batch.unwrap_or(BATCH),
            rate: request.rate.unwrap_or(TARGET_RATE) as f32 * RATE,
            seed,
        }
    }
}

/// Lowers the squared error of normalised `rows` that are decoded from `latents`, in steps, and
/// that of the latents that the encoder finds.
pub(crate) fn refit(net: &mut Autoencoder, rows: &[f32], latents: &[f32], how: RefitConfig) {
    let count = rows.len() / net.width();
    let steps = count / BATCH.min(count);
    let passes = how.least_passes.max(how.least_steps.div_ceil(steps)).min(how.most_passes);
    let config = TrainerConfig {
        passes,
        batch: how.batch,
        short_batches: false,
        rate: how.rate,
        ..TrainerConfig::default()
    };
    train(&mut Refit::new(net, rows, latents), &config, &mut Rng::new(how.seed), &mut |_| true);
}
