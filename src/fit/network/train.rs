//! Training on the bits of the file, as a plan says.

use super::plan::NetworkPlan;
use super::start::{from_components, remaining_deviation};
use crate::fit::data::components::Components;
use crate::matrix::rng::Rng;
use crate::nn::adam::Clip;
use crate::nn::autoencoder::Autoencoder;
use crate::nn::objectives::bits::{Bits, BitsConfig, Cost, Distortion};
use crate::nn::trainer::{HeldOut, StepConfig, TrainerConfig, train};

/// A trained autoencoder with what it was trained under.
#[derive(Debug, Clone)]
pub(crate) struct TrainedNetwork {
    pub(crate) autoencoder: Autoencoder,
    pub(crate) cost: Cost,
    /// Bits per squared residual step of error, at the end.
    pub(crate) error_price: f64,
    /// The latents' step in residual steps.
    pub(crate) step: f64,
}

/// Adam's memory of squared gradients, a hundred steps. Of a thousand, as is usual, it is too slow to
/// see when steps have become too long: errors grow tenfold in a few steps near the peak of the
/// rate, and files came out 2 to 20 % larger, some seeds more than others.
const MEMORY: f32 = 0.99;
/// Length of Muon's steps under a bound on each value, in what is like Adam's. (After 12 passes, files of spectra with 64
/// hidden units were 4 % smaller than with Adam alone, 10 % with 2, 12 % with 4; those of an ECG at level 5 2 %, and 1 %
/// with 2.)
const BOUNDED_LENGTH: f32 = 2.0;
/// The same for a figure over the file. (With 2, embeddings are 0.7 % larger at level 5.)
const TARGET_LENGTH: f32 = 1.0;
/// Least rows held out that say anything.
const LEAST_HELD_OUT: usize = 64;
/// Training ends when a quarter of its passes, or so many if that is more, brought nothing better:
/// classes that double make a pass or two worse before they make it better.
const PATIENCE_PART: usize = 4;
const LEAST_PATIENCE: usize = 5;
/// Trains the plan's network on normalised rows, from their principal components on. `progress` is
/// told of each pass: the share of the training that is done, and what rows cost.
pub(crate) fn train_on_bits(
    plan: &NetworkPlan,
    rows: &[f32],
    components: &Components,
    progress: &dyn Fn(f64, &Cost),
) -> TrainedNetwork {
    let mut rng = Rng::new(plan.seed);
    let net = from_components(components, plan, &mut rng);
    let left = remaining_deviation(components, plan);
    let config = BitsConfig {
        distortion: plan.distortion,
        step: plan.step,
        classes: plan.classes,
        file_rows: plan.file_rows,
        batch: plan.batch,
        seed: plan.seed,
    };
    let mut bits = Bits::new(net, rows, &left, config);
    if !plan.neighbours.is_empty() {
        bits.look_at_neighbours(plan.neighbours.clone());
    }
    let pass = train(&mut bits, &trainer(plan), &mut rng, &mut |pass| {
        progress(pass.done, &pass.trained);
        true
    });
    TrainedNetwork {
        cost: pass.map_or_else(Cost::default, |pass| pass.trained),
        error_price: bits.error_price,
        step: f64::from(plan.step),
        autoencoder: bits.net,
    }
}

fn trainer(plan: &NetworkPlan) -> TrainerConfig {
    TrainerConfig {
        passes: plan.passes,
        batch: plan.batch,
        short_batches: false,
        rate: plan.rate,
        steps: StepConfig {
            beta2: MEMORY,
            decay: 0.0,
            clip: Clip::Unusual,
            muon: Some(match plan.distortion {
                Distortion::Coded => BOUNDED_LENGTH,
                Distortion::Target(_) => TARGET_LENGTH,
            }),
        },
        held_out: HeldOut {
            share: plan.held_out,
            least: LEAST_HELD_OUT,
            patience: (plan.passes / PATIENCE_PART).max(LEAST_PATIENCE),
            patient_from: 0,
        },
        deadline: plan.deadline,
    }
}
