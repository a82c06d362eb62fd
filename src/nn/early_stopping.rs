//! Rows that are not trained on, by which the best pass is told.

use crate::matrix::rng::Rng;
use crate::nn::autoencoder::Autoencoder;
use crate::nn::objectives::bits::{BitsConfig, Cost};

/// Least rows that say anything.
const LEAST: usize = 64;

/// What they have said so far.
pub(super) struct EarlyStopping {
    /// Their numbers.
    pub(super) rows: Vec<usize>,
    /// The best network, and what its pass came to.
    pub(super) best: Option<(Autoencoder, Cost)>,
    /// When that was, and what these rows cost then.
    last: (usize, Cost),
    /// Passes without a better one after which training ends.
    patience: usize,
}

impl EarlyStopping {
    /// Takes rows out of `order`, if the plan says so and there are enough.
    pub(super) fn new(order: &mut Vec<usize>, plan: &BitsConfig, rng: &mut Rng) -> Self {
        let count = (order.len() as f64 * plan.held_out) as usize;
        let mut rows = Vec::new();
        if count >= LEAST {
            rng.shuffle(order);
            rows = order.split_off(order.len() - count);
        }
        let patience = (plan.epochs / 4).max(5);
        Self { rows, best: None, last: (0, Cost::default()), patience }
    }

    /// Takes what a pass came to; whether it is time to stop.
    pub(super) fn is_over(
        &mut self,
        epoch: usize,
        (now, lambda): (Cost, f64),
        (net, cost): (&Autoencoder, Cost),
    ) -> bool {
        // What errors cost changes from pass to pass: both at the price of today.
        let bytes = |c: &Cost| c.latent + c.residual + c.priced(lambda);
        let before = bytes(&self.last.1);
        if self.best.is_none() || before.is_nan() || bytes(&now) < before {
            self.best = Some((net.clone(), cost));
            self.last = (epoch, now);
        }
        epoch - self.last.0 >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::network::{Network, Shape};

    #[test]
    fn the_best_pass_is_kept_and_the_price_of_the_day_counts() {
        let shape = Shape { inputs: 1, layers: Vec::new(), skip: true };
        let net = |mark: f32| {
            let mut net = Network::new(shape.clone(), &mut Rng::new(2));
            net.params[0] = mark;
            Autoencoder {
                encoder: net.clone(),
                decoder: net,
                column: vec![1.0],
                latent: vec![1.0],
                flags: Default::default(),
            }
        };
        let mut held =
            EarlyStopping { rows: vec![1], best: None, last: Default::default(), patience: 3 };
        let cost = |latent: f64, error: f64| Cost { latent, error, ..Cost::default() };
        for (epoch, latent, error, lambda, over) in [
            (0, 10.0, 8.0, 1.0, false),
            (1, 9.0, 8.0, 1.0, false),
            // Less error for more bits: worse today, better when errors are dear.
            (2, 10.0, 7.0, 1.0, false),
            (3, 10.0, 7.0, 9.0, false),
            (4, 11.0, 7.0, 9.0, false),
            (5, 11.0, 7.0, 9.0, false),
            (6, 10.0, 7.0, 9.0, true),
        ] {
            let own = net(epoch as f32);
            let is_over =
                held.is_over(epoch, (cost(latent, error), lambda), (&own, Cost::default()));
            assert_eq!(is_over, over, "{epoch}");
        }
        assert_eq!(held.best.unwrap().0.encoder.params[0], 3.0);
    }
}
